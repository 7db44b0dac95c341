"""The frame of every page: colours kept in the browser, ways in by permission, and a home whose figures hold."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from api.web import assets
from models.case import CaseState
from models.user import Role, User
from tests.factories.records import make_case
from tests.factories.stories import judged_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tests.web.test_lists import numbers
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import Services

Opened = Callable[[User], Browser]


def dark_link(page: str) -> str:
    """The link to the dark colours; "" when the page has none."""
    found = re.search(r'<link rel="stylesheet" href="/static/dark[^>]*>', page)
    return found.group(0) if found else ""


def test_colours_are_the_devices_until_somebody_chooses(visitor: Browser, world: World) -> None:
    assert 'media="(prefers-color-scheme: dark)"' in dark_link(visitor.get("/login").text)
    for theme, linked in (("dark", True), ("light", False), ("auto", True)):
        answer = visitor.send("/theme", {"theme": theme, "next": "/login"}, page="/login")
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            "/",
        )  # a sign-in page is nowhere to come back to
        link = dark_link(visitor.get("/login").text)
        assert bool(link) is linked
        assert ("media=" in link) is (theme == "auto")
    # An unknown choice changes nothing, and a cookie that somebody edited is none.
    assert visitor.send("/theme", {"theme": "pink"}, page="/login").status_code in (303, 422)
    visitor.client.cookies.set("guitu_theme", "pink")
    assert "media=" in dark_link(visitor.get("/login").text)


def test_dark_and_light_are_made_of_the_same_tokens() -> None:
    light, dark = (assets.assets()[name].content.decode() for name in ("guitu.css", "dark.css"))
    head = light[: light.index("}")]
    assert set(re.findall(r"(--[a-z-]+):", dark)) <= set(re.findall(r"(--[a-z0-9-]+):", head))
    assert "prefers-color-scheme" not in light


@pytest.mark.parametrize("role", list(Role))
def test_every_way_in_that_is_shown_is_open(role: Role, world: World, browser_of: Opened) -> None:
    browser = browser_of(world.a.users[role])
    home = browser.see("/")
    menu = re.search(r'<details class="menu end narrow-only".*?</details>', home, re.DOTALL)
    assert menu
    ways = re.findall(r'href="([^"]+)"', menu.group(0))
    assert ways[0] == "/"
    for path in ways:
        assert browser.get(path).status_code == 200, path
    if role in (Role.STATION_STAFF, Role.CASEWORKER):
        assert {"/cases", "/deadlines"} <= set(ways)
    assert ("/audit" in ways) is (role is Role.AUDITOR)
    assert ("/system" in ways) is (role is Role.ADMINISTRATOR)


def test_the_figures_of_home_are_those_of_the_lists(services: Services, world: World, browser_of: Opened) -> None:
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        for submitted in (False, False, False, True):
            make_case(session, services, staff, submitted=submitted, now=utc_now() - timedelta(days=40))
    browser = browser_of(world.a.users[Role.STATION_STAFF])
    tiles = re.findall(r'<a class="tile[^"]*" href="([^"]+)"><b>(\d+)</b>', browser.see("/"))
    assert len(tiles) >= 5
    figures = dict(tiles)
    assert figures["/cases?state=draft"] == "3"
    assert int(next(figure for path, figure in tiles if "overdue" in path)) > 0
    for path, figure in tiles:
        page = browser.see(path)
        if path.startswith("/cases"):
            assert len(numbers(page)) == int(figure), path
        if path.startswith("/deadlines"):
            counted = re.search(r'<p class="soft">\D*(\d+)\D*(\d+)', page)
            assert counted
            assert figure in counted.groups(), path


def test_the_component_page_shows_errors_beside_fields_and_reads_nothing(world: World, browser_of: Opened) -> None:
    page = browser_of(world.a.users[Role.RECEIVING_UNIT]).see("/design")
    assert 'id="e-refused"' in page
    assert 'aria-invalid="true"' in page
    assert page.count("<h2") >= 10


def test_the_log_is_searched_by_user_number_and_day(services: Services, world: World, browser_of: Opened) -> None:
    story = judged_case(services, world, CaseState.SUBMITTED, now=utc_now())
    staff = browser_of(world.a.users[Role.STATION_STAFF])
    number = re.findall(r"\d{6}-\d{4}-\d{6}-[\dX]", staff.see(f"/cases/{story.case_id}"))[0]
    auditor = browser_of(world.a.users[Role.AUDITOR])

    def actions(query: str) -> list[str]:
        return re.findall(r"<td><code>([a-z_.]+)</code></td>", auditor.see(f"/audit?{query}"))

    assert "case.view" in actions(f"number={number}")
    assert "account.sign_in" not in actions(f"number={number}")
    assert actions("number=000000-2026-000000-0") == []
    mine = auditor.see("/audit?username=a_auditor")
    assert "a_auditor</a>" in mine
    assert "a_station_staff</a>" not in mine
    assert actions("username=nobody") == []
    assert actions("since=2000-01-01&until=2000-12-31") == []
    assert "case.view" in actions("since=2000-01-01&action=case.view")
    assert 'id="e-since"' in auditor.see("/audit?since=yesterday")


def test_the_system_page_says_what_is_in_force(world: World, browser_of: Opened) -> None:
    page = browser_of(world.a.users[Role.ADMINISTRATOR]).see("/system")
    assert "packaged" in page
    assert "CN-review-2" in page


def test_the_evaluation_is_shown_once_it_was_made(services: Services, world: World, browser_of: Opened) -> None:
    browser = browser_of(world.a.users[Role.POLICE_SUPERVISOR])
    assert "make evaluate" in browser.see("/evaluation")
    assert browser.get("/evaluation/report").status_code == 404
    folder = services.settings.data_dir / "evaluation"
    folder.mkdir()
    (folder / "report.html").write_text("<!doctype html><style>p{}</style><p>rank 1 首位命中</p>", "utf-8")
    assert 'href="/evaluation/report"' in browser.see("/evaluation")
    answer = browser.get("/evaluation/report")
    assert "首位命中" in answer.text
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
