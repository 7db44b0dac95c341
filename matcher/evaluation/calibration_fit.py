"""The fit of a face calibration on labelled photographs: a pooled curve, and cohorts drawn towards it where thin.

**Pooled**: one logistic regression on the cosine over the ordinary pairs (adults as far as known, no profiles), in
which same-person pairs and strangers weigh alike, so that the fitted log-odds are a log likelihood ratio. Sets weigh
alike however many pairs they have; a set named as the population (relevant population, 相关人群: people like those that
are searched) weighs as much as all others together, because whom one is taken for decides how alike strangers look.

**Cohorts**: by years between the photographs; by the ages within those years, and where years are not known; by sex;
poor quality. A cohort's log-odds are a + b * (its parent's log LR): regularised logistic regression that starts from
the parent's curve (a = 0, b = 1) instead of from nothing (after Morrison & Poh, Science & Justice 58, 2018, shrunk
likelihood ratios; as a normal prior it is the hierarchical model of Lindley & Smith, JRSS B 34, 1972). a has a prior
standard deviation of `PRIOR_OFFSET` natural log units, b of `PRIOR_SLOPE`; the data count as many observations as the
cohort has *people* with two photographs, since pairs share them. No people: the parent's curve; very many: its own fit.

**Bounds**. For: what the pairs bear (empirical upper bound, Vergeer et al., Science & Justice 56, 2016), never more
than the number of people; a cohort's is drawn from the parent's likewise and never above it. Photographs of adults that
are known to be near in time cannot be worth less than those of which no time is known, so of them the people of the
pooled fit bear it, and only their own pairs can lower it. Against, pooled: where the
sets' mean Cllr is least when nothing is known of any pair. Against, a cohort: never more than its parent, nor than its
people bear, nor than missing the threshold that one stranger of its set in 100 passes would say, (share of its
same-person pairs that miss it) / .99. Across childhood and decades most of them miss it: hardly anything is left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, log10

import numpy as np
from numpy.typing import NDArray

from matcher.calibration import FaceCalibration
from matcher.evaluation.calibration_metrics import cllr, upper_bound
from matcher.evaluation.calibration_pairs import AGES, SEXES, Flags, Kind, PairSet
from matcher.evaluation.templates import Metric
from matcher.evaluation.verification import Scores, strict_threshold
from matcher.face_cohorts import AgePair, CohortCurve, Curve
from matcher.vocabulary import Sex

LEAST_PEOPLE, LEAST_PAIRS = 5, 50
"""People with two photographs, and ordinary pairs of each kind, that a set needs at least to be in the pooled fit."""
COHORT_PEOPLE, COHORT_PAIRS = 3, 10
"""The same for a cohort's curve; below, the parent's holds."""

YEARS: tuple[tuple[float, float], ...] = ((0, 4), (4, 8), (8, 13), (13, 20), (20, inf))
"""From, and up to but not with: the spans in which ageing studies report (FG-NET)."""
POOR = 20.0
"""Quality below which a face is poor: profiles, blur, less than half the pixels wanted."""

PRIOR_OFFSET, PRIOR_SLOPE = 2.0, 1.0
PRIOR_PEOPLE = 10.0
"""People of its own at which a cohort's cap is halfway between the parent's and its own."""
FALSE_ACCEPTS = 0.01

# Flattens a fit that separates its pairs perfectly, which would otherwise be infinitely steep.
_RIDGE = 1e-6
# A bound of 0 would leave no curve at all; an LR of 1.12 is as good as nothing.
_LEAST = 0.05
_LEAST_RISE = 0.05
_FLOORS = tuple(round(-_LEAST * step, 2) for step in range(1, 61))


class CohortsTooSmall(ValueError):
    """No set of adults is large enough for a fit."""


@dataclass(frozen=True, slots=True)
class CalibrationFit:
    """A calibration, and the names of the sets that were too small for the pooled fit."""

    calibration: FaceCalibration
    too_small: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Cosines of both kinds with weights that add up to 1 for each, and how many people they are of."""

    same: Scores
    strangers: Scores
    same_weights: Scores
    stranger_weights: Scores
    people: int
    mated: int


