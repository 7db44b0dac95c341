"""A face's cosine to a likelihood ratio (似然比), one calibration for each embedding space.

Cosines of two models mean different things: each calibration names the exact model version that it was fitted on, and
holds for no other. The packaged ones are in `matcher/parameters/face_calibration-1.json`; an operator's model brings
its own file, written by `tracing calibrate`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from math import isfinite, tanh
from pathlib import Path
from types import MappingProxyType

CALIBRATION_FILE = "face_calibration-1.json"

_NUMBERS = ("slope", "neutral", "cap", "floor")
_TEXTS = ("model_version", "source")


@dataclass(frozen=True, slots=True)
class FaceCalibration:
    """Cosine to log10 LR in one embedding space.

    Attributes:
        model_version: the embedding space, exactly as its engine names it.
        slope: log10 LR per unit of cosine at the neutral cosine, above 0.
        neutral: cosine at which a face says nothing (LR 1), between -1 and 1.
        cap: the most that a face can say for, log10 LR above 0; never quite reached.
        floor: the most that a face can say against, log10 LR below 0; never quite reached.
        source: what it was fitted on, by which command, when.

    Raises ValueError, naming the field, when one is out of its range or empty.
    """

    model_version: str
    slope: float
    neutral: float
    cap: float
    floor: float
    source: str

    def __post_init__(self) -> None:
        for field in _TEXTS:
            if not getattr(self, field).strip():
                raise ValueError(f"calibration field {field} is empty")
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
        line = self.slope * (similarity - self.neutral)
        bound = self.cap if line > 0 else -self.floor
        return bound * tanh(line / bound)


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
    if not isinstance(data, dict):
        raise ValueError("a calibration is a JSON object")
    for field in (*_TEXTS, *_NUMBERS):
        if field not in data:
            raise ValueError(f"calibration field {field} is missing")
    unknown = sorted(set(data) - {*_TEXTS, *_NUMBERS})
    if unknown:
        raise ValueError(f"calibration field {unknown[0]} is not known; known are {', '.join((*_TEXTS, *_NUMBERS))}")
    for field in _TEXTS:
        if not isinstance(data[field], str):
            raise ValueError(f"calibration field {field} must be a text")
    for field in _NUMBERS:
        if isinstance(data[field], bool) or not isinstance(data[field], int | float):
            raise ValueError(f"calibration field {field} must be a number")
    return FaceCalibration(
        model_version=data["model_version"],
        slope=float(data["slope"]),
        neutral=float(data["neutral"]),
        cap=float(data["cap"]),
        floor=float(data["floor"]),
        source=data["source"],
    )


def write_calibration(calibration: FaceCalibration) -> str:
    """The text of a JSON file that `read_calibration` takes."""
    return json.dumps(asdict(calibration), ensure_ascii=False, indent=2) + "\n"
