"""Outcomes (救助结果)."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import ItemsOut, items_out
from api.schemas.deadlines import ReasonIn
from api.schemas.outcomes import HandoverOut, OutcomeIn, OutcomeOut, handover_out, outcome_out
from tracing import outcome_papers, outcomes
from tracing.cases import get_case
from tracing.platform import errors

router = APIRouter(tags=["outcomes"], responses=problems(403, 404))


@router.get("/cases/{case_id}/outcomes", summary="How the stay ended")
def list_all(case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ItemsOut[OutcomeOut]:
    """Oldest first."""
    case = get_case(session, viewer, case_id, now=now)
    return items_out(outcome_out(row) for row in outcomes.list_outcomes(session, case.id))


@router.post("/cases/{case_id}/outcomes", summary="Record an outcome", status_code=201, responses=problems(409))
def record(
    case_id: uuid.UUID,
    body: OutcomeIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> OutcomeOut:
    """Most outcomes move the case."""
    created(response, f"/api/v1/cases/{case_id}/outcomes")
    earlier = once.earlier(session, now=now)
    if earlier is None:
        outcome = outcomes.record_outcome(
            session, services, viewer, case_id, body.kind, body.route,
            occurred_on=body.occurred_on, note_text=body.note, papers=body.papers(), now=now,
        )  # fmt: skip
        once.remember(session, outcome.id)
        return outcome_out(outcome)
    case = get_case(session, viewer, case_id, now=now)
    for outcome in outcomes.list_outcomes(session, case.id):
        if outcome.id == earlier:
            return outcome_out(outcome)
    raise errors.NotFound()


@router.post("/outcomes/{outcome_id}/withdraw", summary="Take an outcome back", responses=problems(409))
def withdraw(
    outcome_id: uuid.UUID, body: ReasonIn, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> OutcomeOut:
    """It stays on record and counts nowhere; the case stays in its state."""
    return outcome_out(outcomes.withdraw_outcome(session, services, viewer, outcome_id, reason=body.reason, now=now))


@router.get("/outcomes/{outcome_id}/handover", summary="Who signed for the person")
def handover(
    outcome_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> HandoverOut:
    """A family's signature for caseworkers alone; every opening is on record. Never to be cached."""
    return handover_out(*outcome_papers.open_handover(session, services, viewer, outcome_id, now=now))
