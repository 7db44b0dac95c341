"""Tips (公众线索): what the public wrote on a notice's page, and what the station makes of it."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep
from api.openapi import problems
from api.schemas.base import PageOut
from api.schemas.deadlines import ReasonIn
from api.schemas.notices import TipAcceptIn, TipOut, TipTextOut, tip_out, tip_text_out
from models.tip import TipState
from tracing import tips

router = APIRouter(tags=["tips"], responses=problems(403, 404))


@router.get("/tips", summary="Tips on the viewer's cases, newest first")
def list_page(
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    state: Annotated[list[TipState] | None, Query(description="May be given several times.")] = None,
    case_id: Annotated[uuid.UUID | None, Query(description="Of this case alone.")] = None,
) -> PageOut[TipOut]:
    """Unopened. `state=received`: what waits."""
    page = tips.list_tips(
        session, viewer, case_id=case_id, states=frozenset(state or ()),
        cursor=paging.cursor, limit=paging.limit, now=now,
    )  # fmt: skip
    return PageOut(items=tuple(tip_out(one) for one in page.items), next_cursor=page.next_cursor)


@router.get("/tips/{tip_id}", summary="A tip, opened")
def read(
    tip_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> TipTextOut:
    """With its writer's contact, if one was given; the opening is on record. Never to be cached."""
    return tip_text_out(tips.read_tip(session, services, viewer, tip_id, now=now))


@router.get(
    "/tips/{tip_id}/photo",
    summary="A tip's photograph",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}, "description": "A JPEG file."}},
)
def photo(tip_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep) -> Response:
    """Re-encoded. Never to be cached."""
    data = tips.read_tip_photo(session, services, viewer, tip_id, now=now)
    return Response(data, media_type="image/jpeg")


@router.post("/tips/{tip_id}/accept", summary="Take clues from a tip", responses=problems(409))
def accept(
    tip_id: uuid.UUID, body: TipAcceptIn, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> TipTextOut:
    """They are unsure and name the tip; the search runs again. One that was rejected may be accepted later."""
    given = [one.given() for one in body.clues]
    tips.accept_tip(session, services, viewer, tip_id, given, reason=body.reason, now=now)
    return tip_text_out(tips.read_tip(session, services, viewer, tip_id, now=now))


@router.post("/tips/{tip_id}/reject", summary="Put a tip aside", responses=problems(409))
def reject(tip_id: uuid.UUID, body: ReasonIn, session: SessionDep, viewer: ViewerDep, now: NowDep) -> TipOut:
    """With the reason; it stays on record."""
    return tip_out(tips.reject_tip(session, viewer, tip_id, reason=body.reason, now=now))
