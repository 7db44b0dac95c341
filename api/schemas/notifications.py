"""Notifications and one's own mail settings over the wire: kinds, ids and links."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Moment, Output, PageOut
from models.notification import MailDelivery, Notification, NotificationKind
from tracing.mail import MailWishes
from tracing.notification_links import path_of
from tracing.paging import Page


class NotificationOut(Output):
    """One line of the inbox. `path` is the page of what it is about."""

    id: uuid.UUID
    kind: NotificationKind
    object_kind: str = Field(examples=["case"])
    object_id: uuid.UUID
    path: str = Field(examples=["/cases/4a1c1c5e-2f6e-4f0e-9a53-0f6a1b8f2f10"])
    created_at: datetime
    read_at: datetime | None


class UnreadOut(Output):
    """How many wait; a thousand stands for a thousand or more."""

    unread: int


class ReadAllIn(Input):
    """Up to when; left out means all. Send the newest `created_at` that was shown."""

    until: Moment | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"until": "2026-03-02T02:00:00Z"}]})


class ReadAllOut(Output):
    """How many were marked."""

    read: int


class MailWishesIn(Input):
    """Address (null: no mail) and the kinds for which something else is wanted than the usual."""

    address: Line | None
    deliveries: Mapping[NotificationKind, MailDelivery] = Field(default_factory=dict)

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"address": "li.na@example.org", "deliveries": {"tip_received": "immediate"}}]}
    )


class MailWishesOut(Output):
    """One's own mail settings. `refused_at`: the mail server did not know the address, and nothing is sent there."""

    address: str | None
    refused_at: datetime | None
    available: bool = Field(description="Whether this installation sends mail at all.")
    deliveries: Mapping[NotificationKind, MailDelivery]


def notification_out(one: Notification) -> NotificationOut:
    """One line."""
    return NotificationOut(
        id=one.id, kind=one.kind, object_kind=one.object_kind, object_id=one.object_id,
        path=path_of(one), created_at=one.created_at, read_at=one.read_at,
    )  # fmt: skip


def notifications_out(page: Page[Notification]) -> PageOut[NotificationOut]:
    """One page."""
    return PageOut(items=tuple(notification_out(one) for one in page.items), next_cursor=page.next_cursor)


def mail_wishes_out(wishes: MailWishes) -> MailWishesOut:
    """The settings."""
    return MailWishesOut(
        address=wishes.address,
        refused_at=wishes.refused_at,
        available=wishes.available,
        deliveries=dict(wishes.deliveries),
    )
