"""The audit log: events gathered during a unit of work, chained and written at its end, verified from the start."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.orm import Session

from models.audit import AuditEvent, AuditHead
from tracing.platform.errors import Unavailable
from tracing.platform.identifiers import plain

GENESIS_HASH = "0" * 64
PENDING = "guitu_audit_pending"
CHUNK = 1000


class AuditHeadMissing(Unavailable):
    """The head of the chain is not there: the database was not set up by the migrations."""

    slug = "audit_head_missing"
    message = "The audit log has no head. Tell your administrator to run the database migrations."


@dataclass(frozen=True)
class AuditVerification:
    """What `verify` found. `head_seq` and `head_hash` may be noted elsewhere, as proof against a rewritten chain."""

    events: int
    ok: bool
    head_seq: int
    head_hash: str
    bad_seq: int | None = None
    reason: str | None = None


def record(
    session: Session,
    *,
    actor_id: UUID | None,
    organisation_id: UUID | None,
    action: str,
    object_kind: str,
    object_id: UUID | str | None = None,
    at: datetime,
    **detail: object,
) -> None:
    """Note an event; it is written when the unit of work ends, and with it.

    `detail` holds identifiers, states and counts; ValueError for text that is none of these (see `identifiers.plain`).
    An event noted inside a savepoint is written even when the savepoint is rolled back.
    """
    if at.tzinfo is None:
        raise ValueError("naive datetime: pass an aware one")
    session.info.setdefault(PENDING, []).append(
        {
            "at": at.astimezone(UTC),
            "actor_id": actor_id,
            "organisation_id": organisation_id,
            "action": action,
            "object_kind": object_kind,
            "object_id": None if object_id is None else str(plain(object_id)),
            "detail": {name: plain(value) for name, value in detail.items()},
        }
    )


def pending(session: Session) -> int:
    """How many events wait for the end of the unit of work."""
    return len(session.info.get(PENDING, ()))


def flush(session: Session) -> None:
    """Append the noted events to the chain. Called by the unit of work just before it commits.

    The head's row stays locked until then, so that writers follow one another. Raises AuditHeadMissing.
    """
    events: list[dict[str, Any]] = session.info.pop(PENDING, [])
    if not events:
        return
    session.flush()  # an event may name a user who is new in this transaction
    head = session.execute(
        select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == 1).with_for_update()
    ).one_or_none()
    if head is None:
        raise AuditHeadMissing
    seq, previous = head.seq, head.hash
    for event in events:
        seq += 1
        event |= {"seq": seq, "previous_hash": previous}
        previous = event["hash"] = chain_hash(event)
    session.execute(insert(AuditEvent), events)
    session.execute(
        update(AuditHead).where(AuditHead.id == 1).values(seq=seq, hash=previous),
        execution_options={"synchronize_session": False},
    )


def chain_hash(event: Mapping[Any, Any]) -> str:
    """SHA-256, in hex, over the previous hash and the canonical JSON of the event's other columns.

    Canonical: keys sorted, no spaces, ASCII, time in UTC with six decimals.
    """
    content = {
        "seq": event["seq"],
        "at": event["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        "actor_id": _text(event["actor_id"]),
        "organisation_id": _text(event["organisation_id"]),
        "action": event["action"],
        "object_kind": event["object_kind"],
        "object_id": event["object_id"],
        "detail": event["detail"],
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(f"{event['previous_hash']}\n{canonical}".encode("ascii")).hexdigest()


def verify(session: Session) -> AuditVerification:
    """Recompute the chain from its first event to the head. Raises AuditHeadMissing.

    Finds any event altered, deleted, inserted, reordered or cut off the end. It cannot find a chain that someone
    rewrote whole, head included: for that, compare with a head hash noted elsewhere.
    """
    # One statement, so that head and last event come from one snapshot even while others write.
    newest = select(func.max(AuditEvent.seq)).scalar_subquery()
    head = session.execute(select(AuditHead.seq, AuditHead.hash, newest.label("newest"))).one_or_none()
    if head is None:
        raise AuditHeadMissing

    def found(events: int, bad_seq: int | None = None, reason: str | None = None) -> AuditVerification:
        return AuditVerification(events, reason is None, head.seq, head.hash, bad_seq, reason)

    checked, previous = 0, GENESIS_HASH
    for event in _events(session, head.seq):
        expected = checked + 1
        if event["seq"] != expected:
            return found(checked, expected, "missing")
        if event["previous_hash"] != previous:
            return found(checked, expected, "not linked to the event before it")
        if event["hash"] != chain_hash(event):
            return found(checked, expected, "altered")
        checked, previous = expected, event["hash"]
    if checked < head.seq:
        return found(checked, checked + 1, "missing")
    if previous != head.hash:
        return found(checked, checked, "not the event that the head names")
    if (head.newest or 0) > head.seq:
        return found(checked, head.seq + 1, "beyond the head")
    return found(checked)


def _events(session: Session, last: int) -> Iterator[RowMapping]:
    """Events up to `last` in order, a chunk at a time."""
    columns = AuditEvent.__table__.columns
    reached: int | None = None
    while True:
        # Not "seq > 0": an event inserted before the first would pass unseen.
        query = select(*columns).where(columns.seq <= last).order_by(columns.seq).limit(CHUNK)
        rows = session.execute(query if reached is None else query.where(columns.seq > reached)).mappings().all()
        yield from rows
        if len(rows) < CHUNK:
            return
        reached = rows[-1]["seq"]


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
