"""A webhook of a province's station, stored through the use case."""

import uuid
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from models.user import Role
from tests.factories.mail_server import HOST, Receiver
from tests.factories.world import Province
from tracing.access import viewer_of
from tracing.platform.settings import WebhookSettings
from tracing.services import Services
from tracing.webhooks import create_webhook


def pushing_to(services: Services, to: Receiver) -> Services:
    """Services that may push to a receiver without TLS."""
    settings = WebhookSettings(allowed_hosts=(f"{HOST}:{to.port}",), allow_http=True)
    return replace(services, settings=services.settings.model_copy(update={"webhooks": settings}))


def stored_webhook(session: Session, services: Services, province: Province, *, now: datetime) -> uuid.UUID:
    """Its id. Nothing listens there."""
    settings = services.settings.model_copy(update={"webhooks": WebhookSettings(allowed_hosts=("push.example.org",))})
    administrator = viewer_of(province.users[Role.ADMINISTRATOR], province.bureau)
    made = create_webhook(
        session, replace(services, settings=settings), administrator, province.station.id,
        "https://push.example.org/in", (), now=now,
    )  # fmt: skip
    return made.endpoint.id
