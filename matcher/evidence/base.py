"""What a comparator takes and gives, and the parameters that all of them read."""

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from math import exp, log10, pi, sqrt
from types import MappingProxyType

from matcher.calibration import FaceCalibration, load_calibrations
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind

PARAMETERS_FILE = "evidence-2.json"

Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One term of a comparison.

    Attributes:
        kind: which comparator said it.
        log10_lr: decimal logarithm of the likelihood ratio; above 0 speaks for, below 0 against.
        probe_value, other_value: the values that were compared, for people to read.
        sentence_zh, sentence_en: one sentence that explains the term.
    """

    kind: EvidenceKind
    log10_lr: float
    probe_value: str
    other_value: str
    sentence_zh: str
    sentence_en: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """Contents of an evidence parameter file: figures by key, each with the text of its source.

    `calibrations` tells what a face's cosine is worth, by the exact version of the model whose templates are compared.
    """

    version: str
    numbers: Mapping[str, float]
    curves: Mapping[str, Knots]
    sources: Mapping[str, str]
    calibrations: Mapping[str, FaceCalibration] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, key: str) -> float:
        """The figure of that key. Raises KeyError when the file does not have it."""
        return self.numbers[key]

    def get(self, key: str, default: float) -> float:
        """The figure of that key, or the default."""
        return self.numbers.get(key, default)

    def curve(self, key: str, x: float) -> float:
        """Value at `x` of the curve of that key: straight lines between its knots, level outside them."""
        return interpolate(self.curves[key], x)


Comparator = Callable[[Profile, Profile, Parameters], Evidence | None]
"""Compares a probe with another profile; None says nothing and counts 0."""


def parse_parameters(text: str, calibrations: Mapping[str, FaceCalibration] | None = None) -> Parameters:
    """Parameters from the text of a JSON file, with these calibrations of faces; none when None.

    Raises ValueError for a figure that has no value or no source.
    """
    data = json.loads(text)
    numbers: dict[str, float] = {}
    curves: dict[str, Knots] = {}
    sources: dict[str, str] = {}
    for key, row in data["parameters"].items():
        if not row.get("source") or row.get("value") is None:
            raise ValueError(f"parameter {key} needs a value and a source")
        sources[key] = row["source"]
        if isinstance(row["value"], list):
            curves[key] = tuple(sorted((float(x), float(y)) for x, y in row["value"]))
        else:
            numbers[key] = float(row["value"])
    return Parameters(
        data["version"],
        MappingProxyType(numbers),
        MappingProxyType(curves),
        MappingProxyType(sources),
        MappingProxyType(dict(calibrations or {})),
    )


@lru_cache(maxsize=1)
def load_parameters() -> Parameters:
    """The parameters that come with the package."""
    text = files("matcher.parameters").joinpath(PARAMETERS_FILE).read_text("utf-8")
    return parse_parameters(text, load_calibrations())


def bounded(value: float, floor: float, cap: float) -> float:
    """The value within floor and cap."""
    return max(floor, min(cap, value))


def interpolate(knots: Sequence[tuple[float, float]], x: float) -> float:
    """Piecewise linear interpolation over knots sorted by x, level outside them."""
    position = bisect_right([knot_x for knot_x, _ in knots], x)
    if position == 0:
        return knots[0][1]
    if position == len(knots):
        return knots[-1][1]
    (x0, y0), (x1, y1) = knots[position - 1], knots[position]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def difference_log10_lr(difference: float, sd: float, population_sd: float, outliers: float) -> float:
    """log10 LR of two readings of one quantity that differ by `difference`.

    Same person: a normal error of standard deviation `sd` (both readings' errors together), or, with probability
    `outliers`, a record that has nothing to do with the person. Strangers: two draws from a population of standard
    deviation `population_sd`, each with its error. Never below log10(outliers).
    """
    spread = sqrt(sd**2 + 2 * population_sd**2)
    ratio = _normal(difference, sd) / max(_normal(difference, spread), 1e-300)
    return log10((1 - outliers) * ratio + outliers)


def _normal(x: float, sd: float) -> float:
    return exp(-0.5 * (x / sd) ** 2) / (sd * sqrt(2 * pi))
