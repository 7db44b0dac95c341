"""The system (系统状态): index, jobs, policies and figures in force, for those who run the service."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.web import live
from api.web.page import PageDep
from api.web.rendering import fragment, render
from models.job import JobState
from tracing.operations import count_jobs
from tracing.system_state import read_system

router = APIRouter()


def jobs_mark(counts: Mapping[JobState, int]) -> str:
    """Names what the counts of jobs show."""
    return "-".join(str(counts.get(state, 0)) for state in JobState)


@router.get("/system")
def index(page: PageDep) -> Response:
    """How it is now."""
    state = read_system(page.session, page.services, page.viewer, now=page.now)
    return render(page, "system/system.html", state=state, **_counted(state.jobs))


@router.get("/system/jobs")
def jobs(page: PageDep) -> Response:
    """The counts of jobs anew, for htmx."""
    return fragment(page, "system/jobs.html", **_counted(count_jobs(page.session, page.viewer)))


@router.get("/system/live")
def follow(page: PageDep) -> Response:
    """Tells the open page when the counts of jobs have changed."""
    return live.follow(page, lambda session, viewer: jobs_mark(count_jobs(session, viewer)))


def _counted(counts: Mapping[JobState, int]) -> dict[str, Any]:
    return {"counts": counts, "job_states": list(JobState), "mark": jobs_mark(counts)}
