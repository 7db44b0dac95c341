"""A photograph at every size side by side in one picture, as dlib's CNN detector reads it.

dlib (`image_pyramid.h`, `input.h`, `interpolation.h`) makes each level 5/6 of the one before, from the one before, and
packs them with 10 black pixels between and 11 around: the first ones below each other, the rest upwards beside them.
The places matter: the network looks over the gaps, so a face near an edge scores by what stands next to it.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

GAP, MARGIN = 10, 11

SMALLEST_SIDE = 10
"""Pixels. Below, dlib's layout breaks off and its network has nothing left to look at."""

_SMALLEST_HEIGHT = 5
# All levels take 27 bytes for each pixel of the photograph; this is enough for 800 x 600. Rows of what is not held are
# made where they are wanted, again and again: a fifth more time for 3000 x 2000.
_HELD_BYTES = 16 << 20
# Rows of a level that is held, or of an enlarged picture, that are made at once.
_BAND = 64
_RATE = (6 - 1.0) / 6
# dlib's sizes are unsigned 64-bit numbers; a difference below zero is a very large one, and its layout rests on that.
_UNSIGNED = 1 << 64


class Place(NamedTuple):
    """Where a level is in the packed picture: its left upper pixel, its width and height."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Size of the packed picture and the places of its levels, the photograph itself first."""

    width: int
    height: int
    places: tuple[Place, ...]


def layout(width: int, height: int) -> Layout:
    """The layout for a photograph of that size. Raises ValueError when a side is below SMALLEST_SIDE."""
    if min(width, height) < SMALLEST_SIDE:
        raise ValueError(f"expected {SMALLEST_SIDE} pixels a side, got {width} x {height}")
    sizes = [(width, height)]
    while True:
        columns, rows = (math.floor(_RATE * side) for side in sizes[-1])
        if columns * rows == 0 or rows < _SMALLEST_HEIGHT:
            break
        sizes.append((columns, rows))
    column = _first_column(sizes)
    places: list[Place] = []
    y = MARGIN
    for columns, rows in sizes:
        if y >= column + MARGIN:
            break
        places.append(Place(MARGIN, y, columns, rows))
        y += rows + GAP
    y -= GAP
    for columns, rows in sizes[len(places) :]:
        place = Place(MARGIN + width - columns, y - rows, columns, rows)
        if place.top < MARGIN + height:  # it would lie over the photograph: this and all further ones are left out
            break
        places.append(place)
        y -= rows + GAP
    return Layout(width + 2 * MARGIN, column + 2 * MARGIN, tuple(places))


def _first_column(sizes: list[tuple[int, int]]) -> int:
    """Height of the first column: it ends where the next level fits beside the one above."""
    width, first = sizes[0]
    total = sum(rows + GAP for _, rows in sizes) - 2 * GAP
    height = before = 0
    for columns, rows in sizes:
        beside = (width - before - GAP) % _UNSIGNED
        if columns <= beside and (height - first) * 2 % _UNSIGNED >= (total - first) % _UNSIGNED:
            break
        height += rows + GAP
        before = columns
    return height - GAP


class Packed:
    """The packed picture, made a band of rows at a time, and the levels that are held for it."""

    def __init__(
        self, pixels: NDArray[np.uint8], means: tuple[float, float, float], held_bytes: int = _HELD_BYTES
    ) -> None:
        """Of an RGB photograph (h, w, 3) and what is taken off its colours. Raises ValueError as `layout` does.

        The smallest levels that take `held_bytes` together are held.
        """
        self.plan = layout(pixels.shape[1], pixels.shape[0])
        self._pixels = pixels
        self._means = np.array(means, np.float32)[:, np.newaxis, np.newaxis]
        places = self.plan.places
        self._rows = [_rows(before.height, place.height) for before, place in pairwise(places)]
        self._columns = [_columns(before.width, place.width) for before, place in pairwise(places)]
        self._held: dict[int, NDArray[np.float32]] = {}
        sizes = [12 * place.width * place.height for place in places]
        for level in range(1, len(places)):
            if sum(sizes[level:]) <= held_bytes:
                self._held[level] = self._whole(level)

    def rows(self, first: int, after: int) -> NDArray[np.float32]:
        """Rows from `first` to before `after`, (3, after - first, plan.width): (colour - mean) / 256, black (0) around.

        The same values in whatever bands they are asked for.
        """
        band = np.zeros((3, after - first, self.plan.width), np.float32)
        for level, (left, top, width, height) in enumerate(self.plan.places):
            start, stop = max(first, top), min(after, top + height)
            if start < stop:
                view = band[:, start - first : stop - first, left : left + width]
                self._level(level, start - top, stop - top, view)
        return band

    def _whole(self, level: int) -> NDArray[np.float32]:
        _, _, width, height = self.plan.places[level]
        result = np.empty((3, height, width), np.float32)
        for first in range(0, height, _BAND):
            after = min(height, first + _BAND)
            self._level(level, first, after, result[:, first:after])
        return result

    def _level(self, level: int, first: int, after: int, target: NDArray[np.float32]) -> None:
        """Puts rows of a level into `target`, (3, after - first, width)."""
        if level in self._held:
            target[:] = self._held[level][:, first:after]
        elif level == 0:
            np.subtract(self._pixels[first:after].transpose(2, 0, 1), self._means, out=target)
            target *= np.float32(1 / 256)
        else:
            samples = self._rows[level - 1]
            near, far = samples.near[first:after], samples.far[first:after]
            start, stop = int(near[0]), int(far[-1]) + 1
            source = self._held.get(level - 1, np.empty((3, 0, 0), np.float32))[:, start:stop]
            if level - 1 not in self._held:
                source = np.empty((3, stop - start, self.plan.places[level - 1].width), np.float32)
                self._level(level - 1, start, stop, source)
            _resize(
                source,
                target,
                _Samples(near - start, far - start, samples.share[first:after]),
                self._columns[level - 1],
            )


