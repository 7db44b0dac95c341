"""A face's cosine to a likelihood ratio (似然比), one calibration for each embedding space, by cohort (分组).

Cosines of two models mean different things: each calibration names the exact model version that it was fitted on, and
holds for no other. The packaged ones are in `matcher/parameters/face_calibration-3.json`; an operator's model brings
its own file, written by `tracing calibrate` (rules of the fit: `matcher/evaluation/calibration_fit.py`).

A cohort's curve is the pooled one moved towards the cohort's own data as far as its number of people bears. Of the
curves that apply to a pair, the one that claims least counts (`least_extreme_of`), so that

- the LR rises whenever the cosine does, also where the curves contradict each other;
- more years between two photographs (照片相隔年数) never make the same cosine say more, for or against;
- a poor photograph never says more than a good one;
- a pair of which nothing is known is weighed by the pooled curve alone.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from matcher.face_cohorts import UNKNOWN, AgePair, Circumstances, CohortCurve, Curve, least_extreme, overlap
from matcher.vocabulary import Sex

CALIBRATION_FILE = "face_calibration-3.json"

_NUMBERS = ("slope", "neutral", "cap", "floor")
_TEXTS = ("model_version", "source")
_COUNTS = ("people", "same", "strangers")
_CONDITIONS = ("years", "ages", "sex", "quality_below")

E = TypeVar("E", AgePair, Sex)
Key = tuple[int, AgePair | None, Sex | None, int]


@dataclass(frozen=True, slots=True)
class FaceCalibration:
    """Cosine to log10 LR in one embedding space.

    Attributes:
        model_version: the embedding space, exactly as its engine names it.
        slope, neutral, cap, floor: the pooled curve, see `Curve`.
        source: what it was fitted on, by which command, when.
        cohorts: the curves of cohorts, no two of the same conditions.

    Raises ValueError, naming the field, when one is out of its range or empty.
    """

    model_version: str
    slope: float
    neutral: float
    cap: float
    floor: float
    source: str
    cohorts: tuple[CohortCurve, ...] = ()
    pooled: Curve = field(init=False, repr=False, compare=False)
    _starts: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _limits: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _found: dict[Key, tuple[Curve, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for name in _TEXTS:
            if not getattr(self, name).strip():
                raise ValueError(f"calibration field {name} is empty")
        for number, one in enumerate(self.cohorts):
            for other in self.cohorts[:number]:
                alike = (one.ages, one.sex, one.quality_below) == (other.ages, other.sex, other.quality_below)
                if alike and overlap(one.years, other.years):
                    raise ValueError(
                        f"calibration field cohorts: number {number + 1} repeats the conditions of another"
                    )
        object.__setattr__(self, "pooled", Curve(self.slope, self.neutral, self.cap, self.floor))
        starts = {one.years[0] for one in self.cohorts if one.years is not None}
        limits = {one.quality_below for one in self.cohorts if one.quality_below is not None}
        object.__setattr__(self, "_starts", tuple(sorted(starts)))
        object.__setattr__(self, "_limits", tuple(sorted(limits)))

    def log10_lr(self, similarity: float, of: Circumstances = UNKNOWN) -> float:
        """log10 LR of a cosine under these circumstances; see the module for what it never does."""
        return least_extreme(self.curves(of), similarity)

    def curves(self, of: Circumstances = UNKNOWN) -> tuple[Curve, ...]:
        """The curves of which the least extreme counts, at least one; the first of them names the side.

        Years known: those of that many years and of every smaller number, for these ages where there is one. Years
        unknown, or the fewest not fitted: the pooled curve too, and that of these ages. Quality and sex restrict both.
        """
        spans = 0 if of.years is None else bisect_right(self._starts, max(of.years, 0.0))
        met = len(self._limits) if of.quality is None else bisect_right(self._limits, of.quality)
        key = (spans, of.ages, of.sex, met)
        if key not in self._found:
            self._found[key] = self._curves(*key)
        return self._found[key]

    def spans(self, years: NDArray[np.float64]) -> NDArray[np.int64]:
        """How many of the cohorts' spans of years have begun, for many pairs; 0 where the years are unknown (NaN)."""
        found = np.searchsorted(np.array(self._starts), np.maximum(np.nan_to_num(years), 0.0), side="right")
        return np.where(np.isnan(years), 0, found)

    def limits_met(self, quality: NDArray[np.float64]) -> NDArray[np.int64]:
        """How many of the cohorts' limits of quality are met, for many pairs; all where it is unknown (NaN)."""
        found = np.searchsorted(np.array(self._limits), np.nan_to_num(quality), side="right")
        return np.where(np.isnan(quality), len(self._limits), found)

    def _curves(self, spans: int, ages: AgePair | None, sex: Sex | None, met: int) -> tuple[Curve, ...]:
        by_years: dict[tuple[float, float], Curve] = {}
        beside: list[Curve] = []
        for one in sorted(self.cohorts, key=lambda one: one.ages is not None):
            if one.years is not None:
                if one.years[0] in self._starts[:spans] and one.ages in (None, ages):
                    by_years[one.years] = one.curve
            elif (one.sex is not None and one.sex is sex) or one.quality_below in self._limits[met:]:
                beside.append(one.curve)
        in_order = [by_years[years] for years in sorted(by_years)]
        if any(years[0] == 0 for years in by_years):
            return (*in_order, *beside)
        of_ages = [one.curve for one in self.cohorts if one.years is None and one.ages is not None and one.ages is ages]
        return (self.pooled, *of_ages, *in_order, *beside)


