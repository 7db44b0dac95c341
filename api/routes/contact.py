"""Contact (联系家属): the release, the family's details, the attempts to reach them."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.routes.cases import shown
from api.schemas.base import ItemsOut, items_out
from api.schemas.cases import CaseOut
from api.schemas.contact import (
    AttemptIn,
    AttemptOut,
    FamilyContactOut,
    ReleaseIn,
    attempt_out,
    family_contact_out,
)
from tracing import contact
from tracing.cases import load_case
from tracing.platform import errors

router = APIRouter(prefix="/cases/{case_id}", tags=["contact"], responses=problems(403, 404))


@router.post(
    "/contact-release", summary="Open the family's details to caseworkers", status_code=201, responses=problems(409)
)
def release(
    case_id: uuid.UUID,
    body: ReleaseIn,
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> CaseOut:
    """For the police, after the confirmation. Refused when the person objects or danger is suspected."""
    if once.earlier(session, now=now) is None:
        row = contact.release_contact(session, viewer, case_id, body.wish, body.danger, now=now)
        once.remember(session, row.id)
    created(response, f"/api/v1/cases/{case_id}")
    return shown(session, response, load_case(session, viewer, case_id))


@router.get("/family-contact", summary="The family's details")
def family_contact(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> FamilyContactOut:
    """For caseworkers of the case's station, while released; every reading is on record."""
    return family_contact_out(contact.read_family_contact(session, services, viewer, case_id, now=now))


@router.get("/contacts", summary="The attempts to reach the family")
def list_attempts(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ItemsOut[AttemptOut]:
    """Oldest first; none while contact is not released."""
    found = contact.list_attempts(session, services, viewer, case_id, now=now)
    return items_out(attempt_out(attempt, note) for attempt, note in found)


@router.post("/contacts", summary="Record an attempt", status_code=201, responses=problems(409))
def record_attempt(
    case_id: uuid.UUID,
    body: AttemptIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> AttemptOut:
    """The first that reaches the family moves the case on."""
    created(response, f"/api/v1/cases/{case_id}/contacts")
    earlier = once.earlier(session, now=now)
    if earlier is None:
        attempt = contact.record_attempt(
            session, services, viewer, case_id, body.channel, body.result,
            note_text=body.note, attempted_at=body.attempted_at, now=now,
        )  # fmt: skip
        once.remember(session, attempt.id)
        return attempt_out(attempt, (body.note or "").strip() or None)
    for attempt, note in contact.list_attempts(session, services, viewer, case_id, now=now):
        if attempt.id == earlier:
            return attempt_out(attempt, note)
    raise errors.NotFound()
