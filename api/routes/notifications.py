"""Notifications (通知): one's own inbox, and one's own mail settings."""

import uuid

from fastapi import APIRouter

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep
from api.openapi import problems
from api.schemas.base import PageOut
from api.schemas.notifications import (
    MailWishesIn,
    MailWishesOut,
    NotificationOut,
    ReadAllIn,
    ReadAllOut,
    UnreadOut,
    mail_wishes_out,
    notification_out,
    notifications_out,
)
from tracing import inbox, mail

router = APIRouter(tags=["notifications"])


@router.get("/notifications", summary="One's own notifications")
def list_all(
    session: SessionDep, viewer: ViewerDep, paging: PagingDep, unread: bool = False
) -> PageOut[NotificationOut]:
    """Newest first; `unread=true` leaves out what was read."""
    return notifications_out(
        inbox.list_notifications(session, viewer, unread=unread, cursor=paging.cursor, limit=paging.limit)
    )


@router.get("/notifications/unread", summary="How many are unread")
def unread_count(session: SessionDep, viewer: ViewerDep) -> UnreadOut:
    """One's own."""
    return UnreadOut(unread=inbox.count_unread(session, viewer))


@router.post("/notifications/read", summary="Mark all as read")
def read_all(body: ReadAllIn, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ReadAllOut:
    """All, or those that came up to a moment."""
    return ReadAllOut(read=inbox.read_all(session, viewer, until=body.until, now=now))


@router.post("/notifications/{notification_id}/read", summary="Mark one as read", responses=problems(404))
def read_one(notification_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> NotificationOut:
    """Again changes nothing."""
    return notification_out(inbox.read_notification(session, viewer, notification_id, now=now))


@router.get("/me/mail", summary="One's own mail settings")
def read_mail(session: SessionDep, services: ServicesDep, viewer: ViewerDep) -> MailWishesOut:
    """The address, and when each kind is mailed."""
    return mail_wishes_out(mail.mail_wishes(session, services, viewer))


@router.put("/me/mail", summary="Set one's own mail settings")
def set_mail(
    body: MailWishesIn, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> MailWishesOut:
    """Kinds that are not named are mailed as usual."""
    return mail_wishes_out(mail.set_mail_wishes(session, services, viewer, body.address, body.deliveries, now=now))