@dataclass(frozen=True, slots=True)
class _Conditions:
    years: tuple[float, float] | None = None
    ages: AgePair | None = None
    sex: Sex | None = None
    quality_below: float | None = None

    @property
    def near(self) -> bool:
        """Whether the photographs are near in time and not known to be of a child."""
        return self.years is not None and self.years[0] == 0 and self.ages in (None, AgePair.ADULTS, AgePair.ELDER)

    def met(self, kind: Kind) -> Flags:
        """Which pairs are of the cohort."""
        chosen = np.ones(len(kind.cosines), bool)
        if self.years is not None:
            chosen &= (kind.years >= self.years[0]) & (kind.years < self.years[1])
        if self.ages is not None:
            chosen &= kind.ages == AGES.index(self.ages)
        if self.sex is not None:
            chosen &= kind.sex == SEXES.index(self.sex)
        if self.quality_below is not None:
            chosen &= kind.quality < self.quality_below
        return chosen


def fit_logistic(same: Scores, strangers: Scores) -> tuple[float, float]:
    """(slope, neutral) of the log10 LR of one cohort's own: balanced logistic regression on the score.

    Raises ValueError when a kind is missing or likeness does not rise with the score.
    """
    if not len(same) or not len(strangers):
        raise ValueError("a fit needs same-person pairs and strangers")
    return _pooled_line(Sample(same, strangers, _even(same), _even(strangers), 0, 0))


def fit_calibration(
    sets: Sequence[PairSet], metric: Metric, model_version: str, source: str, population: str | None = None
) -> CalibrationFit:
    """The calibration of a model version by the rules of this module.

    `source` is kept with it; the figures of the fit are written behind it. `population` names the set that weighs as
    much as all others. Raises CohortsTooSmall when no set of adults is large enough, ValueError when the templates are
    not compared by cosine, tell nobody apart, or no set has the population's name.
    """
    if metric is not Metric.COSINE:
        raise ValueError("a calibration is of cosines; this model is compared by another measure")
    if population is not None and population not in {one.name for one in sets}:
        raise ValueError(f"--population {population} names none of the sets: {', '.join(one.name for one in sets)}")
    ordinary = [one.where(lambda kind: kind.ordinary) for one in sets]
    usable = [one for one in ordinary if _large_enough(one)]
    if not usable:
        raise CohortsTooSmall(
            f"A calibration needs a set of at least {LEAST_PEOPLE} adults with two photographs or more and"
            f" {LEAST_PAIRS} pairs of each kind."
        )
    shares = _shares(usable, population)
    draft = _pooled(usable, shares)
    everything = [one for one in sets if one.name in {use.name for use in usable}]
    pooled = _with_floor(draft, everything, shares)
    cohorts = _cohorts(sets, pooled)
    told = "; ".join(
        f"{one.name}: {one.people} people, {len(one.same.cosines):,} same and {len(one.strangers.cosines):,} different"
        " ordinary pairs"
        for one in usable
    )
    weighed = f" {population} weighs as much as all others." if population and len(usable) > 1 else ""
    calibration = FaceCalibration(
        model_version,
        pooled.slope,
        pooled.neutral,
        pooled.cap,
        pooled.floor,
        f"{source} Pooled: {told}.{weighed}",
        cohorts,
    )
    return CalibrationFit(calibration, tuple(one.name for one in sets if one.name not in {use.name for use in usable}))


def _large_enough(one: PairSet) -> bool:
    return one.mated >= LEAST_PEOPLE and min(len(one.same.cosines), len(one.strangers.cosines)) >= LEAST_PAIRS


def _shares(sets: Sequence[PairSet], population: str | None) -> list[float]:
    """What each set weighs; their sum is 1."""
    others = len([one for one in sets if one.name != population])
    if others in (0, len(sets)):
        return [1 / len(sets)] * len(sets)
    return [0.5 if one.name == population else 0.5 / others for one in sets]


