"""The end of a notice (公告撤回) by the service: its case has moved, or the person was asked again."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.notice import PUBLIC_STATES, Notice, NoticeState, NoticeVersion
from models.notification import NotificationKind
from models.user import Role
from tracing.notifications import notify, users_of
from tracing.trail import note

STANDING = (NoticeState.PROPOSED, NoticeState.PUBLISHED)


def end_notice(session: Session, case: Case, *, now: datetime) -> None:
    """Withdraw the notice of a case whose new state is not for the public; called by the one function that moves cases.

    The page itself is gone without this, because it asks for the case's state; this makes sure that it does not come
    back by itself when the case moves on.
    """
    if case.state not in PUBLIC_STATES:
        withdraw_standing(session, case, case.state.value, now=now)


def withdraw_standing(session: Session, case: Case, because: str, *, now: datetime) -> None:
    """Withdraw what is proposed or public of a case, for good, and tell the station; `because` is an identifier."""
    with session.no_autoflush:
        standing = session.scalars(
            select(NoticeVersion)
            .join(Notice, Notice.id == NoticeVersion.notice_id)
            .where(Notice.case_id == case.id, NoticeVersion.state.in_(STANDING))
            .order_by(NoticeVersion.number)
        ).all()
        told = users_of(session, case.organisation_id, (Role.STATION_STAFF,)) if standing else []
    for version in standing:
        version.state = NoticeState.WITHDRAWN
        version.withdrawn_at, version.withdrawal_reason = now, because
        note(session, None, "notice.end", "case", case.id, at=now, version=version.id, because=because)
        notify(session, told, NotificationKind.NOTICE_WITHDRAWN, "case", case.id, now=now)
