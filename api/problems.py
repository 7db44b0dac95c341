"""Errors as RFC 9457 problems: one table from error class to status, and the handlers that use it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from structlog.contextvars import get_contextvars

from api import refusals
from api.errors import (
    BodyTooLarge,
    GateClosed,
    Malformed,
    MethodNotAllowed,
    RequestInvalid,
    VersionMissing,
)
from api.locales import locale_of
from api.messages import sentence, translate
from api.schemas.base import ProblemErrorOut, ProblemOut
from api.validation import described
from models.user import Locale
from tracing.facts import InvalidFacts
from tracing.platform import errors

log = structlog.stdlib.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
STATUS: Mapping[type[errors.TracingError], int] = MappingProxyType(
    {
        errors.TracingError: 500,
        errors.NotFound: 404,
        errors.Forbidden: 403,
        errors.Conflict: 409,
        errors.StaleVersion: 412,
        errors.Invalid: 422,
        errors.Unauthenticated: 401,
        errors.TooManyAttempts: 429,
        errors.Unavailable: 503,
        MethodNotAllowed: 405,
        BodyTooLarge: 413,
        Malformed: 400,
        VersionMissing: 428,
    }
)
"""The nearest base of an error's class decides."""
_TITLES = MappingProxyType({413: "Content Too Large", 422: "Unprocessable Content"})  # RFC 9110 renamed these

PageRenderer = Callable[[Request, "Problem"], Response]


@dataclass(frozen=True)
class Problem:
    """A problem in words, ready to be sent to a program or shown on a page."""

    status: int
    slug: str
    title: str
    detail: str
    errors: tuple[ProblemErrorOut, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def status_of(kind: type[errors.TracingError]) -> int:
    """The status of an error class. Every class is mapped: TracingError itself is 500."""
    return next(STATUS[base] for base in kind.__mro__ if base in STATUS)


def problem_of(error: errors.TracingError, locale: Locale) -> Problem:
    """An error in the user's language."""
    status = status_of(type(error))
    return Problem(
        status=status,
        slug=error.slug,
        title=_title(status, locale),
        detail=sentence(locale, error),
        errors=_field_errors(error, locale),
        headers=_headers(error, status),
    )


def _title(status: int, locale: Locale) -> str:
    return translate(locale, _TITLES.get(status) or HTTPStatus(status).phrase)


def _field_errors(error: errors.TracingError, locale: Locale) -> tuple[ProblemErrorOut, ...]:
    found = error.problems if isinstance(error, InvalidFacts) else (error,) if error.field else ()
    return tuple(ProblemErrorOut(field=one.field or "", slug=one.slug, detail=sentence(locale, one)) for one in found)


def _headers(error: errors.TracingError, status: int) -> dict[str, str]:
    if isinstance(error, errors.TooManyAttempts | errors.IndexWarming):
        return {"Retry-After": str(error.retry_after)}
    if status == 503:
        return {"Retry-After": str(RETRY_SECONDS)}
    return {"WWW-Authenticate": 'Bearer realm="guitu"'} if status == 401 else {}


def respond(request: Request, problem: Problem) -> Response:
    """The problem as JSON; as a page for an address outside the API, if the pages have set their renderer."""
    renderer: PageRenderer | None = getattr(request.app.state, "render_problem", None)
    if renderer is not None and _is_page(request):
        try:
            return renderer(request, problem)
        except Exception:
            # Whatever broke the page may break its problem's page as well: the answer stays what it is.
            log.exception("problem_page_failed", code=problem.slug)
    return as_json(problem)


def _is_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and request.url.path not in (
        "/health",
        "/ready",
        "/version",
        "/metrics",
    )


def as_json(problem: Problem) -> JSONResponse:
    """The problem as a program reads it."""
    body = ProblemOut(
        type=f"urn:guitu:problem:{problem.slug}",
        title=problem.title,
        status=problem.status,
        slug=problem.slug,
        detail=problem.detail,
        request_id=get_contextvars().get("request_id"),
        errors=problem.errors,
    )
    return JSONResponse(body.model_dump(mode="json"), problem.status, dict(problem.headers), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Register the handlers. What is not expected is caught by `api.middleware.RequestLog`."""
    app.add_exception_handler(errors.TracingError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(IntegrityError, _integrity)
    app.add_exception_handler(StaleDataError, _stale)
    app.add_exception_handler(DataError, _unstorable)
    for missing in (OperationalError, PoolTimeout, RedisError):
        app.add_exception_handler(missing, _unavailable)


def _expected(request: Request, error: Exception) -> Response:
    if not isinstance(error, errors.TracingError):
        raise error
    refusals.record(request, error)
    if status_of(type(error)) >= 500:
        log.error("request_failed", code=error.slug)
    return respond(request, problem_of(error, locale_of(request)))


def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    locale = locale_of(request)
    problem = problem_of(RequestInvalid(), locale)
    return respond(
        request,
        Problem(problem.status, problem.slug, problem.title, problem.detail, described(locale, error.errors())),
    )


def _http(request: Request, error: Exception) -> Response:
    """Errors of the framework: no such address, no such method, a body that is too large or cannot be parsed."""
    if not isinstance(error, HTTPException):
        raise error
    limit: int = getattr(request.state, "body_limit", 0)
    kinds: dict[int, errors.TracingError] = {
        401: errors.Unauthenticated(),
        403: errors.Forbidden(),
        404: errors.NotFound(),
        405: MethodNotAllowed(),
        413: BodyTooLarge(max_megabytes=max(1, limit // 2**20)),
    }
    problem = problem_of(kinds.get(error.status_code, Malformed()), locale_of(request))
    headers = {**problem.headers, **(error.headers or {})}
    return respond(
        request, Problem(problem.status, problem.slug, problem.title, problem.detail, problem.errors, headers)
    )


def _integrity(request: Request, error: Exception) -> Response:
    """A trigger ("gate: …") or a constraint refused what slipped past the use case, mostly two requests at once."""
    gate = isinstance(error, IntegrityError) and "gate: " in str(error.orig)
    refused = GateClosed() if gate else errors.Conflict()
    log.warning("refused_by_database", gate=gate)
    return _expected(request, refused)


def _stale(request: Request, error: Exception) -> Response:
    return _expected(request, errors.StaleVersion())


def _unstorable(request: Request, error: Exception) -> Response:
    """A value that the database cannot hold and that no check has caught: the sender can mend it, and we should."""
    log.error("value_not_storable", exc_info=error)
    return _expected(request, errors.Invalid())


def _unavailable(request: Request, error: Exception) -> Response:
    log.error("unavailable", exc_info=error)
    return _expected(request, errors.Unavailable())


def unexpected(request: Request) -> Response:
    """The answer to an exception that nobody foresaw: it tells nothing but the request's id."""
    return respond(request, problem_of(errors.TracingError(), locale_of(request)))
