"""Real photographs spoilt in known ways, to see whether the quality measures notice.

Each takes an RGB photograph (h, w, 3) and five landmarks in dlib's order. Paint is no cloth and no glass: what these
show is whether a measure does what it is meant to, and how far; not how it does in the street.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from matcher.faces.aligner import MEAN_FACE
from matcher.faces.intake import Pixels
from matcher.faces.quality_chip import placement

Landmarks = Sequence[tuple[float, float]]
Mask = NDArray[np.float64]

_NO_BOX = (0, 1, 1, 0)


def blurred(pixels: Pixels, landmarks: Landmarks, strength: float) -> Pixels:
    """Out of focus: a Gaussian whose radius is `strength` times the distance between the eyes."""
    radius = strength * _eye_distance(landmarks)
    return np.array(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def exposed(pixels: Pixels, gamma: float) -> Pixels:
    """Darker with a gamma above 1, lighter below it."""
    table = (255 * (np.arange(256) / 255) ** gamma).round().astype(np.uint8)
    return table[pixels]


def half_shaded(pixels: Pixels, landmarks: Landmarks, level: float) -> Pixels:
    """The person's right half at `level` times its brightness, with a narrow edge along the nose."""
    x, _ = _frame(pixels, landmarks)
    shade = level + (1 - level) / (1 + np.exp(-(x - 0.49) / 0.02))
    return (pixels * shade[:, :, np.newaxis]).astype(np.uint8)


def rotated(pixels: Pixels, landmarks: Landmarks, degrees: float) -> tuple[Pixels, tuple[tuple[float, float], ...]]:
    """Turned clockwise about its middle, landmarks and all; the corners that come in are black."""
    turned = np.array(Image.fromarray(pixels).rotate(-degrees, Image.Resampling.BICUBIC))
    middle = complex(pixels.shape[1] / 2, pixels.shape[0] / 2)
    turn = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    points = [middle + turn * (complex(*point) - middle) for point in landmarks]
    return turned, tuple((point.real, point.imag) for point in points)


def dark_bar(pixels: Pixels, landmarks: Landmarks, generator: np.random.Generator) -> Pixels:
    """A dark band over both eyes, 10 to 30 % of the cheeks' brightness, a little uneven."""
    x, y = _frame(pixels, landmarks)
    band = _soft((x > 0.06) & (x < 0.94) & (y > 0.10) & (y < 0.34), landmarks)
    paint = _cheek(pixels, landmarks) * generator.uniform(0.1, 0.3) + generator.normal(0, 2, x.shape)
    return _painted(pixels, band, paint + (y - 0.22) * generator.uniform(-30, 30))


def cloth(pixels: Pixels, landmarks: Landmarks, generator: np.random.Generator) -> Pixels:
    """Mouth and chin under an even cloth with soft folds, of 40 to 130 % of the cheeks' brightness."""
    x, y = _frame(pixels, landmarks)
    cover = _soft((y > 0.55) & (y < 1.15) & (np.abs(x - 0.49) < 0.45), landmarks)
    folds = 6 * np.sin((y - 0.55) * generator.uniform(20, 50)) + (x - 0.5) * generator.uniform(-30, 30)
    level = min(240.0, _cheek(pixels, landmarks) * generator.uniform(0.4, 1.3))
    return _painted(pixels, cover, level + folds + generator.normal(0, 2, x.shape))


def closed_eyes(pixels: Pixels, landmarks: Landmarks) -> Pixels:
    """Each eye filled from the skin above and below it, with a dark line of lashes low in it."""
    x, y = _frame(pixels, landmarks)
    result = pixels.astype(np.float64)
    turn, shift = placement(_NO_BOX, landmarks)
    for outer, inner in ((0, 1), (2, 3)):
        left, right = sorted((MEAN_FACE[outer][0], MEAN_FACE[inner][0]))
        height = (MEAN_FACE[outer][1] + MEAN_FACE[inner][1]) / 2
        top, bottom = height - 0.075, height + 0.055
        eye = (x > left - 0.01) & (x < right + 0.01) & (y > top) & (y < bottom)
        above, below = (_sampled(pixels, turn * (x[eye] + 1j * edge) + shift) for edge in (top - 0.01, bottom + 0.01))
        share = ((y[eye] - top) / (bottom - top))[:, np.newaxis]
        lashes = 1 - 0.45 * np.exp(-(((share - 0.72) / 0.09) ** 2))
        result[eye] = ((1 - share) * above + share * below) * lashes
    return result.clip(0, 255).astype(np.uint8)


def _frame(pixels: Pixels, landmarks: Landmarks) -> tuple[Mask, Mask]:
    """Where each pixel is in the mean face's frame."""
    turn, shift = placement(_NO_BOX, landmarks)
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    places = (columns + 1j * rows - shift) / turn
    return places.real, places.imag


def _eye_distance(landmarks: Landmarks) -> float:
    points = np.asarray(landmarks, dtype=np.float64)
    return math.dist(points[0:2].mean(axis=0), points[2:4].mean(axis=0))


def _soft(covered: NDArray[np.bool_], landmarks: Landmarks) -> Mask:
    picture = Image.fromarray(covered.astype(np.uint8) * 255)
    edge = ImageFilter.GaussianBlur(0.02 * _eye_distance(landmarks))
    return np.asarray(picture.filter(edge), dtype=np.float64) / 255


def _cheek(pixels: Pixels, landmarks: Landmarks) -> float:
    x, y = _frame(pixels, landmarks)
    cheeks = (y > 0.35) & (y < 0.62) & (x > 0.1) & (x < 0.88)
    return float(np.median(pixels[cheeks])) if cheeks.any() else 128.0


def _painted(pixels: Pixels, mask: Mask, paint: Mask) -> Pixels:
    mixed = pixels * (1 - mask[:, :, np.newaxis]) + (paint * mask)[:, :, np.newaxis]
    return mixed.clip(0, 255).astype(np.uint8)


def _sampled(pixels: Pixels, places: NDArray[np.complexfloating[Any, Any]]) -> NDArray[np.float64]:
    rows = places.imag.round().astype(int).clip(0, pixels.shape[0] - 1)
    columns = places.real.round().astype(int).clip(0, pixels.shape[1] - 1)
    colours: NDArray[np.float64] = pixels[rows, columns].astype(np.float64)
    return colours
