"""The inbox (收件箱): one's own notifications, and one's own mail settings."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import optional_choice
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.notification import MailDelivery, NotificationKind
from tracing import inbox, mail
from tracing.notification_links import INBOX, destination
from tracing.notification_policy import policy

router = APIRouter()
SHOWN = 25


def show_inbox(page: Page) -> Response:
    """Newest first; the unread ones alone when asked for."""
    query = page.request.query_params
    unread = bool(query.get("unread"))
    listed = inbox.list_notifications(
        page.session, page.viewer, unread=unread, cursor=query.get("cursor") or None, limit=SHOWN
    )
    words = {kind: policy().kinds[kind].words(page.locale) for kind in NotificationKind}
    newest = listed.items[0].created_at.isoformat() if listed.items else ""
    return render(
        page, "inbox/list.html", rows=listed.items, words=words, only_unread=unread, newest=newest,
        next_cursor=listed.next_cursor, first=not query.get("cursor"),
    )  # fmt: skip


@router.get("/inbox")
def index(page: PageDep) -> Response:
    """The page."""
    return show_inbox(page)


@router.post("/inbox/read")
def read_all(page: Annotated[Page, posted(show_inbox)]) -> Response:
    """Mark all as read that were there when the page was opened."""
    until = _moment(page.typed.text("until"))
    count = inbox.read_all(page.session, page.viewer, until=until, now=page.now)
    return redirect(page, INBOX, done(page, "{count} marked as read.", count=count))


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def show_mail(page: Page) -> Response:
    """The address, and when each kind is mailed."""
    wishes = mail.mail_wishes(page.session, page.services, page.viewer)
    values: Mapping[str, str] = {"address": wishes.address or ""} | {
        kind.value: delivery.value for kind, delivery in wishes.deliveries.items()
    }
    return render(
        page, "inbox/mail.html", wishes=wishes, kinds=list(NotificationKind), choices=list(MailDelivery),
        values=page.typed.values if page.problem else values,
    )  # fmt: skip


@router.get("/inbox/mail")
def mail_settings(page: PageDep) -> Response:
    """The page."""
    return show_mail(page)


@router.post("/inbox/mail")
def set_mail(page: Annotated[Page, posted(show_mail)]) -> Response:
    """Set them."""
    chosen = {kind: optional_choice(page.typed, kind.value, MailDelivery) for kind in NotificationKind}
    mail.set_mail_wishes(
        page.session, page.services, page.viewer, page.typed.optional("address"),
        {kind: delivery for kind, delivery in chosen.items() if delivery is not None}, now=page.now,
    )  # fmt: skip
    return redirect(page, "/inbox/mail", done(page, "Your mail settings are saved."))


@router.get("/inbox/{notification_id}")
def open_one(page: PageDep, notification_id: uuid.UUID) -> Response:
    """Where mails lead: marks it as read and goes on to what it is about, or says where that is dealt with."""
    found = inbox.read_notification(page.session, page.viewer, notification_id, now=page.now)
    lead = destination(page.session, page.viewer, found.object_kind, found.object_id)
    if lead.page is not None:
        return redirect(page, lead.page)
    return render(
        page, "inbox/notification.html", row=found, lead=lead, words=policy().kinds[found.kind].words(page.locale)
    )
