"""The system (系统状态): index, jobs, policies and figures in force, for those who run the service."""

from fastapi import APIRouter
from starlette.responses import Response

from api.web.page import PageDep
from api.web.rendering import render
from models.job import JobState
from tracing.system_state import read_system

router = APIRouter()


@router.get("/system")
def index(page: PageDep) -> Response:
    """How it is now."""
    state = read_system(page.session, page.services, page.viewer, now=page.now)
    return render(page, "system/system.html", state=state, now=page.now, job_states=list(JobState))
