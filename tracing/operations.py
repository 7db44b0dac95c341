"""Operations (运维): jobs that wait for an operator, the audit log, readiness."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.case import Case
from models.job import Job, JobState
from models.report import Report
from models.user import User
from tracing import access
from tracing.access import Permission, Viewer
from tracing.paging import LIMIT_MAX, Page, page_of
from tracing.platform import audit, jobs
from tracing.platform.audit import AuditVerification
from tracing.trail import note


def list_jobs(
    session: Session,
    viewer: Viewer,
    *,
    states: frozenset[JobState] = frozenset(),
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[Job]:
    """Jobs, newest first. They hold identifiers alone, so an operator sees nobody's data."""
    access.require(viewer, Permission.JOBS)
    statement = select(Job)
    if states:
        statement = statement.where(Job.state.in_(states))
    page = page_of(session, statement, Job.created_at, Job.id, cursor=cursor, limit=limit)
    note(session, viewer, "job.list", "job", None, at=now, count=len(page.items))
    return page


def count_jobs(session: Session, viewer: Viewer) -> Mapping[JobState, int]:
    """How many jobs are in each state: figures of nobody, so the look is not logged. Raises Forbidden."""
    access.require(viewer, Permission.JOBS)
    counted = session.execute(select(Job.state, func.count().label("jobs")).group_by(Job.state))
    return {row.state: row.jobs for row in counted}


def retry_job(session: Session, viewer: Viewer, job_id: uuid.UUID, *, now: datetime) -> None:
    """Put a job that was set aside back into the queue."""
    access.require(viewer, Permission.JOBS)
    jobs.retry(session, job_id, now)
    note(session, viewer, "job.retry", "job", job_id, at=now)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to look for in the log; None = anything.

    Attributes:
        action: how the action begins.
        username: the account's name.
        number: the number of a case or report.
        since, until: moments; `until` itself is left out.
    """

    action: str | None = None
    object_id: str | None = None
    actor_id: uuid.UUID | None = None
    username: str | None = None
    number: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_events(
    session: Session, viewer: Viewer, wanted: AuditFilter, *, before: int | None, limit: int, now: datetime
) -> Sequence[AuditEvent]:
    """Audit events before a sequence number, newest first; looking is itself logged."""
    access.require(viewer, Permission.AUDIT)
    statement = select(AuditEvent).where(access.audit_scope(viewer), *_wanted(session, wanted))
    if before is not None:
        statement = statement.where(AuditEvent.seq < before)
    rows = session.scalars(statement.order_by(AuditEvent.seq.desc()).limit(max(1, min(limit, LIMIT_MAX)))).all()
    note(session, viewer, "audit.list", "audit", None, at=now, count=len(rows))
    return rows


def _wanted(session: Session, wanted: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.action:
        yield AuditEvent.action.startswith(wanted.action, autoescape=True)
    if wanted.object_id:
        yield AuditEvent.object_id == wanted.object_id
    if wanted.actor_id:
        yield AuditEvent.actor_id == wanted.actor_id
    if wanted.username:
        yield AuditEvent.actor_id.in_(select(User.id).where(User.username == wanted.username))
    if wanted.number:
        # The log holds identifiers as text, whatever the database makes of a UUID.
        found = [
            session.scalars(select(table.id).where(table.number == wanted.number)).all() for table in (Case, Report)
        ]
        yield AuditEvent.object_id.in_([str(one) for ids in found for one in ids])
    if wanted.since:
        yield AuditEvent.at >= wanted.since
    if wanted.until:
        yield AuditEvent.at < wanted.until


def actor_names(session: Session, viewer: Viewer, events: Sequence[AuditEvent]) -> Mapping[uuid.UUID, str]:
    """The account names of those who did what events say. Raises Forbidden."""
    access.require(viewer, Permission.AUDIT)
    actors = {event.actor_id for event in events if event.actor_id is not None}
    rows = session.execute(select(User.id, User.username).where(User.id.in_(actors)))
    return {row.id: row.username for row in rows}


def verify_audit(session: Session, viewer: Viewer, *, now: datetime) -> AuditVerification:
    """Recompute the whole chain."""
    access.require(viewer, Permission.AUDIT)
    found = audit.verify(session)
    note(session, viewer, "audit.verify", "audit", None, at=now, events=found.events, ok=found.ok)
    return found


def check_database(session: Session) -> None:
    """Raise the driver's error unless the database answers and has the schema."""
    session.execute(text("SELECT seq FROM audit_head"))
