"""Tiles under a track: the right ones, where they belong, from the one server that is configured."""

from collections.abc import Callable
from dataclasses import replace
from math import hypot

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.app import attach
from api.middleware import PAGE_POLICY
from api.web.tiles import origin
from api.web.track_map import HEIGHT, WIDTH, track_map
from models.user import Role, User
from tests.factories.network import look_out, sight
from tests.factories.world import World
from tests.web.conftest import Browser
from tests.web.test_track_map import point
from tracing.platform.clock import utc_now
from tracing.platform.setting_groups import WebSettings
from tracing.services import Services

TEMPLATE = "https://tiles.example.org/{z}/{x}/{y}.png"


def test_a_known_tile_lies_where_its_place_is() -> None:
    """Zoom 15 at Qinzhou: the tile of 21.95 N, 108.62 E has the column and the row of the published formula."""
    drawing = track_map([point(21.95, 108.62), point(21.975, 108.65)], TEMPLATE)
    assert drawing is not None
    zooms = {one.address.split("/")[3] for one in drawing.tiles}
    assert len(zooms) == 1
    side = 2 ** int(zooms.pop())
    column = int((108.62 + 180) / 360 * side)
    (spot, *_) = drawing.spots
    under = [one for one in drawing.tiles if f"/{column}/" in one.address and one.y <= spot.y < one.y + one.height]
    assert len(under) == 1
    (tile,) = under
    assert tile.x <= spot.x < tile.x + tile.width
    assert (spot.x - tile.x) / tile.width == pytest.approx((108.62 + 180) / 360 * side - column, abs=0.01)


@given(st.lists(st.tuples(st.floats(18.0, 53.0), st.floats(74.0, 134.0)), min_size=1, max_size=1).flatmap(
    lambda first: st.lists(
        st.tuples(
            st.floats(first[0][0] - 0.4, first[0][0] + 0.4), st.floats(first[0][1] - 0.4, first[0][1] + 0.4)
        ),
        min_size=1, max_size=5,
    )
))  # fmt: skip
def test_they_cover_the_drawing_without_a_gap(places: list[tuple[float, float]]) -> None:
    drawing = track_map([point(*place) for place in places], TEMPLATE)
    assert drawing is not None
    tiles = drawing.tiles
    assert 1 <= len(tiles) <= 40
    assert min(one.x for one in tiles) <= 0.01
    assert min(one.y for one in tiles) <= 0.01
    assert max(one.x + one.width for one in tiles) >= WIDTH - 0.01
    assert max(one.y + one.height for one in tiles) >= HEIGHT - 0.01
    corners = {(round(one.x, 3), round(one.y, 3)) for one in tiles}
    beside = [(one.x + one.width, one.y) for one in tiles if one.x + one.width < max(two.x for two in tiles) + 1]
    assert all(any(hypot(x - a, y - b) < 0.01 for a, b in corners) for x, y in beside)


def test_without_a_server_there_are_none() -> None:
    drawing = track_map([point(21.95, 108.62)])
    assert drawing is not None
    assert drawing.tiles == ()
    assert (origin(""), origin(TEMPLATE)) == ("", "https://tiles.example.org")


@pytest.mark.parametrize(
    "wrong",
    ["tiles.example.org/{z}/{x}/{y}", "https://a b/{z}/{x}/{y}", "https://t.example/{z}/{x}", "https://t/{z}/{x}/{y}{q}",
     "https://t.example;img-src */{z}/{x}/{y}"],
)  # fmt: skip
def test_a_wrong_address_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(ValidationError, match="tiles"):
        WebSettings(tiles=wrong)


def test_the_map_alone_may_load_from_the_server(
    app: FastAPI, services: Services, world: World, browser_of: Callable[[User], Browser]
) -> None:
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    lookout = look_out(services, staff, sight(services, staff, utc_now(), latitude=21.95, longitude=108.62), utc_now())
    browser = browser_of(world.a.users[Role.STATION_STAFF])
    path = f"/lookouts/{lookout.id}"
    assert browser.get(path).headers["content-security-policy"] == PAGE_POLICY
    assert "tiles.example.org" not in browser.see(path)
    web = WebSettings(tiles=TEMPLATE, tile_credit="© 地图")
    attach(app, replace(services, settings=services.settings.model_copy(update={"web": web})))
    answer = browser.get(path)
    assert 'href="https://tiles.example.org/' in answer.text
    assert "© 地图" in answer.text
    assert "img-src 'self' https://tiles.example.org blob:" in answer.headers["content-security-policy"]
    assert "tiles.example.org" not in browser.get("/cases").headers["content-security-policy"]
