"""Outcomes (救助结果)."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import ItemsOut, items_out
from api.schemas.outcomes import OutcomeIn, OutcomeOut, outcome_out
from tracing import outcomes
from tracing.cases import get_case
from tracing.platform import errors

router = APIRouter(prefix="/cases/{case_id}/outcomes", tags=["outcomes"], responses=problems(403, 404))


@router.get("", summary="How the stay ended")
def list_all(case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ItemsOut[OutcomeOut]:
    """Oldest first."""
    case = get_case(session, viewer, case_id, now=now)
    return items_out(outcome_out(row) for row in outcomes.list_outcomes(session, case.id))


@router.post("", summary="Record an outcome", status_code=201, responses=problems(409))
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
            occurred_on=body.occurred_on, note_text=body.note, now=now,
        )  # fmt: skip
        once.remember(session, outcome.id)
        return outcome_out(outcome)
    case = get_case(session, viewer, case_id, now=now)
    for outcome in outcomes.list_outcomes(session, case.id):
        if outcome.id == earlier:
            return outcome_out(outcome)
    raise errors.NotFound()
