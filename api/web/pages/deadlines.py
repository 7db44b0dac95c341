"""Deadlines (时限): the due list, a case's clocks and steps, ticking off, pausing."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import choice, members_named, moment
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.case import Case
from models.deadline import ClockKind, Deadline, DeadlineStatus, PauseReason
from models.milestone import Milestone, MilestoneKind
from models.user import Locale, Role
from tracing import deadlines, milestones
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.deadline_watch import uncertain_years
from tracing.deadlines import DueFilter, DueQuery
from tracing.platform import errors

router = APIRouter()
SHOWN = 25
RUNNING = frozenset({DeadlineStatus.OVERDUE, DeadlineStatus.UPCOMING, DeadlineStatus.OPEN, DeadlineStatus.PAUSED})


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """A filter of the due list, and what it is called."""

    which: DueFilter
    text: str


FILTERS = (
    FilterChoice(DueFilter.RUNNING, "Running"),
    FilterChoice(DueFilter.OVERDUE, "Overdue"),
    FilterChoice(DueFilter.SOON, "Due within a day"),
    FilterChoice(DueFilter.PAUSED, "Paused"),
)


@dataclass(frozen=True, slots=True)
class DeadlineRow:
    """A deadline with its status now, and the policy's words and source for it ("" when the policy lost it)."""

    deadline: Deadline
    status: DeadlineStatus
    action: str
    source: str
    mark: str

    @property
    def running(self) -> bool:
        """Whether something is still to be done."""
        return self.status in RUNNING


def deadline_rows(page: Page, case: Case) -> list[DeadlineRow]:
    """A case's deadlines, soonest first."""
    found = deadlines.case_deadlines(page.session, page.services, case.id, now=page.now)
    return [row_of(page, one, case) for one in found]


def row_of(page: Page, deadline: Deadline, case: Case) -> DeadlineRow:
    """One deadline in the words of its policy."""
    rule = deadlines.rule_of(page.services, case.organisation.division, deadline.kind)
    status = deadline.status(page.now)
    if rule is None:
        return DeadlineRow(deadline, status, "", "", "")
    action = rule.action_zh if page.locale is Locale.ZH else rule.action_en
    return DeadlineRow(deadline, status, action, rule.source, rule.mark)


def home_query(page: Page) -> DueQuery:
    """What the viewer's role looks at first: what was brought before the supervisor, the others' own turns."""
    if page.viewer.role is Role.BUREAU_SUPERVISOR:
        return DueQuery(escalated=True)
    return DueQuery(parties=deadlines.PARTIES.get(page.viewer.role, frozenset()))


@router.get("/deadlines")
def index(page: PageDep) -> Response:
    """What is due, the longest overdue first."""
    query = page.request.query_params
    which = next(iter(members_named([query.get("which", "")], DueFilter)), DueFilter.RUNNING)
    kinds = members_named(query.getlist("kind"), ClockKind)
    escalated = bool(query.get("escalated"))
    mine = bool(query.get("mine"))
    parties = deadlines.PARTIES.get(page.viewer.role, frozenset()) if mine else frozenset()
    wanted = DueQuery(which, kinds, parties=parties, escalated=escalated)
    listed = deadlines.list_due(
        page.session, page.viewer, wanted, cursor=query.get("cursor") or None, limit=SHOWN, now=page.now
    )
    return render(
        page, "deadlines/list.html", rows=[row_of(page, one, one.case) for one in listed.items],
        next_cursor=listed.next_cursor, first=not query.get("cursor"), which=which, kinds=kinds, escalated=escalated,
        mine=mine, filters=FILTERS, all_kinds=list(ClockKind), uncertain=uncertain_years(page.services, page.now),
        counts=deadlines.count_due(page.session, page.viewer, wanted, now=page.now),
    )  # fmt: skip


def show_deadlines(page: Page, case_id: uuid.UUID) -> Response:
    """A case's clocks, what was done, and the form for what was done now."""
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    return render(
        page, "deadlines/case.html", case=case, rows=deadline_rows(page, case),
        steps=milestones.list_milestones(page.session, case.id), kinds=list(MilestoneKind),
        values=page.typed.values if page.problem else {"occurred_at": _now_typed(page)},
    )  # fmt: skip


def _now_typed(page: Page) -> str:
    return page.now.astimezone(page.services.settings.zone).strftime("%Y-%m-%dT%H:%M")


