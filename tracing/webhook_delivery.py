"""Sending webhooks (推送): one event to one endpoint, signed, tried again for days, and logged try by try.

At least once: a receiver that has seen `webhook-id` before ignores it. The body names kind, object and link alone.
"""

import http.client
import json
import ssl
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.notification import NotificationKind
from models.organisation import Organisation
from models.user import Role
from models.webhook import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookState
from tracing.notification_links import link
from tracing.notification_policy import policy
from tracing.notifications import notify, users_of
from tracing.platform import outgoing
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.jobs import ClaimedJob, DeferJob
from tracing.services import Services
from tracing.trail import note
from tracing.webhook_signature import headers

OK = range(200, 300)
log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What is sent, read before anything is sent."""

    url: str
    body: bytes
    keys: tuple[bytes, ...]


def secret_purpose(endpoint_id: uuid.UUID) -> str:
    """Purpose under which the vault seals an endpoint's secrets."""
    return f"webhook:{endpoint_id}"


def send_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: one try of one delivery."""
    send(services, uuid.UUID(job.payload["delivery"]), utc_now(), complete)


def send(services: Services, delivery_id: uuid.UUID, now: datetime, complete: Callable[[Session], None]) -> None:
    """Try a delivery once, unless it is settled or its endpoint is not served. Raises DeferJob to try again."""
    with read_only(services.db) as session:
        delivery = session.get(WebhookDelivery, delivery_id)
        parcel = _parcel(session, services, delivery, now) if delivery else None
    status, failure, began = None, None, time.monotonic()
    if parcel is not None:
        signed = headers(parcel.keys, str(delivery_id), int(now.timestamp()), parcel.body)
        signed |= {"Content-Type": "application/json", "User-Agent": "Guitu-Webhooks/1"}
        try:
            status = outgoing.post(services.settings.webhooks, parcel.url, signed, parcel.body)
        except outgoing.HostNotAllowed as error:
            failure = error.why
        except ssl.SSLError:
            failure = "tls"
        except TimeoutError:
            failure = "timeout"
        except (OSError, http.client.HTTPException):
            failure = "unreachable"
    took = round((time.monotonic() - began) * 1000)
    again: timedelta | None = None
    with unit_of_work(services.db) as session:
        if delivery is not None:
            again = _record(session, delivery_id, status, failure, took, now)
        if again is None:
            complete(session)
    if again is not None:
        raise DeferJob(again)


def _parcel(session: Session, services: Services, delivery: WebhookDelivery, now: datetime) -> _Parcel | None:
    """What to send; None when nothing is to be sent any more."""
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id)
    if delivery.state is not DeliveryState.WAITING or endpoint.state is not WebhookState.ACTIVE:
        return None
    sealed = [endpoint.secret_sealed]
    if endpoint.previous_sealed is not None and endpoint.previous_until and endpoint.previous_until > now:
        sealed.append(endpoint.previous_sealed)
    purpose = secret_purpose(endpoint.id)
    keys = tuple(services.vault.open(session, endpoint.subject_id, purpose, one) for one in sealed)
    content = {
        "type": delivery.kind.value,
        "timestamp": delivery.created_at.isoformat(),
        "data": {
            "object": delivery.object_kind,
            "id": str(delivery.object_id),
            "link": link(services.settings, delivery.object_kind, delivery.object_id),
        },
    }
    return _Parcel(endpoint.url, json.dumps(content, separators=(",", ":")).encode(), keys)


def _record(
    session: Session, delivery_id: uuid.UUID, status: int | None, failure: str | None, took: int, now: datetime
) -> timedelta | None:
    """Write the try down, and settle the delivery or say when to try again."""
    delivery = session.get_one(WebhookDelivery, delivery_id, with_for_update=True)
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id, with_for_update=True)
    counted = _failed_this_minute(session, endpoint, now)
    if status is not None or failure is not None:
        session.add(WebhookAttempt(delivery_id=delivery.id, at=now, status=status, failure=failure, milliseconds=took))
    if delivery.state is not DeliveryState.WAITING:
        return None
    if status in OK:
        delivery.state, delivery.delivered_at, endpoint.failures = DeliveryState.DELIVERED, now, 0
        return None
    if endpoint.state is not WebhookState.ACTIVE:
        removed = endpoint.state is WebhookState.REMOVED
        delivery.state = DeliveryState.GIVEN_UP if removed else DeliveryState.HELD
        return None
    endpoint.failures += not counted
    log.warning("webhook_failed", delivery=str(delivery.id), status=status, failure=failure)
    session.flush()
    if endpoint.failures >= policy().webhook_disable_after:
        _disable(session, endpoint, now)
        delivery.state = DeliveryState.HELD
        return None
    waits = policy().webhook_retry_seconds
    delivery.tries += 1
    if delivery.tries > len(waits):
        delivery.state = DeliveryState.GIVEN_UP
        return None
    return timedelta(seconds=waits[delivery.tries - 1])


def _failed_this_minute(session: Session, endpoint: WebhookEndpoint, now: datetime) -> bool:
    """Many events at once fail together when a receiver restarts: one failure a minute counts towards the limit."""
    minute = now.replace(second=0, microsecond=0)
    failed = (
        select(WebhookAttempt.id)
        .join(WebhookDelivery, WebhookDelivery.id == WebhookAttempt.delivery_id)
        .where(
            WebhookDelivery.endpoint_id == endpoint.id,
            WebhookAttempt.at >= minute,
            WebhookAttempt.at < minute + timedelta(minutes=1),
            or_(WebhookAttempt.status.is_(None), ~WebhookAttempt.status.between(OK.start, OK.stop - 1)),
        )
    )
    return session.scalars(failed.limit(1)).first() is not None


def _disable(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """After too many failures in a row: serve it no more, and tell the administrators who can mend it."""
    endpoint.state, endpoint.changed_at = WebhookState.DISABLED, now
    path = session.scalars(select(Organisation.path).where(Organisation.id == endpoint.organisation_id)).one()
    above = [uuid.UUID(part) for part in path.strip("/").split("/")]
    administrators = [one for level in above for one in users_of(session, level, {Role.ADMINISTRATOR})]
    notify(session, administrators, NotificationKind.WEBHOOK_DISABLED, "webhook", endpoint.id, now=now)
    note(session, None, "webhook.fail", "webhook", endpoint.id, at=now, failures=endpoint.failures)
