"""The drawing of a track: true to scale, north above, in order, near points as one."""

from datetime import UTC, datetime
from math import hypot

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.track_map import HEIGHT, MARGIN, WIDTH, track_map
from models.sighting import Heading, Sighting
from tracing.lookout_track import TrackPoint, distance_km

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


def point(latitude: float | None, longitude: float | None, *, division: str = "450702", **more: object) -> TrackPoint:
    """One sighting of a track."""
    one = Sighting(latitude=latitude, longitude=longitude, division=division, seen_at=BEGIN, **more)
    return TrackPoint(one, None, None, None)


def test_nothing_is_drawn_of_sightings_without_a_position() -> None:
    assert track_map([]) is None
    assert track_map([point(None, None)]) is None


def test_north_is_above_and_east_on_the_right() -> None:
    drawing = track_map([point(21.95, 108.61), point(21.97, 108.64)])
    assert drawing is not None
    first, last = drawing.spots
    assert (first.numbers, last.numbers) == ((1,), (2,))
    assert last.y < first.y
    assert last.x > first.x
    assert (first.last, last.last) == (False, True)


def test_numbers_are_those_of_the_list_though_some_have_no_position() -> None:
    drawing = track_map([point(21.95, 108.61), point(None, None), point(21.97, 108.64)])
    assert drawing is not None
    assert [one.numbers for one in drawing.spots] == [(1,), (3,)]
    assert len(drawing.legs) == 1


def test_points_at_one_place_are_one_spot_with_the_last_heading() -> None:
    there = [point(21.95, 108.61, heading=one) for one in (Heading.NORTH, Heading.STAYED, Heading.SOUTHWEST)]
    drawing = track_map([*there, point(21.99, 108.61, division="450703")])
    assert drawing is not None
    first, last = drawing.spots
    assert (first.numbers, first.turn, first.division) == ((1, 2, 3), 225, "450702")
    assert last.division == "450703"
    assert len(drawing.legs) == 1


@given(
    st.lists(
        st.tuples(st.floats(21.0, 22.5), st.floats(107.5, 109.5)), min_size=1, max_size=12
    )
)  # fmt: skip
def test_everything_is_on_the_map_and_distances_are_true(places: list[tuple[float, float]]) -> None:
    drawing = track_map([point(*one) for one in places])
    assert drawing is not None
    for spot in drawing.spots:
        assert MARGIN - 1e-6 <= spot.x <= WIDTH - MARGIN + 1e-6
        assert MARGIN - 1e-6 <= spot.y <= HEIGHT - MARGIN + 1e-6
    km = drawing.cell_km / drawing.cell
    for spot, other in zip(drawing.spots, drawing.spots[1:], strict=False):
        (a, b), (c, d) = places[spot.numbers[0] - 1], places[other.numbers[0] - 1]
        assert hypot(spot.x - other.x, spot.y - other.y) * km == pytest.approx(distance_km(a, b, c, d), rel=0.02)


def test_the_grid_is_a_round_width_and_lies_under_the_points() -> None:
    drawing = track_map([point(21.95, 108.61)])
    assert drawing is not None
    assert drawing.cell_km == pytest.approx(0.2)
    assert any(abs(x - WIDTH / 2) < 1e-6 for x in drawing.across)
    assert all(0 <= x <= WIDTH for x in drawing.across)
    assert all(0 <= y <= HEIGHT for y in drawing.down)
