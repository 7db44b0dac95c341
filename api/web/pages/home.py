"""Home (首页): what waits for the one who looks."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from api.web.brief import brief_of
from api.web.page import Page, PageDep
from api.web.pages.deadlines import home_query, row_of
from api.web.rendering import render
from models.case import Case, CaseState
from models.job import JobState
from models.user import Role
from tracing.access import Permission
from tracing.cases import list_cases
from tracing.deadlines import count_due, list_due
from tracing.operations import list_jobs
from tracing.review_queue import QueueItem, review_queue

router = APIRouter()
SHOWN = 6
_S = CaseState
WAITING: dict[Role, tuple[tuple[str, tuple[CaseState, ...]], ...]] = {
    Role.STATION_STAFF: (
        ("Drafts to hand in", (_S.DRAFT,)),
        ("Being searched and judged", (_S.SUBMITTED, _S.SEARCHING, _S.IN_REVIEW)),
        ("Not yet resolved: every new clue helps", (_S.UNRESOLVED, _S.RECALLED)),
    ),
    Role.POLICE_EXAMINER: (("Identified: release of contact to decide", (_S.IDENTIFIED,)),),
    Role.POLICE_SUPERVISOR: (
        ("Identified: release of contact to decide", (_S.IDENTIFIED,)),
        ("Confirmation recalled", (_S.RECALLED,)),
    ),
    Role.CASEWORKER: (
        ("Contact released: reach the family", (_S.CONTACT_RELEASED,)),
        ("Family reached: record how it ended", (_S.FAMILY_CONTACTED,)),
        ("Home again: close the case", (_S.REUNIFIED,)),
    ),
    Role.BUREAU_SUPERVISOR: (
        ("Being searched and judged", (_S.SUBMITTED, _S.SEARCHING, _S.IN_REVIEW)),
        ("Not yet resolved: every new clue helps", (_S.UNRESOLVED, _S.RECALLED)),
        ("On the way home", (_S.IDENTIFIED, _S.CONTACT_RELEASED, _S.FAMILY_CONTACTED)),
    ),
}
"""What each role looks at first."""


@dataclass(frozen=True)
class Group:
    """Some cases under a heading; `more` when the list has further ones."""

    heading: str
    states: tuple[CaseState, ...]
    cases: Sequence[Case]
    more: bool


def _queue(page: Page) -> tuple[QueueItem, ...] | None:
    if not page.may(Permission.REVIEW):
        return None
    return review_queue(page.session, page.services, page.viewer, limit=SHOWN, now=page.now).items


def _groups(page: Page) -> list[Group]:
    found = []
    for heading, states in WAITING.get(page.viewer.role, ()):
        listed = list_cases(page.session, page.viewer, states=frozenset(states), limit=SHOWN, now=page.now)
        found.append(Group(heading, states, listed.items, listed.next_cursor is not None))
    return found


@router.get("/")
def home(page: PageDep) -> Response:
    """By role."""
    aside = 0
    if page.may(Permission.JOBS):
        jobs = list_jobs(page.session, page.viewer, states=frozenset({JobState.SET_ASIDE}), limit=50, now=page.now)
        aside = len(jobs.items)
    due, counts = None, None
    if page.may(Permission.CASE_READ):
        query = home_query(page)
        listed = list_due(page.session, page.viewer, query, limit=SHOWN, now=page.now)
        due = [row_of(page, one, one.case) for one in listed.items]
        counts = count_due(page.session, page.viewer, query, now=page.now)
    return render(
        page,
        "home/home.html",
        due=due,
        due_counts=counts,
        groups=_groups(page),
        queue=_queue(page),
        jobs_set_aside=aside,
        brief_of=brief_of,
    )
