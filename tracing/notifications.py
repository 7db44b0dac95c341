"""Notifications (通知): telling people that something waits for them, in the transaction in which it happened."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.notification import Notification, NotificationKind
from models.organisation import Organisation
from models.user import Role, User


def users_of(session: Session, organisation_id: uuid.UUID, roles: Collection[Role]) -> list[uuid.UUID]:
    """The active accounts of one organisation that have one of the roles."""
    return list(
        session.scalars(
            select(User.id).where(User.organisation_id == organisation_id, User.role.in_(roles), User.active)
        )
    )


def users_under(session: Session, path: str, roles: Collection[Role]) -> list[uuid.UUID]:
    """The active accounts of the organisations in the subtree of `path` that have one of the roles."""
    return list(
        session.scalars(
            select(User.id)
            .join(Organisation, Organisation.id == User.organisation_id)
            .where(Organisation.path.startswith(path, autoescape=True), User.role.in_(roles), User.active)
        )
    )


def notify(
    session: Session,
    recipients: Iterable[uuid.UUID],
    kind: NotificationKind,
    object_kind: str,
    object_id: uuid.UUID,
    *,
    now: datetime,
) -> int:
    """Put one line into the inbox of each recipient (user ids, each once); how many. Ids alone, no personal data."""
    rows = [
        Notification(
            id=uuid.uuid4(), recipient_id=one, kind=kind, object_kind=object_kind, object_id=object_id, created_at=now
        )
        for one in dict.fromkeys(recipients)
    ]
    session.add_all(rows)
    return len(rows)
