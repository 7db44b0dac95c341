"""Making blocking keys for records that have none yet, or have those of an older version: in chunks, one job each.

A chunk's keys, its "done" and the next chunk's job are one transaction. Records that somebody edits meanwhile get their
keys from the edit. Until a record has its keys it is found by its face, or while it is among the newest.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from matcher.blocking import keys_version
from matcher.vocabulary import GalleryKind
from models.case import Case
from models.profile import Profile
from models.report import Report
from tracing.blocking import store_keys
from tracing.platform import jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.platform.jobs import ClaimedJob
from tracing.profiles import with_profile
from tracing.services import Services

T = TypeVar("T")
FILL = "blocking.fill"
CHUNK = 200


@dataclass(frozen=True)
class KeyCoverage:
    """Of `total` profiles, `filled` have keys of the present version."""

    filled: int
    total: int


def request_keys(session: Session, *, now: datetime) -> uuid.UUID | None:
    """Ask for the keys of every record that lacks them; the job's id, None when just asked."""
    return _enqueue(session, GalleryKind.CASE, f"{now:%Y%m%dT%H%M}", None, now)


def key_coverage(session: Session) -> KeyCoverage:
    """How far it is."""
    total = session.scalar(select(func.count(Profile.id))) or 0
    missing = session.scalar(select(func.count(Profile.id)).where(_outdated())) or 0
    return KeyCoverage(total - missing, total)


def fill_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: the keys of one chunk; it asks for the next one."""
    kind, run = GalleryKind(job.payload["kind"]), str(job.payload["run"])
    after = uuid.UUID(job.payload["after"]) if job.payload["after"] else None
    now = utc_now()
    with unit_of_work(services.db) as session:
        owners = _outdated_owners(session, kind, after)
        for owner in owners:
            store_keys(session, services.parameters, owner)
        if owners:
            _enqueue(session, kind, run, owners[-1].id, now)
        elif kind is GalleryKind.CASE:
            _enqueue(session, GalleryKind.REPORT, run, None, now)
        complete(session)


def _outdated() -> ColumnElement[bool]:
    return Profile.keys_version.is_distinct_from(keys_version())


def _outdated_owners(session: Session, kind: GalleryKind, after: uuid.UUID | None) -> Sequence[Case] | Sequence[Report]:
    """The next records, locked as an edit locks them: whoever comes first, the other sees what it did."""
    if kind is GalleryKind.CASE:
        return session.scalars(_next(select(Case), Case, after)).all()
    return session.scalars(_next(select(Report), Report, after)).all()


def _next(query: Select[T], table: type[Case] | type[Report], after: uuid.UUID | None) -> Select[T]:
    query = (
        query.join(Profile, Profile.id == table.profile_id)
        .where(_outdated())
        .options(*with_profile(table.profile))
        .order_by(table.id)
        .limit(CHUNK)
        .with_for_update(of=table)
    )
    return query if after is None else query.where(table.id > after)


def _enqueue(session: Session, kind: GalleryKind, run: str, after: uuid.UUID | None, now: datetime) -> uuid.UUID | None:
    return jobs.enqueue(
        session,
        kind=FILL,
        key=f"{FILL}:{run}:{kind.value}:{after or 'begin'}",
        payload={"run": run, "kind": kind.value, "after": None if after is None else str(after)},
        now=now,
    )
