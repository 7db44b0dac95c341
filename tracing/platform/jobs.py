"""The job table as a queue: claimed with a lease, fenced by a token, tried again with growing waits, set aside at last.

A claimed job belongs to whoever holds its token. `finish` runs in the transaction that stores the work's effects and
refuses when the token is no longer the job's: the late worker's effects then roll back with it.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, CursorResult, Update, and_, func, or_, select, update
from sqlalchemy.orm import Session

from models.job import Job, JobState
from tracing.platform.db import dialect_insert
from tracing.platform.errors import Conflict, NotFound
from tracing.platform.identifiers import plain
from tracing.platform.settings import JobSettings

WORKER_LOST = "WorkerLost"
WORKER_NAME_LENGTH = 31  # with ":" and 32 hex digits it fills the column's 64 characters
ERROR_LENGTH = 200
NO_SYNC = {"synchronize_session": False}
_random = secrets.SystemRandom()


class LeaseLost(Conflict):
    """The job was given to another worker in the meantime; what this one did must not be kept."""

    slug = "lease_lost"
    message = "This work was taken over by another worker. Nothing needs to be done."


class JobUnknown(NotFound):
    """There is no such job, or it is not in a state in which this can be asked of it."""

    slug = "job_unknown"
    message = "There is no set-aside job of this number. List the jobs that are set aside and choose one of them."


class DeferJob(Exception):
    """Raised by a task that cannot run yet: put back for `delay`, without counting an attempt."""

    def __init__(self, delay: timedelta) -> None:
        """`delay` counts from the moment it is caught."""
        super().__init__()
        self.delay = delay


@dataclass(frozen=True)
class ClaimedJob:
    """A job in the hands of one worker. `attempts` counts this one; `token` proves possession."""

    id: UUID
    kind: str
    key: str
    payload: Mapping[str, Any]
    attempts: int
    lease_until: datetime
    token: str = field(repr=False)


@dataclass(frozen=True)
class JobCounts:
    """How many jobs stand where; `due` are those that could be claimed now, `oldest_due` since when the first could."""

    by_state: Mapping[JobState, int]
    due: int
    oldest_due: datetime | None


def enqueue(
    session: Session,
    *,
    kind: str,
    key: str,
    payload: Mapping[str, object],
    now: datetime,
    run_after: datetime | None = None,
    again: bool = False,
) -> UUID | None:
    """Write a job in the caller's transaction. Its id, or None when there is a job of this key already.

    With `again`, one of this key that is done or set aside is queued anew. `payload` holds identifiers alone:
    ValueError for anything else (see `identifiers.plain`).
    """
    statement = dialect_insert(session)(Job).values(
        id=uuid4(),
        kind=kind,
        key=key,
        payload=plain(payload),
        state=JobState.QUEUED,
        attempts=0,
        run_after=run_after or now,
        created_at=now,
    )
    if again:
        anew = {"payload": plain(payload), "state": JobState.QUEUED, "attempts": 0, "run_after": run_after or now,
                "finished_at": None, "published_at": None}  # fmt: skip
        over = Job.state.in_((JobState.DONE, JobState.SET_ASIDE))
        statement = statement.on_conflict_do_update(index_elements=[Job.key], set_=anew, where=over)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=[Job.key])
    return session.execute(statement.returning(Job.id), execution_options=NO_SYNC).scalar_one_or_none()


def claim(
    session: Session,
    *,
    worker: str,
    now: datetime,
    lease_seconds: float,
    max_attempts: int,
    job_id: UUID | None = None,
    kinds: Collection[str] | None = None,
) -> ClaimedJob | None:
    """Take the job that has been due longest (or `job_id`, if it is due), among `kinds`; None when there is none.

    Commit at once: the claim counts as an attempt from then on, even if the process dies. A job whose workers died
    `max_attempts` times is set aside instead of being handed out again.
    """
    wanted: list[ColumnElement[bool]] = []
    if job_id is not None:
        wanted.append(Job.id == job_id)
    if kinds is not None:
        wanted.append(Job.kind.in_(kinds))
    _set_aside_lost(session, now, max_attempts, wanted)
    next_id = (
        select(Job.id)
        .where(_due(now), *wanted)
        .order_by(Job.run_after, Job.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    token = f"{worker[:WORKER_NAME_LENGTH]}:{secrets.token_hex(16)}"
    lease_until = now + timedelta(seconds=lease_seconds)
    row = session.execute(
        update(Job)
        .where(Job.id == next_id)
        .values(state=JobState.RUNNING, leased_by=token, lease_until=lease_until, attempts=Job.attempts + 1)
        .returning(Job.id, Job.kind, Job.key, Job.payload, Job.attempts),
        execution_options=NO_SYNC,
    ).one_or_none()
    if row is None:
        return None
    return ClaimedJob(row.id, row.kind, row.key, row.payload, row.attempts, lease_until, token)


def renew(session: Session, claimed: ClaimedJob, now: datetime, lease_seconds: float) -> bool:
    """Prolong the lease; False when the job is no longer this worker's."""
    return _change(session, _held(claimed).values(lease_until=now + timedelta(seconds=lease_seconds)))


