"""The fit of a face calibration on labelled photographs, careful where data are thin or people differ.

Each cohort gets a logistic regression of its own, in which same-person pairs and strangers weigh alike, so that the
fitted log-odds are a log likelihood ratio. What is shipped takes from the cohorts, each time, what claims least:

- neutral: the highest cosine at which any cohort's fit says LR 1, so that no group's strangers look alike by mistake;
- slope: the flattest of the cohorts of adults (across childhood it is so flat that it would say nothing of adults);
- cap: what the pairs of the largest cohort bear (empirical upper bound, Vergeer et al. 2016), and never more than its
  number of people: pairs of strangers are many, but share people;
- floor: the one at which the cohorts' mean Cllr is least, and never more than the largest cohort's number of people
  with two photographs. Children and long years are among the cohorts: they keep a weak score from counting against.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from matcher.calibration import FaceCalibration
from matcher.evaluation.calibration_metrics import cllr, min_cllr, upper_bound
from matcher.evaluation.datasets import Dataset, Labelled
from matcher.evaluation.templates import Metric, Templates
from matcher.evaluation.verification import Pairs, Scores, equal_error_rate, same_pairs, stranger_pairs

FOLDS = 5
ADULT = 18
LEAST_PEOPLE = 5
"""People with two photographs that a cohort needs at least."""
LEAST_PAIRS = 50
"""Pairs of each kind that a cohort needs at least."""

# Flattens a fit that separates its pairs perfectly, which would otherwise be infinitely steep.
_RIDGE = 1e-6
# A bound of 0 would leave no curve at all; an LR of 1.12 is as good as nothing.
_LEAST = 0.05
_FLOORS = tuple(round(-_LEAST * step, 2) for step in range(1, 61))


class CohortsTooSmall(ValueError):
    """No cohort of adults is large enough for a fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Pairs of one group of people whose faces were found.

    Attributes:
        name: the set, and the part of it.
        adults: whether all are adults, as far as is known.
        same, strangers: cosines of pairs.
        same_people, stranger_people: numbers of the people of each pair, shape (m, 2).
        people: number of people; `mated` of them have two photographs.
    """

    name: str
    adults: bool
    same: Scores
    strangers: Scores
    same_people: Pairs
    stranger_people: Pairs
    people: int
    mated: int

    @property
    def large_enough(self) -> bool:
        """Whether a fit on it means anything."""
        return self.mated >= LEAST_PEOPLE and min(len(self.same), len(self.strangers)) >= LEAST_PAIRS


@dataclass(frozen=True, slots=True)
class CohortFigures:
    """How one cohort fared.

    Attributes:
        slope, neutral: its own fit, log10 LR per unit of cosine and the cosine at LR 1.
        equal_error_rate: 0 to 1.
        held_out_cllr: of its own fit, each tenth of the people judged by the fit on the others.
        min_cllr: of the best monotone calibration of its cosines.
        shipped_cllr: of the calibration that is shipped.
        stranger_log10_lr: what the shipped calibration says of the strangers' 99.9 % quantile.
    """

    name: str
    adults: bool
    people: int
    same: int
    strangers: int
    slope: float
    neutral: float
    equal_error_rate: float
    held_out_cllr: float
    min_cllr: float
    shipped_cllr: float
    stranger_log10_lr: float


@dataclass(frozen=True, slots=True)
class CalibrationFit:
    """A calibration, the cohorts that it is made of, and the names of those that were too small."""

    calibration: FaceCalibration
    cohorts: tuple[CohortFigures, ...]
    too_small: tuple[str, ...]


def cohorts_of(dataset: Dataset, templates: Templates, seed: int) -> list[Cohort]:
    """The set as one cohort; where ages are known, its pairs of adults are another."""
    everybody = _cohort(dataset.name, dataset.photos, templates, np.arange(len(dataset.photos)), seed, adults=True)
    if all(photo.age is None for photo in dataset.photos):
        return [everybody]
    grown = np.array([photo.age is not None and photo.age >= ADULT for photo in dataset.photos], bool)
    if grown.all():
        return [everybody]
    adults = _cohort(
        f"{dataset.name} from {ADULT} years", dataset.photos, templates, np.flatnonzero(grown), seed, adults=True
    )
    children = f"{dataset.name} with children"
    return [adults, _cohort(children, dataset.photos, templates, np.arange(len(grown)), seed, adults=False)]


def _cohort(
    name: str, photos: Sequence[Labelled], templates: Templates, at: NDArray[np.int64], seed: int, *, adults: bool
) -> Cohort:
    at = at[templates.found[at]]
    people = [photos[position].person for position in at]
    known, number = np.unique(np.array(people), return_inverse=True)
    same, strangers = same_pairs(people), stranger_pairs(people, seed)
    return Cohort(
        name,
        adults,
        templates.pair_scores(at[same]),
        templates.pair_scores(at[strangers]),
        number[same],
        number[strangers],
        len(known),
        int((np.bincount(number) > 1).sum()) if len(number) else 0,
    )


def fit_logistic(same: Scores, strangers: Scores) -> tuple[float, float]:
    """(slope, neutral) of the log10 LR: balanced logistic regression on the score, by Newton's method.

    Raises ValueError when a kind is missing or likeness does not rise with the score.
    """
    if not len(same) or not len(strangers):
        raise ValueError("a fit needs same-person pairs and strangers")
    x = np.concatenate([same, strangers])
    middle, spread = float(x.mean()), float(x.std()) or 1.0
    y = np.arange(len(x)) < len(same)
    weight = np.where(y, 0.5 / len(same), 0.5 / len(strangers))
    design = np.stack([(x - middle) / spread, np.ones_like(x)], axis=1)
    theta = np.zeros(2)
    for _ in range(200):
        # Clipped: beyond it the exponential overflows and the share is 0 or 1 in any case.
        share = 1 / (1 + np.exp(-np.clip(design @ theta, -500, 500)))
        gradient = design.T @ (weight * (y - share)) - _RIDGE * theta
        hessian = (design * (weight * share * (1 - share))[:, np.newaxis]).T @ design + _RIDGE * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        theta = theta + step
        if float(np.abs(step).max()) < 1e-10:
            break
    if theta[0] <= 0:
        raise ValueError("likeness does not rise with the score: these templates tell nobody apart")
    return float(theta[0] / spread / np.log(10)), float(middle - spread * theta[1] / theta[0])


def fit_calibration(
    cohorts: Sequence[Cohort], metric: Metric, model_version: str, source: str, seed: int
) -> CalibrationFit:
    """The calibration of a model version by the rules of this module.

    `source` is kept with it; the figures of the fit are written behind it. Raises CohortsTooSmall when no cohort of
    adults is large enough, ValueError when the templates are not compared by cosine or tell nobody apart.
    """
    if metric is not Metric.COSINE:
        raise ValueError("a calibration is of cosines; this model is compared by another measure")
    usable = [cohort for cohort in cohorts if cohort.large_enough]
    if not any(cohort.adults for cohort in usable):
        raise CohortsTooSmall(
            f"A calibration needs a set of at least {LEAST_PEOPLE} adults with two photographs or more and"
            f" {LEAST_PAIRS} pairs of each kind."
        )
    fits = {cohort.name: fit_logistic(cohort.same, cohort.strangers) for cohort in usable}
    slope = min(fits[cohort.name][0] for cohort in usable if cohort.adults)
    neutral = max(found for _, found in fits.values())
    largest = max((cohort for cohort in usable if cohort.adults), key=lambda cohort: cohort.people)
    borne = upper_bound(slope * (largest.same - neutral), slope * (largest.strangers - neutral))
    cap = min(borne, float(np.log10(largest.people)))
    deepest = -float(np.log10(largest.mated))
    draft = FaceCalibration(
        model_version, float(f"{slope:.3g}"), round(neutral, 4), max(round(cap, 2), _LEAST), -1.0, source
    )
    rounded = min(
        (replace(draft, floor=floor) for floor in _FLOORS if floor >= deepest),
        key=lambda one: float(np.mean([cllr(weigh(one, c.same), weigh(one, c.strangers)) for c in usable])),
    )
    figures = tuple(_figures(cohort, fits[cohort.name], rounded, seed) for cohort in usable)
    shipped = replace(rounded, source=f"{source} {_told(figures, largest, borne)}")
    return CalibrationFit(shipped, figures, tuple(cohort.name for cohort in cohorts if not cohort.large_enough))


def _told(figures: Sequence[CohortFigures], largest: Cohort, borne: float) -> str:
    text = "; ".join(
        f"{one.name}: {one.people} people, {one.same:,} same and {one.strangers:,} different pairs,"
        f" slope {one.slope:.1f}, LR 1 at {one.neutral:.4f}, EER {one.equal_error_rate:.1%},"
        f" Cllr {one.held_out_cllr:.3f} held out, {one.shipped_cllr:.3f} as shipped, least possible {one.min_cllr:.3f}"
        for one in figures
    )
    return (
        f"{text}. Slope: the flattest of the cohorts of adults. Neutral: the highest LR 1 of all cohorts."
        f" Cap: the pairs of {largest.name} bear {borne:.2f} (empirical upper bound), its {largest.people} people"
        f" {np.log10(largest.people):.2f}; the smaller counts. Floor: where the cohorts' mean Cllr is least."
    )


def _figures(cohort: Cohort, fit: tuple[float, float], shipped: FaceCalibration, seed: int) -> CohortFigures:
    same, strangers = (weigh(shipped, scores) for scores in (cohort.same, cohort.strangers))
    return CohortFigures(
        cohort.name,
        cohort.adults,
        cohort.people,
        len(cohort.same),
        len(cohort.strangers),
        *fit,
        equal_error_rate(cohort.same, cohort.strangers),
        held_out_cllr(cohort, seed),
        min_cllr(cohort.same, cohort.strangers),
        cllr(same, strangers),
        shipped.log10_lr(float(np.quantile(cohort.strangers, 0.999))),
    )


def weigh(calibration: FaceCalibration, cosines: Scores) -> Scores:
    """log10 LRs of many cosines, shape kept."""
    line = calibration.slope * (cosines - calibration.neutral)
    bound = np.where(line > 0, calibration.cap, -calibration.floor)
    return np.asarray(bound * np.tanh(line / bound), np.float64)


def held_out_cllr(cohort: Cohort, seed: int, folds: int = FOLDS) -> float:
    """Cllr of the cohort's own fit: people are dealt to folds, and a pair is judged by the fit without its people's."""
    people = int(max(cohort.same_people.max(), cohort.stranger_people.max())) + 1
    fold = np.random.default_rng(seed).permutation(people) % min(folds, people)
    of_same, of_strangers = fold[cohort.same_people[:, 0]], np.sort(fold[cohort.stranger_people], axis=1)
    same, strangers = [], []
    for first, second in combinations_with_replacement(range(min(folds, people)), 2):
        rest = ~np.isin(of_same, (first, second)), ~np.isin(of_strangers, (first, second)).any(axis=1)
        slope, neutral = fit_logistic(cohort.same[rest[0]], cohort.strangers[rest[1]])
        judged = cohort.strangers[(of_strangers == (first, second)).all(axis=1)]
        strangers.append(slope * (judged - neutral))
        if first == second:
            same.append(slope * (cohort.same[of_same == first] - neutral))
    return cllr(np.concatenate(same), np.concatenate(strangers))
