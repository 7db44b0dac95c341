"""`matcher.faces.pyramid`: where the levels are packed. What is in them is compared with dlib in the equality tests."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.faces.pyramid import GAP, MARGIN, SMALLEST_SIDE, Packed, enlarge, layout


def test_the_layout_of_a_common_size() -> None:
    plan = layout(640, 480)
    assert (plan.width, plan.height, len(plan.places)) == (662, 1782, 24)
    assert plan.places[0] == (MARGIN, MARGIN, 640, 480)
    assert plan.places[1] == (MARGIN, MARGIN + 480 + GAP, 533, 400)


@given(width=st.integers(SMALLEST_SIDE, 3000), height=st.integers(SMALLEST_SIDE, 3000))
def test_levels_lie_inside_and_beside_each_other(width: int, height: int) -> None:
    plan = layout(width, height)
    for place in plan.places:
        assert place.left >= MARGIN
        assert place.top >= MARGIN
        assert place.left + place.width <= plan.width - MARGIN
        assert place.top + place.height <= plan.height - MARGIN
    first = plan.places[0]
    assert all(place.top >= first.top + first.height for place in plan.places[1:])


@given(width=st.integers(SMALLEST_SIDE, 60), height=st.integers(SMALLEST_SIDE, 60), value=st.integers(0, 255))
def test_an_even_picture_stays_even_at_every_size(width: int, height: int, value: int) -> None:
    plan = layout(width, height)
    pixels = np.full((height, width, 3), value, np.uint8)
    packed = Packed(pixels, (122.0, 117.0, 104.0)).rows(0, plan.height)
    for left, top, columns, rows in plan.places:
        level = packed[:, top : top + rows, left : left + columns]
        expected = (value - np.array([122.0, 117.0, 104.0])) / 256
        assert np.allclose(level, expected[:, None, None], atol=1e-6)
    assert packed[:, :MARGIN].any() == np.False_


@settings(deadline=None, max_examples=40)
@given(
    width=st.integers(SMALLEST_SIDE, 200),
    height=st.integers(SMALLEST_SIDE, 200),
    band=st.integers(1, 90),
    held=st.sampled_from([0, 10_000, 100_000]),
)
def test_rows_are_the_same_in_whatever_bands_and_however_much_is_held(
    width: int, height: int, band: int, held: int
) -> None:
    means = (122.782, 117.001, 104.298)
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    bottom = layout(width, height).height
    whole, piecewise = Packed(pixels, means), Packed(pixels, means, held)
    bands = [piecewise.rows(first, min(bottom, first + band)) for first in range(0, bottom, band)]
    assert np.array_equal(np.concatenate(bands, axis=1), whole.rows(0, bottom))


@pytest.mark.parametrize("size", [(9, 100), (100, 9), (0, 0)])
def test_a_picture_of_a_few_pixels_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected 10 pixels a side"):
        layout(*size)


@given(width=st.integers(1, 40), height=st.integers(1, 40))
def test_twice_the_size(width: int, height: int) -> None:
    pixels = np.arange(height * width * 3, dtype=np.uint64).astype(np.uint8).reshape(height, width, 3)
    large = enlarge(pixels)
    assert large.shape == (2 * height + 1, 2 * width + 2, 3)
    assert (large[0, 0] == pixels[0, 0]).all()
