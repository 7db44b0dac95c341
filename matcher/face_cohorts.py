"""Cohorts of pairs of photographs (照片对分组), and the curve that turns a cohort's cosines into likelihood ratios."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.vocabulary import Sex

Floats = NDArray[np.float64]

ADULT, ELDER = 18.0, 60.0
"""Ages in years from which somebody counts as an adult (成年人) and as an elder (老年人)."""


class AgePair(StrEnum):
    """How old the person was on the two photographs."""

    CHILDREN = "children"  # 两张均为未成年
    CHILD_ADULT = "child_adult"  # 一张未成年，一张成年
    ADULTS = "adults"  # 两张均为成年
    ELDER = "elder"  # 一张成年，一张老年，或两张均为老年


class Circumstances(NamedTuple):
    """What is known of a pair of photographs; None is unknown.

    Attributes:
        years: between the days they were taken, at least 0.
        ages: see `age_pair`.
        quality: of the worse face, 0 to 100.
        sex: of both, where it is the same.
    """

    years: float | None = None
    ages: AgePair | None = None
    quality: float | None = None
    sex: Sex | None = None


UNKNOWN = Circumstances()

REMNANT = 0.05
"""Share of the first curve that is left where another contradicts it, see `least_extreme_of`."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Cosine to log10 LR.

    Attributes:
        slope: log10 LR per unit of cosine at the neutral cosine, above 0.
        neutral: cosine at which a face says nothing (LR 1), between -1 and 1.
        cap: the most that a face can say for, log10 LR above 0; never quite reached.
        floor: the most that a face can say against, log10 LR below 0; never quite reached.

    Raises ValueError, naming the field, when one is out of its range.
    """

    slope: float
    neutral: float
    cap: float
    floor: float

    def __post_init__(self) -> None:
        ranges = {
            "slope": (self.slope > 0, "above 0"),
            "neutral": (-1 < self.neutral < 1, "between -1 and 1"),
            "cap": (self.cap > 0, "above 0"),
            "floor": (self.floor < 0, "below 0"),
        }
        for field, (holds, expected) in ranges.items():
            if not (holds and isfinite(getattr(self, field))):
                raise ValueError(f"calibration field {field} must be a number {expected}, is {getattr(self, field)}")

    def log10_lr(self, similarity: float) -> float:
        """log10 LR of a cosine: a straight line (the logistic's log-odds) that bends towards its two bounds.

        bound * tanh(line / bound) has the line's slope at the neutral cosine and rises everywhere, so that two strong
        matches keep their order.
        """
        return float(self.log10_lrs(np.array([similarity], np.float64))[0])

    def log10_lrs(self, similarities: Floats) -> Floats:
        """The same of many cosines."""
        lines = self.slope * (similarities - self.neutral)
        bounds = np.where(lines > 0, self.cap, -self.floor)
        return np.asarray(bounds * np.tanh(lines / bounds), np.float64)


@dataclass(frozen=True, slots=True)
class CohortCurve:
    """The curve of the pairs of one cohort.

    Attributes:
        curve: already moved towards the parent's, see `matcher/evaluation/calibration_fit.py`.
        people: who have a same-person pair in the cohort, at least 1.
        same, strangers: numbers of pairs that it was fitted on, at least 1.
        years: from, and up to but not with; None when it is of any number of years.
        ages, sex: None when it is of any.
        quality_below: of pairs whose worse face is below that (0 to 100); None when it is of any.

    Raises ValueError naming the field that is out of its range, or when the cohort has no condition or sex or quality
    beside others: those two restrict whatever the rest says.
    """

    curve: Curve
    people: int
    same: int
    strangers: int
    years: tuple[float, float] | None = None
    ages: AgePair | None = None
    sex: Sex | None = None
    quality_below: float | None = None

    def __post_init__(self) -> None:
        for field in ("people", "same", "strangers"):
            if getattr(self, field) < 1:
                raise ValueError(f"calibration field {field} must be a whole number of at least 1")
        if self.years is not None and not 0 <= self.years[0] < self.years[1]:
            raise ValueError("calibration field years must be two numbers, the first at least 0 and the smaller")
        if self.quality_below is not None and not 0 < self.quality_below <= 100:
            raise ValueError("calibration field quality_below must be a number above 0, at most 100")
        time = self.years is not None or self.ages is not None
        if [time, self.sex is not None, self.quality_below is not None].count(True) != 1:
            raise ValueError(
                "calibration field conditions: each cohort needs years, ages or both; or sex; or quality_below"
            )


def age_pair(a: float | None, b: float | None) -> AgePair | None:
    """The kind of pair by the person's ages in years on both photographs; None when one is unknown."""
    if a is None or b is None:
        return None
    younger, older = sorted((a, b))
    if older < ADULT:
        return AgePair.CHILDREN
    if younger < ADULT:
        return AgePair.CHILD_ADULT
    return AgePair.ELDER if older >= ELDER else AgePair.ADULTS


def least_extreme(curves: Sequence[Curve], similarity: float) -> float:
    """The log10 LR of `least_extreme_of` of one cosine. Raises ValueError without any curve."""
    return float(least_extreme_of(curves, np.array([similarity], np.float64))[0])


def least_extreme_of(curves: Sequence[Curve], similarities: Floats) -> Floats:
    """The log10 LR nearest to 0 that the curves give each cosine, on the side that the first of them names.

    Where another curve is of the other side (the same cosine speaks for after 20 years and against after two), neither
    is believed, but a cosine still counts more than a lower one: `REMNANT` of the first curve is left. So the result
    rises strictly, has the sign of the first curve, is never farther from 0 than it, and another curve never takes it
    farther. Raises ValueError without any curve.
    """
    if not curves:
        raise ValueError("no curve was given")
    values = np.stack([curve.log10_lrs(similarities) for curve in curves])
    first = values[0]
    side = np.where(first < 0, -1.0, 1.0)
    agreed = np.maximum((side * values).min(axis=0), 0.0)
    cap, floor = min(curve.cap for curve in curves), max(curve.floor for curve in curves)
    share = np.where(first < 0, floor / curves[0].floor, cap / curves[0].cap)
    return np.asarray(side * np.maximum(agreed, REMNANT * share * np.abs(first)), np.float64)


def overlap(a: tuple[float, float] | None, b: tuple[float, float] | None) -> bool:
    """Whether two spans of years share any; None shares with None alone."""
    if a is None or b is None:
        return a is b
    return a[0] < b[1] and b[0] < a[1]
