"""A face upright at a fixed size, as the quality measures look at it.

The frame is that of dlib's mean face: 0 to 1 from temple to temple across and from the brows to the chin down. Every
measure is taken in it, so that a figure does not depend on how many pixels the photograph has; where it has fewer than
the chip, the chip is blurred, as the face is to the embedder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matcher.faces.aligner import MEAN_FACE

CHIP_SIDE = 128
"""Pixels across and down; the embedder sees 150 of a slightly larger cut."""

ORIGIN = (-0.15, -0.2)
SPAN = 1.3
"""The chip covers this square of the mean face's frame: left, top and side."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceChip:
    """A face in the frame of the mean face.

    Attributes:
        grey: luma 0 to 255, shape (CHIP_SIDE, CHIP_SIDE), ITU-R BT.601.
        inside: which pixels the photograph covers.
    """

    grey: NDArray[np.float64]
    inside: NDArray[np.bool_]


def cut_chip(
    pixels: NDArray[np.uint8], box: tuple[int, int, int, int], landmarks: Sequence[tuple[float, float]]
) -> FaceChip:
    """The face of an RGB photograph (h, w, 3); grey 0 outside of it.

    `landmarks` are five in dlib's order. Where they fall together, the face is taken to fill `box` (top, right,
    bottom, left).
    """
    turn, shift = placement(box, landmarks)
    side = SPAN * turn / CHIP_SIDE
    start = turn * complex(*ORIGIN) + shift + side * complex(0.5, 0.5)
    inside = _inside(start, side, pixels.shape[1], pixels.shape[0])
    return FaceChip(np.where(inside, _sampled(pixels, start, side), 0.0), inside)


def placement(box: tuple[int, int, int, int], landmarks: Sequence[tuple[float, float]]) -> tuple[complex, complex]:
    """From the mean face's frame to the photograph: turn-and-scale and shift, as complex numbers (least squares).

    A point at x + iy of the frame is at turn * (x + iy) + shift of the photograph. Arguments as of `cut_chip`.
    """
    mean = np.array([complex(x, y) for x, y in MEAN_FACE])
    seen = np.array([complex(x, y) for x, y in landmarks])
    flat = mean - mean.mean()
    turn = complex(np.vdot(flat, seen - seen.mean()) / np.vdot(flat, flat).real)
    if abs(turn) >= 1.0:
        return turn, complex(seen.mean()) - turn * complex(mean.mean())
    top, right, bottom, left = box
    return complex(max(1, right - left, bottom - top), 0.0), complex(left, top)


def region(left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
    """Rows and columns of the chip for a rectangle in the mean face's frame."""
    across = [round((x - ORIGIN[0]) / SPAN * CHIP_SIDE) for x in (left, right)]
    down = [round((y - ORIGIN[1]) / SPAN * CHIP_SIDE) for y in (top, bottom)]
    return slice(*down), slice(*across)


@lru_cache(maxsize=1)
def grid() -> NDArray[np.complex128]:
    """Column + i row of each pixel of the chip, shape (CHIP_SIDE, CHIP_SIDE)."""
    steps = np.arange(CHIP_SIDE)
    return steps[np.newaxis, :] + 1j * steps[:, np.newaxis]


def frame() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y of each pixel's middle in the mean face's frame."""
    places = (grid() + (0.5 + 0.5j)) * SPAN / CHIP_SIDE
    return places.real + ORIGIN[0], places.imag + ORIGIN[1]


def _inside(start: complex, side: complex, width: int, height: int) -> NDArray[np.bool_]:
    places = start + side * grid()
    covered: NDArray[np.bool_] = (
        (places.real >= 0) & (places.real < width) & (places.imag >= 0) & (places.imag < height)
    )
    return covered


def _sampled(pixels: NDArray[np.uint8], start: complex, side: complex) -> NDArray[np.float64]:
    """The chip's luma, (CHIP_SIDE, CHIP_SIDE); what is outside of the photograph is of no meaning."""
    height, width = pixels.shape[:2]
    corners = [start + side * CHIP_SIDE * corner for corner in (0, 1, 1j, 1 + 1j)]
    margin = 2 * abs(side) + 2
    left, right = (
        int(min(max(edge(corner.real for corner in corners) + room, 0), width))
        for edge, room in ((min, -margin), (max, margin))
    )
    top, bottom = (
        int(min(max(edge(corner.imag for corner in corners) + room, 0), height))
        for edge, room in ((min, -margin), (max, margin))
    )
    if right <= left or bottom <= top:
        return np.zeros((CHIP_SIDE, CHIP_SIDE))
    part = Image.fromarray(pixels[top:bottom, left:right])
    # Bilinear sampling reads four neighbours: without this, a large face would be aliased and pass for a sharp one.
    smaller = max(1, int(abs(side)))
    if smaller > 1:
        part = part.reduce(smaller)
    part = part.convert("L")
    at, step = (start - complex(left, top)) / smaller, side / smaller
    # Pillow samples at the middle of each result pixel, and `start` is already that of the first.
    at -= step * (0.5 + 0.5j)
    coefficients = (step.real, -step.imag, at.real, step.imag, step.real, at.imag)
    chip = part.transform(
        (CHIP_SIDE, CHIP_SIDE), Image.Transform.AFFINE, coefficients, resample=Image.Resampling.BILINEAR
    )
    return np.asarray(chip, dtype=np.float64)
