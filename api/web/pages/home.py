"""Home (首页): what waits for the one who looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from api.web.brief import brief_of
from api.web.navigation import navigation
from api.web.page import Page, PageDep
from api.web.pages.deadlines import DeadlineRow, home_query, row_of
from api.web.rendering import render, words_of
from models.case import Case, CaseState
from models.job import JobState
from models.referral import ReferralState
from models.user import Role
from tracing.access import Permission
from tracing.cases import count_cases, list_cases
from tracing.deadlines import DueFilter, count_due, list_due
from tracing.inbox import count_unread
from tracing.operations import list_jobs
from tracing.paging import LIMIT_MAX
from tracing.profiles import load_facts
from tracing.referral_lists import list_referrals
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


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure that leads to the list of what it counts. `text` is a sentence of the user's language."""

    figure: int
    text: str
    path: str
    tone: str


@dataclass(frozen=True)
class Group:
    """Some cases under a heading, and how many there are in the list at `path`."""

    heading: str
    path: str
    cases: Sequence[Case]
    count: int


def _queue(page: Page) -> tuple[QueueItem, ...] | None:
    if not page.may(Permission.REVIEW):
        return None
    return review_queue(page.session, page.services, page.viewer, limit=SHOWN, now=page.now).items


def _groups(page: Page) -> list[Group]:
    waiting = WAITING.get(page.viewer.role, ())
    counts = count_cases(page.session, page.viewer) if waiting else {}
    found = []
    for heading, states in waiting:
        listed = list_cases(
            page.session, page.viewer, states=frozenset(states), facts=False, limit=SHOWN, now=page.now
        )  # fmt: skip
        path = "/cases?" + urlencode([("state", state.value) for state in states])
        found.append(Group(heading, path, listed.items, sum(counts.get(state, 0) for state in states)))
    load_facts(page.session, (case.profile for group in found for case in group.cases))
    return found


def _due(page: Page) -> tuple[list[DeadlineRow], list[Tile]]:
    """The clocks that run out first, and the figures of all of them."""
    query = home_query(page)
    rows = list_due(page.session, page.viewer, query, limit=SHOWN, now=page.now).items
    counts = count_due(page.session, page.viewer, query, now=page.now)
    text, filtered = words_of(page).text, "escalated=yes" if query.escalated else "mine=yes"
    tiles = [
        Tile(counts.overdue, text("Overdue"), f"/deadlines?which={DueFilter.OVERDUE.value}&{filtered}", "bad"),
        Tile(counts.soon, text("Due within a day"), f"/deadlines?which={DueFilter.SOON.value}&{filtered}", "warm"),
    ]
    return [row_of(page, one, one.case) for one in rows], tiles


def _elsewhere(page: Page) -> list[Tile]:
    """What others sent: referrals to be answered, notifications not read."""
    text, found = words_of(page).text, []
    unread = count_unread(page.session, page.viewer)
    found.append(Tile(unread, text("Unread in the inbox"), "/inbox?unread=1", "go"))
    if page.may(Permission.ANSWER) and any(entry.path == "/referrals" for entry in navigation(page)):
        sent = list_referrals(
            page.session, page.viewer, states=frozenset({ReferralState.SENT}), limit=LIMIT_MAX, now=page.now
        )
        found.append(Tile(len(sent.items), text("Referrals to answer"), "/referrals?state=sent", "warm"))
    return found


@router.get("/")
def home(page: PageDep) -> Response:
    """By role."""
    due, tiles = _due(page) if page.may(Permission.CASE_READ) else (None, [])
    groups = _groups(page)
    tiles += [Tile(one.count, words_of(page).text(one.heading), one.path, "go") for one in groups]
    if page.may(Permission.JOBS):
        states = frozenset({JobState.SET_ASIDE})
        aside = len(list_jobs(page.session, page.viewer, states=states, limit=LIMIT_MAX, now=page.now).items)
        tiles.append(Tile(aside, words_of(page).text("Jobs set aside"), "/jobs?state=set_aside", "bad"))
    return render(
        page, "home/home.html", due=due, tiles=[*tiles, *_elsewhere(page)], groups=groups, queue=_queue(page),
        brief_of=brief_of,
    )  # fmt: skip
