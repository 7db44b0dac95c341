"""Webhooks (推送): notifications handed to an organisation's own systems, signed after the Standard Webhooks scheme."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.notification import NotificationKind
from models.organisation import Organisation


class WebhookState(StrEnum):
    """Whether an endpoint is served."""

    ACTIVE = "active"  # 启用
    DISABLED = "disabled"  # 停用: by an administrator, or after too many failures
    REMOVED = "removed"  # 删除: its secret is destroyed, its log stays until it is pruned


class WebhookEndpoint(HasId, Base):
    """Where an organisation wants to be told, of itself and of those below it. `kinds` empty means all kinds.

    The secret is sealed under a data key of its own (`subject_id`), which removal destroys. After a rotation the
    previous one signs beside it until `previous_until`. `failures` counts the minutes in a row with a failure.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        CheckConstraint("(previous_sealed IS NULL) = (previous_until IS NULL)", name="previous_whole"),
        CheckConstraint("failures >= 0", name="failures_counted"),
    )

    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    organisation: Mapped[Organisation] = relationship(lazy="raise")
    url: Mapped[str] = mapped_column(String(500))
    kinds: Mapped[list[Any]] = mapped_column(JSON)
    state: Mapped[WebhookState] = mapped_column(enum_type(WebhookState))
    subject_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subject.id"))
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    previous_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    created_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class DeliveryState(StrEnum):
    """Where the delivery of one event to one endpoint stands."""

    WAITING = "waiting"  # 待发送
    DELIVERED = "delivered"  # 已送达
    HELD = "held"  # 暂存: the endpoint was disabled; sent when it is enabled again
    GIVEN_UP = "given_up"  # 放弃: tried to the end, or the endpoint was removed


class WebhookDelivery(HasId, Base):
    """One event for one endpoint, written in the transaction in which it happened. Its id is what receivers dedupe by.

    `sending` counts how often it was handed to the jobs (enabling an endpoint again hands over what was held), `tries`
    the tries since the last time.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_endpoint_id_created_at", "endpoint_id", "created_at"),
        Index("ix_webhook_delivery_created_at", "created_at"),
        CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="delivered_whole"),
    )

    endpoint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("webhook_endpoint.id"))
    kind: Mapped[NotificationKind] = mapped_column(enum_type(NotificationKind))
    object_kind: Mapped[str] = mapped_column(String(24))
    object_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime]
    state: Mapped[DeliveryState] = mapped_column(enum_type(DeliveryState))
    sending: Mapped[int] = mapped_column(default=1)
    tries: Mapped[int] = mapped_column(default=0)
    delivered_at: Mapped[datetime | None]
    attempts: Mapped[list["WebhookAttempt"]] = relationship(lazy="raise", order_by="WebhookAttempt.at")


class WebhookAttempt(HasId, Base):
    """One try: the status that the receiver answered, or the kind of failure that kept it from answering."""

    __tablename__ = "webhook_attempt"
    __table_args__ = (CheckConstraint("(status IS NULL) <> (failure IS NULL)", name="answered_or_failed"),)

    delivery_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("webhook_delivery.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    status: Mapped[int | None]
    failure: Mapped[str | None] = mapped_column(String(40))
    milliseconds: Mapped[int]
