"""Five landmarks of a face, and the upright chip that the descriptor reads, bit for bit as dlib makes them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.faces.dlib_networks import CHIP_SIDE
from matcher.faces.landmark_weights import POINTS, Cascade, LandmarkWeights
from matcher.faces.transforms import Affine, Point, affine, similarity

Pixels = NDArray[np.uint8]

PADDING = 0.25
"""Room around the face in a chip, as a share of the face."""

# Mean face of dlib's 5 landmarks in units of the face (`interpolation.h`, get_face_chip_details): the person's left eye
# (outer, inner corner), right eye (outer, inner), nose. Left and right as the camera sees them are the other way round.
MEAN_FACE = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)

_CORNERS = ((0.0, 0.0), (CHIP_SIDE - 1.0, 0.0), (0.0, CHIP_SIDE - 1.0))
Landmarks = tuple[tuple[int, int], ...]


class LandmarkPredictor:
    """dlib's shape predictor for 5 points. It holds no state but its weights."""

    def __init__(self, weights: LandmarkWeights) -> None:
        """Take the weights as they were read."""
        self._weights = weights
        self._mean = _points(weights.initial)

    def __call__(self, pixels: Pixels, box: tuple[int, int, int, int]) -> Landmarks:
        """The 5 points in whole pixels of an RGB photograph (h, w, 3), which may lie outside it.

        `box` is left, top, right and bottom, all inside the face; it may reach beyond the photograph. Order: the
        person's left eye (outer, inner corner), right eye (outer, inner), nose.
        """
        left, top, right, bottom = map(float, box)
        to_image = affine([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], [(left, top), (right, top), (right, bottom)])
        shape = self._weights.initial
        for cascade in self._weights.cascades:
            seen = self._look(pixels, shape, cascade, to_image)
            shape = _correct(shape, seen, cascade)
        points = (to_image(x, y) for x, y in _points(shape))
        return tuple((math.floor(x + 0.5), math.floor(y + 0.5)) for x, y in points)

    def _look(
        self, pixels: Pixels, shape: NDArray[np.float32], cascade: Cascade, to_image: Affine
    ) -> NDArray[np.float32]:
        """Grey values (pixels,) at the cascade's places; 0 outside the photograph."""
        turn = similarity(self._mean, _points(shape))
        a, b, c, d = (np.float32(value) for value in (turn.a, turn.b, turn.c, turn.d))
        right, down = cascade.deltas[:, 0], cascade.deltas[:, 1]
        near = shape.reshape(POINTS, 2)[cascade.anchors]
        x = (a * right + b * down + near[:, 0]).astype(np.float64)
        y = (c * right + d * down + near[:, 1]).astype(np.float64)
        columns = np.floor(to_image.a * x + to_image.b * y + to_image.e + 0.5).astype(np.int64)
        rows = np.floor(to_image.c * x + to_image.d * y + to_image.f + 0.5).astype(np.int64)
        height, width = pixels.shape[:2]
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        colours = pixels[np.where(inside, rows, 0), np.where(inside, columns, 0)].astype(np.uint16)
        grey: NDArray[np.uint16] = colours.sum(axis=1, dtype=np.uint16) // 3
        return np.where(inside, grey, 0).astype(np.float32)


def _points(shape: NDArray[np.float32]) -> list[Point]:
    return [(float(x), float(y)) for x, y in shape.reshape(POINTS, 2)]


def _correct(shape: NDArray[np.float32], seen: NDArray[np.float32], cascade: Cascade) -> NDArray[np.float32]:
    """The shape with the leaf of each tree added, one after the other in float32."""
    trees, splits = cascade.first.shape
    tree = np.arange(trees)
    at = np.zeros(trees, np.int64)
    for _ in range((splits + 1).bit_length() - 1):
        difference = seen[cascade.first[tree, at]] - seen[cascade.second[tree, at]]
        at = 2 * at + np.where(difference > cascade.thresholds[tree, at], 1, 2)
    leaves = cascade.leaves[tree, at - splits]
    total: NDArray[np.float32] = np.add.accumulate(np.concatenate([shape[np.newaxis], leaves]), axis=0)[-1]
    return total


