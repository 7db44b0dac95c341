"""How usable a face in a photograph is, with advice that a photographer can follow.

Five measures, each 0 to 100; the overall figure is the lowest of them, because one flaw (a blur, a dark room) is enough
to spoil a comparison whatever else is good. Thresholds are data: `matcher/parameters/face_quality-1.json`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PARAMETERS_FILE = "face_quality-1.json"


class QualityAdvice(StrEnum):
    """What to do better in the next photograph; the interface words it."""

    COME_CLOSER = "come_closer"
    HOLD_STILL = "hold_still"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    LOW_CONTRAST = "low_contrast"
    FACE_THE_CAMERA = "face_the_camera"


ADVICE: Mapping[str, QualityAdvice] = MappingProxyType(
    {
        "size": QualityAdvice.COME_CLOSER,
        "sharpness": QualityAdvice.HOLD_STILL,
        "dark": QualityAdvice.TOO_DARK,
        "bright": QualityAdvice.TOO_BRIGHT,
        "contrast": QualityAdvice.LOW_CONTRAST,
        "frontal": QualityAdvice.FACE_THE_CAMERA,
    }
)


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """Quality of one face.

    Attributes:
        overall: 0 (useless) to 100, the lowest component.
        components: 0 to 100 each: size, sharpness, dark, bright, contrast, frontal.
        advice: values of QualityAdvice for the components that fell short, worst first.
    """

    overall: int
    components: Mapping[str, int]
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QualityParameters:
    """Contents of the parameter file: (zero, full) of each component, crop side in pixels, advice threshold 0-100."""

    version: str
    side: int
    advice_below: int
    ramps: Mapping[str, tuple[float, float]]


@lru_cache(maxsize=1)
def load_parameters() -> QualityParameters:
    """The parameters that come with the package."""
    data = json.loads(files("matcher.parameters").joinpath(PARAMETERS_FILE).read_text("utf-8"))
    ramps = {key: (float(ramp["zero"]), float(ramp["full"])) for key, ramp in data["components"].items()}
    return QualityParameters(data["version"], data["side"], data["advice_below"], MappingProxyType(ramps))


def assess(
    pixels: NDArray[np.uint8],
    box: tuple[int, int, int, int],
    landmarks: Sequence[tuple[float, float]],
    parameters: QualityParameters | None = None,
) -> FaceQuality:
    """Quality of the face in `box`.

    Args:
        pixels: RGB, shape (h, w, 3).
        box: top, right, bottom, left in pixels; parts outside the photograph are ignored.
        landmarks: (x, y) of the right eye's two corners, the left eye's two corners and the nose tip, in pixels.
        parameters: thresholds; the package's own when None.
    """
    parameters = parameters or load_parameters()
    grey = _grey_crop(pixels, box, parameters.side)
    measures = _geometry(landmarks) | {
        "sharpness": _sharpness(grey),
        "dark": float(grey.mean()),
        "bright": float(grey.mean()),
        "contrast": float(grey.std()),
    }
    components = {key: _ramp(measures[key], *parameters.ramps[key]) for key in parameters.ramps}
    short = sorted((value, key) for key, value in components.items() if value < parameters.advice_below)
    advice = tuple(ADVICE[key].value for _, key in short)
    return FaceQuality(min(components.values()), MappingProxyType(components), advice)


def _ramp(value: float, zero: float, full: float) -> int:
    return round(100 * min(1.0, max(0.0, (value - zero) / (full - zero))))


def _grey_crop(pixels: NDArray[np.uint8], box: tuple[int, int, int, int], side: int) -> NDArray[np.float64]:
    height, width = pixels.shape[:2]
    top, right, bottom, left = box
    top, left = max(0, min(top, height - 1)), max(0, min(left, width - 1))
    bottom, right = max(top + 1, min(bottom, height)), max(left + 1, min(right, width))
    crop = Image.fromarray(pixels[top:bottom, left:right]).convert("L")
    return np.asarray(crop.resize((side, side), Image.Resampling.BILINEAR), dtype=np.float64)


def _sharpness(grey: NDArray[np.float64]) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al., ICPR 2000), freed from the photograph's contrast."""
    # In a face without contrast, stretching would take the rounding of grey levels for detail.
    even = grey * (50.0 / max(float(grey.std()), 10.0))
    laplacian = even[:-2, 1:-1] + even[2:, 1:-1] + even[1:-1, :-2] + even[1:-1, 2:] - 4 * even[1:-1, 1:-1]
    return float(laplacian.var())


def _geometry(landmarks: Sequence[tuple[float, float]]) -> dict[str, float]:
    points = np.asarray(landmarks, dtype=np.float64)
    first, second, nose = points[0:2].mean(axis=0), points[2:4].mean(axis=0), points[4]
    between = second - first
    distance = float(np.hypot(*between))
    if distance < 1e-6:
        return {"size": 0.0, "frontal": 0.0}
    # Measured along the line of the eyes, so that a tilted head counts as frontal.
    sideways = abs(float((nose - (first + second) / 2) @ between)) / distance**2
    return {"size": distance, "frontal": 1 - 2 * sideways}
