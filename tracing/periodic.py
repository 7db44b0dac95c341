"""Periodic work (定时任务): kinds of jobs that are asked for again and again, by whoever runs jobs.

One row a kind in the job table: it is queued anew when it has been done for as long as its interval, however many
processes ask.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Event, Thread
from types import MappingProxyType

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.job import Job, JobState
from tracing.deadline_watch import WATCH, uncertain_years
from tracing.lookout_watch import WATCH_LOOKOUTS
from tracing.notification_pruning import PRUNE
from tracing.platform import jobs
from tracing.platform.clock import Clock
from tracing.platform.db import read_only, unit_of_work
from tracing.review_watch import ASSIGN
from tracing.services import Services
from tracing.tidying import TIDY

EVERY: Mapping[str, timedelta] = MappingProxyType(
    {
        WATCH: timedelta(minutes=1),
        WATCH_LOOKOUTS: timedelta(minutes=1),
        ASSIGN: timedelta(minutes=1),
        PRUNE: timedelta(days=1),
        TIDY: timedelta(days=1),
    }
)
LOOK_SECONDS = 15.0
log = structlog.stdlib.get_logger(__name__)


def due_kinds(session: Session, now: datetime) -> list[str]:
    """Kinds that have waited for their interval, or were never asked for."""
    keys = {_key(kind): kind for kind in EVERY}
    rows = session.execute(select(Job.key, Job.state, Job.finished_at).where(Job.key.in_(keys))).all()
    resting = {
        keys[key]
        for key, state, finished in rows
        if state in (JobState.QUEUED, JobState.RUNNING) or (finished and finished > now - EVERY[keys[key]])
    }
    return [kind for kind in EVERY if kind not in resting]


def ask(services: Services, now: datetime) -> int:
    """Queue the periodic jobs whose time has come; how many. Safe from several processes at once."""
    with read_only(services.db) as session:
        due = due_kinds(session, now)
    if due:
        with unit_of_work(services.db) as session:
            for kind in due:
                jobs.enqueue(session, kind=kind, key=_key(kind), payload={}, now=now, again=True)
    return len(due)


def _key(kind: str) -> str:
    return f"periodic:{kind}"


def warn_of_calendar(services: Services, now: datetime) -> None:
    """Log the years whose official calendar is not known: working days are counted without make-up days there."""
    for year in uncertain_years(services, now):
        log.warning(
            "calendar_not_known", year=year, remedy="write the year into calendar-CN.json, see docs/workflow.md"
        )


class Timekeeper:
    """The thread that asks for periodic work beside the web server. `ask` is one round."""

    def __init__(self, services: Services, clock: Clock) -> None:
        """Does not start yet."""
        self._services, self._clock = services, clock
        self._stop = Event()
        self._thread = Thread(target=self._loop, name="timekeeper", daemon=True)

    def start(self) -> None:
        """Ask now, and from then on."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(timeout_seconds)

    def _loop(self) -> None:
        warn_of_calendar(self._services, self._clock())
        while not self._stop.is_set():
            try:
                ask(self._services, self._clock())
            except Exception:
                log.exception("periodic_work_not_asked_for")
            self._stop.wait(LOOK_SECONDS)