@router.get("/cases/{case_id}/deadlines")
def of_case(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_deadlines(page, case_id)


@router.post("/cases/{case_id}/milestones")
def record(page: Annotated[Page, posted(show_deadlines)], case_id: uuid.UUID) -> Response:
    """Record what was done."""
    require(page.viewer, Permission.MILESTONE)
    milestones.record_milestone(
        page.session, page.services, page.viewer, case_id, choice(page.typed, "kind", MilestoneKind),
        occurred_at=moment(page.typed, "occurred_at", page.services.settings.zone),
        reference=page.typed.optional("reference"), note_text=page.typed.optional("note"), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}/deadlines", done(page, "It is recorded, and the deadlines follow."))


def _milestone(page: Page, case: Case, milestone_id: uuid.UUID) -> Milestone:
    for one in milestones.list_milestones(page.session, case.id):
        if one.id == milestone_id:
            return one
    raise errors.NotFound()


def show_milestone(page: Page, case_id: uuid.UUID, milestone_id: uuid.UUID) -> Response:
    """The form that takes an entry back."""
    require(page.viewer, Permission.MILESTONE)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    return render(
        page, "deadlines/withdraw.html", case=case, step=_milestone(page, case, milestone_id),
        values=page.typed.values,
    )  # fmt: skip


@router.get("/cases/{case_id}/milestones/{milestone_id}")
def milestone(page: PageDep, case_id: uuid.UUID, milestone_id: uuid.UUID) -> Response:
    """The page."""
    return show_milestone(page, case_id, milestone_id)


@router.post("/cases/{case_id}/milestones/{milestone_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_milestone)], case_id: uuid.UUID, milestone_id: uuid.UUID) -> Response:
    """Take it back, with the reason."""
    milestones.withdraw_milestone(
        page.session, page.services, page.viewer, milestone_id, reason=page.typed.text("reason"), now=page.now
    )
    return redirect(page, f"/cases/{case_id}/deadlines", done(page, "The entry is withdrawn; it stays on record."))


def _one(page: Page, case_id: uuid.UUID, deadline_id: uuid.UUID) -> tuple[Case, DeadlineRow]:
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    for row in deadline_rows(page, case):
        if row.deadline.id == deadline_id:
            return case, row
    raise errors.NotFound()


def show_deadline(page: Page, case_id: uuid.UUID, deadline_id: uuid.UUID) -> Response:
    """One clock with everything that happened to it, and the form that ticks it off."""
    case, row = _one(page, case_id, deadline_id)
    return render(
        page, "deadlines/deadline.html", case=case, row=row,
        values=page.typed.values if page.problem else {"occurred_at": _now_typed(page)},
    )  # fmt: skip


@router.get("/cases/{case_id}/deadlines/{deadline_id}")
def read(page: PageDep, case_id: uuid.UUID, deadline_id: uuid.UUID) -> Response:
    """The page."""
    return show_deadline(page, case_id, deadline_id)


@router.post("/cases/{case_id}/deadlines/{deadline_id}/met")
def meet(page: Annotated[Page, posted(show_deadline)], case_id: uuid.UUID, deadline_id: uuid.UUID) -> Response:
    """Tick it off."""
    require(page.viewer, Permission.MILESTONE)
    deadlines.meet_deadline(
        page.session, page.services, page.viewer, deadline_id,
        occurred_at=moment(page.typed, "occurred_at", page.services.settings.zone),
        reference=page.typed.optional("reference"), note_text=page.typed.text("note"), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}/deadlines", done(page, "Ticked off. The note stays with the deadline."))


def show_pause(page: Page, case_id: uuid.UUID, deadline_id: uuid.UUID) -> Response:
    """The form that pauses a clock, or lets it run on."""
    require(page.viewer, Permission.PAUSE)
    case, row = _one(page, case_id, deadline_id)
    return render(
        page, "deadlines/pause.html", case=case, row=row, reasons=list(PauseReason),
        values=page.typed.values if page.problem else {"from_at": _now_typed(page)},
    )  # fmt: skip


@router.get("/cases/{case_id}/deadlines/{deadline_id}/pause")
def pausing(page: PageDep, case_id: uuid.UUID, deadline_id: uuid.UUID) -> Response:
    """The page."""
    return show_pause(page, case_id, deadline_id)


@router.post("/cases/{case_id}/deadlines/{deadline_id}/pause")
def pause(page: Annotated[Page, posted(show_pause)], case_id: uuid.UUID, deadline_id: uuid.UUID) -> Response:
    """Let it stand still."""
    require(page.viewer, Permission.PAUSE)
    typed = page.typed
    since = moment(typed, "from_at", page.services.settings.zone) if typed.text("from_at") else None
    deadlines.pause_deadline(
        page.session, page.services, page.viewer, deadline_id, choice(typed, "reason", PauseReason),
        note_text=typed.optional("note"), from_at=since, now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}/deadlines", done(page, "The deadline is paused."))


@router.post("/cases/{case_id}/deadlines/{deadline_id}/resume")
def resume(page: Annotated[Page, posted(show_pause)], case_id: uuid.UUID, deadline_id: uuid.UUID) -> Response:
    """Let it run on."""
    deadlines.resume_deadline(
        page.session, page.services, page.viewer, deadline_id, note_text=page.typed.text("note"), now=page.now
    )
    return redirect(page, f"/cases/{case_id}/deadlines", done(page, "The deadline runs again."))
