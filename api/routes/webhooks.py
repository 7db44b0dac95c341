"""Webhooks (推送): endpoints of organisations, for administrators."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import PageOut
from api.schemas.webhooks import (
    DeliveryOut,
    WebhookIn,
    WebhookOut,
    WebhookSecretOut,
    deliveries_out,
    disclosed_out,
    repeated_out,
    webhook_out,
    webhooks_out,
)
from tracing import webhooks

router = APIRouter(prefix="/webhooks", tags=["webhooks"], responses=problems(403))


@router.get("", summary="The endpoints that the administrator manages")
def list_all(session: SessionDep, viewer: ViewerDep, paging: PagingDep) -> PageOut[WebhookOut]:
    """Newest first."""
    return webhooks_out(webhooks.list_webhooks(session, viewer, cursor=paging.cursor, limit=paging.limit))


@router.post("", summary="Make an endpoint", status_code=201, responses=problems(404, 409))
def create(
    body: WebhookIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> WebhookSecretOut:
    """The answer holds the secret, this once. Requests are signed after Standard Webhooks 1.0."""
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        made = repeated_out(webhooks.get_webhook(session, viewer, earlier))
    else:
        disclosed = webhooks.create_webhook(
            session, services, viewer, body.organisation_id, body.url, body.kinds, now=now
        )
        once.remember(session, disclosed.endpoint.id)
        made = disclosed_out(disclosed)
    created(response, f"/api/v1/webhooks/{made.id}")
    return made


@router.get("/{webhook_id}", summary="One endpoint", responses=problems(404))
def read(webhook_id: uuid.UUID, session: SessionDep, viewer: ViewerDep) -> WebhookOut:
    """Without its secret."""
    return webhook_out(webhooks.get_webhook(session, viewer, webhook_id))


@router.post("/{webhook_id}/rotate", summary="Make a new secret", responses=problems(404))
def rotate(
    webhook_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> WebhookSecretOut:
    """The one before signs beside it for a day."""
    return disclosed_out(webhooks.rotate_secret(session, services, viewer, webhook_id, now=now))


@router.post("/{webhook_id}/disable", summary="Stop sending for now", responses=problems(404, 409))
def disable(webhook_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> WebhookOut:
    """What happens meanwhile is held."""
    return webhook_out(webhooks.disable_webhook(session, viewer, webhook_id, now=now))


@router.post("/{webhook_id}/enable", summary="Send again", responses=problems(404, 409))
def enable(
    webhook_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> WebhookOut:
    """And send what was held."""
    return webhook_out(webhooks.enable_webhook(session, services, viewer, webhook_id, now=now))


@router.delete("/{webhook_id}", summary="Remove an endpoint", status_code=204, responses=problems(404))
def remove(
    webhook_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> Response:
    """Its secret is destroyed."""
    webhooks.remove_webhook(session, services, viewer, webhook_id, now=now)
    return Response(status_code=204)


@router.get("/{webhook_id}/deliveries", summary="What was sent to an endpoint", responses=problems(404))
def deliveries(
    webhook_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, paging: PagingDep
) -> PageOut[DeliveryOut]:
    """Newest first, with each try."""
    return deliveries_out(
        webhooks.list_deliveries(session, viewer, webhook_id, cursor=paging.cursor, limit=paging.limit)
    )
