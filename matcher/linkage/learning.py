"""The service's own agreement figures (evidence parameters `*.same*` and `*.chance*`), learned from its own pairs.

Each family is one field whose comparison falls on a few levels. m, the share of pairs of one person on a level, comes
from pairs weighed by how surely they are one person; u from pairs of records drawn at random, because candidates were
chosen for being alike. Both are drawn towards the figures in use by a number of pairs that those are taken to be worth
(a Dirichlet prior), so that a handful of cases moves nothing far.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher import divisions
from matcher.profile import Known, Mark, Profile
from matcher.vocabulary import Basis, Build, PlaceKind

Floats = NDArray[np.float64]
Shares = Sequence[float]
"""How a pair of profiles falls on the levels of a family: not negative, together 1."""

Pair = tuple[Profile, Profile]

LEAST = 1e-4
"""No share is learned to be less: what was never seen may still happen."""

_CERTAIN = frozenset({Basis.MEASURED, Basis.DOCUMENTED})
_SURE_OF_GROUP = frozenset({Basis.DOCUMENTED, Basis.REPORTED})
_HOMES = frozenset({PlaceKind.NATIVE, PlaceKind.REGISTERED, PlaceKind.RESIDENCE})
_BUILDS = tuple(Build)
_PLACE_LEVELS = (("0", "neighbour"), ("1",), ("2",), ("3",))


@dataclass(frozen=True, slots=True)
class Family:
    """One field.

    Attributes:
        same: for each level the keys whose figures are its m together; () for what the others leave of 1.
        chance: the same for u; None where u is a table of the population that is not learned.
        observe: the levels of a pair; None when it says nothing.
    """

    same: tuple[tuple[str, ...], ...]
    chance: tuple[tuple[str, ...], ...] | None
    observe: Callable[[Profile, Profile], Shares | None]


@dataclass(frozen=True, slots=True)
class Learned:
    """A figure that was learned: its value, the value before, and from how many pairs (weights added up)."""

    value: float
    before: float
    pairs: float


def learn(
    figures: Mapping[str, float],
    pairs: Sequence[Pair],
    weights: Floats,
    strangers: Sequence[Pair],
    prior_pairs: float,
) -> dict[str, Learned]:
    """Figures by key, of the families of which `figures` has every level. Weights (pairs,) are probabilities 0 to 1.

    Raises ValueError when prior_pairs is not above 0: without a prior one pair would decide.
    """
    if prior_pairs <= 0:
        raise ValueError("the figures in use must count for more than 0 pairs")
    found: dict[str, Learned] = {}
    for family in FAMILIES:
        found |= _shrunk(figures, family.same, *_counts(family, pairs, weights), prior_pairs)
        if family.chance is not None:
            drawn = _counts(family, strangers, np.ones(len(strangers)))
            found |= _shrunk(figures, family.chance, *drawn, prior_pairs)
    return found


def _counts(family: Family, pairs: Sequence[Pair], weights: Floats) -> tuple[Floats, float]:
    """(levels,) weight that fell on each level, and the weight of all pairs that say something."""
    total = np.zeros(len(family.same))
    for (one, other), weight in zip(pairs, weights, strict=True):
        shares = family.observe(one, other)
        if shares is not None:
            total += float(weight) * np.asarray(shares)
    return total, float(total.sum())


def _shrunk(
    figures: Mapping[str, float], levels: Sequence[Sequence[str]], counts: Floats, pairs: float, prior_pairs: float
) -> dict[str, Learned]:
    """Each level's posterior mean, shared out among its keys as before. {} for a family that is not there whole."""
    own = [[key for key in keys if key in figures] for keys in levels]
    if pairs <= 0 or any(keys and not kept for keys, kept in zip(levels, own, strict=True)):
        return {}
    before = np.array([sum(figures[key] for key in keys) for keys in own])
    rest = [not keys for keys in levels]
    before = np.where(rest, 1 - before.sum(), before)
    after = np.maximum((counts + prior_pairs * before / before.sum()) / (pairs + prior_pairs), LEAST)
    after = after / after.sum() * before.sum()
    return {
        key: Learned(float(figures[key] * new / old), float(figures[key]), pairs)
        for keys, old, new in zip(own, before, after, strict=True)
        for key in keys
    }


def _same_or_not(a: Known[Any] | None, b: Known[Any] | None) -> Shares | None:
    if a is None or b is None:
        return None
    return (1.0, 0.0) if a.value == b.value else (0.0, 1.0)


