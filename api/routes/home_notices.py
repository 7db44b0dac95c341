"""Notices to the home district (致户籍地通知)."""

import uuid

from fastapi import APIRouter, Query

from api.deps import NowDep, PagingDep, SessionDep, ViewerDep
from api.openapi import problems
from api.schemas.base import PageOut
from api.schemas.home_notices import AnswerIn, HomeNoticeOut, home_notice_out
from tracing import home_notices

router = APIRouter(prefix="/home-notices", tags=["home-notices"], responses=problems(403, 404))


@router.get("", summary="Notices to the home district")
def list_all(
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    case_id: uuid.UUID | None = None,
    waiting: bool = Query(default=False, description="Those without an answer alone."),
) -> PageOut[HomeNoticeOut]:
    """Those to the viewer's organisations and of the viewer's cases, newest first."""
    page = home_notices.list_home_notices(
        session, viewer, case_id=case_id, waiting=waiting, cursor=paging.cursor, limit=paging.limit, now=now
    )
    void = home_notices.void_among(session, [row.id for row in page.items])
    items = tuple(home_notice_out(row, void=row.id in void) for row in page.items)
    return PageOut(items=items, next_cursor=page.next_cursor)


@router.post("/{notice_id}/answer", summary="Answer a notice", responses=problems(409))
def answer(notice_id: uuid.UUID, body: AnswerIn, session: SessionDep, viewer: ViewerDep, now: NowDep) -> HomeNoticeOut:
    """Once, by the addressee; for a station outside the service, by the station that sent it."""
    row = home_notices.answer_home_notice(session, viewer, notice_id, body.answer, now=now)
    return home_notice_out(row, void=False)
