"""Assignments (复核分派) and results of examiners (复核质量): taking a case, giving it on, how well people judge."""

import uuid
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep
from api.openapi import problems
from api.schemas.assignments import (
    AssignmentOut,
    QualityOut,
    ReassignIn,
    TakenOut,
    assignment_out,
    quality_out,
    taken_out,
)
from api.schemas.base import Moment, PageOut
from tracing import review_quality, review_queue, review_supervision

router = APIRouter(tags=["review"], responses=problems(403))
YEAR = timedelta(days=365)


@router.post("/cases/{case_id}/review/take", summary="Take a case from the queue", responses=problems(404, 409))
def take(case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep) -> TakenOut:
    """One that nobody has, or that was left too long. Again is harmless."""
    return taken_out(review_queue.take_case(session, services, viewer, case_id, now=now))


@router.get("/cases/{case_id}/review/assignments", summary="Who had and has a case", responses=problems(404))
def assignments(
    case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep, paging: PagingDep
) -> PageOut[AssignmentOut]:
    """For police supervisors, newest first."""
    page = review_supervision.list_assignments(
        session, viewer, case_id, cursor=paging.cursor, limit=paging.limit, now=now
    )
    return PageOut(items=tuple(assignment_out(row) for row in page.items), next_cursor=page.next_cursor)


@router.post(
    "/review/assignments/{assignment_id}/reassign", summary="Give a case to somebody else", responses=problems(404, 409)
)
def reassign(
    assignment_id: uuid.UUID,
    body: ReassignIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> AssignmentOut:
    """For police supervisors, with a reason. Answers the new assignment; the old one stays on record."""
    made = review_supervision.reassign(
        session, services, viewer, assignment_id, examiner_id=body.examiner_id, reason=body.reason, now=now
    )
    return assignment_out(made)


@router.get("/review/quality", summary="How well examiners judge")
def quality(
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    since: Annotated[Moment | None, Query(description="Opinions from then on; a year back if left out.")] = None,
) -> PageOut[QualityOut]:
    """For police supervisors: known non-matches, later outcomes, time spent. Figures that rest on few are marked."""
    page = review_quality.list_quality(
        session, services, viewer, since=since or now - YEAR, cursor=paging.cursor, limit=paging.limit, now=now
    )
    return PageOut(items=tuple(quality_out(one) for one in page.items), next_cursor=page.next_cursor)