def _sex(a: Profile, b: Profile) -> Shares | None:
    return _same_or_not(a.sex, b.sex)


def _build(a: Profile, b: Profile) -> Shares | None:
    if a.build is None or b.build is None:
        return None
    steps = abs(_BUILDS.index(a.build.value) - _BUILDS.index(b.build.value))
    return tuple(float(steps == level) for level in range(3))


def _ethnicity(*, sure: bool) -> Callable[[Profile, Profile], Shares | None]:
    def observe(a: Profile, b: Profile) -> Shares | None:
        if a.ethnicity is None or b.ethnicity is None or _both(a.ethnicity, b.ethnicity, _SURE_OF_GROUP) is not sure:
            return None
        return _same_or_not(a.ethnicity, b.ethnicity)

    return observe


def _blood_group(*, sure: bool) -> Callable[[Profile, Profile], Shares | None]:
    def observe(a: Profile, b: Profile) -> Shares | None:
        if a.blood_group is None or b.blood_group is None or _both(a.blood_group, b.blood_group, _CERTAIN) is not sure:
            return None
        return _same_or_not(a.blood_group, b.blood_group)

    return observe


def _both(a: Known[Any], b: Known[Any], bases: frozenset[Basis]) -> bool:
    return a.basis in bases and b.basis in bases


def _homes(a: Profile, b: Profile) -> Shares | None:
    return _agreement(_divisions(a, _HOMES), _divisions(b, _HOMES))


def _mentioned(a: Profile, b: Profile) -> Shares | None:
    talk = frozenset({PlaceKind.MENTIONED})
    pairs = [
        *product(_divisions(a, talk), _divisions(b, _HOMES | talk)),
        *product(_divisions(a, _HOMES), _divisions(b, talk)),
    ]
    return _mean_level(pairs)


def _accent(a: Profile, b: Profile) -> Shares | None:
    pairs = [
        (accent.value, home)
        for accent, other in ((a.accent, b), (b.accent, a))
        if accent is not None
        for home in _divisions(other, _HOMES)
    ]
    return _mean_level(pairs)


def _agreement(ours: Sequence[str], theirs: Sequence[str]) -> Shares | None:
    return _mean_level(list(product(ours, theirs)))


def _mean_level(pairs: Sequence[tuple[str, str]]) -> Shares | None:
    """Share of the pairs of divisions on each level; those of which one ends too early to tell are left out."""
    total = np.zeros(len(_PLACE_LEVELS))
    for one, other in pairs:
        level = divisions.shared_level(one, other)
        depth = min(len(divisions.normalise(one)), len(divisions.normalise(other))) // 2
        if level == 0 or level < depth or depth >= 3:
            total[level] += 1
    return tuple(float(one) for one in total / total.sum()) if total.sum() else None


def _divisions(profile: Profile, kinds: frozenset[PlaceKind]) -> list[str]:
    return [place.division for place in profile.places if place.kind in kinds and place.division]


def _marks(a: Profile, b: Profile) -> Shares | None:
    """Share of the marks in either record that the other has too."""
    ours, theirs = [[_place(mark) for mark in one.marks if mark.permanent] for one in (a, b)]
    if not ours or not theirs:
        return None
    shared = 2 * sum(min(ours.count(one), theirs.count(one)) for one in set(ours)) / (len(ours) + len(theirs))
    return shared, 1 - shared


def _place(mark: Mark) -> tuple[str, str]:
    return mark.kind.value, mark.region.value


def _by_level(prefix: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(f"{prefix}.{level}" for level in levels) for levels in _PLACE_LEVELS)


FAMILIES: tuple[Family, ...] = (
    Family((("sex.same",), ()), (("sex.chance",), ()), _sex),
    Family(
        tuple((f"build.same.{step}",) for step in range(3)),
        tuple((f"build.chance.{step}",) for step in range(3)),
        _build,
    ),
    Family((("ethnicity.same",), ()), None, _ethnicity(sure=True)),
    Family((("ethnicity.same_by_eye",), ()), None, _ethnicity(sure=False)),
    Family((("blood_group.same",), ()), None, _blood_group(sure=True)),
    Family((("blood_group.same_said",), ()), None, _blood_group(sure=False)),
    Family(_by_level("place.home.same"), _by_level("place.chance"), _homes),
    Family(_by_level("place.mentioned.same"), None, _mentioned),
    Family(_by_level("accent.same"), None, _accent),
    Family((("marks.recorded",), ()), None, _marks),
)
"""What can be learned. Time, age and height are curves and spreads, names and faces have fits of their own."""
