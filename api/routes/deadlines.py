"""Deadlines (时限) and milestones (办理节点)."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import ItemsOut, PageOut, items_out
from api.schemas.deadlines import (
    DeadlineOut,
    DueCountsOut,
    MetIn,
    MilestoneIn,
    MilestoneOut,
    PauseIn,
    PolicyOut,
    ReasonIn,
    ResumeIn,
    clock_rule_out,
    deadline_out,
    milestone_out,
)
from models.deadline import ClockKind, ClockParty
from tracing import deadlines, milestones
from tracing.cases import get_case
from tracing.deadlines import DueFilter, DueQuery
from tracing.platform import errors

router = APIRouter(tags=["deadlines"], responses=problems(403))


def _query(
    which: DueFilter = DueFilter.RUNNING,
    kind: Annotated[list[ClockKind] | None, Query(description="May be given several times.")] = None,
    party: Annotated[list[ClockParty] | None, Query(description="Whose turn it is.")] = None,
    escalated: Annotated[bool, Query(description="Brought before the viewer's own organisation.")] = False,
    organisation_id: Annotated[uuid.UUID | None, Query(description="An organisation and all below it.")] = None,
) -> DueQuery:
    return DueQuery(which, frozenset(kind or ()), frozenset(party or ()), escalated, organisation_id)


QueryDep = Annotated[DueQuery, Depends(_query)]


@router.get("/deadlines", summary="What is due, the longest overdue first")
def list_page(
    session: SessionDep, viewer: ViewerDep, now: NowDep, paging: PagingDep, query: QueryDep
) -> PageOut[DeadlineOut]:
    """One page over the cases of the viewer's scope."""
    page = deadlines.list_due(session, viewer, query, cursor=paging.cursor, limit=paging.limit, now=now)
    return PageOut(items=tuple(deadline_out(row, row.case, now) for row in page.items), next_cursor=page.next_cursor)


@router.get("/deadlines/counts", summary="How many are overdue or due within a day")
def counts(session: SessionDep, viewer: ViewerDep, now: NowDep, query: QueryDep) -> DueCountsOut:
    """Over the same deadlines as the list."""
    found = deadlines.count_due(session, viewer, query, now=now)
    return DueCountsOut(overdue=found.overdue, soon=found.soon)


@router.get("/deadlines/policy", summary="The clocks in force, with their sources")
def policy(session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep) -> PolicyOut:
    """For the division of the viewer's own organisation."""
    found, uncertain = deadlines.policy_in_force(session, services, viewer, now=now)
    return PolicyOut(
        jurisdiction=found.jurisdiction,
        version=found.version,
        calendar=services.clocks.calendar.version,
        uncertain_years=tuple(uncertain),
        clocks=tuple(clock_rule_out(rule) for rule in found.rules.values()),
    )


@router.post("/deadlines/{deadline_id}/met", summary="Tick a deadline off", responses=problems(404, 409))
def meet(
    deadline_id: uuid.UUID,
    body: MetIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> DeadlineOut:
    """Records the milestone that meets it; other clocks may start with it."""
    row, _milestone = deadlines.meet_deadline(
        session, services, viewer, deadline_id,
        occurred_at=body.occurred_at, reference=body.reference, note_text=body.note, now=now,
    )  # fmt: skip
    return deadline_out(row, get_case(session, viewer, row.case_id, now=now), now)


@router.post("/deadlines/{deadline_id}/pause", summary="Let a deadline stand still", responses=problems(404, 409))
def pause(
    deadline_id: uuid.UUID,
    body: PauseIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> DeadlineOut:
    """It is neither overdue nor escalated meanwhile."""
    row = deadlines.pause_deadline(
        session, services, viewer, deadline_id, body.reason, note_text=body.note, from_at=body.from_at, now=now
    )
    return deadline_out(row, get_case(session, viewer, row.case_id, now=now), now)


@router.post("/deadlines/{deadline_id}/resume", summary="Let a deadline run on", responses=problems(404, 409))
def resume(
    deadline_id: uuid.UUID,
    body: ResumeIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> DeadlineOut:
    """What was left of its time begins now."""
    row = deadlines.resume_deadline(session, services, viewer, deadline_id, note_text=body.note, now=now)
    return deadline_out(row, get_case(session, viewer, row.case_id, now=now), now)


@router.get("/cases/{case_id}/deadlines", summary="A case's clocks", responses=problems(404))
def of_case(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ItemsOut[DeadlineOut]:
    """Soonest first, met and ended ones among them."""
    case = get_case(session, viewer, case_id, now=now)
    rows = deadlines.case_deadlines(session, services, case.id, now=now)
    return items_out(deadline_out(row, case, now) for row in rows)


@router.get("/cases/{case_id}/milestones", summary="What was done for a case", responses=problems(404))
def list_milestones(case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ItemsOut[MilestoneOut]:
    """Newest first, withdrawn ones among them."""
    case = get_case(session, viewer, case_id, now=now)
    return items_out(milestone_out(row) for row in milestones.list_milestones(session, case.id))


@router.post("/cases/{case_id}/milestones", summary="Record what was done", status_code=201, responses=problems(404))
def record(
    case_id: uuid.UUID,
    body: MilestoneIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> MilestoneOut:
    """The clocks that it starts and meets follow at once."""
    created(response, f"/api/v1/cases/{case_id}/milestones")
    earlier = once.earlier(session, now=now)
    if earlier is None:
        milestone = milestones.record_milestone(
            session, services, viewer, case_id, body.kind,
            occurred_at=body.occurred_at, reference=body.reference, note_text=body.note, now=now,
        )  # fmt: skip
        once.remember(session, milestone.id)
        return milestone_out(milestone)
    case = get_case(session, viewer, case_id, now=now)
    for milestone in milestones.list_milestones(session, case.id):
        if milestone.id == earlier:
            return milestone_out(milestone)
    raise errors.NotFound()


@router.post("/milestones/{milestone_id}/withdraw", summary="Take an entry back", responses=problems(404, 409))
def withdraw(
    milestone_id: uuid.UUID,
    body: ReasonIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> MilestoneOut:
    """It stays on record; the clocks run as if it had not been made."""
    return milestone_out(
        milestones.withdraw_milestone(session, services, viewer, milestone_id, reason=body.reason, now=now)
    )
