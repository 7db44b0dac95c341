"""`matcher.faces.alignment`: faces lie over the template, whatever their place, size and turn in the photograph."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.faces.alignment import align, load_templates, portrait
from matcher.faces.intake import Pixels
from matcher.faces.transforms import Point

TEMPLATE = load_templates()["arcface"]
SIDE = TEMPLATE.side


@cache
def smooth(width: int, height: int) -> Pixels:
    """A picture whose red is the column and whose green the row, as shares of the longest side."""
    longest = max(width, height)
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([columns * 255 / longest, rows * 255 / longest, np.full((height, width), 99)], 2).astype(np.uint8)


def placed(points: tuple[Point, ...], scale: float, angle: float, x: float, y: float) -> list[Point]:
    """The template's points somewhere in a photograph."""
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    return [(cosine * a - sine * b + x, sine * a + cosine * b + y) for a, b in points]


def test_the_template_is_a_face() -> None:
    outer_left, inner_left, outer_right, inner_right, nose = TEMPLATE.points
    assert outer_left[0] > inner_left[0] > nose[0] > inner_right[0] > outer_right[0]
    assert all(45 < y < 60 for _, y in TEMPLATE.points[:4])
    assert 65 < nose[1] < 90
    # The eye centres are where ArcFace's template has them, within what two annotations of an eye differ by.
    left, right = ((a[0] + b[0]) / 2 for a, b in ((outer_left, inner_left), (outer_right, inner_right)))
    assert (right, left) == pytest.approx((38.2946, 73.5318), abs=2)


def test_a_template_of_another_size_shows_the_same_face() -> None:
    half = TEMPLATE.scaled(SIDE // 2)
    assert 2 * np.array(half) + 0.5 == pytest.approx(np.array(TEMPLATE.points))
    assert np.array(TEMPLATE.scaled(SIDE)) == pytest.approx(np.array(TEMPLATE.points))


def test_a_face_that_lies_over_the_template_is_only_cut_out() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (200, 220, 3), np.uint8)
    found = align(pixels, [(x + 31, y + 17) for x, y in TEMPLATE.points], TEMPLATE.points, SIDE)
    assert np.abs(found.astype(int) - pixels[17 : 17 + SIDE, 31 : 31 + SIDE]).max() <= 1


@settings(deadline=None)
@given(
    scale=st.floats(0.3, 7.5),
    angle=st.floats(-math.pi, math.pi),
    x=st.floats(-40, 40),
    y=st.floats(-40, 40),
)
def test_each_pixel_comes_from_where_the_face_is(scale: float, angle: float, x: float, y: float) -> None:
    width, height = 1500, 1400
    across, down = (sum(part) / 2 for part in zip(*placed(((0, 0), (SIDE, SIDE)), scale, angle, 0, 0), strict=True))
    place = (scale, angle, width / 2 - across + x, height / 2 - down + y)
    found = align(smooth(width, height), placed(TEMPLATE.points, *place), TEMPLATE.points, SIDE)
    for column, row in ((0, 0), (80, 30), (111, 111)):
        ((across, down),) = placed(((column, row),), *place)
        # A shrunk copy of the edge is an average of less.
        if 8 <= across < width - 8 and 8 <= down < height - 8:
            expected = (across * 255 / width, down * 255 / width)
            # Cut off when the picture was made (below 1), rounded when shrunk (.5), cut off when laid over (below 1).
            assert found[row, column, :2].astype(float) == pytest.approx(expected, abs=2.5)


def test_a_large_face_is_averaged_not_picked_at() -> None:
    """Noise in a face eight times too large leaves one in a hundred and more of its variance."""
    pixels = np.random.default_rng(1).integers(0, 256, (1000, 1000, 3), np.uint8)
    found = align(pixels, placed(TEMPLATE.points, 8.5, 0, 20, 20), TEMPLATE.points, SIDE)
    assert found.std() < 0.2 * pixels.std()


def test_beyond_the_photograph_it_is_black() -> None:
    pixels = np.full((100, 100, 3), 200, np.uint8)
    half = align(pixels, placed(TEMPLATE.points, 1, 0, -56, 0), TEMPLATE.points, SIDE)
    assert (half[:99, 57:] == 200).all()
    assert not half[:, :55].any()
    assert not half[101:].any()
    assert not align(pixels, placed(TEMPLATE.points, 1, 0, 5000, 0), TEMPLATE.points, SIDE).any()


def test_no_photograph_is_too_small() -> None:
    assert align(
        np.full((1, 1, 3), 9, np.uint8), placed(TEMPLATE.points, 0.01, 0, 0, 0), TEMPLATE.points, SIDE
    ).shape == (
        SIDE,
        SIDE,
        3,
    )


def test_landmarks_in_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="one place"):
        align(np.zeros((50, 50, 3), np.uint8), [(5, 5)] * 5, TEMPLATE.points, SIDE)


def test_least_squares_shares_the_error_of_a_point() -> None:
    pixels = smooth(255, 255)
    exact = placed(TEMPLATE.points, 1, 0, 60, 60)
    moved = [*exact[:4], (exact[4][0], exact[4][1] + 5)]
    before, after = (align(pixels, points, TEMPLATE.points, SIDE)[80, 56] for points in (exact, moved))
    shift = after.astype(int) - before.astype(int)
    assert 0 < shift[1] <= 4
    assert abs(shift[0]) <= 1


@pytest.mark.parametrize(("scale", "angle"), [(1.0, 0.0), (2.5, 0.4), (0.7, -0.6)])
def test_a_portrait_has_every_face_in_the_same_place_with_room_around_it(scale: float, angle: float) -> None:
    points = placed(TEMPLATE.points, scale, angle, 500.0, 500.0)
    pixels = np.zeros((1000, 1000, 3), np.uint8)
    for x, y in points:
        pixels[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5] = 255
    shown = portrait(pixels, points, 180)
    assert shown.shape == (180, 180, 3)
    bright = np.argwhere(shown[:, :, 0] > 127)
    nose = (TEMPLATE.points[4][0] + 0.4 * SIDE) * 180 / (1.8 * SIDE), (TEMPLATE.points[4][1] + 0.5 * SIDE) * 100 / SIDE
    assert np.abs(bright - np.array([nose[1], nose[0]])).sum(axis=1).min() < 6
    assert bright[:, 0].min() > 80, "the forehead and the hair have their room"
    assert bright[:, 1].min() > 40
    assert bright[:, 1].max() < 140
