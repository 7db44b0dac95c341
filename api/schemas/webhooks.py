"""Webhooks over the wire. A secret comes out once, when it is made."""

import uuid
from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Output, PageOut, Text
from models.notification import NotificationKind
from models.webhook import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookState
from tracing.paging import Page
from tracing.webhooks import Disclosed


class WebhookIn(Input):
    """An endpoint of an organisation: told of what concerns it and those below it."""

    organisation_id: uuid.UUID
    url: Text
    kinds: tuple[NotificationKind, ...] = Field((), description="Which kinds; none means all.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "organisation_id": "4a1c1c5e-2f6e-4f0e-9a53-0f6a1b8f2f10",
                    "url": "https://push.example.org/guitu",
                    "kinds": ["lookout_opened", "lookout_ended"],
                }
            ]
        }
    )


class WebhookOut(Output):
    """An endpoint. `failures` are the tries in a row that failed."""

    id: uuid.UUID
    organisation_id: uuid.UUID
    organisation_name_zh: str
    organisation_name_en: str
    url: str
    kinds: tuple[NotificationKind, ...]
    state: WebhookState
    failures: int
    previous_secret_until: datetime | None
    created_at: datetime
    changed_at: datetime


class WebhookSecretOut(WebhookOut):
    """An endpoint with its new secret; null when the request was repeated: it is shown once."""

    secret: str | None = Field(examples=["whsec_…"])


class AttemptOut(Output):
    """One try: the status that came back, or why none did."""

    at: datetime
    status: int | None
    failure: str | None
    milliseconds: int


class DeliveryOut(Output):
    """One event on its way to an endpoint; `id` is sent as `webhook-id`."""

    id: uuid.UUID
    kind: NotificationKind
    object_kind: str
    object_id: uuid.UUID
    state: DeliveryState
    created_at: datetime
    delivered_at: datetime | None
    attempts: tuple[AttemptOut, ...]


def _fields(one: WebhookEndpoint) -> dict[str, object]:
    return {
        "id": one.id,
        "organisation_id": one.organisation_id,
        "organisation_name_zh": one.organisation.name_zh,
        "organisation_name_en": one.organisation.name_en,
        "url": one.url,
        "kinds": tuple(one.kinds),
        "state": one.state,
        "failures": one.failures,
        "previous_secret_until": one.previous_until,
        "created_at": one.created_at,
        "changed_at": one.changed_at,
    }


def webhook_out(one: WebhookEndpoint) -> WebhookOut:
    """An endpoint without its secret."""
    return WebhookOut.model_validate(_fields(one))


def disclosed_out(made: Disclosed) -> WebhookSecretOut:
    """An endpoint with its secret."""
    return WebhookSecretOut.model_validate({**_fields(made.endpoint), "secret": made.secret})


def repeated_out(one: WebhookEndpoint) -> WebhookSecretOut:
    """The answer to a repeated request."""
    return WebhookSecretOut.model_validate({**_fields(one), "secret": None})


def webhooks_out(page: Page[WebhookEndpoint]) -> PageOut[WebhookOut]:
    """One page."""
    return PageOut(items=tuple(webhook_out(one) for one in page.items), next_cursor=page.next_cursor)


def deliveries_out(page: Page[WebhookDelivery]) -> PageOut[DeliveryOut]:
    """One page of the log."""
    return PageOut(items=tuple(_delivery_out(one) for one in page.items), next_cursor=page.next_cursor)


def _delivery_out(one: WebhookDelivery) -> DeliveryOut:
    tries = tuple(
        AttemptOut(at=each.at, status=each.status, failure=each.failure, milliseconds=each.milliseconds)
        for each in one.attempts
    )
    return DeliveryOut(
        id=one.id, kind=one.kind, object_kind=one.object_kind, object_id=one.object_id, state=one.state,
        created_at=one.created_at, delivered_at=one.delivered_at, attempts=tries,
    )  # fmt: skip