def _sample(sets: Sequence[PairSet], shares: Sequence[float]) -> Sample:
    same, strangers = ([getattr(one, kind).cosines for one in sets] for kind in ("same", "strangers"))
    return Sample(
        np.concatenate(same),
        np.concatenate(strangers),
        np.concatenate([share * _even(each) for share, each in zip(shares, same, strict=True)]),
        np.concatenate([share * _even(each) for share, each in zip(shares, strangers, strict=True)]),
        sum(one.people for one in sets),
        sum(one.mated for one in sets),
    )


def _even(values: Scores) -> Scores:
    return np.full(len(values), 1 / max(len(values), 1))


def _pooled(sets: Sequence[PairSet], shares: Sequence[float]) -> Curve:
    sample = _sample(sets, shares)
    slope, neutral = _pooled_line(sample)
    largest = max(sets, key=lambda one: one.people)
    borne = upper_bound(slope * (largest.same.cosines - neutral), slope * (largest.strangers.cosines - neutral))
    return _rounded(Curve(slope, neutral, _at_least(min(borne, log10(largest.people))), -_LEAST))


def _with_floor(draft: Curve, sets: Sequence[PairSet], shares: Sequence[float]) -> Curve:
    """With the floor at which the sets' mean Cllr is least, with nothing known of any of their pairs."""
    deepest = -log10(max(one.mated for one in sets))
    curves = [replace(draft, floor=floor) for floor in _FLOORS if floor >= deepest]

    def cost(curve: Curve) -> float:
        each = [cllr(curve.log10_lrs(one.same.cosines), curve.log10_lrs(one.strangers.cosines)) for one in sets]
        return float(np.dot(shares, each))

    return min(curves, key=cost)


def _pooled_line(sample: Sample) -> tuple[float, float]:
    x = np.concatenate([sample.same, sample.strangers])
    middle, spread = float(x.mean()), float(x.std()) or 1.0
    offset, rise = _logistic((x - middle) / spread, sample, 1.0, np.zeros(2), np.full(2, _RIDGE))
    if rise <= 0:
        raise ValueError("likeness does not rise with the score: these templates tell nobody apart")
    return float(rise / spread / np.log(10)), float(middle - spread * offset / rise)


def _cohorts(sets: Sequence[PairSet], pooled: Curve) -> tuple[CohortCurve, ...]:
    """Parents before children; a cohort that is too small, or within which nothing differs, has no curve."""
    found: list[CohortCurve] = []

    def add(conditions: _Conditions, parent: Curve) -> Curve:
        one = _cohort(sets, conditions, parent)
        if one is None:
            return parent
        found.append(one)
        return one.curve

    for years in YEARS:
        parent = add(_Conditions(years=years), pooled)
        for ages in AgePair:
            add(_Conditions(years=years, ages=ages), parent)
    for ages in AgePair:
        add(_Conditions(ages=ages), pooled)
    for sex in Sex:
        add(_Conditions(sex=sex), pooled)
    add(_Conditions(quality_below=POOR), pooled)
    return tuple(found)


def _cohort(sets: Sequence[PairSet], conditions: _Conditions, parent: Curve) -> CohortCurve | None:
    both = [(one, one.where(conditions.met)) for one in sets]
    both = [(whole, part) for whole, part in both if part.mated and len(part.strangers.cosines)]
    wholes, parts = [whole for whole, _ in both], [part for _, part in both]
    mated = sum(one.mated for one in parts)
    same, strangers = (sum(len(getattr(one, kind).cosines) for one in parts) for kind in ("same", "strangers"))
    if mated < COHORT_PEOPLE or min(same, strangers) < COHORT_PAIRS:
        return None
    # Within a cohort each person counts alike, whatever set they are from.
    shares = [one.mated / mated for one in parts]
    sample = _sample(parts, shares)
    curve = shrunk(sample, parent, _against(parts, wholes, shares), None if conditions.near else sample.people)
    return CohortCurve(
        curve, mated, same, strangers, conditions.years, conditions.ages, conditions.sex, conditions.quality_below
    )


