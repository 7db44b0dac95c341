"""Erasure (删除) from the index, reported done only when it is: gone from every live replica and every kept snapshot.

A removed photograph cannot be found from its commit on, for every search catches up first. What follows here is about
the copies that lie in memory and on disk: a job waits for all of them and then writes the audit event.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.index_replica import IndexReplica
from models.job import Job, JobState
from tracing.gallery_log import own_number, seen_from
from tracing.platform import jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.jobs import ClaimedJob, DeferJob
from tracing.services import Services
from tracing.trail import note

ERASE = "index.erase"
AGAIN = timedelta(seconds=2)
FORGOTTEN_AFTER = timedelta(days=1)


def request_erasure(session: Session, services: Services, photo_id: uuid.UUID, *, now: datetime) -> None:
    """Ask, in the transaction that removes the photograph (flushed), for the proof that its faces are gone."""
    number = own_number(session)
    jobs.enqueue(
        session,
        kind=ERASE,
        key=f"erase:{photo_id}:{number}",
        payload={"photo_id": str(photo_id), "number": number},
        now=now,
        run_after=now + timedelta(seconds=services.settings.index.erasure_seconds),
    )


def erase_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: make sure that no replica and no snapshot holds the photograph's faces, then say so in the audit log."""
    number, now = int(job.payload["number"]), utc_now()
    with read_only(services.db) as session:
        if not services.gallery.forget(session, number, now):
            raise DeferJob(AGAIN)
    with unit_of_work(services.db) as session:
        if behind(session, number, now, services.settings.index.replica_seconds):
            raise DeferJob(AGAIN)
        note(session, None, "photo.erased_from_index", "photo", job.payload["photo_id"], at=now, number=number)
        complete(session)


def pending_erasure(session: Session) -> int | None:
    """The highest number among the erasures that are not reported done; None when there is none."""
    payloads = session.scalars(
        select(Job.payload).where(Job.kind == ERASE, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    )
    return max((int(payload["number"]) for payload in payloads), default=None)


def behind(session: Session, number: int, now: datetime, replica_seconds: float) -> list[str]:
    """The live processes whose index, or whose snapshots, may still hold what the change `number` took away."""
    return [
        one.process
        for one in live(session, now, replica_seconds)
        if any(number not in seen_from(position) for position in (one.position, *one.snapshots))
    ]


def live(session: Session, now: datetime, replica_seconds: float) -> list[IndexReplica]:
    """Replicas that were seen lately."""
    query = select(IndexReplica).where(IndexReplica.seen_at >= now - timedelta(seconds=replica_seconds))
    return list(session.scalars(query.order_by(IndexReplica.process, IndexReplica.model_version)))


def forget_silent(session: Session, now: datetime) -> None:
    """Delete the rows of processes that have not been seen for a day."""
    session.execute(
        delete(IndexReplica).where(IndexReplica.seen_at < now - FORGOTTEN_AFTER),
        execution_options={"synchronize_session": False},
    )