def enlarge(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB (h, w, 3) at about twice the size, (2 h + 1, 2 w + 2, 3); interpolated values are cut, as dlib does."""
    height, width = pixels.shape[:2]
    rows, columns = _rows(height, 2 * height + 1), _columns(width, 2 * width + 2)
    right = columns.share[:, np.newaxis]
    left = 1 - right
    result = np.empty((2 * height + 1, 2 * width + 2, 3), np.uint8)
    for start in range(0, len(result), _BAND):
        band = slice(start, start + _BAND)
        down = rows.share[band, np.newaxis, np.newaxis]
        up = 1 - down
        first, second = (pixels[near[band]].astype(np.float32) for near in (rows.near, rows.far))
        value = up * left * first[:, columns.near]
        for weight, line, near in (
            (up * right, first, columns.far),
            (down * left, second, columns.near),
            (down * right, second, columns.far),
        ):
            value += weight * line[:, near]
        result[band] = value
    return result


class _Samples(NamedTuple):
    """For each pixel of a line: the two pixels of the source that it lies between, and the second one's share."""

    near: NDArray[np.int64]
    far: NDArray[np.int64]
    share: NDArray[np.float32]


def _rows(source: int, target: int) -> _Samples:
    """dlib adds up the step in float64, from minus one step."""
    step = (source - 1) / max(target - 1, 1)
    at = np.cumsum(np.concatenate([[-step], np.full(target, step)]))[1:]
    near = np.minimum(np.floor(at).astype(np.int64), source - 1)
    return _Samples(near, np.minimum(near + 1, source - 1), (at - np.floor(at)).astype(np.float32))


def _columns(source: int, target: int) -> _Samples:
    """dlib adds up four lanes of steps in float32, and goes on in float64 where a lane leaves the source."""
    step = (source - 1) / max(target - 1, 1)
    lanes = np.full((target // 4 + 2, 4), np.float32(4 * step), np.float32)
    lanes[0] = [np.float32(-4 * step + lane * step) for lane in range(4)]
    at = np.add.accumulate(lanes, axis=0, dtype=np.float32)[1:]
    whole = at.astype(np.int64)
    inside = np.flatnonzero(whole[:, 3] + 1 >= source)
    done = 4 * int(inside[0]) if len(inside) else 4 * len(at)
    done = min(done, 4 * (target // 4))
    rest = np.cumsum(np.concatenate([[-step + done * step], np.full(target - done, step)]))[1:]
    near = np.concatenate([whole.ravel()[:done], np.floor(rest).astype(np.int64)])
    share = np.concatenate([(at - whole).ravel()[:done], (rest - np.floor(rest)).astype(np.float32)])
    near = np.minimum(near, source - 1)
    return _Samples(near, np.minimum(near + 1, source - 1), share.astype(np.float32))


def _resize(source: NDArray[np.float32], target: NDArray[np.float32], rows: _Samples, columns: _Samples) -> None:
    """Bilinear, corners on corners. Rows first and then columns: 1e-7 from dlib's sum of four, in half the time."""
    for plane, result in zip(source, target, strict=True):
        far = plane[rows.far]
        line = plane[rows.near]
        far -= line
        far *= rows.share[:, np.newaxis]
        line += far
        right = np.take(line, columns.far, axis=1)
        left = np.take(line, columns.near, axis=1)
        right -= left
        right *= columns.share
        np.add(left, right, out=result)
