"""Jobs, the audit log, divisions and the service's own state over the wire."""

import uuid
from datetime import datetime
from typing import Any

from pydantic import Field

from api.schemas.base import Output
from models.audit import AuditEvent
from models.job import Job, JobState
from tracing.platform.audit import AuditVerification


class JobOut(Output):
    """A job; its payload holds identifiers alone."""

    id: uuid.UUID
    kind: str
    key: str
    state: JobState
    payload: dict[str, Any]
    attempts: int
    run_after: datetime
    lease_until: datetime | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None


class AuditEventOut(Output):
    """One event of the chain."""

    seq: int
    at: datetime
    actor_id: uuid.UUID | None
    organisation_id: uuid.UUID | None
    action: str = Field(examples=["case.view"])
    object_kind: str
    object_id: str | None
    detail: dict[str, Any]
    hash: str


class AuditPageOut(Output):
    """Events, newest first. Send `next_before` as `before` to get the next page; null on the last."""

    items: tuple[AuditEventOut, ...]
    next_before: int | None


class VerificationOut(Output):
    """What recomputing the chain found. Note `head_hash` elsewhere, as proof against a rewritten chain."""

    ok: bool
    events: int
    head_seq: int
    head_hash: str
    bad_seq: int | None
    reason: str | None


class DivisionOut(Output):
    """An administrative division."""

    code: str = Field(examples=["450702"])
    name: str = Field(examples=["钦南区"])
    full_name: str = Field(examples=["广西壮族自治区 钦州市 钦南区"])


class ReadyOut(Output):
    """Whether requests can be served, and what is missing if not."""

    ready: bool
    missing: tuple[str, ...] = Field(examples=[["redis"]])


class HealthOut(Output):
    """The process is alive."""

    status: str = "ok"


class VersionOut(Output):
    """What is running."""

    name: str
    version: str


def job_out(job: Job) -> JobOut:
    """A job without its lease's token."""
    return JobOut(
        id=job.id,
        kind=job.kind,
        key=job.key,
        state=job.state,
        payload=job.payload,
        attempts=job.attempts,
        run_after=job.run_after,
        lease_until=job.lease_until,
        last_error=job.last_error,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )


def event_out(event: AuditEvent) -> AuditEventOut:
    """One event."""
    return AuditEventOut(
        seq=event.seq,
        at=event.at,
        actor_id=event.actor_id,
        organisation_id=event.organisation_id,
        action=event.action,
        object_kind=event.object_kind,
        object_id=event.object_id,
        detail=event.detail,
        hash=event.hash,
    )


def verification_out(found: AuditVerification) -> VerificationOut:
    """The finding."""
    return VerificationOut(
        ok=found.ok,
        events=found.events,
        head_seq=found.head_seq,
        head_hash=found.head_hash,
        bad_seq=found.bad_seq,
        reason=found.reason,
    )