def shrunk(sample: Sample, parent: Curve, against: float, people: int | None) -> Curve:
    """The curve of a cohort's sample, drawn towards its parent's; see the module.

    `against` is the most that the cohort's data say against, log10 LR of at most 0; `people`, the number of those whose
    pairs bear what it says for, None when they are the parent's.
    """
    line = _line(parent)
    x = np.log(10) * np.concatenate([line(sample.same), line(sample.strangers)])
    precision = np.array([PRIOR_OFFSET**-2, PRIOR_SLOPE**-2])
    offset, rise = _logistic(x, sample, float(sample.mated), np.array([0.0, 1.0]), precision)
    slope = parent.slope * max(rise, _LEAST_RISE)
    neutral = parent.neutral - offset / (slope * np.log(10))
    own = Curve(slope, float(np.clip(neutral, -0.99, 0.99)), parent.cap, parent.floor)
    borne = upper_bound(_line(own)(sample.same), _line(own)(sample.strangers))
    if people is not None:
        borne = min(borne, log10(max(people, 1)))
    share = sample.mated / (sample.mated + PRIOR_PEOPLE)
    cap = min(parent.cap, parent.cap + share * (borne - parent.cap))
    floor = max(parent.floor, against)
    return _rounded(replace(own, cap=_at_least(cap), floor=-_at_least(-floor)))


def _line(curve: Curve) -> Callable[[Scores], Scores]:
    return lambda cosines: curve.slope * (cosines - curve.neutral)


def _logistic(
    x: Scores, sample: Sample, observations: float, mean: NDArray[np.float64], precision: NDArray[np.float64]
) -> tuple[float, float]:
    """(offset, rise) of the log-odds on x, same-person pairs first: Newton's method with a normal prior."""
    y = np.arange(len(x)) < len(sample.same)
    weight = 0.5 * observations * np.concatenate([sample.same_weights, sample.stranger_weights])
    design = np.stack([np.ones_like(x), x], axis=1)
    theta: NDArray[np.float64] = mean.astype(np.float64)
    step: NDArray[np.float64] = np.zeros(2)
    cost = inf
    for _ in range(100):
        odds = design @ theta
        gap = theta - mean
        now = float(weight @ np.logaddexp(0, np.where(y, -odds, odds)) + 0.5 * precision @ gap**2)
        if now > cost:
            # A whole step overshoots where the data are nearly apart.
            step /= 2
            theta = theta - step
            continue
        share = 1 / (1 + np.exp(-np.clip(odds, -500, 500)))
        gradient = design.T @ (weight * (y - share)) - precision * gap
        hessian = (design * (weight * share * (1 - share))[:, np.newaxis]).T @ design + np.diag(precision)
        cost, step = now, np.asarray(np.linalg.solve(hessian, gradient), np.float64)
        theta = theta + step
        if float(np.abs(step).max()) < 1e-10:
            break
    return float(theta[0]), float(theta[1])


def _against(parts: Sequence[PairSet], sets: Sequence[PairSet], shares: Sequence[float]) -> float:
    """log10 LR of missing the threshold that 1 % of all strangers of a set pass, by same-person pairs of a part of it.

    Not beyond the people with two photographs.
    """
    missed = 0.0
    for part, whole, share in zip(parts, sets, shares, strict=True):
        threshold = strict_threshold(whole.strangers.cosines, FALSE_ACCEPTS)
        missed += share * max(float((part.same.cosines <= threshold).mean()), 0.5 / len(part.same.cosines))
    people = sum(part.mated for part in parts)
    return max(min(log10(missed / (1 - FALSE_ACCEPTS)), 0.0), -log10(max(people, 1)))


def _at_least(bound: float) -> float:
    return max(bound, _LEAST)


def _rounded(curve: Curve) -> Curve:
    return Curve(float(f"{curve.slope:.3g}"), round(curve.neutral, 4), round(curve.cap, 2), round(curve.floor, 2))