def chip(pixels: Pixels, landmarks: Sequence[Point]) -> Pixels:
    """The face upright in the middle of (150, 150, 3), from an RGB photograph (h, w, 3); black beyond its edges.

    `landmarks` are five, in the order of `LandmarkPredictor`. Raises ValueError when they all are in one place.
    """
    size = float(CHIP_SIDE)
    shrink = 1 / (2 * PADDING + 1)  # dlib divides a point by taking it times the reciprocal
    mean_face = [((PADDING + x) * shrink * size, (PADDING + y) * shrink * size) for x, y in MEAN_FACE]
    fit = similarity(mean_face, [(float(x), float(y)) for x, y in landmarks])
    angle, scale = math.atan2(fit.c, fit.a), math.sqrt(fit.a * fit.a + fit.c * fit.c)
    if scale == 0:
        raise ValueError("landmarks that are all in one place")
    x, y = fit(size / 2, size / 2)
    half = (size * scale - 1) / 2
    rect = (x - half, y - half, x + half, y + half)
    left, top, right, bottom = _surroundings(rect, angle, pixels.shape[1], pixels.shape[0])
    source = pixels[top : bottom + 1, left : right + 1]
    rect = (rect[0] - left, rect[1] - top, rect[2] - left, rect[3] - top)
    smaller = _down(rect)
    while _area(smaller) > CHIP_SIDE**2:
        source, rect, smaller = _half(source), smaller, _down(smaller)
    corners = [(rect[0], rect[1]), (rect[2], rect[1]), (rect[0], rect[3])]
    return _sample(source, affine(_CORNERS, [_turned(rect, corner, angle) for corner in corners]))


Rect = tuple[float, float, float, float]


def _down(rect: Rect) -> Rect:
    """The rectangle in a picture of half the size."""
    return rect[0] / 2.0 - 1.25, rect[1] / 2.0 - 0.75, rect[2] / 2.0 - 1.25, rect[3] / 2.0 - 0.75


def _area(rect: Rect) -> float:
    if rect[1] > rect[3] or rect[0] > rect[2]:
        return 0.0
    return (rect[2] - rect[0] + 1) * (rect[3] - rect[1] + 1)


def _turned(rect: Rect, point: Point, angle: float) -> Point:
    """The point turned about the middle of the rectangle."""
    middle_x, middle_y = (rect[0] + rect[2]) / 2.0, (rect[1] + rect[3]) / 2.0
    x, y = point[0] - middle_x, point[1] - middle_y
    sine, cosine = math.sin(angle), math.cos(angle)
    return cosine * x - sine * y + middle_x, sine * x + cosine * y + middle_y


def _surroundings(rect: Rect, angle: float, width: int, height: int) -> tuple[int, int, int, int]:
    """The part of the photograph that halving and turning may look at, all four edges inside."""
    grow, smaller = 2.0, _down(rect)
    while _area(smaller) > CHIP_SIDE**2:
        smaller = _down(smaller)
        grow = grow * 2 + 2
    turned = [_turned(rect, (x, y), angle) for x in (rect[0], rect[2]) for y in (rect[1], rect[3])]
    left, right = min(x for x, _ in turned) - grow, max(x for x, _ in turned) + grow
    top, bottom = min(y for _, y in turned) - grow, max(y for _, y in turned) + grow
    edges = (max(left, 0.0), max(top, 0.0), min(right, width - 1.0), min(bottom, height - 1.0))
    low_x, low_y, high_x, high_y = (math.floor(edge + 0.5) for edge in edges)
    # A face wholly outside the photograph has no surroundings in it: nothing, never a slice from the other end.
    return low_x, low_y, max(high_x, low_x - 1), max(high_y, low_y - 1)


def _half(pixels: Pixels) -> Pixels:
    """A 5 x 5 binomial blur and every other pixel, in whole numbers (dlib's pyramid_down<2>)."""
    height, width = pixels.shape[:2]
    if height <= 8 or width <= 8:
        return np.empty((0, 0, 3), np.uint8)
    rows, columns = (height - 3) // 2, (width - 3) // 2
    wide = pixels.astype(np.uint16)
    line = [wide[:, start : start + 2 * columns : 2] for start in range(5)]
    across = line[0] + line[4] + 4 * (line[1] + line[3]) + 6 * line[2]
    stack = [across[start : start + 2 * rows : 2].astype(np.uint32) for start in range(5)]
    total = stack[0] + stack[4] + 4 * (stack[1] + stack[3]) + 6 * stack[2]
    return (total // 256).astype(np.uint8)


def _sample(source: Pixels, where: Affine) -> Pixels:
    """The chip whose pixel (x, y) is the source's at `where(x, y)`: bilinear, cut to whole values, black outside."""
    result = np.zeros((CHIP_SIDE, CHIP_SIDE, 3), np.uint8)
    height, width = source.shape[:2]
    if height < 2 or width < 2:
        return result
    line = np.arange(CHIP_SIDE, dtype=np.float64)
    column, row = line[np.newaxis, :], line[:, np.newaxis]
    x = where.a * column + where.b * row + where.e
    y = where.c * column + where.d * row + where.f
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    inside = (left >= 0) & (top >= 0) & (left + 1 < width) & (top + 1 < height)
    left, top = left[inside], top[inside]
    right_share, down_share = (x[inside] - left)[:, np.newaxis], (y[inside] - top)[:, np.newaxis]
    corners = (source[top + down, left + right].astype(np.float64) for down in (0, 1) for right in (0, 1))
    first, second, third, fourth = corners
    upper = (1 - right_share) * first + right_share * second
    lower = (1 - right_share) * third + right_share * fourth
    result[inside] = ((1 - down_share) * upper + down_share * lower).astype(np.uint8)
    return result
