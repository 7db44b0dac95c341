"""Lookouts (协查): opening, answering, following and ending them."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import ItemsOut, PageOut, items_out
from api.schemas.lookouts import (
    AnswerOut,
    LookoutEndIn,
    LookoutIn,
    LookoutOut,
    TrackPointOut,
    answer_out,
    lookout_out,
    track_point_out,
)
from api.schemas.sightings import AnswerIn
from tracing import lookout_answers, lookout_track, lookout_watch, lookouts
from tracing.photos import PhotoSize

router = APIRouter(prefix="/lookouts", tags=["lookouts"], responses=problems(403))


@router.get("", summary="Lookouts of the viewer's scope, newest first")
def list_page(
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    ended: Annotated[bool, Query(description="Also those that have ended.")] = False,
) -> PageOut[LookoutOut]:
    """For a liaison: the open ones that are addressed to the own division."""
    page = lookouts.list_lookouts(
        session, services, viewer, only_open=not ended, cursor=paging.cursor, limit=paging.limit, now=now
    )
    return PageOut(items=tuple(lookout_out(view) for view in page.items), next_cursor=page.next_cursor)


@router.post("", summary="Look out for somebody", status_code=201, responses=problems(404, 409))
def start(
    body: LookoutIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> LookoutOut:
    """The liaisons of the first ring are told at once; wider rings follow by the policy."""
    made = once.earlier(session, now=now)
    if made is None:
        made = lookouts.open_lookout(
            session, services, viewer,
            sighting_id=body.sighting_id, case_id=body.case_id, words=body.words, now=now,
        ).id  # fmt: skip
        once.remember(session, made)
    created(response, f"/api/v1/lookouts/{made}")
    return lookout_out(lookouts.get_lookout(session, services, viewer, made, now=now))


@router.get("/{lookout_id}", summary="A lookout", responses=problems(404))
def read(
    lookout_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> LookoutOut:
    """The view is on record."""
    return lookout_out(lookouts.get_lookout(session, services, viewer, lookout_id, now=now))


@router.get(
    "/{lookout_id}/photo",
    summary="The photograph of whom is looked for",
    response_class=Response,
    responses={
        **problems(404, 409),
        200: {"content": {"image/jpeg": {}}, "description": "A JPEG file."},
    },
)
def photo(
    lookout_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    size: PhotoSize = PhotoSize.FULL,
) -> Response:
    """While the lookout is open; each look is on record. Never to be cached."""
    data = lookouts.open_lookout_photo(session, services, viewer, lookout_id, size=size, now=now)
    return Response(data, media_type="image/jpeg")


@router.get("/{lookout_id}/answers", summary="The answers to a lookout", responses=problems(404))
def answers(
    lookout_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep, paging: PagingDep
) -> PageOut[AnswerOut]:
    """Newest first; of another jurisdiction's lookout the own organisation's alone."""
    page = lookout_answers.list_answers(session, viewer, lookout_id, cursor=paging.cursor, limit=paging.limit, now=now)
    return PageOut(items=tuple(answer_out(one) for one in page.items), next_cursor=page.next_cursor)


@router.post("/{lookout_id}/answers", summary="Answer a lookout", status_code=201, responses=problems(404, 409))
def answer(
    lookout_id: uuid.UUID,
    body: AnswerIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    response: Response,
) -> AnswerOut:
    """“Seen” with the sighting, or “not seen here” without one."""
    made = lookout_answers.answer_lookout(session, services, viewer, lookout_id, body.seen(), now=now)
    created(response, f"/api/v1/sightings/{made.sighting_id}" if made.sighting_id else f"/api/v1/lookouts/{lookout_id}")
    return answer_out(made)


@router.get("/{lookout_id}/track", summary="Where the person was seen", responses=problems(404))
def track(
    lookout_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ItemsOut[TrackPointOut]:
    """Oldest first, with distance and speed between the points; implausible ones are marked."""
    points = lookout_track.lookout_track(session, services, viewer, lookout_id, now=now)
    return items_out(track_point_out(point) for point in points)


@router.post("/{lookout_id}/widen", summary="Open the next ring now", responses=problems(404, 409))
def widen(
    lookout_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> LookoutOut:
    """Without waiting for the policy's hour."""
    lookout_watch.widen_lookout(session, services, viewer, lookout_id, now=now)
    return lookout_out(lookouts.get_lookout(session, services, viewer, lookout_id, now=now))


@router.post("/{lookout_id}/end", summary="End a lookout", responses=problems(404, 409))
def end(
    lookout_id: uuid.UUID,
    body: LookoutEndIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> LookoutOut:
    """Everybody who was told is told; once found, photographs that are no case's are erased."""
    lookouts.end_lookout(
        session, services, viewer, lookout_id, body.kind, reason=body.reason, case_id=body.case_id, now=now
    )
    return lookout_out(lookouts.get_lookout(session, services, viewer, lookout_id, now=now))
