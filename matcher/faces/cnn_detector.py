"""dlib's CNN face detector (max-margin object detection, King 2015) over its network run by onnxruntime."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.faces.dlib_networks import DetectorOptions
from matcher.faces.pyramid import SMALLEST_SIDE, Packed, Place, enlarge
from matcher.faces.runner import Runner

# A cell stands for a place in the packed picture: three convolutions of stride 2 and side 5 make cells of pixels.
_CELL, _FIRST = 8, 14
# Rows of pixels that the first cell comes from, and the cells around one that the convolutions from cells to scores
# look at (three of side 5, one of side 9).
_REACH, _AROUND = 29, 10
# Working memory: 40 bytes for a pixel of the first half, 600 for a cell of the second.
_PIXELS_A_CELL = 12
# Rows of cells, and of scores, that are made at once of however wide a picture: in lower strips, most of the time would
# go into what is looked at twice (21 rows of pixels, 20 of cells).
_LEAST_CELLS, _LEAST_SCORES = 16, 64


class Detection(NamedTuple):
    """Bounds in pixels, all four inside the box, as dlib has them; they may lie outside the photograph.

    `score` is the network's, above 0; about 1 for a clear face.
    """

    left: int
    top: int
    right: int
    bottom: int
    score: float


class CnnDetector:
    """Finds faces of 80 pixels and more, seen from any side. One instance may be used by several threads at once."""

    def __init__(
        self,
        runners: tuple[Runner, Runner],
        means: tuple[float, float, float],
        options: DetectorOptions,
        strip_pixels: int = 100_000,
    ) -> None:
        """`runners` are the two halves of the network, `means` and `options` the weight file's.

        The network sees at most about `strip_pixels` of the packed picture at once, 50 bytes each of working memory,
        but not less than 128 rows; strips overlap by what it looks at, so they give what the whole would.
        """
        self._strip_pixels = strip_pixels
        self._to_cells, self._to_scores = runners
        self._means = means
        self._options = options

    def detect(self, pixels: NDArray[np.uint8], *, enlarged: int = 0, threshold: float = 0.0) -> list[Detection]:
        """Faces of an RGB photograph (h, w, 3), the highest score first.

        The photograph is doubled in size `enlarged` times before, so that smaller faces are found. Time grows with its
        area, memory with its width, and by less than a byte a pixel besides the enlarged photograph itself.
        """
        if min(pixels.shape[:2]) < SMALLEST_SIDE:
            return []
        for _ in range(enlarged):
            pixels = enlarge(pixels)
        packed = Packed(pixels, self._means)
        scores = self._scores(packed)
        rows, columns = np.nonzero(scores > threshold)
        found = sorted(
            (
                self._box(int(row), int(column), float(scores[row, column]), packed.plan.places)
                for row, column in zip(rows, columns, strict=True)
            ),
            key=lambda box: -box.score,
        )
        kept: list[Detection] = []
        for box in found:
            if not any(self._same(other, box) for other in kept):
                kept.append(box)
        return [_shrunk(box, enlarged) for box in kept]

    def _scores(self, packed: Packed) -> NDArray[np.float32]:
        """Scores (rows, columns) of the cells of a packed picture."""
        rows, columns = (_cells(side) for side in (packed.plan.height, packed.plan.width))
        window: list[NDArray[np.float32]] = []  # cells, from row `begun` to before `made`
        begun = made = 0
        parts = []
        for first, after in _strips(0, rows, max(_LEAST_SCORES, self._strip_pixels // _PIXELS_A_CELL // columns)):
            start, stop = max(0, first - _AROUND), min(rows, after + _AROUND)
            window = [cells[:, :, start - begun :] for cells in window]
            window.extend(self._cells(packed, made, stop))
            window = [np.concatenate(window, axis=2)]
            begun, made = start, stop
            parts.append(self._to_scores(window[0])[0, 0, first - start : after - start])
        return np.concatenate(parts)

    def _cells(self, packed: Packed, first: int, after: int) -> Iterator[NDArray[np.float32]]:
        """Rows of cells from `first` to before `after`, each strip (1, filters, rows, columns)."""
        for start, stop in _strips(first, after, max(_LEAST_CELLS, self._strip_pixels // (_CELL * packed.plan.width))):
            end = packed.plan.height if stop == _cells(packed.plan.height) else _CELL * (stop - 1) + _REACH
            yield self._to_cells(packed.rows(_CELL * start, end)[np.newaxis])

    def _box(self, row: int, column: int, score: float, places: tuple[Place, ...]) -> Detection:
        x, y = _CELL * column + _FIRST, _CELL * row + _FIRST
        level = _nearest(places, x, y)
        width, height = self._options.window
        across, down = (width - 1) / 2, (height - 1) / 2
        x, y = x - places[level].left, y - places[level].top
        edges = [x - across, y - down, x + across, y + down]
        for _ in range(level):
            edges = [edge * (6 / 5.0) + 0.3 for edge in edges]
        left, top, right, bottom = map(_lround, edges)
        return Detection(left, top, right, bottom, score)

    def _same(self, a: Detection, b: Detection) -> bool:
        """dlib's overlap: the intersection over the box that encloses both, or over either one."""
        inner = _area(max(a.left, b.left), max(a.top, b.top), min(a.right, b.right), min(a.bottom, b.bottom))
        if inner == 0:
            return False
        outer = _area(min(a.left, b.left), min(a.top, b.top), max(a.right, b.right), max(a.bottom, b.bottom))
        covered = self._options.covered
        return inner / outer > self._options.iou or inner / _area(*a[:4]) > covered or inner / _area(*b[:4]) > covered


def _cells(side: int) -> int:
    """Cells in that many pixels."""
    return (side - _REACH) // _CELL + 1


def _strips(first: int, after: int, height: int) -> Iterator[tuple[int, int]]:
    """From `first` to before `after` in strips of `height` rows, and what is left.

    Of one height, so that each finds the memory that the one before gave back.
    """
    return pairwise([*range(first, after, height), after])


def _area(left: int, top: int, right: int, bottom: int) -> int:
    return max(0, right - left + 1) * max(0, bottom - top + 1)


def _nearest(places: tuple[Place, ...], x: int, y: int) -> int:
    """The level that the pixel is in, else the one that it is nearest to, the first of equals."""

    def distance(place: Place) -> int:
        across = max(place.left - x, 0, x - (place.left + place.width - 1))
        down = max(place.top - y, 0, y - (place.top + place.height - 1))
        return across**2 + down**2

    return min(range(len(places)), key=lambda level: distance(places[level]))


def _shrunk(box: Detection, enlarged: int) -> Detection:
    """The box in the photograph before it was enlarged."""
    edges = [float(edge) for edge in box[:4]]
    for _ in range(enlarged):
        edges = [edge / 2.0 - offset for edge, offset in zip(edges, (1.25, 0.75, 1.25, 0.75), strict=True)]
    left, top, right, bottom = map(_lround, edges)
    return Detection(left, top, right, bottom, box.score)


def _lround(value: float) -> int:
    """To the nearest whole number, halves away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))
