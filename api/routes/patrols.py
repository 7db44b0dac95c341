"""Patrols (巡查): recording and counting rounds through the streets."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import NowDep, PagingDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import Division, Moment, PageOut
from api.schemas.deadlines import ReasonIn
from api.schemas.patrols import PatrolCountsOut, PatrolIn, PatrolOut, counts_out, patrol_out
from tracing import patrols

router = APIRouter(prefix="/patrols", tags=["patrols"], responses=problems(403))


@router.get("", summary="Patrols of the viewer's scope, the latest first")
def list_page(session: SessionDep, viewer: ViewerDep, now: NowDep, paging: PagingDep) -> PageOut[PatrolOut]:
    """Withdrawn ones among them."""
    page = patrols.list_patrols(session, viewer, cursor=paging.cursor, limit=paging.limit, now=now)
    return PageOut(items=tuple(patrol_out(view) for view in page.items), next_cursor=page.next_cursor)


@router.post("", summary="Record a patrol", status_code=201)
def record(
    body: PatrolIn, session: SessionDep, viewer: ViewerDep, now: NowDep, once: OnceDep, response: Response
) -> PatrolOut:
    """Of the viewer's organisation."""
    made = once.earlier(session, now=now)
    if made is None:
        made = patrols.record_patrol(session, viewer, body.walk(), now=now).id
        once.remember(session, made)
    created(response, f"/api/v1/patrols/{made}")
    return patrol_out(patrols.get_patrol(session, viewer, made, now=now))


@router.get("/counts", summary="Figures of a period")
def counts(
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    since: Annotated[Moment, Query(description="From this moment on.")],
    until: Annotated[Moment, Query(description="Before this moment.")],
    division: Annotated[Division | None, Query()] = None,
) -> PatrolCountsOut:
    """Patrols of the viewer's scope that stand, in a division and all below it if one is given."""
    return counts_out(patrols.count_patrols(session, viewer, since=since, until=until, division=division, now=now))


@router.get("/{patrol_id}", summary="A patrol", responses=problems(404))
def read(patrol_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> PatrolOut:
    """With what was given and how many sightings it made."""
    return patrol_out(patrols.get_patrol(session, viewer, patrol_id, now=now))


@router.post("/{patrol_id}/withdraw", summary="Take a patrol back", responses=problems(404, 409))
def withdraw(patrol_id: uuid.UUID, body: ReasonIn, session: SessionDep, viewer: ViewerDep, now: NowDep) -> PatrolOut:
    """It stays on record and counts no more."""
    return patrol_out(patrols.withdraw_patrol(session, viewer, patrol_id, reason=body.reason, now=now))
