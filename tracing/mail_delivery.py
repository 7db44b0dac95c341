"""Sending notifications by e-mail (邮件提醒): what has come together for one person, in one mail.

A mail holds the kinds' words, and links that mean nothing to whoever cannot sign in. Which lines it has is settled and
committed before it is sent: sent again after a crash it is the same mail with the same Message-ID, and mail programs
show it once.
"""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.notification import Notification
from models.user import Locale, User
from tracing.notification_policy import policy
from tracing.platform import smtp
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.jobs import ClaimedJob, DeferJob
from tracing.platform.settings import Settings
from tracing.services import Services

LINES_MAX = 200
NO_SYNC = {"synchronize_session": False}
log = structlog.stdlib.get_logger(__name__)
_SUBJECT = {Locale.ZH: "[归途] {count} 条通知", Locale.EN: "[Guitu] {count} notifications"}
_FOOT = {
    Locale.ZH: "邮件中不含任何人的信息，请登录后查看。更改邮件提醒：{url}",
    Locale.EN: "This mail tells nothing of anybody: sign in to see. To change what you are sent: {url}",
}


def send_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: the mail of one person that is due. Does nothing while no mail server is set."""
    send_due(services, uuid.UUID(job.payload["user"]), job.id, utc_now(), complete)


def send_due(
    services: Services, user_id: uuid.UUID, mail_id: uuid.UUID, now: datetime, complete: Callable[[Session], None]
) -> int:
    """Send what is due for a person as the mail `mail_id`; how many lines. Raises DeferJob when it has to wait."""
    if services.settings.mail.host is None:
        with unit_of_work(services.db) as session:
            complete(session)
        return 0
    with unit_of_work(services.db) as session:
        _settle(session, user_id, mail_id, now)
    with read_only(services.db) as session:
        user = session.get_one(User, user_id)
        rows = session.scalars(
            select(Notification)
            .where(Notification.mail_id == mail_id, Notification.mailed_at.is_(None))
            .order_by(Notification.created_at, Notification.id)
        ).all()
    refused = False
    if rows and user.active and user.email is not None and user.email_refused_at is None:
        try:
            smtp.send(services.settings.mail, message(services.settings, user, mail_id, rows))
        except smtp.AddressRefused:
            refused = True
            log.warning("mail_address_refused", user=str(user_id))
        except smtp.MailUnsent as error:
            _wait_or_give_up(rows, error, now)
    with unit_of_work(services.db) as session:
        if refused:
            told = update(User).where(User.id == user_id, User.email == user.email).values(email_refused_at=now)
            session.execute(told, execution_options=NO_SYNC)
        elif rows:
            sent = update(Notification).where(Notification.id.in_([row.id for row in rows])).values(mailed_at=now)
            session.execute(sent, execution_options=NO_SYNC)
        complete(session)
    return 0 if refused else len(rows)


def _settle(session: Session, user_id: uuid.UUID, mail_id: uuid.UUID, now: datetime) -> None:
    """Choose the lines of the mail, once. What was read meanwhile need not be mailed."""
    if session.scalar(select(Notification.id).where(Notification.mail_id == mail_id).limit(1)) is not None:
        return
    due = session.scalars(
        select(Notification.id)
        .where(
            Notification.recipient_id == user_id,
            Notification.mail_due_at <= now,
            Notification.mail_id.is_(None),
            Notification.read_at.is_(None),
        )
        .order_by(Notification.created_at, Notification.id)
        .limit(LINES_MAX)
        .with_for_update(skip_locked=True)
    ).all()
    session.execute(
        update(Notification).where(Notification.id.in_(due)).values(mail_id=mail_id), execution_options=NO_SYNC
    )


def _wait_or_give_up(rows: Sequence[Notification], error: smtp.MailUnsent, now: datetime) -> None:
    """Raise DeferJob, or what kept the mail from going out when it has been tried long enough."""
    rules = policy().mail_retry
    age = now - max(row.mail_due_at or row.created_at for row in rows)
    if rules.over(age):
        raise error
    log.warning("mail_waits", failure=str(error), lines=len(rows))
    raise DeferJob(rules.wait(age)) from error


def message(settings: Settings, user: User, mail_id: uuid.UUID, rows: Sequence[Notification]) -> EmailMessage:
    """The mail: kinds, times and links alone."""
    kinds, url = policy().kinds, settings.web.public_url.rstrip("/")
    mail = EmailMessage()
    mail["From"], mail["To"] = settings.mail.sender, user.email
    mail["Subject"] = _SUBJECT[user.locale].format(count=len(rows))
    mail["Date"] = format_datetime(rows[-1].created_at)
    mail["Message-ID"] = f"<{mail_id}@{settings.mail.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    lines = [
        f"{row.created_at.astimezone(settings.zone):%Y-%m-%d %H:%M}  {kinds[row.kind].words(user.locale)}\n"
        f"{url}/inbox/{row.id}\n"
        for row in rows
    ]
    mail.set_content("\n".join([*lines, _FOOT[user.locale].format(url=f"{url}/inbox/mail"), ""]))
    return mail
