"""Requests (补充要求): an examiner asks the station for a better photograph or a DNA sample instead of guessing."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, PagingDep, SessionDep, ViewerDep, created
from api.openapi import problems
from api.schemas.assignments import RequestIn, RequestOut, request_out
from api.schemas.base import PageOut
from api.schemas.deadlines import ReasonIn
from tracing import review_requests
from tracing.review_requests import RequestView

router = APIRouter(tags=["review"], responses=problems(403, 404))


@router.post(
    "/candidates/{candidate_id}/requests", summary="Ask for what is missing", status_code=201, responses=problems(409)
)
def ask(
    candidate_id: uuid.UUID, body: RequestIn, session: SessionDep, viewer: ViewerDep, now: NowDep, response: Response
) -> RequestOut:
    """The station is told what is wanted. No opinion: the candidate still waits for one. Again is the same request."""
    row = review_requests.ask_for(session, viewer, candidate_id, body.kind, now=now)
    created(response, f"/api/v1/cases/{row.case_id}/review/requests")
    return request_out(RequestView(row, met=False, mine=True))


@router.get("/cases/{case_id}/review/requests", summary="What examiners asked of the station")
def requests(
    case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep, paging: PagingDep
) -> PageOut[RequestOut]:
    """Newest first, withdrawn ones among them."""
    page = review_requests.list_requests(session, viewer, case_id, cursor=paging.cursor, limit=paging.limit, now=now)
    return PageOut(items=tuple(request_out(one) for one in page.items), next_cursor=page.next_cursor)


@router.post("/review/requests/{request_id}/withdraw", summary="Take one's own request back", responses=problems(409))
def withdraw_request(
    request_id: uuid.UUID, body: ReasonIn, session: SessionDep, viewer: ViewerDep, now: NowDep
) -> RequestOut:
    """It stays on record."""
    row = review_requests.withdraw_request(session, viewer, request_id, reason=body.reason, now=now)
    return request_out(RequestView(row, met=False, mine=True))
