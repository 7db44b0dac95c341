"""What is measured on a face for its quality: plain figures, before any threshold.

All but the size are taken on the fixed chip of `quality_chip`. The list follows the capture-related components of
ISO/IEC 29794-5:2025; the formulas are the project's own, because the standard's use a face parser and a pose network
that are not installed here. Covered parts and closed eyes are told from pixels alone: see each measure for its limits.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from matcher.faces.aligner import MEAN_FACE
from matcher.faces.quality_chip import FaceChip, cut_chip, frame, region
from matcher.faces.quality_pose import estimate

Image = NDArray[np.float64]

_LEAST_SHARE_INSIDE = 0.25
"""Of the face; with less of it in the photograph nothing is said about its pixels but that they are not there."""

_ROUNDING = 20 / 12
"""What rounding to whole grey levels (variance 1/12) adds to the Laplacian's variance (weights 4, 1, 1, 1, 1)."""

# Places in the mean face's frame (left, top, right, bottom), as the camera sees them.
_CHEEKS = ((0.10, 0.35, 0.36, 0.62), (0.62, 0.35, 0.88, 0.62))
_MOUTH = (0.25, 0.66, 0.75, 0.98)
_EYE_BAND = (0.10, 0.05, 0.90, 0.35)
# From corner to corner, and as far up and down as lids and iris reach.
_EYE_HEIGHT = (-0.09, 0.08)


def measure(
    pixels: NDArray[np.uint8],
    box: tuple[int, int, int, int],
    landmarks: Sequence[tuple[float, float]],
    model: NDArray[np.float64],
) -> Mapping[str, float | None]:
    """Every measure of a face by the name of its component; None for what cannot be measured.

    Args:
        pixels: RGB, shape (h, w, 3).
        box: top, right, bottom, left in pixels.
        landmarks: the person's left eye (outer, inner corner), right eye (outer, inner), nose base, in pixels.
        model: the 3-D points of `quality_pose.estimate`.
    """
    pose = estimate(landmarks, model)
    points = np.asarray(landmarks, dtype=np.float64)
    distance = math.dist(points[0:2].mean(axis=0), points[2:4].mean(axis=0))
    found: dict[str, float | None] = {
        # From the side the eyes move together; the face has as many pixels as before.
        "size": distance / max(math.cos(math.radians(pose.yaw)), 0.5) if pose else 0.0,
        "yaw": abs(pose.yaw) if pose else None,
        "pitch": abs(pose.pitch) if pose else None,
        "roll": abs(pose.roll) if pose else None,
    }
    return found | measure_chip(cut_chip(pixels, box, landmarks))


def measure_chip(chip: FaceChip) -> dict[str, float | None]:
    """The measures of the pixels, by the name of their component; all None when too little of the face is inside."""
    seen = _face() & chip.inside
    levels = np.sort(chip.grey[seen])
    if levels.size < _LEAST_SHARE_INSIDE * _face().sum():
        return dict.fromkeys(
            ("sharpness", "dark", "bright", "contrast", "light_across", "light_down", "eyes_open", "eyes_clear",
             "mouth_clear")
        )  # fmt: skip
    spread = float(levels.std())
    return {
        "sharpness": _sharpness(chip.grey, seen, spread),
        # Not the mean: a beard, dark skin or hair over the brow leaves the lighter quarter of a well-lit face light.
        "dark": float(levels[int(0.75 * levels.size)]),
        "bright": float(levels[levels.size // 2]),
        "contrast": spread,
        "light_across": _imbalance(*(float(np.median(chip.grey[place])) for place in _cheeks())),
        "light_down": _light_down(chip.grey, seen),
        **_covered(chip.grey),
    }


def _sharpness(grey: Image, seen: NDArray[np.bool_], spread: float) -> float:
    """log2 of 1 + the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000), freed from the face's contrast."""
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    # In a face without contrast, stretching would take the rounding of grey levels for detail.
    stretch = 50.0 / max(spread, 10.0)
    detail = max(0.0, float(laplacian[seen[1:-1, 1:-1]].var()) - _ROUNDING)
    return math.log2(1.0 + stretch**2 * detail)


def _imbalance(first: float, second: float) -> float:
    """Michelson contrast of two luma levels, 0 (alike) to 1."""
    return abs(first - second) / (first + second + 1.0)


def _light_down(grey: Image, seen: NDArray[np.bool_]) -> float | None:
    parts = [grey[part & seen] for part in _thirds()]
    return _imbalance(*(float(part.mean()) for part in parts)) if all(part.size for part in parts) else None


def _covered(grey: Image) -> dict[str, float]:
    """Eyes and mouth against the cheeks between them.

    eyes_open: standard deviation within an eye's corners over the cheek's luma, mean of both eyes. Iris, white and
    lashes make it; a lid makes less, a patch of anything next to nothing. In small or blurred faces open eyes come
    near to closed ones, so it is a hint.
    eyes_clear: luma of the lighter part of an eye's place over the cheek's, the higher of both eyes: dark glasses take
    it down on both sides, a shadow from one side does not. Clear glasses are no matter.
    mouth_clear: standard deviation over the lower face against that of the eyes' band: a cloth has no lips, nostrils
    and chin line. A patterned cloth passes for a face.
    """
    cheek = float(np.mean([np.median(grey[place]) for place in _cheeks()]))
    eyes = [np.sort(grey[place], axis=None) for place in _eyes()]
    lighter = [float(levels[int(0.8 * levels.size)]) for levels in eyes]
    return {
        "eyes_open": float(np.mean([levels.std() for levels in eyes])) / (cheek + 10.0),
        "eyes_clear": max(lighter) / (cheek + 1.0),
        "mouth_clear": float(grey[region(*_MOUTH)].std()) / (float(grey[region(*_EYE_BAND)].std()) + 3.0),
    }


@lru_cache(maxsize=1)
def _face() -> NDArray[np.bool_]:
    """Pixels of an oval from the brow to the chin, inside the cheeks' outline; read-only."""
    x, y = frame()
    oval: NDArray[np.bool_] = ((x - 0.49) / 0.40) ** 2 + ((y - 0.45) / 0.52) ** 2 <= 1.0
    oval.flags.writeable = False
    return oval


@lru_cache(maxsize=1)
def _thirds() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The oval's part above the lower lids and the one below the nose base."""
    _, y = frame()
    return _face() & (y < 0.30), _face() & (y > 0.60)


@lru_cache(maxsize=1)
def _cheeks() -> tuple[tuple[slice, slice], ...]:
    return tuple(region(*place) for place in _CHEEKS)


@lru_cache(maxsize=1)
def _eyes() -> tuple[tuple[slice, slice], ...]:
    height = sum(y for _, y in MEAN_FACE[:4]) / 4
    up, down = (height + reach for reach in _EYE_HEIGHT)
    corners = (MEAN_FACE[2][0], MEAN_FACE[3][0]), (MEAN_FACE[1][0], MEAN_FACE[0][0])
    return tuple(region(left, up, right, down) for left, right in corners)
