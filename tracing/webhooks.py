"""Webhooks (推送): the endpoints of an organisation's own systems, set by the administrator; their delivery log."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models.notification import NotificationKind
from models.organisation import Organisation
from models.webhook import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookState
from tracing import access
from tracing.access import Permission, Viewer
from tracing.facts import check_text
from tracing.notification_policy import policy
from tracing.notifications import hand_over
from tracing.paging import Page, page_of
from tracing.platform import errors, outgoing
from tracing.services import Services
from tracing.trail import note
from tracing.webhook_delivery import secret_purpose
from tracing.webhook_signature import new_secret, shown

URL_LIMIT = 500
PER_ORGANISATION = 5
HANDED_OVER_MAX = 1000


class WebhookAddressRefused(errors.Invalid):
    """An address that the installation does not allow."""

    slug = "webhook_address_refused"
    message = (
        "Webhooks may not go to this address. It begins with https://, without a password, and its host is among those"
        " that the operator allows (GUITU_WEBHOOKS__ALLOWED_HOSTS)."
    )


class WebhookLimit(errors.Conflict):
    """One endpoint too many."""

    slug = "webhook_limit"
    message = "An organisation has at most {limit} webhooks. Remove one first."


class WebhookStateUnfit(errors.Conflict):
    """Enabling an enabled endpoint, disabling a disabled one."""

    slug = "webhook_state_unfit"
    message = "The webhook is already so. Reload the list."


@dataclass(frozen=True, slots=True)
class Disclosed:
    """An endpoint with its secret in the clear, shown this once."""

    endpoint: WebhookEndpoint
    secret: str


def list_webhooks(
    session: Session, viewer: Viewer, *, cursor: str | None = None, limit: int = 50
) -> Page[WebhookEndpoint]:
    """The endpoints that the administrator manages, newest first, without removed ones. Raises Forbidden, BadCursor."""
    access.require(viewer, Permission.WEBHOOKS)
    statement = (
        select(WebhookEndpoint)
        .where(access.webhook_scope(viewer), WebhookEndpoint.state != WebhookState.REMOVED)
        .options(joinedload(WebhookEndpoint.organisation))
    )
    return page_of(session, statement, WebhookEndpoint.created_at, WebhookEndpoint.id, cursor=cursor, limit=limit)


def create_webhook(
    session: Session,
    services: Services,
    viewer: Viewer,
    organisation_id: uuid.UUID,
    url: str,
    kinds: Collection[NotificationKind],
    *,
    now: datetime,
) -> Disclosed:
    """An endpoint of an organisation that the administrator manages; no kinds means all.

    Raises Forbidden, NotFound, WebhookAddressRefused, WebhookLimit.
    """
    access.require(viewer, Permission.WEBHOOKS)
    organisation: Organisation = access.find(
        session,
        select(Organisation)
        .where(Organisation.id == organisation_id, access.organisation_scope(viewer))
        .with_for_update(),
    )
    present = session.scalars(
        select(WebhookEndpoint.id).where(
            WebhookEndpoint.organisation_id == organisation.id, WebhookEndpoint.state != WebhookState.REMOVED
        )
    ).all()
    if len(present) >= PER_ORGANISATION:
        raise WebhookLimit(limit=PER_ORGANISATION)
    identity, secret, subject = uuid.uuid4(), new_secret(), services.vault.new_subject(session, now)
    endpoint = WebhookEndpoint(
        id=identity,
        organisation_id=organisation.id,
        organisation=organisation,
        url=_checked(services, url),
        kinds=sorted(kind.value for kind in set(kinds)),
        state=WebhookState.ACTIVE,
        subject_id=subject.id,
        secret_sealed=services.vault.seal(session, subject.id, secret_purpose(identity), secret),
        failures=0,
        created_by_id=viewer.user_id,
        created_at=now,
        changed_at=now,
    )
    session.add(endpoint)
    session.flush()
    note(session, viewer, "webhook.create", "webhook", endpoint.id, at=now, organisation=organisation.id)
    return Disclosed(endpoint, shown(secret))


def _checked(services: Services, url: str) -> str:
    text = check_text(url, limit=URL_LIMIT, field="url")
    try:
        outgoing.allowed(services.settings.webhooks, text)
    except outgoing.HostNotAllowed:
        raise WebhookAddressRefused(field="url") from None
    return text


def _endpoint(session: Session, viewer: Viewer, endpoint_id: uuid.UUID) -> WebhookEndpoint:
    access.require(viewer, Permission.WEBHOOKS)
    found: WebhookEndpoint = access.find(
        session,
        select(WebhookEndpoint)
        .where(
            WebhookEndpoint.id == endpoint_id,
            WebhookEndpoint.state != WebhookState.REMOVED,
            access.webhook_scope(viewer),
        )
        .options(joinedload(WebhookEndpoint.organisation))
        .with_for_update(of=WebhookEndpoint)
        .execution_options(populate_existing=True),
    )
    return found


def get_webhook(session: Session, viewer: Viewer, endpoint_id: uuid.UUID) -> WebhookEndpoint:
    """One endpoint. Raises Forbidden, NotFound."""
    return _endpoint(session, viewer, endpoint_id)


def rotate_secret(
    session: Session, services: Services, viewer: Viewer, endpoint_id: uuid.UUID, *, now: datetime
) -> Disclosed:
    """A new secret; the old one signs beside it for as long as the policy says. Raises Forbidden, NotFound."""
    endpoint = _endpoint(session, viewer, endpoint_id)
    secret = new_secret()
    endpoint.previous_sealed = endpoint.secret_sealed
    endpoint.previous_until = now + timedelta(hours=policy().webhook_rotation_hours)
    endpoint.secret_sealed = services.vault.seal(session, endpoint.subject_id, secret_purpose(endpoint.id), secret)
    endpoint.changed_at = now
    session.flush()
    note(session, viewer, "webhook.rotate", "webhook", endpoint.id, at=now)
    return Disclosed(endpoint, shown(secret))


def disable_webhook(session: Session, viewer: Viewer, endpoint_id: uuid.UUID, *, now: datetime) -> WebhookEndpoint:
    """Serve it no more for now; what happens meanwhile is held. Raises Forbidden, NotFound, WebhookStateUnfit."""
    endpoint = _endpoint(session, viewer, endpoint_id)
    if endpoint.state is not WebhookState.ACTIVE:
        raise WebhookStateUnfit()
    endpoint.state, endpoint.changed_at = WebhookState.DISABLED, now
    session.flush()
    note(session, viewer, "webhook.disable", "webhook", endpoint.id, at=now)
    return endpoint


def enable_webhook(
    session: Session, services: Services, viewer: Viewer, endpoint_id: uuid.UUID, *, now: datetime
) -> WebhookEndpoint:
    """Serve it again, and send what was held (the newest thousand).

    Raises Forbidden, NotFound, WebhookStateUnfit, WebhookAddressRefused when its host is no longer allowed.
    """
    endpoint = _endpoint(session, viewer, endpoint_id)
    if endpoint.state is not WebhookState.DISABLED:
        raise WebhookStateUnfit()
    _checked(services, endpoint.url)
    endpoint.state, endpoint.failures, endpoint.changed_at = WebhookState.ACTIVE, 0, now
    held = session.scalars(
        select(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == DeliveryState.HELD)
        .order_by(WebhookDelivery.created_at.desc())
        .limit(HANDED_OVER_MAX)
        .with_for_update()
    ).all()
    for delivery in reversed(held):
        delivery.state, delivery.tries, delivery.sending = DeliveryState.WAITING, 0, delivery.sending + 1
        hand_over(session, delivery, now=now)
    session.flush()
    note(session, viewer, "webhook.enable", "webhook", endpoint.id, at=now, held=len(held))
    return endpoint


def remove_webhook(
    session: Session, services: Services, viewer: Viewer, endpoint_id: uuid.UUID, *, now: datetime
) -> None:
    """Remove it: its secrets cannot be opened again, its log stays until it is pruned. Raises Forbidden, NotFound."""
    endpoint = _endpoint(session, viewer, endpoint_id)
    endpoint.state, endpoint.changed_at = WebhookState.REMOVED, now
    services.vault.destroy(session, endpoint.subject_id, now)
    session.flush()
    note(session, viewer, "webhook.remove", "webhook", endpoint.id, at=now)


def list_deliveries(
    session: Session, viewer: Viewer, endpoint_id: uuid.UUID, *, cursor: str | None = None, limit: int = 50
) -> Page[WebhookDelivery]:
    """What was sent to an endpoint, newest first, with each try. Raises Forbidden, NotFound, BadCursor."""
    endpoint = _endpoint(session, viewer, endpoint_id)
    statement = (
        select(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint.id)
        .options(selectinload(WebhookDelivery.attempts))
        .execution_options(populate_existing=True)
    )
    return page_of(session, statement, WebhookDelivery.created_at, WebhookDelivery.id, cursor=cursor, limit=limit)
