"""Notifications (通知): telling people that something waits for them, in the transaction in which it happened.

What goes out besides the inbox is written in that transaction too: a job for the mail of those who want one, a
delivery and its job for each webhook. `tracing.mail_delivery` and `tracing.webhook_delivery` send them.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.notification import MailDelivery, Notification, NotificationKind, NotificationPreference
from models.organisation import Organisation
from models.user import Role, User
from models.webhook import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookState
from tracing.notification_policy import policy
from tracing.platform import jobs

MAIL = "mail.send"
WEBHOOK = "webhook.send"
RECIPIENTS_AT_ONCE = 500
"""SQLite takes no more than some thousands of values in one statement."""


def users_of(session: Session, organisation_id: uuid.UUID, roles: Collection[Role]) -> list[uuid.UUID]:
    """The active accounts of one organisation that have one of the roles."""
    return list(
        session.scalars(
            select(User.id).where(User.organisation_id == organisation_id, User.role.in_(roles), User.active)
        )
    )


def notify(
    session: Session,
    recipients: Iterable[uuid.UUID],
    kind: NotificationKind,
    object_kind: str,
    object_id: uuid.UUID,
    *,
    now: datetime,
) -> int:
    """Put one line into the inbox of each recipient (user ids, each once); how many. Ids alone, no personal data."""
    rows = [
        Notification(
            id=uuid.uuid4(), recipient_id=one, kind=kind, object_kind=object_kind, object_id=object_id, created_at=now
        )
        for one in dict.fromkeys(recipients)
    ]
    paths = set[str]()
    for start in range(0, len(rows), RECIPIENTS_AT_ONCE):
        part = rows[start : start + RECIPIENTS_AT_ONCE]
        _mail(session, part, kind, now)
        paths |= _paths(session, part)
    session.add_all(rows)
    _push(session, paths, kind, object_kind, object_id, now)
    return len(rows)


def _mail(session: Session, rows: Sequence[Notification], kind: NotificationKind, now: datetime) -> None:
    """Mark what is to be mailed, and have it sent: at once, or with the others of the day."""
    chosen = (
        select(User.id, NotificationPreference.delivery)
        .outerjoin(
            NotificationPreference,
            (NotificationPreference.user_id == User.id) & (NotificationPreference.kind == kind),
        )
        .where(
            User.id.in_([row.recipient_id for row in rows]),
            User.email.is_not(None),
            User.email_refused_at.is_(None),
        )
    )
    wishes: dict[uuid.UUID, MailDelivery | None] = dict(iter(session.execute(chosen)))
    rules = policy()
    for row in rows:
        if row.recipient_id not in wishes:
            continue
        wish = wishes[row.recipient_id] or rules.kinds[kind].mail
        if wish is MailDelivery.OFF:
            continue
        daily = wish is MailDelivery.DAILY
        row.mail_due_at = rules.digest.after(now) if daily else now
        # One job a person and day takes all that has come together by then.
        name = f"{row.recipient_id}:{row.mail_due_at:%Y%m%dT%H}" if daily else str(row.id)
        jobs.enqueue(
            session, kind=MAIL, key=f"mail:{name}", payload={"user": row.recipient_id}, now=now,
            run_after=row.mail_due_at,
        )  # fmt: skip


def _paths(session: Session, rows: Sequence[Notification]) -> set[str]:
    """Paths of the recipients' organisations; none when nobody has a webhook at all."""
    if session.scalar(select(WebhookEndpoint.id).where(WebhookEndpoint.state != WebhookState.REMOVED).limit(1)) is None:
        return set()
    return set(
        session.scalars(
            select(Organisation.path)
            .join(User, User.organisation_id == Organisation.id)
            .where(User.id.in_([row.recipient_id for row in rows]))
        )
    )


def _push(
    session: Session, paths: set[str], kind: NotificationKind, object_kind: str, object_id: uuid.UUID, now: datetime
) -> None:
    """One delivery for each endpoint at or above an organisation that is told. Held while the endpoint is disabled."""
    if not paths:
        return
    endpoints = session.execute(
        select(WebhookEndpoint, Organisation.path)
        .join(Organisation, Organisation.id == WebhookEndpoint.organisation_id)
        .where(WebhookEndpoint.state != WebhookState.REMOVED)
    )
    for endpoint, path in endpoints.all():
        if (endpoint.kinds and kind.value not in endpoint.kinds) or not any(one.startswith(path) for one in paths):
            continue
        active = endpoint.state is WebhookState.ACTIVE
        delivery = WebhookDelivery(
            id=uuid.uuid4(), endpoint_id=endpoint.id, kind=kind, object_kind=object_kind, object_id=object_id,
            created_at=now, state=DeliveryState.WAITING if active else DeliveryState.HELD, sending=1,
        )  # fmt: skip
        session.add(delivery)
        if active:
            hand_over(session, delivery, now=now)


def hand_over(session: Session, delivery: WebhookDelivery, *, now: datetime) -> None:
    """Give a waiting delivery to the jobs."""
    jobs.enqueue(
        session, kind=WEBHOOK, key=f"webhook:{delivery.id}:{delivery.sending}", payload={"delivery": delivery.id},
        now=now,
    )  # fmt: skip
