"""Confirmation (身份确认) and recall."""

import uuid

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from api.deps import NowDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.routes.cases import shown
from api.schemas.cases import CaseOut
from api.schemas.confirmation import ConfirmationIn, ConfirmationOut, RecallIn, confirmation_out
from models.confirmation import Confirmation
from tracing import confirmation
from tracing.access import Viewer
from tracing.cases import load_case
from tracing.platform import errors

router = APIRouter(prefix="/cases/{case_id}/confirmation", tags=["confirmation"], responses=problems(403, 404, 409))


@router.post("", summary="Confirm who the person is", status_code=201)
def confirm(
    case_id: uuid.UUID,
    body: ConfirmationIn,
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> ConfirmationOut:
    """For the police, on two agreeing examiners' opinions or a decisive method; rivals are closed with it."""
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        row = _standing(session, viewer, case_id, earlier)
    else:
        row = confirmation.confirm(
            session, viewer, case_id, body.candidate_id, body.method,
            reference=body.reference, grounds=body.grounds, now=now,
        )  # fmt: skip
        once.remember(session, row.id)
    created(response, f"/api/v1/cases/{case_id}")
    return confirmation_out(row)


def _standing(session: Session, viewer: Viewer, case_id: uuid.UUID, wanted: uuid.UUID) -> Confirmation:
    """A repeated request's confirmation. Raises NotFound when it has been recalled since."""
    case = load_case(session, viewer, case_id)
    row = confirmation.standing_confirmation(session, case.id)
    if row is None or row.id != wanted:
        raise errors.NotFound()
    return row


@router.post("/recall", summary="Undo a confirmation that was proved wrong")
def recall(
    case_id: uuid.UUID,
    body: RecallIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> CaseOut:
    """The family's details are sealed again at once; everything stays on record."""
    if once.earlier(session, now=now) is None:
        row = confirmation.recall(session, services, viewer, case_id, reason=body.reason, now=now)
        once.remember(session, row.id)
    return shown(session, response, load_case(session, viewer, case_id))