def finish(session: Session, claimed: ClaimedJob, now: datetime) -> None:
    """Mark the job done, in the transaction of its effects. Raises LeaseLost, on which that must roll back."""
    done = _held(claimed).values(
        state=JobState.DONE, leased_by=None, lease_until=None, finished_at=now, last_error=None
    )
    if not _change(session, done):
        raise LeaseLost


def fail(
    session: Session, claimed: ClaimedJob, error_code: str, now: datetime, settings: JobSettings
) -> JobState | None:
    """Queue the job again after a wait, or set it aside after the last attempt. The new state; None: lease lost.

    `error_code` is the error's class and slug; never its text, which may be personal.
    """
    last = claimed.attempts >= settings.max_attempts
    state = JobState.SET_ASIDE if last else JobState.QUEUED
    values: dict[str, Any] = {"finished_at": now} if last else {"run_after": now + backoff(claimed.attempts, settings)}
    failed = _held(claimed).values(
        state=state, leased_by=None, lease_until=None, last_error=error_code[:ERROR_LENGTH], **values
    )
    return state if _change(session, failed) else None


def defer(session: Session, claimed: ClaimedJob, run_after: datetime) -> bool:
    """Put the job back until `run_after` without counting the attempt; False when it is no longer this worker's."""
    back = _held(claimed).values(
        state=JobState.QUEUED, leased_by=None, lease_until=None, attempts=Job.attempts - 1, run_after=run_after
    )
    return _change(session, back)


def retry(session: Session, job_id: UUID, now: datetime) -> None:
    """Queue a set-aside job anew, with all its attempts. Raises JobUnknown when it is not one that is set aside."""
    again = (
        update(Job)
        .where(Job.id == job_id, Job.state == JobState.SET_ASIDE)
        .values(state=JobState.QUEUED, attempts=0, run_after=now, finished_at=None)
    )
    if not _change(session, again):
        raise JobUnknown


def counts(session: Session, now: datetime) -> JobCounts:
    """How many jobs stand where."""
    states = dict.fromkeys(JobState, 0)
    for state, number in session.execute(select(Job.state, func.count()).group_by(Job.state)):
        states[state] = number
    due, oldest = session.execute(select(func.count(), func.min(Job.run_after)).where(_due(now))).one()
    return JobCounts(states, due, oldest)


def due_for_publication(session: Session, now: datetime, republish_seconds: float, limit: int) -> list[UUID]:
    """Ids of due jobs to announce to the broker, marked as announced. Publish after the commit.

    A job is announced once each time it becomes due (queued, waited for, its lease run out), and again after
    `republish_seconds` if nobody took it: a crash between commit and publication, or a broker that forgot.
    """
    due_since = _due_since()
    unpublished = or_(
        Job.published_at.is_(None),
        Job.published_at < due_since,
        Job.published_at <= now - timedelta(seconds=republish_seconds),
    )
    # A common table expression, so that PostgreSQL evaluates limit and locks once.
    chosen = (
        select(Job.id)
        .where(_due(now), unpublished)
        .order_by(Job.run_after, Job.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    published = update(Job).where(Job.id.in_(select(chosen.c.id))).values(published_at=now).returning(Job.id)
    return list(session.execute(published, execution_options=NO_SYNC).scalars())


def backoff(attempts: int, settings: JobSettings) -> timedelta:
    """The wait after the `attempts`-th failure: base × 2^(attempts-1), capped, of which a random half to whole."""
    doubled = settings.backoff_base_seconds * 2.0 ** min(attempts - 1, 60)
    return timedelta(seconds=min(doubled, settings.backoff_max_seconds) * _random.uniform(0.5, 1.0))


def _set_aside_lost(session: Session, now: datetime, max_attempts: int, wanted: list[ColumnElement[bool]]) -> None:
    """Set aside jobs whose last attempt's worker never came back."""
    lost = (
        select(Job.id)
        .where(Job.state == JobState.RUNNING, Job.lease_until < now, Job.attempts >= max_attempts, *wanted)
        .with_for_update(skip_locked=True)
        .cte("lost")
    )
    session.execute(
        update(Job)
        .where(Job.id.in_(select(lost.c.id)))
        .values(state=JobState.SET_ASIDE, leased_by=None, lease_until=None, finished_at=now, last_error=WORKER_LOST),
        execution_options=NO_SYNC,
    )


def _due(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(Job.state == JobState.QUEUED, Job.run_after <= now),
        and_(Job.state == JobState.RUNNING, Job.lease_until < now),
    )


def _due_since() -> ColumnElement[datetime]:
    """Since when a due job is due: a queued one has no lease."""
    return func.coalesce(Job.lease_until, Job.run_after)


def _held(claimed: ClaimedJob) -> Update:
    return update(Job).where(Job.id == claimed.id, Job.leased_by == claimed.token, Job.state == JobState.RUNNING)


def _change(session: Session, statement: Update) -> bool:
    result = cast(CursorResult[Any], session.execute(statement, execution_options=NO_SYNC))
    return result.rowcount == 1
