"""No page asks the database more the more it shows."""

from collections.abc import Callable
from datetime import datetime

from matcher.vocabulary import ClueConfidence, GalleryKind
from models.case import CaseState
from models.clue import ClueKind
from models.user import Role, User
from tests.factories.faces import BLUE, GREEN, RED, make_photo_bytes
from tests.factories.records import attach, make_case, make_report
from tests.factories.statements import heard
from tests.factories.stories import Story, describe, judged_case, run_jobs
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.clues import ClueText, add_clues
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import Services

Opened = Callable[[User], Browser]
COLOURS = (RED, GREEN, BLUE)


def grow(services: Services, world: World, story: Story, rows: int, now: datetime) -> None:
    """More of everything that a page lists: cases, reports and so candidates, photographs, clues."""
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    other = world.viewer(world.b.users[Role.STATION_STAFF])
    for row in range(rows):
        photo = make_photo_bytes(COLOURS[row % 3], width=300 + row)
        with unit_of_work(services.db) as session:
            make_case(session, services, staff, now=now)
            make_report(session, services, staff, now=now)
            make_report(session, services, other, photo=photo, now=now)
            attach(session, services, staff, GalleryKind.CASE, story.case_id, photo, now=now)
            clue = ClueText(ClueKind.NAME, f"韦建{'国民生安'[row % 4]}", ClueConfidence.SURE)
            add_clues(session, services, staff, story.case_id, [clue], heard_at=now, now=now)
    run_jobs(services, now)
    with unit_of_work(services.db) as session:
        describe(session, services, world.viewer(world.a.examiners[0]), story.case_id, now=now)


def statements(services: Services, browser: Browser, path: str) -> tuple[int, int]:
    """How many statements the second look at a page asks, and how much the page shows."""
    browser.see(path)
    with heard(services.db.engine) as asked:
        shown = len(browser.see(path))
    return len(asked), shown


def test_no_page_asks_more_for_more_rows(services: Services, world: World, browser_of: Opened) -> None:
    now = utc_now()
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    judged_case(services, world, CaseState.REUNIFIED, now=now)
    case, candidate = f"/cases/{story.case_id}", f"/candidates/{story.candidate}"
    pages = (
        (Role.STATION_STAFF, ("/", "/cases", "/reports", "/deadlines", case, f"{case}/changes")),
        (Role.POLICE_EXAMINER, ("/", "/review", case, candidate)),
        (Role.CASEWORKER, ("/", "/followup", case)),
        (Role.BUREAU_SUPERVISOR, ("/", "/cases", "/statistics")),
    )
    browsers = {role: browser_of(world.a.users[role]) for role, _ in pages}

    def look() -> dict[tuple[Role, str], tuple[int, int]]:
        return {(role, path): statements(services, browsers[role], path) for role, paths in pages for path in paths}

    grow(services, world, story, 1, now)
    few = look()
    grow(services, world, story, 5, now)
    many = look()
    more = {page: (few[page][0], many[page][0]) for page in few if many[page][0] > few[page][0]}
    assert not more, "statements with few rows, with many"
    unchanged = {page for page in few if many[page][1] <= few[page][1] and page[1] not in ("/", "/followup")}
    assert unchanged <= {(Role.BUREAU_SUPERVISOR, "/statistics")}, "these pages were to show more"
