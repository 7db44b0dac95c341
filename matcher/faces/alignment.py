"""Faces laid over a template of five points, as networks other than dlib's want them.

ArcFace's template has the eye centres, the tip of the nose and the corners of the mouth; dlib finds the corners of the
eyes and the base of the nose. Where dlib's points fall in a face that is aligned ArcFace's way was measured
(`benchmarks/fit_alignment.py`) and is data: `matcher/parameters/alignment-1.json`.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matcher.faces.transforms import Affine, Point, similarity

PARAMETERS_FILE = "alignment-1.json"

PORTRAIT_SPAN = 1.8
"""Side of a portrait, in sides of the template: hairline, ears and chin belong to a comparison."""
_PORTRAIT_LEFT, _PORTRAIT_ABOVE = 0.4, 0.5  # room beside and above the template, in its sides

# Neighbours that a bilinear value reads, and one for rounding.
_MARGIN = 2


class AlignmentTemplate(NamedTuple):
    """Where dlib's five points belong in a square picture of `side` pixels; (x, y), the first pixel's middle is 0."""

    side: int
    points: tuple[Point, ...]

    def scaled(self, side: int) -> tuple[Point, ...]:
        """The points in a picture of another side: its edges, not its first pixel's middle, stay where they are."""
        ratio = side / self.side
        return tuple(((x + 0.5) * ratio - 0.5, (y + 0.5) * ratio - 0.5) for x, y in self.points)


@lru_cache(maxsize=1)
def load_templates() -> Mapping[str, AlignmentTemplate]:
    """The templates that come with the package, by name. Order of points: see `DetectedFace.landmarks`."""
    data = json.loads(files("matcher.parameters").joinpath(PARAMETERS_FILE).read_text("utf-8"))
    return MappingProxyType(
        {
            name: AlignmentTemplate(int(row["side"]), tuple((float(x), float(y)) for x, y in row["points"]))
            for name, row in data["templates"].items()
        }
    )


def align(
    pixels: NDArray[np.uint8], points: Sequence[Point], template: Sequence[Point], side: int
) -> NDArray[np.uint8]:
    """The face (side, side, 3) of an RGB photograph (h, w, 3) whose points lie over the template's; black outside.

    The transform is the similarity that takes `points` (in pixels of the photograph) nearest to `template` (in pixels
    of the result; the same number, in the same order) by least squares; values are bilinear, of a copy shrunk by
    averaging where the face is more than twice as large as the result. Raises ValueError when the points are all in
    one place.
    """
    back = _inverse(similarity(points, template), points)
    height, width = pixels.shape[:2]
    corners = [back(x, y) for x in (0.0, side - 1.0) for y in (0.0, side - 1.0)]
    left, right = _bounds([x for x, _ in corners], width)
    top, bottom = _bounds([y for _, y in corners], height)
    if left >= right or top >= bottom:
        return np.zeros((side, side, 3), np.uint8)
    seen = Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right]))
    shrink = max(1, int(np.hypot(back.a, back.c)))
    if shrink > 1:
        seen = seen.reduce(shrink)
    # Pillow counts from a picture's edge, we from its first pixel's middle.
    a, b, c, d = (value / shrink for value in (back.a, back.b, back.c, back.d))
    across = (back.e - left + 0.5) / shrink - 0.5 * (a + b)
    down = (back.f - top + 0.5) / shrink - 0.5 * (c + d)
    place = (a, b, across, c, d, down)
    return np.array(seen.transform((side, side), Image.Transform.AFFINE, place, Image.Resampling.BILINEAR))


def portrait(pixels: NDArray[np.uint8], points: Sequence[Point], side: int) -> NDArray[np.uint8]:
    """The face (side, side, 3) upright and of one size, with the eyes in the same place in every portrait.

    `points` are dlib's five. Black outside the photograph. Raises ValueError when they are all in one place.
    """
    template = load_templates()["arcface"]
    unit = side / (PORTRAIT_SPAN * template.side)
    right, down = _PORTRAIT_LEFT * template.side + 0.5, _PORTRAIT_ABOVE * template.side + 0.5
    places = [((x + right) * unit - 0.5, (y + down) * unit - 0.5) for x, y in template.points]
    return align(pixels, points, places, side)


def _inverse(fit: Affine, points: Sequence[Point]) -> Affine:
    determinant = fit.a * fit.d - fit.b * fit.c
    if len(set(points)) < 2 or determinant <= 0:
        raise ValueError("landmarks that are all in one place")
    a, b, c, d = fit.d / determinant, -fit.b / determinant, -fit.c / determinant, fit.a / determinant
    return Affine(a, b, c, d, -(a * fit.e + b * fit.f), -(c * fit.e + d * fit.f))


def _bounds(edges: Sequence[float], size: int) -> tuple[int, int]:
    """First pixel and the one after the last that lie between the edges and inside the photograph."""
    first, last = np.clip([min(edges) - _MARGIN, max(edges) + _MARGIN + 1], 0, size)
    return int(first), int(last)
