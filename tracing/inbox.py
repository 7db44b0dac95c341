"""The inbox (收件箱): one's own notifications, read and unread. No permission is asked: each sees the own alone."""

import uuid
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from models.notification import Notification
from tracing import access
from tracing.access import Viewer
from tracing.paging import Page, page_of

COUNTED_MAX = 1000
NO_SYNC = {"synchronize_session": False}


def list_notifications(
    session: Session, viewer: Viewer, *, unread: bool = False, cursor: str | None = None, limit: int = 50
) -> Page[Notification]:
    """The viewer's notifications, newest first, or the unread ones alone. Raises BadCursor."""
    statement = select(Notification).where(access.notification_scope(viewer))
    if unread:
        statement = statement.where(Notification.read_at.is_(None))
    return page_of(session, statement, Notification.created_at, Notification.id, cursor=cursor, limit=limit)


def count_unread(session: Session, viewer: Viewer) -> int:
    """How many wait unread; beyond `COUNTED_MAX` nobody counts."""
    unread = (
        select(Notification.id)
        .where(access.notification_scope(viewer), Notification.read_at.is_(None))
        .limit(COUNTED_MAX)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(unread)) or 0


def read_notification(session: Session, viewer: Viewer, notification_id: uuid.UUID, *, now: datetime) -> Notification:
    """Mark one as read; the first time stays. Raises NotFound, also for somebody else's."""
    wanted = select(Notification).where(Notification.id == notification_id, access.notification_scope(viewer))
    found: Notification = access.find(session, wanted.with_for_update())
    if found.read_at is None:
        found.read_at = now
        session.flush()
    return found


def read_all(session: Session, viewer: Viewer, *, until: datetime | None = None, now: datetime) -> int:
    """Mark all as read that came up to `until` (None: all): what came after the list was looked at stays unread."""
    unread = update(Notification).where(access.notification_scope(viewer), Notification.read_at.is_(None))
    if until is not None:
        unread = unread.where(Notification.created_at <= until)
    changed = session.execute(unread.values(read_at=now), execution_options=NO_SYNC)
    return cast(CursorResult[Any], changed).rowcount
