"""Notices (寻亲公告): drafting, deciding, withdrawing, reading, printing. What the public sees is under `/n/`."""

import uuid
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.deps import LocaleDep, NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import PageOut
from api.schemas.deadlines import ReasonIn
from api.schemas.notices import NoticeContentOut, NoticeIn, NoticeOut, content_out, notice_out
from api.web.notice_print import printed
from api.web.public_page import address_of
from models.notice import NoticeState
from tracing import notices

router = APIRouter(tags=["notices"], responses=problems(403, 404))


def shown(
    session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep, locale: LocaleDep
) -> Callable[[uuid.UUID], NoticeContentOut]:
    """Reads a version with what it tells, as it is after the request; the look is on record."""

    def show(version_id: uuid.UUID) -> NoticeContentOut:
        view = notices.read_notice(session, services, viewer, version_id, now=now)
        return content_out(view, address_of(services), locale)

    return show


ShowDep = Annotated[Callable[[uuid.UUID], NoticeContentOut], Depends(shown)]
StatesDep = Annotated[list[NoticeState] | None, Query(description="May be given several times.")]


@router.get("/notices", summary="Notices of the viewer's cases, newest first")
def list_page(
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    state: StatesDep = None,
) -> PageOut[NoticeOut]:
    """`state=proposed`: what waits for a supervisor."""
    page = notices.list_notices(
        session, viewer, states=frozenset(state or ()), cursor=paging.cursor, limit=paging.limit, now=now
    )
    address = address_of(services)
    return PageOut(items=tuple(notice_out(one, address) for one in page.items), next_cursor=page.next_cursor)


@router.get("/cases/{case_id}/notices", summary="The versions of a case's notice, newest first")
def list_of_case(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep, paging: PagingDep
) -> PageOut[NoticeOut]:
    """Ended ones among them."""
    page = notices.list_notices(session, viewer, case_id=case_id, cursor=paging.cursor, limit=paging.limit, now=now)
    address = address_of(services)
    return PageOut(items=tuple(notice_out(one, address) for one in page.items), next_cursor=page.next_cursor)


@router.post(
    "/cases/{case_id}/notices", summary="Draft a version of a case's notice", status_code=201, responses=problems(409)
)
def draft(
    case_id: uuid.UUID,
    body: NoticeIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
    show: ShowDep,
) -> NoticeContentOut:
    """A supervisor other than the drafter has to let it through before anybody outside sees it."""
    earlier = once.earlier(session, now=now)
    if earlier is None:
        earlier = notices.draft_notice(session, services, viewer, case_id, body.given(), now=now).id
        once.remember(session, earlier)
    created(response, f"/api/v1/notices/{earlier}")
    return show(earlier)


@router.get("/notices/{version_id}", summary="A version of a notice")
def read(version_id: uuid.UUID, show: ShowDep) -> NoticeContentOut:
    """With what it tells; the look is on record."""
    return show(version_id)


@router.get(
    "/notices/{version_id}/photo",
    summary="The photograph as it is published",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}, "description": "A JPEG file."}},
)
def photo(
    version_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> Response:
    """Small, without metadata, of one person. Never to be cached."""
    data = notices.read_notice_photo(session, services, viewer, version_id, now=now)
    return Response(data, media_type="image/jpeg")


@router.get(
    "/notices/{version_id}/pdf",
    summary="The notice to print",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "A PDF file."}},
)
def paper(
    version_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    locale: LocaleDep,
) -> Response:
    """Of a version that is not public: a proof without the code to the page."""
    return printed(session, services, viewer, version_id, locale, now=now)


@router.post("/notices/{version_id}/approve", summary="Publish a version", responses=problems(409))
def approve(
    version_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    show: ShowDep,
) -> NoticeContentOut:
    """For supervisors, never the drafter. The version before is replaced; the clocks are met."""
    notices.approve_notice(session, services, viewer, version_id, now=now)
    return show(version_id)


@router.post("/notices/{version_id}/reject", summary="Send a version back", responses=problems(409))
def reject(
    version_id: uuid.UUID,
    body: ReasonIn,
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    show: ShowDep,
) -> NoticeContentOut:
    """For supervisors, with the reason; it stays on record."""
    notices.reject_notice(session, viewer, version_id, reason=body.reason, now=now)
    return show(version_id)


@router.post("/notices/{version_id}/withdraw", summary="Take a version back", responses=problems(409))
def withdraw(
    version_id: uuid.UUID,
    body: ReasonIn,
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    show: ShowDep,
) -> NoticeContentOut:
    """By the station or a supervisor; nobody outside sees it from this moment."""
    notices.withdraw_notice(session, viewer, version_id, reason=body.reason, now=now)
    return show(version_id)
