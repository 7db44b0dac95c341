"""Problems as pages: the form again with all that was typed, the sign-in, or a page that says what to do."""

from urllib.parse import urlencode

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.deps import now_of
from api.locales import locale_of
from api.problems import Problem
from api.web import public_page
from api.web.page import Again, Page, who_looks
from api.web.rendering import render
from tracing.platform import errors
from tracing.platform.db import unit_of_work
from tracing.platform.errors import Unauthenticated
from tracing.services import Services

log = structlog.stdlib.get_logger(__name__)
_KEPT = frozenset({"retry-after", "allow"})


def render_problem(request: Request, problem: Problem) -> Response:
    """The page for a problem; called by the problem handlers for every address outside the API."""
    if request.url.path.startswith(public_page.PREFIX):
        response = public_page.show_problem(request, problem)
    else:
        request.state.locale = locale_of(request)
        response = _render(request, problem)
    for name, value in problem.headers.items():
        if name.lower() in _KEPT:
            response.headers[name] = value
    return response


def _render(request: Request, problem: Problem) -> Response:
    reading = request.method in ("GET", "HEAD")
    if problem.slug == Unauthenticated.slug and reading:
        return _to_sign_in(request)
    services: Services = request.app.state.services
    again: Again | None = getattr(request.state, "again", None)
    if again is not None and problem.status < 500:
        try:
            with unit_of_work(services.db) as session:
                return again.show(Page(request, services, session, now_of(request), again.who, again.typed, problem))
        except errors.TracingError as error:
            log.info("form_not_shown_again", code=error.slug)
    return _error_page(request, services, problem)


def _to_sign_in(request: Request) -> Response:
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Refresh": "true"})
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/login?{urlencode({'next': here})}" if here != "/" else "/login", 303)


def _error_page(request: Request, services: Services, problem: Problem) -> Response:
    viewer = getattr(request.state, "viewer", None)
    if viewer is None and problem.status < 500:
        viewer = who_looks(request, services, now_of(request))
    with services.db.session_factory() as session:  # never used: an error page asks the database nothing
        page = Page(request, services, session, now_of(request), viewer, problem=problem, asks=False)
        return render(page, "error.html")
