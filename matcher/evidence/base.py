"""What a comparator takes and gives, and the parameters that all of them read."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from math import log10
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.calibration import FaceCalibration, load_calibrations
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind

PARAMETERS_FILE = "evidence-4.json"

Knots = tuple[tuple[float, float], ...]
Floats = NDArray[np.float64]


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
        return float(self.curve_at(key, np.float64(x)))

    def curve_at(self, key: str, x: Any) -> Floats:
        """The same at every element of an array."""
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


def interpolate(knots: Knots, x: Any) -> Floats:
    """Piecewise linear interpolation over knots sorted by x, level outside them, at every element of an array."""
    return np.asarray(np.interp(x, [knot_x for knot_x, _ in knots], [y for _, y in knots]), np.float64)


def agreement_log10_lrs(agree: Any, same: Any, chance: Any, chance_differ: Any) -> Floats:
    """log10 LR of two values of a list that agree or not (Fellegi and Sunter, 1969), elementwise.

    `same`: share of one person's two records that agree; `chance`: share of strangers with this very value;
    `chance_differ`: share of pairs of strangers whose values differ.
    """
    found: Floats = np.where(
        agree, np.log10(same / np.asarray(chance)), np.log10((1 - np.asarray(same)) / chance_differ)
    )
    return found


def difference_log10_lrs(difference: Floats, sd: Floats, population_sd: float, outliers: float) -> Floats:
    """log10 LR of two readings of one quantity that differ by `difference`, elementwise.

    Same person: a normal error of standard deviation `sd` (both readings' errors together), or, with probability
    `outliers`, a record that has nothing to do with the person. Strangers: two draws from a population of standard
    deviation `population_sd`, each with its error. Never below log10(outliers).
    """
    spread = np.sqrt(sd**2 + 2 * population_sd**2)
    ratio = _normal(difference, sd) / np.maximum(_normal(difference, spread), 1e-300)
    found: Floats = np.log10((1 - outliers) * ratio + outliers)
    return found


def level_log10_lrs(prefix: str, levels: tuple[str, ...], parameters: Parameters) -> Floats:
    """log10 LR of each level of agreement: `PREFIX.same.LEVEL` over `PREFIX.chance.LEVEL`."""
    ratios = [log10(parameters[f"{prefix}.same.{one}"] / parameters[f"{prefix}.chance.{one}"]) for one in levels]
    return np.array(ratios)


def _normal(x: Floats, sd: Floats) -> Floats:
    density: Floats = np.exp(-0.5 * (x / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
    return density
