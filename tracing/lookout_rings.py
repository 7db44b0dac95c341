"""Rings of a lookout (协查范围): whom it is addressed to, wider with time."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.lookout import Lookout, LookoutRing
from models.notification import Notification, NotificationKind
from models.organisation import Organisation
from models.user import Role, User
from tracing.lookout_policy import divisions_of, lookout_policy
from tracing.notifications import notify
from tracing.services import Services
from tracing.trail import note

NETWORK = (Role.COMMUNITY_LIAISON, Role.STATION_STAFF, Role.POLICE_EXAMINER)
"""Who is told of a lookout in the divisions that it is addressed to."""


def open_ring(session: Session, services: Services, lookout: Lookout, *, now: datetime) -> int:
    """Open the next ring of a lookout that the caller holds, and tell those who were not told yet; how many.

    A lookout that has all rings widens no more.
    """
    policy = lookout_policy(services)
    rings = policy.rings
    if lookout.ring >= len(rings):
        lookout.next_ring_at = None
        session.flush()
        return 0
    level, position = rings[lookout.ring].level, lookout.ring + 1
    present = set(session.scalars(select(LookoutRing.division).where(LookoutRing.lookout_id == lookout.id)))
    codes = [one for one in divisions_of(level, lookout.division) if one not in present]
    session.add_all(
        LookoutRing(
            id=uuid.uuid4(), lookout_id=lookout.id, ring=position, level=level, division=code, opened_at=now
        )
        for code in codes
    )  # fmt: skip
    lookout.ring = position
    following = rings[position] if position < len(rings) else None
    lookout.next_ring_at = lookout.opened_at + timedelta(hours=following.after_hours) if following else None
    session.flush()
    known = {*told(session, lookout.id), lookout.opened_by_id}
    recipients = [one for one in _users_in(session, codes) if one not in known]
    kind = NotificationKind.LOOKOUT_OPENED if position == 1 else NotificationKind.LOOKOUT_WIDENED
    count = notify(session, recipients, kind, "lookout", lookout.id, now=now)
    note(session, None, "lookout.ring", "lookout", lookout.id, at=now, ring=position, level=level.value, told=count)
    session.flush()
    return count


def told(session: Session, lookout_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """The users who were told of a lookout."""
    kinds = (NotificationKind.LOOKOUT_OPENED, NotificationKind.LOOKOUT_WIDENED)
    return frozenset(
        session.scalars(
            select(Notification.recipient_id).where(
                Notification.object_kind == "lookout",
                Notification.object_id == lookout_id,
                Notification.kind.in_(kinds),
            )
        )
    )


def _users_in(session: Session, codes: Sequence[str]) -> list[uuid.UUID]:
    if not codes:
        return []
    return list(
        session.scalars(
            select(User.id)
            .join(Organisation, Organisation.id == User.organisation_id)
            .where(
                User.active,
                User.role.in_(NETWORK),
                or_(*(Organisation.division.startswith(code, autoescape=True) for code in codes)),
            )
            .order_by(User.id)
        )
    )
