"""Idempotency (幂等): a POST repeated under the same key shows what the first one created, and creates nothing."""

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from models.idempotency import IdempotencyRecord
from tracing.access import Viewer
from tracing.platform import errors
from tracing.platform.db import dialect_insert


class KeyReused(errors.Invalid):
    """The key was used for another request."""

    slug = "idempotency_key_reused"
    message = "This idempotency key was used for a different request. Make a new key for each new request."


def created_before(session: Session, viewer: Viewer, key: str, request_digest: str) -> uuid.UUID | None:
    """What this user created under the key before, if anything. Raises KeyReused when the request was another one."""
    row = session.get(IdempotencyRecord, (viewer.user_id, key))
    if row is None:
        return None
    if row.request_digest != request_digest:
        raise KeyReused(field="Idempotency-Key")
    return row.resource_id


def claim_key(session: Session, viewer: Viewer, key: str, request_digest: str, *, now: datetime) -> uuid.UUID | None:
    """Hold the key for this transaction, or return what another created under it.

    A second request of the same key that arrives at the same time waits here for the first to end. The caller names
    the created resource with `remember`.
    """
    statement = (
        dialect_insert(session)(IdempotencyRecord)
        .values(
            user_id=viewer.user_id, key=key, request_digest=request_digest, status=201,
            resource_id=uuid.UUID(int=0), created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyRecord.key)
    )  # fmt: skip
    if session.execute(statement).scalar_one_or_none() is not None:
        return None
    return created_before(session, viewer, key, request_digest)


def remember(session: Session, viewer: Viewer, key: str, resource_id: uuid.UUID) -> None:
    """Name the resource that the request under the key created."""
    session.get_one(IdempotencyRecord, (viewer.user_id, key)).resource_id = resource_id
