"""How usable a face in a photograph is (人脸图像质量), with advice that a photographer can follow.

In the spirit of ISO/IEC 29794-5: components of 0 to 100, and one unified figure. That figure is 100 less the worst
weighted shortfall. The worst and not a mean, because one flaw (a blur, a dark room) is enough to spoil a comparison
whatever else is good; weighted, because some components are exact and matter (size, blur, exposure), some are guesses
from pixels (eyes, mouth) that may cost a face something but never all, and one (roll) costs nothing: a head that is
tilted is turned upright before it is compared. Thresholds and weights are data: `matcher/parameters`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from matcher.faces.quality_measures import measure

PARAMETERS_FILE = "face_quality-2.json"


class QualityComponent(StrEnum):
    """What is judged of a face; the interface words it."""

    SIZE = "size"
    SHARPNESS = "sharpness"
    DARK = "dark"
    BRIGHT = "bright"
    CONTRAST = "contrast"
    YAW = "yaw"
    PITCH = "pitch"
    ROLL = "roll"
    LIGHT_ACROSS = "light_across"
    LIGHT_DOWN = "light_down"
    EYES_OPEN = "eyes_open"
    EYES_CLEAR = "eyes_clear"
    MOUTH_CLEAR = "mouth_clear"


class QualityAdvice(StrEnum):
    """What to do better in the next photograph; the interface words it."""

    COME_CLOSER = "come_closer"
    HOLD_STILL = "hold_still"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    LOW_CONTRAST = "low_contrast"
    FACE_THE_CAMERA = "face_the_camera"
    CAMERA_AT_EYE_LEVEL = "camera_at_eye_level"
    HEAD_UPRIGHT = "head_upright"
    EVEN_LIGHT = "even_light"
    EYES_OPEN = "eyes_open"
    UNCOVER_EYES = "uncover_eyes"
    UNCOVER_MOUTH = "uncover_mouth"


ADVICE: Mapping[QualityComponent, QualityAdvice] = MappingProxyType(
    {
        QualityComponent.SIZE: QualityAdvice.COME_CLOSER,
        QualityComponent.SHARPNESS: QualityAdvice.HOLD_STILL,
        QualityComponent.DARK: QualityAdvice.TOO_DARK,
        QualityComponent.BRIGHT: QualityAdvice.TOO_BRIGHT,
        QualityComponent.CONTRAST: QualityAdvice.LOW_CONTRAST,
        QualityComponent.YAW: QualityAdvice.FACE_THE_CAMERA,
        QualityComponent.PITCH: QualityAdvice.CAMERA_AT_EYE_LEVEL,
        QualityComponent.ROLL: QualityAdvice.HEAD_UPRIGHT,
        QualityComponent.LIGHT_ACROSS: QualityAdvice.EVEN_LIGHT,
        QualityComponent.LIGHT_DOWN: QualityAdvice.EVEN_LIGHT,
        QualityComponent.EYES_OPEN: QualityAdvice.EYES_OPEN,
        QualityComponent.EYES_CLEAR: QualityAdvice.UNCOVER_EYES,
        QualityComponent.MOUTH_CLEAR: QualityAdvice.UNCOVER_MOUTH,
    }
)


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """Quality of one face.

    Attributes:
        overall: 0 (useless) to 100: 100 less the worst weighted shortfall of a component.
        components: 0 to 100 by QualityComponent.
        advice: values of QualityAdvice for the components that fell short, worst first, each once.
        measures: what each component was judged by, in its unit; components that could not be measured are missing.
    """

    overall: int
    components: Mapping[str, int]
    advice: tuple[str, ...]
    measures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ComponentParameters:
    """How a measure becomes a component: 0 at `zero`, 100 at `full`; `weight` 0 to 1 in the overall figure."""

    zero: float
    full: float
    weight: float
    unit: str


@dataclass(frozen=True, slots=True, eq=False)
class QualityParameters:
    """Contents of the parameter file; `model` is the face of `quality_pose.estimate`, shape (5, 3)."""

    version: str
    advice_below: int
    components: Mapping[str, ComponentParameters]
    model: NDArray[np.float64]


@lru_cache(maxsize=1)
def load_parameters() -> QualityParameters:
    """The parameters that come with the package."""
    data = json.loads(files("matcher.parameters").joinpath(PARAMETERS_FILE).read_text("utf-8"))
    components = {
        component.value: ComponentParameters(
            float(given["zero"]), float(given["full"]), float(given["weight"]), given["unit"]
        )
        for component in QualityComponent
        for given in (data["components"][component.value],)
    }
    model = np.array(data["model"]["points"], dtype=np.float64)
    return QualityParameters(data["version"], data["advice_below"], MappingProxyType(components), model)


def assess(
    pixels: NDArray[np.uint8],
    box: tuple[int, int, int, int],
    landmarks: Sequence[tuple[float, float]],
    parameters: QualityParameters | None = None,
) -> FaceQuality:
    """Quality of a face. What cannot be measured (landmarks in one place, a face outside of the picture) is 0.

    Args:
        pixels: RGB, shape (h, w, 3).
        box: top, right, bottom, left in pixels; it counts only where the landmarks fall together.
        landmarks: (x, y) in pixels of the person's left eye (outer, inner corner), right eye (outer, inner corner) and
            nose base, which is dlib's order; the person's left is on the right of the picture.
        parameters: thresholds; the package's own when None.
    """
    parameters = parameters or load_parameters()
    measures = measure(pixels, box, landmarks, parameters.model)
    components = {key: _component(measures[key], given) for key, given in parameters.components.items()}
    short = sorted((value, key) for key, value in components.items() if value < parameters.advice_below)
    advice = dict.fromkeys(ADVICE[QualityComponent(key)].value for _, key in short)
    shortfall = max(given.weight * (100 - components[key]) for key, given in parameters.components.items())
    return FaceQuality(
        round(100 - shortfall),
        MappingProxyType(components),
        tuple(advice),
        MappingProxyType({key: value for key, value in measures.items() if value is not None}),
    )


def _component(value: float | None, given: ComponentParameters) -> int:
    if value is None:
        return 0
    return round(100 * min(1.0, max(0.0, (value - given.zero) / (given.full - given.zero))))
