"""The evaluation (评测): what was measured of the matching, for supervisors and those who run the service."""

from fastapi import APIRouter
from starlette.responses import Response

from api.web.page import PageDep
from api.web.rendering import render
from tracing.evaluation_report import FILE, read_evaluation
from tracing.platform import errors

router = APIRouter()
POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
"""The report brings its own styles and loads nothing; nothing in it may act."""


@router.get("/evaluation")
def index(page: PageDep) -> Response:
    """When the last report was made, and how one is."""
    report = read_evaluation(page.session, page.services, page.viewer, now=page.now)
    return render(page, "system/evaluation.html", made_at=report.made_at if report else None, file=FILE)


@router.get("/evaluation/report")
def report(page: PageDep) -> Response:
    """The report as it was written."""
    found = read_evaluation(page.session, page.services, page.viewer, now=page.now)
    if found is None:
        raise errors.NotFound()
    return Response(found.page, media_type="text/html", headers={"Content-Security-Policy": POLICY})
