"""Running jobs: one at a time with its lease kept alive, or in threads of the web process.

A task computes outside any transaction, then stores its effects in one unit of work in which it calls `complete`:
effects and "done" are committed together or not at all.
"""

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Thread, current_thread
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from tracing.platform import jobs
from tracing.platform.clock import Clock
from tracing.platform.db import Database, unit_of_work
from tracing.platform.jobs import ClaimedJob, DeferJob, LeaseLost
from tracing.platform.logs import error_code, job_context
from tracing.platform.settings import JobSettings, Settings

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
RENEWALS_PER_LEASE = 3
PAUSE_AFTER_ERROR_SECONDS = 1.0
log = structlog.stdlib.get_logger(__name__)


class NotCompleted(RuntimeError):
    """A task returned without calling `complete`: a fault in the task."""


class TaskFunction(Protocol[T_contra]):
    """The work of one kind of job, safe to run again: `complete(session)` goes into the unit of work of its effects.

    It may raise DeferJob to be put back. Any other exception is a failed attempt.
    """

    def __call__(self, context: T_contra, job: ClaimedJob, complete: Callable[[Session], None], /) -> None:
        """Do the work."""


def run_one(
    db: Database,
    settings: Settings,
    registry: Mapping[str, TaskFunction[T]],
    context: T,
    worker_name: str,
    clock: Clock,
    job_id: UUID | None = None,
) -> bool:
    """Claim a due job (or this one) of a kind in the registry and run it; False when there was none.

    The task's exceptions are logged and counted as failed attempts, never raised; the database's own are raised.
    """
    with unit_of_work(db) as session:
        job = jobs.claim(
            session,
            worker=worker_name,
            now=clock(),
            lease_seconds=settings.jobs.lease_seconds,
            max_attempts=settings.jobs.max_attempts,
            job_id=job_id,
            kinds=registry.keys(),
        )
    if job is None:
        return False
    with job_context(job.id, job.kind), _Renewal(db, job, settings.jobs, clock):
        _run(db, settings.jobs, registry[job.kind], context, job, clock)
    return True


def worker_name() -> str:
    """Host, process and thread, for the operator's list of running jobs."""
    return f"{socket.gethostname()[:12]}:{os.getpid()}:{current_thread().name[-8:]}"


class EmbeddedWorker(Generic[T]):
    """Threads that run jobs beside the web server."""

    def __init__(
        self, db: Database, settings: Settings, registry: Mapping[str, TaskFunction[T]], context: T, clock: Clock
    ) -> None:
        """Does not start yet."""
        self._db, self._settings, self._registry, self._context, self._clock = db, settings, registry, context, clock
        self._stop = Event()
        self._wake = Event()
        self._threads: list[Thread] = []

    def start(self) -> None:
        """Start the threads, as many as the settings say. RuntimeError when they run already."""
        if self._threads:
            raise RuntimeError("the worker runs already")
        self._stop.clear()
        for number in range(self._settings.jobs.threads):
            # Daemons: a web server that is told to end at once must not hang on a job, which its lease recovers.
            thread = Thread(target=self._loop, name=f"job-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, timeout_seconds: float = 30.0) -> bool:
        """Take no further job, let those that run finish; False when one still ran after the timeout."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(timeout_seconds)
        finished = not any(thread.is_alive() for thread in self._threads)
        self._threads = []
        return finished

    def notify(self) -> None:
        """Look for jobs now rather than at the next poll; call after the commit that wrote one."""
        self._wake.set()

    def _loop(self) -> None:
        name = worker_name()
        while not self._stop.is_set():
            try:
                ran = run_one(self._db, self._settings, self._registry, self._context, name, self._clock)
            except Exception:
                log.exception("worker_error")
                self._stop.wait(PAUSE_AFTER_ERROR_SECONDS)
                continue
            if not ran and not self._stop.is_set():
                self._wake.wait(self._settings.jobs.poll_seconds)
                self._wake.clear()


@dataclass
class _Completion:
    """Hands the task its `complete`, and remembers whether it was called."""

    job: ClaimedJob
    clock: Clock
    called: bool = False

    def __call__(self, session: Session) -> None:
        jobs.finish(session, self.job, self.clock())
        self.called = True


class _Renewal:
    """While entered, a thread prolongs the job's lease three times a lease."""

    def __init__(self, db: Database, job: ClaimedJob, settings: JobSettings, clock: Clock) -> None:
        self._db, self._job, self._lease_seconds, self._clock = db, job, settings.lease_seconds, clock
        self._over = Event()
        self._thread = Thread(target=self._loop, name="lease", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._over.wait(self._lease_seconds / RENEWALS_PER_LEASE):
            try:
                with unit_of_work(self._db) as session:
                    held = jobs.renew(session, self._job, self._clock(), self._lease_seconds)
            except Exception:
                log.exception("lease_not_renewed", job_id=str(self._job.id))
                continue
            if not held:
                return


def _run(db: Database, settings: JobSettings, task: TaskFunction[T], context: T, job: ClaimedJob, clock: Clock) -> None:
    complete = _Completion(job, clock)
    log.info("job_started", attempt=job.attempts)
    try:
        task(context, job, complete)
        if not complete.called:
            raise NotCompleted
    except DeferJob as deferral:
        with unit_of_work(db) as session:
            jobs.defer(session, job, clock() + deferral.delay)
        log.info("job_deferred", seconds=deferral.delay.total_seconds())
    except LeaseLost:
        log.warning("job_lease_lost", attempt=job.attempts)
    except Exception as error:
        with unit_of_work(db) as session:
            state = jobs.fail(session, job, error_code(error), clock(), settings)
        log.exception("job_failed", attempt=job.attempts, state=state)
    else:
        log.info("job_done", attempt=job.attempts)
