"""Jobs (后台任务), for operators."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import NowDep, PagingDep, SessionDep, ViewerDep
from api.openapi import problems
from api.schemas.base import PageOut
from api.schemas.operations import JobOut, job_out
from models.job import JobState
from tracing import operations

router = APIRouter(prefix="/jobs", tags=["jobs"], responses=problems(403))


@router.get("", summary="Jobs, newest first")
def list_page(
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    state: Annotated[list[JobState] | None, Query(description="May be given several times.")] = None,
) -> PageOut[JobOut]:
    """They hold identifiers alone."""
    page = operations.list_jobs(
        session, viewer, states=frozenset(state or ()), cursor=paging.cursor, limit=paging.limit, now=now
    )
    return PageOut(items=tuple(job_out(job) for job in page.items), next_cursor=page.next_cursor)


@router.post(
    "/{job_id}/retry", summary="Queue a job again that was set aside", status_code=204, responses=problems(404)
)
def retry(job_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> None:
    """With all its attempts."""
    operations.retry_job(session, viewer, job_id, now=now)
