"""Follow-up (回访) after the return home, and earlier cases of somebody who wandered again (再次走失)."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.deadlines import ReasonIn
from api.schemas.followup import (
    EarlierIn,
    EndIn,
    FollowUpEndOut,
    FollowUpOut,
    HistoryOut,
    VisitIn,
    VisitOut,
    WanderingLinkOut,
    closed_visit_out,
    end_out,
    follow_up_out,
    history_out,
    link_out,
)
from tracing import followup, followup_view, wandering

router = APIRouter(tags=["followup"], responses=problems(403, 404))


@router.get("/cases/{case_id}/follow-up", summary="Plan, visits and decisions")
def read(
    case_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> FollowUpOut:
    """Newest first, withdrawn ones among them; notes for those who follow up."""
    return follow_up_out(followup_view.get_follow_up(session, services, viewer, case_id, now=now))


@router.post(
    "/cases/{case_id}/visits", summary="Record a visit or an attempt", status_code=201, responses=problems(409)
)
def visit(
    case_id: uuid.UUID,
    body: VisitIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> VisitOut:
    """One that met somebody meets its deadline. Danger is told at once to the station's supervisors."""
    created(response, f"/api/v1/cases/{case_id}/follow-up")
    made = once.earlier(session, now=now)
    if made is None:
        made = followup.record_visit(session, services, viewer, case_id, body.given(), now=now).id
        once.remember(session, made)
    found = followup_view.get_follow_up(session, services, viewer, case_id, now=now)
    return follow_up_out(found).visits[[one.visit.id for one in found.visits].index(made)]


@router.post("/visits/{visit_id}/withdraw", summary="Take a visit back", responses=problems(409))
def withdraw_visit(
    visit_id: uuid.UUID, body: ReasonIn, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> VisitOut:
    """It stays on record; its deadline runs as if it had not been made."""
    row = followup.withdraw_visit(session, services, viewer, visit_id, reason=body.reason, now=now)
    return closed_visit_out(row)


@router.post("/cases/{case_id}/follow-up/end", summary="End the follow-up", status_code=201, responses=problems(409))
def end(
    case_id: uuid.UUID,
    body: EndIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    response: Response,
) -> FollowUpEndOut:
    """As stable, when the visits show it; for another reason, with an explanation. Open deadlines end."""
    created(response, f"/api/v1/cases/{case_id}/follow-up")
    row = followup.end_follow_up(session, services, viewer, case_id, body.reason, explanation=body.explanation, now=now)
    return end_out(row, body.explanation)


@router.post("/follow-up-ends/{end_id}/withdraw", summary="Go on with the follow-up", responses=problems(409))
def resume(
    end_id: uuid.UUID, body: ReasonIn, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> FollowUpEndOut:
    """What was left of the time begins anew."""
    return end_out(followup.resume_follow_up(session, services, viewer, end_id, reason=body.reason, now=now))


@router.get("/cases/{case_id}/earlier-cases", summary="Earlier cases of the same person, and later ones")
def history(case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> HistoryOut:
    """How each ended and how it went on at home, also of other provinces."""
    return history_out(wandering.get_history(session, viewer, case_id, now=now))


@router.post("/cases/{case_id}/earlier-cases", summary="Link an earlier case", status_code=201, responses=problems(409))
def link(
    case_id: uuid.UUID, body: EarlierIn, session: SessionDep, viewer: ViewerDep, now: NowDep, response: Response
) -> WanderingLinkOut:
    """Staff recognise somebody; both cases are in their scope."""
    created(response, f"/api/v1/cases/{case_id}/earlier-cases")
    row = wandering.link_earlier(session, viewer, case_id, body.earlier_case_id, reason=body.reason, now=now)
    return link_out(row)


@router.post("/wandering-links/{link_id}/withdraw", summary="Undo a link of two cases", responses=problems(409))
def unlink(link_id: uuid.UUID, body: ReasonIn, session: SessionDep, viewer: ViewerDep, now: NowDep) -> WanderingLinkOut:
    """It stays on record."""
    return link_out(wandering.withdraw_link(session, viewer, link_id, reason=body.reason, now=now))