@lru_cache(maxsize=1)
def load_calibrations() -> Mapping[str, FaceCalibration]:
    """The packaged calibrations by model version."""
    data = json.loads(files("matcher.parameters").joinpath(CALIBRATION_FILE).read_text("utf-8"))
    return MappingProxyType({row["model_version"]: parse_calibration(row) for row in data["calibrations"]})


def read_calibration(path: Path) -> FaceCalibration:
    """The calibration in one JSON file, such as `tracing calibrate` writes.

    Raises ValueError naming the file and the field that is missing, of the wrong type or out of range; OSError when
    the file cannot be read.
    """
    try:
        return parse_calibration(json.loads(path.read_text("utf-8")))
    except ValueError as error:  # also what json and UTF-8 raise
        raise ValueError(f"{path.name}: {error}") from error


def parse_calibration(data: object) -> FaceCalibration:
    """The calibration in a decoded JSON object.

    Raises ValueError naming the field that is missing, unknown, of the wrong type or out of range.
    """
    row = _row(data, (*_TEXTS, *_NUMBERS, "cohorts"), (), "")
    if not isinstance(row["cohorts"], list):
        raise ValueError("calibration field cohorts must be a list")
    return FaceCalibration(
        model_version=_text(row, "model_version"),
        **{name: _number(row[name], name) for name in _NUMBERS},
        source=_text(row, "source"),
        cohorts=tuple(_cohort(one, f"cohorts[{number}].") for number, one in enumerate(row["cohorts"])),
    )


def write_calibration(calibration: FaceCalibration) -> str:
    """The text of a JSON file that `read_calibration` takes."""
    row: dict[str, Any] = {"model_version": calibration.model_version}
    row |= {name: getattr(calibration, name) for name in _NUMBERS} | {"source": calibration.source}
    row["cohorts"] = [_written(one) for one in calibration.cohorts]
    return json.dumps(row, ensure_ascii=False, indent=2) + "\n"


def _written(cohort: CohortCurve) -> dict[str, Any]:
    conditions = {name: getattr(cohort, name) for name in _CONDITIONS if getattr(cohort, name) is not None}
    if cohort.years is not None:
        conditions["years"] = [cohort.years[0], None if cohort.years[1] == inf else cohort.years[1]]
    numbers = {name: getattr(cohort.curve, name) for name in _NUMBERS}
    return conditions | numbers | {name: getattr(cohort, name) for name in _COUNTS}


def _cohort(data: object, at: str) -> CohortCurve:
    row = _row(data, (*_NUMBERS, *_COUNTS), _CONDITIONS, at)
    for name in _COUNTS:
        if isinstance(row[name], bool) or not isinstance(row[name], int):
            raise ValueError(f"calibration field {at}{name} must be a whole number")
    try:
        return CohortCurve(
            Curve(*(_number(row[name], name) for name in _NUMBERS)),
            people=row["people"],
            same=row["same"],
            strangers=row["strangers"],
            years=None if row.get("years") is None else _years(row["years"]),
            ages=_member(row.get("ages"), AgePair, "ages"),
            sex=_member(row.get("sex"), Sex, "sex"),
            quality_below=None if row.get("quality_below") is None else _number(row["quality_below"], "quality_below"),
        )
    except ValueError as error:
        raise ValueError(f"{str(error).replace('calibration field ', f'calibration field {at}')}") from error


def _row(data: object, needed: tuple[str, ...], more: tuple[str, ...], at: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(
            f"calibration field {at[:-1]} must be a JSON object" if at else "a calibration is a JSON object"
        )
    for name in needed:
        if name not in data:
            remedy = "; fit the model anew with `tracing calibrate`" if name == "cohorts" else ""
            raise ValueError(f"calibration field {at}{name} is missing{remedy}")
    unknown = sorted(set(data) - {*needed, *more})
    if unknown:
        raise ValueError(f"calibration field {at}{unknown[0]} is not known; known are {', '.join((*needed, *more))}")
    return data


def _text(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise ValueError(f"calibration field {name} must be a text")
    return value


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"calibration field {name} must be a number")
    return float(value)


def _member(value: object, kind: type[E], name: str) -> E | None:
    if value is None:
        return None
    for member in kind:
        if member == value:
            return member
    raise ValueError(f"calibration field {name} must be one of {', '.join(kind)}")


def _years(value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("calibration field years must be a list of two numbers; null as the second is without end")
    return _number(value[0], "years"), inf if value[1] is None else _number(value[1], "years")
