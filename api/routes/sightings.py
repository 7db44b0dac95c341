"""Sightings (目击): recording, photographs, links, and the case that a sighting becomes."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.routes.cases import shown
from api.routes.photos import UploadDep
from api.schemas.base import ItemsOut, PageOut, items_out
from api.schemas.cases import CaseOut
from api.schemas.deadlines import ReasonIn
from api.schemas.sightings import (
    CaseStoryOut,
    DecisionIn,
    LinkIn,
    LinkOut,
    SightedCaseIn,
    SightingDetail,
    SightingIn,
    SightingOut,
    link_out,
    sighting_detail,
    sighting_out,
    story_out,
)
from tracing import sighted_cases, sighting_links, sightings
from tracing.cases import get_case
from tracing.photos import PhotoSize

router = APIRouter(tags=["sightings"], responses=problems(403))
_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}, "description": "A JPEG file."}}


@router.get("/sightings", summary="Sightings of the viewer's scope, newest first")
def list_page(
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    lookout_id: Annotated[uuid.UUID | None, Query(description="Those accepted for this lookout.")] = None,
) -> PageOut[SightingOut]:
    """A liaison's are those of the own organisation."""
    page = sightings.list_sightings(
        session, viewer, lookout_id=lookout_id, cursor=paging.cursor, limit=paging.limit, now=now
    )
    return PageOut(items=tuple(sighting_out(one) for one in page.items), next_cursor=page.next_cursor)


@router.post("/sightings", summary="Record a sighting", status_code=201)
def record(
    body: SightingIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> SightingDetail:
    """By a station, the police or a liaison, for whoever saw the person."""
    made = once.earlier(session, now=now)
    if made is None:
        made = sightings.record_sighting(session, services, viewer, body.seen(), now=now).id
        once.remember(session, made)
    created(response, f"/api/v1/sightings/{made}")
    return sighting_detail(*sightings.get_sighting(session, services, viewer, made, now=now))


@router.get("/sightings/{sighting_id}", summary="A sighting", responses=problems(404))
def read(
    sighting_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> SightingDetail:
    """With its words and photographs; the view is on record."""
    return sighting_detail(*sightings.get_sighting(session, services, viewer, sighting_id, now=now))


@router.post("/sightings/{sighting_id}/withdraw", summary="Take a sighting back", responses=problems(404, 409))
def withdraw(
    sighting_id: uuid.UUID,
    body: ReasonIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> SightingOut:
    """It stays on record; its photographs and words are erased."""
    return sighting_out(
        sightings.withdraw_sighting(session, services, viewer, sighting_id, reason=body.reason, now=now)
    )


@router.post(
    "/sightings/{sighting_id}/photos",
    summary="Add a photograph to a sighting",
    status_code=201,
    responses=problems(404, 409, 413),
)
def add_photo(
    sighting_id: uuid.UUID, upload: UploadDep, session: SessionDep, services: ServicesDep, now: NowDep
) -> SightingDetail:
    """Sealed, analysed, and compared with open lookouts and with the cases that are searched."""
    once = upload.once
    if once.earlier(session, now=now) is None:
        photo = sightings.add_sighting_photo(session, services, once.viewer, sighting_id, upload.prepared, now=now)
        once.remember(session, photo.id)
    created(once.response, f"/api/v1/sightings/{sighting_id}")
    return sighting_detail(*sightings.get_sighting(session, services, once.viewer, sighting_id, now=now))


@router.get(
    "/sightings/{sighting_id}/photos/{sighting_photo_id}",
    summary="A photograph of a sighting",
    response_class=Response,
    responses={**problems(404), **_JPEG},
)
def photo(
    sighting_id: uuid.UUID,
    sighting_photo_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    size: PhotoSize = PhotoSize.FULL,
) -> Response:
    """Unsealed for this viewer; the look is on record. Never to be cached."""
    data = sightings.open_sighting_photo(session, services, viewer, sighting_id, sighting_photo_id, size=size, now=now)
    return Response(data, media_type="image/jpeg")


@router.get("/sightings/{sighting_id}/links", summary="Whom a sighting may show", responses=problems(404))
def links(sighting_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ItemsOut[LinkOut]:
    """Proposals of the engine and what humans made of them, newest first."""
    return items_out(link_out(one) for one in sighting_links.list_links(session, viewer, sighting_id, now=now))


@router.post(
    "/sightings/{sighting_id}/links", summary="Link a sighting by hand", status_code=201, responses=problems(404, 409)
)
def link(
    sighting_id: uuid.UUID,
    body: LinkIn,
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    response: Response,
) -> LinkOut:
    """To a lookout or to a case, with the reason."""
    created(response, f"/api/v1/sightings/{sighting_id}/links")
    return link_out(
        sighting_links.link_sighting(
            session, viewer, sighting_id,
            lookout_id=body.lookout_id, case_id=body.case_id, reason=body.reason, now=now,
        )
    )  # fmt: skip


@router.post("/sighting-links/{link_id}/decision", summary="Accept or refuse a proposal", responses=problems(404, 409))
def decide(link_id: uuid.UUID, body: DecisionIn, session: SessionDep, viewer: ViewerDep, now: NowDep) -> LinkOut:
    """Once; a refused pair is never proposed again."""
    return link_out(
        sighting_links.decide_link(session, viewer, link_id, accept=body.accept, reason=body.reason, now=now)
    )


@router.post("/sighting-links/{link_id}/withdraw", summary="Undo an accepted link", responses=problems(404, 409))
def unlink(link_id: uuid.UUID, body: ReasonIn, session: SessionDep, viewer: ViewerDep, now: NowDep) -> LinkOut:
    """It stays on record."""
    return link_out(sighting_links.withdraw_link(session, viewer, link_id, reason=body.reason, now=now))


@router.post(
    "/sightings/{sighting_id}/case", summary="Admit who was seen", status_code=201, responses=problems(404, 409)
)
def admit(
    sighting_id: uuid.UUID,
    body: SightedCaseIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> CaseOut:
    """A draft case with the sighting's photograph, place and day. Open lookouts for the person end, found."""
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        case = get_case(session, viewer, earlier, now=now)
    else:
        case = sighted_cases.admit_sighted(
            session, services, viewer, sighting_id, admitted_on=body.admitted_on, facts=body.facts(), now=now
        )
        once.remember(session, case.id)
    created(response, f"/api/v1/cases/{case.id}")
    return shown(session, response, case)


@router.get("/cases/{case_id}/sightings", summary="What happened before the admission", responses=problems(404))
def story(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> CaseStoryOut:
    """Sightings and lookouts of the case's person, oldest first."""
    return story_out(sighted_cases.case_story(session, services, viewer, case_id, now=now))
