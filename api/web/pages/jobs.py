"""Jobs (后台任务): what the service does in the background, and what it had to set aside."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import members_named
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.job import JobState
from tracing import operations

router = APIRouter()
SHOWN = 50


def show_jobs(page: Page) -> Response:
    """Newest first, filtered by state."""
    query = page.request.query_params
    states = members_named(query.getlist("state"), JobState)
    listed = operations.list_jobs(
        page.session, page.viewer, states=states, cursor=query.get("cursor") or None, limit=SHOWN, now=page.now
    )
    return render(
        page, "jobs/list.html", jobs=listed.items, next_cursor=listed.next_cursor, states=states,
        all_states=list(JobState), first=not query.get("cursor"), set_aside=JobState.SET_ASIDE,
    )  # fmt: skip


@router.get("/jobs")
def index(page: PageDep) -> Response:
    """The list."""
    return show_jobs(page)


@router.post("/jobs/{job_id}/retry")
def retry(page: Annotated[Page, posted(show_jobs)], job_id: uuid.UUID) -> Response:
    """Back into the queue."""
    operations.retry_job(page.session, page.viewer, job_id, now=page.now)
    return redirect(page, "/jobs", done(page, "The job is in the queue again."))
