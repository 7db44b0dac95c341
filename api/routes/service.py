"""The service's own state: alive, ready, which version. Outside the versioned API and without sign-in."""

from collections.abc import Iterator
from importlib.metadata import version

import structlog
from fastapi import APIRouter, Response
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from api.deps import ServicesDep
from api.schemas.operations import HealthOut, ReadyOut, VersionOut
from tracing.operations import check_database
from tracing.platform.db import read_only
from tracing.services import Services

router = APIRouter(tags=["service"])
log = structlog.stdlib.get_logger(__name__)
REDIS_TIMEOUT_SECONDS = 2.0
DISTRIBUTION = "guitu"


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
