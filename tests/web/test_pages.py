"""Each role's pages answer, and those of other roles do not."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest

from api.messages import label
from models.case import CaseState
from models.user import Locale, Role
from tests.factories.stories import judged_case, run_jobs
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.clock import utc_now
from tracing.services import Services

EVERYBODY = ("/", "/organisations")
"""Everybody may see the names of the own organisations; only the administrator's menu leads there."""
STREET = ("/lookouts", "/sightings")
OF_CASE = ("{case}/admission", "{case}/notices", "{case}/sightings", "/notices")
CLOCKS = ("/deadlines", "{case}/deadlines", "{case}/interviews")
PAGES: dict[Role, tuple[str, ...]] = {
    Role.STATION_STAFF: (
        "/cases", "/cases/new", "/reports", "/reports/new", "{case}", "{candidate}", "{case}/outcome", *CLOCKS,
        *STREET, "/sightings/new", "/patrols", "/patrols/new", *OF_CASE, "/tips",
    ),
    Role.POLICE_EXAMINER: (
        "/review", "/cases", "/reports", "/reports/new", "{case}", "{candidate}", "{case}/confirmation",
        "{case}/release", *CLOCKS, *STREET, "/sightings/new", *OF_CASE,
    ),
    Role.POLICE_SUPERVISOR: (
        "/review", "/cases", "/reports", "/reports/new", "{case}", "{candidate}", "{case}/confirmation",
        "{case}/release", "{case}/recall", *CLOCKS, *STREET, "/sightings/new", *OF_CASE,
    ),
    Role.CASEWORKER: (
        "/cases", "{case}", "{candidate}", "{case}/contact", "{case}/outcome", *CLOCKS, *OF_CASE, "/tips",
    ),
    Role.HEALTH_LIAISON: ("/handovers",),
    Role.COMMUNITY_LIAISON: (*STREET, "/sightings/new", "/patrols", "/patrols/new"),
    Role.RECEIVING_UNIT: (),
    Role.BUREAU_SUPERVISOR: ("/cases", "/reports", "{case}", "{candidate}", *CLOCKS, *STREET, "/patrols", *OF_CASE),
    Role.AUDITOR: ("/audit",),
    Role.ADMINISTRATOR: ("/users", "/users/new", "/organisations/new", "/jobs"),
}  # fmt: skip
EVERY = sorted({path for paths in PAGES.values() for path in paths})


@pytest.mark.parametrize("role", list(Role))
def test_a_role_has_its_pages_and_no_others(
    role: Role, services: Services, world: World, browser_of: Callable[..., Browser], now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IDENTIFIED, now=utc_now())
    browser = browser_of(world.a.users[role])
    for path in (*EVERYBODY, *EVERY):
        address = path.format(case=f"/cases/{story.case_id}", candidate=f"/candidates/{story.candidate_id}")
        status = browser.get(address).status_code
        if path in PAGES[role] or path in EVERYBODY:
            assert status == 200, (role, path)
        else:
            assert status in (403, 404), (role, path)


@pytest.mark.parametrize("locale", list(Locale))
def test_every_page_can_be_read_in_both_languages(
    locale: Locale, services: Services, world: World, browser_of: Callable[..., Browser], now: datetime
) -> None:
    for role, paths in PAGES.items():
        browser = browser_of(world.a.users[role])
        browser.send("/locale", {"locale": locale.value, "next": "/"})
        for path in (*EVERYBODY, *paths):
            if "{" not in path:
                text = browser.see(path)
                assert f'lang="{"zh-Hans" if locale is Locale.ZH else "en"}"' in text
                assert label(locale, role) in text


def test_another_stations_case_does_not_exist(
    services: Services, world: World, browser_of: Callable[..., Browser], now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    browser = browser_of(world.b.users[Role.STATION_STAFF])
    for path in ("", "/edit", "/progress", "/outcome"):
        assert browser.get(f"/cases/{story.case_id}{path}").status_code == 404
    assert browser.get("/cases/not-an-identifier").status_code == 404


def test_an_open_page_is_told_when_the_search_has_moved_on(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.SUBMITTED, now=utc_now())
    browser = browser_of(world.a.users[Role.STATION_STAFF])
    found = re.search(r'hx-get="([^"]*/progress[^"]*)"', browser.see(f"/cases/{story.case_id}"))
    assert found
    assert browser.get(found.group(1)).status_code == 200
    run_jobs(services, utc_now())
    moved_on = browser.get(found.group(1))
    assert (moved_on.status_code, moved_on.headers["hx-trigger"]) == (204, "progressed")
    assert "/progress?" not in browser.see(f"/cases/{story.case_id}")
