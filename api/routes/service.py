"""The service's own state: alive, ready, which version. Outside the versioned API and without sign-in."""

import secrets
from collections.abc import Iterator
from importlib.metadata import version
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST as METRICS_TYPE
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from api.deps import ServicesDep
from api.schemas.operations import HealthOut, ReadyOut, VersionOut
from tracing.operations import check_database
from tracing.platform.db import read_only
from tracing.platform.errors import NotFound
from tracing.platform.settings import WebSettings
from tracing.services import Services

router = APIRouter(tags=["service"])
log = structlog.stdlib.get_logger(__name__)
REDIS_TIMEOUT_SECONDS = 2.0
DISTRIBUTION = "guitu"
LOOPBACK = ("127.0.0.1", "::1")


@router.get("/health", summary="The process is alive")
def health() -> HealthOut:
    """Asks nothing of anything else."""
    return HealthOut()


@router.get(
    "/ready",
    summary="Requests can be served",
    responses={503: {"model": ReadyOut, "description": "Something is missing; `missing` says what."}},
)
def ready(services: ServicesDep, response: Response) -> ReadyOut:
    """The database answers and has its schema; with Celery workers, Redis answers too."""
    missing = tuple(_missing(services))
    if missing:
        response.status_code = 503
    return ReadyOut(ready=not missing, missing=missing)


def _missing(services: Services) -> Iterator[str]:
    try:
        with read_only(services.db) as session:
            check_database(session)
    except SQLAlchemyError:
        log.exception("database_not_ready")
        yield "database"
    if services.settings.jobs.mode == "celery":
        try:
            _ping(services.settings.jobs.broker_url.get_secret_value())
        except RedisError:
            log.exception("redis_not_ready")
            yield "redis"


def _ping(url: str) -> None:
    with Redis.from_url(
        url, socket_connect_timeout=REDIS_TIMEOUT_SECONDS, socket_timeout=REDIS_TIMEOUT_SECONDS
    ) as client:
        client.ping()


@router.get("/version", summary="What is running")
def read_version() -> VersionOut:
    """The distribution and its version."""
    return VersionOut(name=DISTRIBUTION, version=version(DISTRIBUTION))


@router.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
def read_metrics(
    request: Request, services: ServicesDep, authorization: Annotated[str | None, Header()] = None
) -> PlainTextResponse:
    """Size, lag, latency and recall of the face index. Only for whom `GUITU_WEB__METRICS` lets in; 404 to others."""
    if not _may_read_metrics(request, services.settings.web, authorization or ""):
        raise NotFound
    return PlainTextResponse(services.gallery.metrics.text(), media_type=METRICS_TYPE)


def _may_read_metrics(request: Request, settings: WebSettings, authorization: str) -> bool:
    if settings.metrics == "loopback":
        # A proxy on this machine speaks for others: what it forwards is not from here.
        forwarded = any(name in request.headers for name in ("forwarded", "x-forwarded-for"))
        return request.client is not None and request.client.host in LOOPBACK and not forwarded
    if settings.metrics == "token" and settings.metrics_token is not None:
        wanted = f"Bearer {settings.metrics_token.get_secret_value()}"
        return secrets.compare_digest(authorization.encode(), wanted.encode())
    return False
