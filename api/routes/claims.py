"""Identity claims (身份核查结果): what police systems say of who a person is."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import ItemsOut, items_out
from api.schemas.claims import ClaimedIdentityOut, ClaimIn, ClaimOut, claim_out, identity_out
from api.schemas.deadlines import ReasonIn
from tracing import claims
from tracing.claims import ClaimView

router = APIRouter(tags=["claims"], responses=problems(403, 404))


def _view(views: list[ClaimView], claim_id: uuid.UUID) -> ClaimOut:
    return claim_out(next(view for view in views if view.claim.id == claim_id))


@router.get("/cases/{case_id}/claims", summary="The results of outside systems on a case")
def list_all(case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ItemsOut[ClaimOut]:
    """Newest first, withdrawn ones and those set aside among them."""
    return items_out(claim_out(view) for view in claims.list_claims(session, viewer, case_id, now=now))


@router.post("/cases/{case_id}/claims", summary="Record a result", status_code=201, responses=problems(409))
def record(
    case_id: uuid.UUID,
    body: ClaimIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> ClaimOut:
    """For the police. A number that a candidate's report has names that candidate."""
    created(response, f"/api/v1/cases/{case_id}/claims")
    made = once.earlier(session, now=now)
    if made is None:
        made = claims.record_claim(session, services, viewer, case_id, body.given(), now=now).id
        once.remember(session, made)
    return _view(claims.list_claims(session, viewer, case_id, now=now), made)


@router.post("/claims/{claim_id}/withdraw", summary="Take a result back", responses=problems(409))
def withdraw(claim_id: uuid.UUID, body: ReasonIn, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ClaimOut:
    """It stays on record. Refused while a confirmation rests on it."""
    row = claims.withdraw_claim(session, viewer, claim_id, reason=body.reason, now=now)
    return _view(claims.list_claims(session, viewer, row.case_id, now=now), claim_id)


@router.post("/claims/{claim_id}/settle", summary="Set a result aside", responses=problems(409))
def settle(claim_id: uuid.UUID, body: ReasonIn, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ClaimOut:
    """For police supervisors: ends a conflict; the result stays on record and no longer counts."""
    row = claims.settle_claim(session, viewer, claim_id, reason=body.reason, now=now)
    return _view(claims.list_claims(session, viewer, row.case_id, now=now), claim_id)


@router.get("/claims/{claim_id}/identity", summary="Whom a result names outside the service")
def identity(
    claim_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> ClaimedIdentityOut:
    """For the police; every opening is on record. Never to be cached."""
    return identity_out(claims.open_identity(session, services, viewer, claim_id, now=now))
