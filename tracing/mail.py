"""Mail settings of one's own account (邮件设置): the address, and which kinds are mailed when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.notification import MailDelivery, NotificationKind, NotificationPreference
from models.user import User
from tracing.access import Viewer
from tracing.notification_policy import policy
from tracing.platform import errors
from tracing.platform.setting_groups import is_mail_address
from tracing.services import Services
from tracing.trail import note


class BadMailAddress(errors.Invalid):
    """Text that is no address."""

    slug = "bad_mail_address"
    message = "This is not an e-mail address. Write one such as li.na@example.org, or leave it empty for no mail."


@dataclass(frozen=True, slots=True)
class MailWishes:
    """One's own settings. `available`: there is a mail server. `refused_at`: it did not know the address."""

    address: str | None
    refused_at: datetime | None
    available: bool
    deliveries: Mapping[NotificationKind, MailDelivery]


def mail_wishes(session: Session, services: Services, viewer: Viewer) -> MailWishes:
    """The viewer's settings, with the policy's for what was not chosen."""
    user = session.get_one(User, viewer.user_id)
    chosen = session.execute(
        select(NotificationPreference.kind, NotificationPreference.delivery).where(
            NotificationPreference.user_id == viewer.user_id
        )
    )
    deliveries = {kind: policy().kinds[kind].mail for kind in NotificationKind} | dict(iter(chosen))
    available = services.settings.mail.host is not None
    return MailWishes(user.email, user.email_refused_at, available, MappingProxyType(deliveries))


def set_mail_wishes(
    session: Session,
    services: Services,
    viewer: Viewer,
    address: str | None,
    deliveries: Mapping[NotificationKind, MailDelivery],
    *,
    now: datetime,
) -> MailWishes:
    """Set the viewer's address (None: no mail) and wishes; kinds that are not named are mailed as the policy says.

    An address that the server refused is tried again when it is set anew. Raises BadMailAddress.
    """
    text = (address or "").strip() or None
    if text is not None and not is_mail_address(text):
        raise BadMailAddress(field="address")
    user = session.get_one(User, viewer.user_id, with_for_update=True)
    user.email, user.email_refused_at = text, None
    session.execute(delete(NotificationPreference).where(NotificationPreference.user_id == user.id))
    for kind, delivery in deliveries.items():
        if delivery is not policy().kinds[kind].mail:
            session.add(NotificationPreference(user_id=user.id, kind=kind, delivery=delivery))
    session.flush()
    note(session, viewer, "account.mail", "user", user.id, at=now, address=text is not None, kinds=len(deliveries))
    return mail_wishes(session, services, viewer)
