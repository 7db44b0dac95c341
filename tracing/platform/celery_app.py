"""Celery in production: `celery -A tracing.platform.celery_app:app worker` and `… beat`.

The broker carries job ids and nothing else; the job table decides. A message lost costs one republication, a message
twice costs one claim that finds nothing. `app` is made from the environment when it is first asked for; importing this
module, or asking for `app`, neither connects nor opens the database.
"""

from datetime import timedelta
from functools import cache
from threading import Lock
from typing import Any
from uuid import UUID

from celery import Celery, signals

from tracing import periodic
from tracing.gallery_keeper import IndexKeeper
from tracing.platform import jobs, logs
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.platform.settings import Settings, load_settings
from tracing.platform.worker import run_one, worker_name
from tracing.services import Services, build_services
from tracing.tasks import REGISTRY

RUN_JOB = "guitu.run_job"
RELAY = "guitu.relay"
PERIODIC = "guitu.periodic"
JOB_QUEUE = "guitu"
# A queue of its own, read in turn with the other: a backlog of jobs must not hold up the relay.
RELAY_QUEUE = "guitu.relay"
RELAY_EVERY_SECONDS = 1.0
RELAY_EXPIRES_SECONDS = 5
PERIODIC_EVERY_SECONDS = 15.0
SOFT_LIMIT_SHARE = 0.9
VISIBILITY_MARGIN_SECONDS = 60
RESTORE_INTERVAL_SECONDS = 5


def make_celery(settings: Settings) -> Celery:
    """The Celery application of these settings. Services are built in each worker process at its first task."""
    celery = Celery("guitu", broker=settings.jobs.broker_url.get_secret_value())
    celery.conf.update(_configuration(settings))
    building = Lock()

    @cache
    def built() -> Services:
        found = build_services(settings)
        IndexKeeper(found, utc_now).start()
        periodic.warn_of_calendar(found, utc_now())
        return found

    def services() -> Services:
        # After the fork, because connections must not cross it; under a lock, because a thread pool may ask twice.
        with building:
            return built()

    @celery.task(name=RUN_JOB)
    def run_job(job_id: str) -> None:
        context = services()
        run_one(context.db, settings, REGISTRY, context, worker_name(), utc_now, UUID(job_id))

    @celery.task(name=RELAY)
    def relay() -> None:
        publish_due(celery, services())

    @celery.task(name=PERIODIC)
    def ask_for_periodic_work() -> None:
        periodic.ask(services(), utc_now())

    return celery


def publish_due(celery: Celery, services: Services) -> int:
    """Announce due jobs; how many. Marked as announced first, so that a crash in between only delays them."""
    settings = services.settings.jobs
    with unit_of_work(services.db) as session:
        due = jobs.due_for_publication(session, utc_now(), settings.republish_seconds, settings.publish_limit)
    for job_id in due:
        # An announcement that nobody took expires when the next is sent: a backlog does not grow by repetition.
        celery.send_task(RUN_JOB, args=[str(job_id)], queue=JOB_QUEUE, expires=settings.republish_seconds)
    return len(due)


def _configuration(settings: Settings) -> dict[str, Any]:
    limit = settings.jobs.time_limit_seconds
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_backend": None,
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": limit,
        "task_soft_time_limit": limit * SOFT_LIMIT_SHARE,
        "task_default_queue": JOB_QUEUE,
        # Exchange and key spelt out: the defaults would bind both queues to one key, and copy each message to both.
        "task_queues": {name: {"exchange": name, "routing_key": name} for name in (JOB_QUEUE, RELAY_QUEUE)},
        "task_routes": {RUN_JOB: {"queue": JOB_QUEUE}, RELAY: {"queue": RELAY_QUEUE}, PERIODIC: {"queue": RELAY_QUEUE}},
        "task_create_missing_queues": False,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {
            # Longer than any task may run, or Redis would hand a running task's message out again.
            "visibility_timeout": limit + VISIBILITY_MARGIN_SECONDS,
            # kombu looks every interval × throttle seconds, 10 × 10 unless told.
            "unacked_restore_interval": RESTORE_INTERVAL_SECONDS,
            "unacked_restore_throttle": 1,
            "global_keyprefix": settings.jobs.broker_key_prefix,
        },
        "beat_schedule": {
            "relay": {
                "task": RELAY,
                "schedule": timedelta(seconds=RELAY_EVERY_SECONDS),
                "options": {"expires": RELAY_EXPIRES_SECONDS, "queue": RELAY_QUEUE},
            },
            "periodic": {
                "task": PERIODIC,
                "schedule": timedelta(seconds=PERIODIC_EVERY_SECONDS),
                "options": {"expires": PERIODIC_EVERY_SECONDS, "queue": RELAY_QUEUE},
            },
        },
        "beat_schedule_filename": str(settings.data_dir / "celerybeat-schedule"),
        "beat_max_loop_interval": RELAY_EVERY_SECONDS,
        "timezone": "UTC",
        "enable_utc": True,
    }


@cache
def _app() -> Celery:
    settings = load_settings()
    settings.check()

    def configure_logs(**_arguments: object) -> None:
        logs.configure(settings)

    # Connecting this signal also keeps Celery from setting up logging of its own.
    signals.setup_logging.connect(configure_logs, weak=False)
    return make_celery(settings)


def __getattr__(name: str) -> Celery:
    """`app`, made at first use (PEP 562)."""
    if name == "app":
        return _app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
