"""Webhooks (推送): the endpoints that an administrator manages, their secrets shown once, what was sent to each."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web import once
from api.web.errors import ChoiceMissing
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.notification import NotificationKind
from tracing import webhooks
from tracing.access import Permission, require
from tracing.organisations import list_organisations

router = APIRouter()
SHOWN = 25


def show_webhooks(page: Page) -> Response:
    """The endpoints, newest first, and the form for another."""
    query = page.request.query_params
    found = webhooks.list_webhooks(page.session, page.viewer, cursor=query.get("cursor") or None, limit=SHOWN)
    return render(
        page, "webhooks/list.html", endpoints=found.items, next_cursor=found.next_cursor,
        first=not query.get("cursor"), organisations=list_organisations(page.session, page.viewer),
        kinds=list(NotificationKind), member=NotificationKind, values=page.typed.values, key_field=once.FIELD,
        form_key=once.key(page), hosts=page.services.settings.webhooks.allowed_hosts,
    )  # fmt: skip


@router.get("/webhooks")
def index(page: PageDep) -> Response:
    """The page."""
    return show_webhooks(page)


@router.post("/webhooks")
def create(page: Annotated[Page, posted(show_webhooks)]) -> Response:
    """An endpoint; the answer shows its secret, this once, and so is no redirect."""
    require(page.viewer, Permission.WEBHOOKS)
    made = once.earlier(page, "webhook")
    if made is not None:
        return redirect(page, f"/webhooks/{made}")
    try:
        organisation_id = uuid.UUID(page.typed.text("organisation_id"))
    except ValueError:
        raise ChoiceMissing(field="organisation_id") from None
    kinds = [one for one in NotificationKind if page.typed.ticked(f"kinds.{one.value}")]
    disclosed = webhooks.create_webhook(
        page.session, page.services, page.viewer, organisation_id, page.typed.text("url"), kinds, now=page.now
    )
    once.remember(page, disclosed.endpoint.id)
    return _shown(page, disclosed.endpoint.id, secret=disclosed.secret)


def show_webhook(page: Page, webhook_id: uuid.UUID) -> Response:
    """One endpoint and what was sent to it."""
    return _shown(page, webhook_id)


def _shown(page: Page, webhook_id: uuid.UUID, *, secret: str | None = None) -> Response:
    endpoint = webhooks.get_webhook(page.session, page.viewer, webhook_id)
    query = page.request.query_params
    found = webhooks.list_deliveries(
        page.session, page.viewer, webhook_id, cursor=query.get("cursor") or None, limit=SHOWN
    )  # fmt: skip
    return render(
        page, "webhooks/webhook.html", endpoint=endpoint, deliveries=found.items, next_cursor=found.next_cursor,
        first=not query.get("cursor"), member=NotificationKind, secret=secret, now=page.now,
    )  # fmt: skip


@router.get("/webhooks/{webhook_id}")
def read(page: PageDep, webhook_id: uuid.UUID) -> Response:
    """The page, without the secret."""
    return show_webhook(page, webhook_id)


@router.post("/webhooks/{webhook_id}/rotate")
def rotate(page: Annotated[Page, posted(show_webhook)], webhook_id: uuid.UUID) -> Response:
    """A new secret, shown this once."""
    disclosed = webhooks.rotate_secret(page.session, page.services, page.viewer, webhook_id, now=page.now)
    return _shown(page, webhook_id, secret=disclosed.secret)


@router.post("/webhooks/{webhook_id}/disable")
def disable(page: Annotated[Page, posted(show_webhook)], webhook_id: uuid.UUID) -> Response:
    """Serve it no more for now."""
    webhooks.disable_webhook(page.session, page.viewer, webhook_id, now=page.now)
    return redirect(page, f"/webhooks/{webhook_id}", done(page, "Nothing is sent now; what happens meanwhile is held."))


@router.post("/webhooks/{webhook_id}/enable")
def enable(page: Annotated[Page, posted(show_webhook)], webhook_id: uuid.UUID) -> Response:
    """Serve it again, and send what was held."""
    webhooks.enable_webhook(page.session, page.services, page.viewer, webhook_id, now=page.now)
    return redirect(page, f"/webhooks/{webhook_id}", done(page, "It is sent to again, what was held first."))


@router.post("/webhooks/{webhook_id}/remove")
def remove(page: Annotated[Page, posted(show_webhook)], webhook_id: uuid.UUID) -> Response:
    """Remove it; its secret is destroyed."""
    webhooks.remove_webhook(page.session, page.services, page.viewer, webhook_id, now=page.now)
    return redirect(page, "/webhooks", done(page, "The webhook is removed and its secret destroyed."))
