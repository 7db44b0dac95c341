"""The web application: `uvicorn --factory api.app:create_app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import structlog
from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartParser

from api import problems
from api.middleware import BodyLimit, RequestLog, SecurityHeaders
from api.openapi import DESCRIPTION, TAGS, DescribedApi, operation_id
from api.openapi import problems as problem_responses
from api.routes import (
    admission,
    assignments,
    audit,
    cases,
    claims,
    confirmation,
    contact,
    contact_protocol,
    deadlines,
    divisions,
    duplicates,
    exclusions,
    features,
    followup,
    home_notices,
    interviews,
    jobs,
    ledger,
    lookouts,
    me,
    notices,
    notifications,
    oauth,
    organisations,
    outcomes,
    patrols,
    photos,
    referrals,
    reports,
    review,
    review_requests,
    service,
    sightings,
    statistics,
    tips,
    users,
    webhooks,
)
from api.web import register
from tracing.gallery_keeper import IndexKeeper
from tracing.limits import LoginLimiter, TipLimiter
from tracing.periodic import Timekeeper
from tracing.platform import logs
from tracing.platform.clock import Clock, utc_now
from tracing.platform.settings import Settings, load_settings
from tracing.platform.worker import EmbeddedWorker
from tracing.services import Services, build_services
from tracing.tasks import REGISTRY

log = structlog.stdlib.get_logger(__name__)

SIGNED_IN = (
    me,
    notifications,
    cases,
    photos,
    reports,
    review,
    features,
    assignments,
    review_requests,
    claims,
    exclusions,
    confirmation,
    contact,
    contact_protocol,
    home_notices,
    outcomes,
    ledger,
    deadlines,
    interviews,
    referrals,
    followup,
    duplicates,
    notices,
    tips,
    statistics,
    admission,
    sightings,
    lookouts,
    patrols,
    organisations,
    users,
    webhooks,
    divisions,
    jobs,
    audit,
)


def create_app(settings: Settings | None = None, clock: Clock = utc_now) -> FastAPI:
    """The application for these settings (default: those of the environment).

    Raises SettingsError when the service must not start with them. `app.state` has `services`, `clock`, `limiter` and
    `worker` (None when Celery runs the jobs).
    """
    settings = settings or load_settings()
    logs.configure(settings)
    for sentence in settings.check():
        log.warning("settings", warning=sentence)
    services = build_services(settings)
    app = DescribedApi(
        title="Guitu 归途",
        version=version(service.DISTRIBUTION),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # both documentation pages load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=operation_id,
        # It would record what was sent, with exceptions and validation errors, wherever a collector is configured.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    attach(app, services, clock)
    problems.install(app)
    app.include_router(_api())
    app.include_router(service.router)
    register(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, photo_bytes=settings.photos.max_bytes, tip_bytes=settings.tips.max_photo_bytes)
    app.add_middleware(SecurityHeaders, https=settings.web.secure_cookies)
    app.add_middleware(RequestLog)
    # A photograph on its way in stays in memory: in the clear it does not belong on a disk.
    MultiPartParser.spool_max_size = settings.photos.max_bytes + 1
    return app


def attach(app: FastAPI, services: Services, clock: Clock = utc_now) -> None:
    """Make these the services that the routes work with: their limits, and a worker at rest when none is Celery's."""
    app.state.services = services
    app.state.clock = clock
    app.state.limiter = LoginLimiter(services.settings.limits)
    app.state.tip_limiter = TipLimiter(services.settings.limits)
    app.state.worker = _worker(services, clock)


def _api() -> APIRouter:
    api = APIRouter(prefix="/api/v1", responses=problem_responses(422, 503))
    api.include_router(oauth.router)
    for module in SIGNED_IN:
        api.include_router(module.router, responses=problem_responses(401))
    return api


def _worker(services: Services, clock: Clock) -> EmbeddedWorker[Services] | None:
    if services.settings.jobs.mode != "embedded":
        return None
    return EmbeddedWorker(services.db, services.settings, REGISTRY, services, clock)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Run the jobs beside the web server, and let those that run finish at the end."""
    worker: EmbeddedWorker[Services] | None = app.state.worker
    timekeeper = Timekeeper(app.state.services, app.state.clock)
    if worker is not None:
        worker.start()
        timekeeper.start()
    keeper = IndexKeeper(app.state.services, app.state.clock)
    keeper.start()
    try:
        yield
    finally:
        if worker is not None:
            await run_in_threadpool(timekeeper.stop)
            await run_in_threadpool(worker.stop)
        await run_in_threadpool(keeper.stop)
        app.state.services.db.dispose()
