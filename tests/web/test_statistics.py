"""The supervisor's page: figures, hidden small numbers, months, files, the cases behind a number."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from api.web.plots import columns_of, step_of
from models.user import Role
from tests.factories.records import make_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import Services
from tracing.statistics import Cell, Query, read_statistics
from tracing.statistics_months import read_months


def _admitted(services: Services, world: World, *days_ago: int) -> None:
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    for days in days_ago:
        with unit_of_work(services.db) as session:
            make_case(session, services, staff, now=utc_now() - timedelta(days=days))


def test_a_small_number_is_hidden_until_it_is_asked_for(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    _admitted(services, world, 1, 1, 2)
    browser = browser_of(world.a.users[Role.BUREAU_SUPERVISOR])
    hidden, exact = browser.see("/statistics"), browser.see("/statistics?exact=yes&by=organisation")
    link = "/statistics/cases?from="
    assert (hidden.count("∗") > 1, link in hidden) == (True, True)
    assert world.a.centre.name_zh in exact
    cases = browser.see("/statistics/cases?figure=people_helped&exact=yes")
    assert cases.count('href="/cases/') >= 3
    assert browser.get("/statistics/cases?figure=nonsense").status_code == 404
    assert browser.get("/statistics/cases?figure=patrols").status_code == 200
    for kind, media in (("csv", "text/csv"), ("xlsx", "spreadsheetml")):
        file = browser.get(f"/statistics/file?format={kind}")
        assert (file.status_code, media in file.headers["content-type"]) == (200, True)
    wrong = browser.see("/statistics?from=2026-05-02&to=2026-05-01", 422)
    assert 'id="e-to"' in wrong
    assert 'value="2026-05-01"' in wrong, "what was typed is kept"


def test_months_tell_no_small_number(services: Services, world: World) -> None:
    _admitted(services, world, *([3] * 6), 40, 40)
    viewer = world.viewer(world.a.users[Role.BUREAU_SUPERVISOR])
    today = services.local_day(utc_now())
    for exact in (False, True):
        query = Query(today - timedelta(days=60), today, exact=exact)
        with unit_of_work(services.db) as session:
            table = read_statistics(session, services, viewer, query, monthly=["people_helped"], now=utc_now())
            (months,) = read_months(session, viewer, table, now=utc_now())
        assert months.firsts[0] == query.first
        told = [cell.value for cell in months.cells if cell.value]
        # Two small months' eight would be told by the total less the six: the six are hidden too.
        assert told == ([] if not exact else sorted(told)), months
        assert sum(told) == (8 if exact else 0)
        assert any(cell.hidden for cell in months.cells) is not exact


@pytest.mark.parametrize(("largest", "step"), [(0, 1), (3, 1), (5, 2), (8, 2), (17, 5), (41, 20), (400, 100)])
def test_an_axis_has_round_numbers(largest: float, step: int) -> None:
    assert step_of(largest) == step


def test_every_hidden_column_is_of_one_height() -> None:
    plot = columns_of(["1", "2", "3"], [[Cell(None, hidden=True), Cell(40.0), Cell(0.0)]])
    hidden, shown = plot.columns
    assert (hidden.hidden, shown.hidden, len(plot.columns)) == (True, False, 2)
    assert hidden.height == columns_of(["1"], [[Cell(None, hidden=True)]]).columns[0].height
    assert all(one.x >= plot.left and one.x + one.width <= plot.right for one in plot.columns)
