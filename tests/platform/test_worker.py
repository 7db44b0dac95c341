"""Workers: effects and completion together, leases kept alive, threads that start, drain and survive."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Lock, get_ident
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models.job import Job, JobState
from models.subject import Subject
from tests.platform.conftest import NOW, prepared, settings_for
from tracing.platform import jobs
from tracing.platform import worker as module
from tracing.platform.clock import utc_now
from tracing.platform.db import Database, unit_of_work
from tracing.platform.jobs import ClaimedJob, DeferJob
from tracing.platform.settings import Settings
from tracing.platform.worker import EmbeddedWorker, TaskFunction, run_one

Complete = Callable[[Session], None]


def effect(session: Session) -> None:
    """Something a task stores."""
    session.add(Subject(id=uuid4(), wrapped_key=None, master_key_id="m", created_at=NOW, destroyed_at=None))


def store_effect(db: Database, _job: ClaimedJob, complete: Complete) -> None:
    """The simplest whole task; its context is the database."""
    with unit_of_work(db) as session:
        effect(session)
        complete(session)


def put(db: Database, kind: str = "work", key: str | None = None) -> UUID:
    """A committed job."""
    with unit_of_work(db) as session:
        job_id = jobs.enqueue(session, kind=kind, key=key or str(uuid4()), payload={}, now=utc_now())
    assert job_id is not None
    return job_id


def ran(db: Database, settings: Settings, task: TaskFunction[Database], job_id: UUID | None = None) -> bool:
    """Run one job whose work is that task."""
    return run_one(db, settings, {"work": task}, db, "test", utc_now, job_id)


def row(db: Database, job_id: UUID) -> Job:
    """The job as it is now."""
    with unit_of_work(db) as session:
        return session.get_one(Job, job_id)


def effects(db: Database) -> int:
    """How many effects were stored."""
    with unit_of_work(db) as session:
        return session.scalars(select(func.count()).select_from(Subject)).one()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something that other threads do."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@contextmanager
def working(
    db: Database, settings: Settings, registry: dict[str, TaskFunction[Database]]
) -> Iterator[EmbeddedWorker[Database]]:
    """A started worker, stopped afterwards."""
    worker = EmbeddedWorker(db, settings, registry, db, utc_now)
    worker.start()
    try:
        yield worker
    finally:
        assert worker.stop(10)


def test_effects_and_completion_are_one(db: Database, sqlite_settings: Settings) -> None:
    assert not ran(db, sqlite_settings, store_effect)
    job_id = put(db)
    assert ran(db, sqlite_settings, store_effect)
    assert (row(db, job_id).state, effects(db)) == (JobState.DONE, 1)
    assert not ran(db, sqlite_settings, store_effect, job_id)


def test_an_error_is_a_failed_attempt_and_its_text_is_kept_nowhere(db: Database, sqlite_settings: Settings) -> None:
    def fails(context: Database, _job: ClaimedJob, complete: Complete) -> None:
        with unit_of_work(context) as session:
            effect(session)
            complete(session)
            raise ValueError("王小明")

    job_id = put(db)
    with capture_logs() as lines:
        assert ran(db, sqlite_settings, fails)
    found = row(db, job_id)
    assert (found.state, found.last_error, found.attempts, effects(db)) == (JobState.QUEUED, "ValueError", 1, 0)
    assert [line["event"] for line in lines] == ["job_started", "job_failed"]
    assert "王小明" not in str(lines)


def test_a_task_that_forgets_to_complete_has_failed(sqlite_db: Database, sqlite_settings: Settings) -> None:
    job_id = put(sqlite_db)
    assert ran(sqlite_db, sqlite_settings, lambda _context, _job, _complete: None)
    assert row(sqlite_db, job_id).last_error == "NotCompleted"


def test_a_task_may_ask_for_later(sqlite_db: Database, sqlite_settings: Settings) -> None:
    def later(_context: Database, _job: ClaimedJob, _complete: Complete) -> None:
        raise DeferJob(timedelta(hours=1))

    job_id = put(sqlite_db)
    assert ran(sqlite_db, sqlite_settings, later)
    found = row(sqlite_db, job_id)
    assert (found.state, found.attempts, found.last_error) == (JobState.QUEUED, 0, None)
    assert found.run_after > utc_now() + timedelta(minutes=59)


def test_a_worker_that_was_overtaken_keeps_nothing(db: Database, sqlite_settings: Settings) -> None:
    def overtaken(context: Database, job: ClaimedJob, complete: Complete) -> None:
        with unit_of_work(context) as session:
            other = jobs.claim(
                session, worker="o", now=utc_now() + timedelta(hours=1), lease_seconds=60, max_attempts=5, job_id=job.id
            )
        assert other is not None
        store_effect(context, job, complete)

    job_id = put(db)
    with capture_logs() as lines:
        assert ran(db, sqlite_settings, overtaken)
    found = row(db, job_id)
    assert (found.state, found.attempts, effects(db)) == (JobState.RUNNING, 2, 0)
    assert lines[-1]["event"] == "job_lease_lost"


def test_jobs_of_unknown_kinds_are_left_for_a_newer_process(sqlite_db: Database, sqlite_settings: Settings) -> None:
    job_id = put(sqlite_db, kind="newer")
    assert not ran(sqlite_db, sqlite_settings, store_effect)
    assert not ran(sqlite_db, sqlite_settings, store_effect, job_id)
    assert row(sqlite_db, job_id).attempts == 0


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_long_task_keeps_its_lease(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = "sqlite:///{data_dir}/g.sqlite3" if backend == "sqlite" else request.getfixturevalue("postgres_url")
    settings = settings_for(url, tmp_path, lease_seconds=0.6)
    db = prepared(settings)

    def takes_long(context: Database, job: ClaimedJob, complete: Complete) -> None:
        time.sleep(1.5)
        with unit_of_work(context) as session:
            stolen = jobs.claim(session, worker="o", now=utc_now(), lease_seconds=60, max_attempts=5)
        assert stolen is None
        store_effect(context, job, complete)

    job_id = put(db)
    assert ran(db, settings, takes_long)
    assert row(db, job_id).state is JobState.DONE
    db.dispose()


def test_threads_do_all_jobs_once(db: Database, sqlite_settings: Settings) -> None:
    seen: list[tuple[UUID, int]] = []

    def task(context: Database, job: ClaimedJob, complete: Complete) -> None:
        seen.append((job.id, get_ident()))
        time.sleep(0.01)
        store_effect(context, job, complete)

    ids = {put(db) for _ in range(12)}
    with working(db, sqlite_settings, {"work": task}):
        until(lambda: effects(db) == 12)
    assert len(seen) == 12
    assert {job_id for job_id, _ in seen} == ids
    assert len({thread for _, thread in seen}) == 2


def test_notify_wakes_before_the_next_poll(tmp_path: Path) -> None:
    settings = settings_for("sqlite:///{data_dir}/g.sqlite3", tmp_path, poll_seconds=60, threads=1)
    db = prepared(settings)
    with working(db, settings, {"work": store_effect}) as worker:
        time.sleep(0.2)
        put(db)
        time.sleep(0.2)
        assert effects(db) == 0
        worker.notify()
        until(lambda: effects(db) == 1)
    db.dispose()


def test_stopping_lets_the_present_job_finish_and_takes_no_other(tmp_path: Path) -> None:
    settings = settings_for("sqlite:///{data_dir}/g.sqlite3", tmp_path, threads=1)
    db = prepared(settings)
    begun, go_on = Event(), Event()

    def waits(context: Database, job: ClaimedJob, complete: Complete) -> None:
        begun.set()
        assert go_on.wait(10)
        store_effect(context, job, complete)

    put(db)
    put(db)
    worker = EmbeddedWorker(db, settings, {"work": waits}, db, utc_now)
    worker.start()
    with pytest.raises(RuntimeError, match="already"):
        worker.start()
    assert begun.wait(10)
    assert not worker.stop(0.1)
    go_on.set()
    until(lambda: effects(db) == 1)
    time.sleep(0.3)
    assert effects(db) == 1
    db.dispose()


def test_threads_survive_a_database_that_is_away(
    sqlite_db: Database, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_AFTER_ERROR_SECONDS", 0.01)
    real, failures, lock = jobs.claim, [3], Lock()

    def claim(*arguments: Any, **named: Any) -> ClaimedJob | None:
        with lock:
            failures[0] -= 1
            if failures[0] >= 0:
                raise OSError("away")
        return real(*arguments, **named)

    monkeypatch.setattr(jobs, "claim", claim)
    put(sqlite_db)
    with capture_logs() as lines, working(sqlite_db, sqlite_settings, {"work": store_effect}):
        until(lambda: effects(sqlite_db) == 1)
    assert [line["event"] for line in lines].count("worker_error") == 3
