"""Forgetting old notifications (清理): read and unread ones, and the log of deliveries, after the policy's days.

Those about a lookout stay while it is open: its end is told to whoever was told of it (`lookout_rings.told`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from sqlalchemy import CursorResult, and_, delete, exists, or_, select
from sqlalchemy.orm import Session

from models.lookout import Lookout
from models.notification import Notification
from models.webhook import DeliveryState, WebhookAttempt, WebhookDelivery
from tracing.notification_policy import policy
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.platform.jobs import ClaimedJob
from tracing.services import Services

PRUNE = "notifications.prune"
BATCH = 2000
NO_SYNC = {"synchronize_session": False}
log = structlog.stdlib.get_logger(__name__)


def prune_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: one round."""
    prune(services, utc_now())
    with unit_of_work(services.db) as session:
        complete(session)


def prune(services: Services, now: datetime) -> tuple[int, int]:
    """Delete what is too old; how many notifications and deliveries. In small transactions."""
    keep = policy().keep_days
    read, unread = now - timedelta(days=keep.read), now - timedelta(days=keep.unread)
    open_lookout = exists().where(Lookout.id == Notification.object_id, Lookout.ended_at.is_(None))
    needed = and_(Notification.object_kind == "lookout", open_lookout)
    old = or_(Notification.read_at < read, Notification.created_at < unread) & ~needed
    settled = WebhookDelivery.state != DeliveryState.WAITING
    old_delivery = (WebhookDelivery.created_at < now - timedelta(days=keep.deliveries)) & settled
    notifications = deliveries = 0
    while done := _some(services, Notification, old):
        notifications += done
    while done := _some(services, WebhookDelivery, old_delivery):
        deliveries += done
    if notifications or deliveries:
        log.info("notifications_pruned", notifications=notifications, deliveries=deliveries)
    return notifications, deliveries


def _some(services: Services, table: type[Notification] | type[WebhookDelivery], old: Any) -> int:
    with unit_of_work(services.db) as session:
        ids = session.scalars(select(table.id).where(old).limit(BATCH)).all()
        if table is WebhookDelivery:
            attempts = delete(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(ids))
            session.execute(attempts, execution_options=NO_SYNC)
        gone = session.execute(delete(table).where(table.id.in_(ids)), execution_options=NO_SYNC)
        return cast(CursorResult[Any], gone).rowcount
