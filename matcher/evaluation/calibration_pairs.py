"""Labelled photographs as pairs with what is known of each: years between them, ages, quality, sex, pose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import combinations_with_replacement
from typing import Self

import numpy as np
from numpy.typing import NDArray

from matcher.calibration import FaceCalibration
from matcher.evaluation.datasets import Dataset, Labelled
from matcher.evaluation.templates import Templates
from matcher.evaluation.verification import Pairs, Scores, same_pairs, stranger_pairs
from matcher.face_cohorts import AgePair, Circumstances, age_pair, least_extreme_of
from matcher.vocabulary import Sex

Flags = NDArray[np.bool_]

MOST_STRANGERS = 200_000
"""Pairs of strangers of a set; of more, as many are drawn."""

AGES: tuple[AgePair | None, ...] = (None, *AgePair)
SEXES: tuple[Sex | None, ...] = (None, *Sex)


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Same-person pairs, or pairs of strangers. All fields have one row a pair.

    Attributes:
        cosines: of the two templates.
        people: numbers of the two people, shape (m, 2), unique within the set.
        years: between the photographs, NaN where not known.
        ages: positions in `AGES`.
        quality: of the worse face, NaN where not known.
        sex: positions in `SEXES`; of both where it is the same.
        frontal: whether neither is known to be a profile.
    """

    cosines: Scores
    people: Pairs
    years: Scores
    ages: NDArray[np.int64]
    quality: Scores
    sex: NDArray[np.int64]
    frontal: Flags

    def where(self, chosen: Flags) -> Self:
        """Those pairs alone."""
        return replace(self, **{one.name: getattr(self, one.name)[chosen] for one in fields(self)})

    @property
    def ordinary(self) -> Flags:
        """Pairs that are not known to be of children or of profiles."""
        grown = np.isin(self.ages, [AGES.index(one) for one in (None, AgePair.ADULTS, AgePair.ELDER)])
        return np.asarray(grown & self.frontal)


@dataclass(frozen=True, slots=True, eq=False)
class PairSet:
    """All pairs of one set of photographs whose faces were found, or a part of them."""

    name: str
    same: Kind
    strangers: Kind

    def where(self, chosen: Callable[[Kind], Flags]) -> Self:
        """The pairs of both kinds that are chosen."""
        same, strangers = (kind.where(chosen(kind)) for kind in (self.same, self.strangers))
        return replace(self, same=same, strangers=strangers)

    @property
    def mated(self) -> int:
        """People of whom there is a same-person pair."""
        return len(np.unique(self.same.people))

    @property
    def people(self) -> int:
        """People of whom there is any pair."""
        return len(np.unique(np.concatenate([self.same.people, self.strangers.people])))


def pairs_of(dataset: Dataset, templates: Templates, seed: int) -> PairSet:
    """The pairs of a set; of more than `MOST_STRANGERS` pairs of strangers, that many are drawn by the seed."""
    at = np.flatnonzero(templates.found)
    people = [dataset.photos[position].person for position in at]
    _, number = np.unique(np.array(people), return_inverse=True)
    known = (
        _kind([dataset.photos[position] for position in at], number, templates, at, pairs)
        for pairs in (same_pairs(people), stranger_pairs(people, seed, MOST_STRANGERS))
    )
    return PairSet(dataset.name, *known)


def _kind(
    photos: Sequence[Labelled], number: NDArray[np.int64], templates: Templates, at: NDArray[np.int64], pairs: Pairs
) -> Kind:
    first, second = pairs.T
    ages = np.array([np.nan if one.age is None else one.age for one in photos], np.float64)
    sexes = np.array([SEXES.index(one.sex) for one in photos], np.int64)
    profile = np.array([one.pose == "profile" for one in photos], bool)
    overall = templates.quality.get("overall", np.full(len(templates.found), np.nan, np.float32))[at]
    return Kind(
        cosines=templates.pair_scores(at[pairs]),
        people=number[pairs],
        years=np.abs(ages[first] - ages[second]),
        ages=_age_pairs(ages[first], ages[second]),
        quality=np.minimum(overall[first], overall[second]).astype(np.float64),
        sex=np.where(sexes[first] == sexes[second], sexes[first], 0),
        frontal=~(profile[first] | profile[second]),
    )


def _age_pairs(a: Scores, b: Scores) -> NDArray[np.int64]:
    known = np.isfinite(a) & np.isfinite(b)
    kinds = np.zeros(len(a), np.int64)
    kinds[known] = [
        AGES.index(age_pair(x, y)) for x, y in zip(a[known].tolist(), b[known].tolist(), strict=True)
    ]  # fmt: skip
    return kinds


def weigh(calibration: FaceCalibration, kind: Kind, *, blind: bool = False) -> Scores:
    """log10 LR of each pair as the calibration says; `blind` keeps the circumstances from it."""
    result = np.empty(len(kind.cosines))
    told = np.zeros((len(result), 4))
    if not blind:
        told = np.stack([kind.years, kind.ages, kind.quality, kind.sex], axis=1)
        told[~np.isfinite(told)] = -1
    else:
        told[:, [0, 2]] = -1
    # Years and quality are rounded by no more than the data are: whole years, whole figures of quality.
    kinds, of = np.unique(told, axis=0, return_inverse=True)
    for position, (years, ages, quality, sex) in enumerate(kinds.tolist()):
        here = of == position
        conditions = Circumstances(
            None if years < 0 else years,
            AGES[int(ages)],
            None if quality < 0 else quality,
            SEXES[int(sex)],
        )
        result[here] = weigh_alike(calibration, kind.cosines[here], conditions)
    return result


def weigh_alike(calibration: FaceCalibration, cosines: Scores, of: Circumstances) -> Scores:
    """log10 LRs of many cosines under the same circumstances, shape kept."""
    return least_extreme_of(calibration.curves(of), cosines)


Parts = list[tuple[list[PairSet], list[PairSet]]]


def folds_of(sets: Sequence[PairSet], seed: int, folds: int) -> Parts:
    """(rest, judged) so that every pair is judged once, and none of its people is in the rest.

    People of each set are dealt to folds by the seed; the pairs of two folds are judged by what is in neither.
    """
    dealt = []
    for one in sets:
        numbers = np.concatenate([one.same.people.ravel(), one.strangers.people.ravel()])
        dealt.append(np.random.default_rng(seed).permutation(int(numbers.max(initial=0)) + 1) % folds)
    parts: Parts = []
    for pair in combinations_with_replacement(range(folds), 2):
        rest = [one.where(partial(_without, fold, pair)) for one, fold in zip(sets, dealt, strict=True)]
        judged = [one.where(partial(_between, fold, pair)) for one, fold in zip(sets, dealt, strict=True)]
        parts.append((rest, judged))
    return parts


def _without(fold: NDArray[np.int64], pair: tuple[int, int], kind: Kind) -> Flags:
    return np.asarray(~np.isin(fold[kind.people], pair).any(axis=1))


def _between(fold: NDArray[np.int64], pair: tuple[int, int], kind: Kind) -> Flags:
    return np.asarray((np.sort(fold[kind.people], axis=1) == pair).all(axis=1))
