"""Mail: whose it is, when it goes out, what it holds, and what happens when the server fails. Over a real server."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import Message
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from models.job import Job, JobState
from models.notification import MailDelivery, Notification, NotificationKind
from models.user import Role, User
from tests.factories.mail_server import HOST, MailServer, certificate, mail_server
from tests.factories.world import World
from tracing.access import Viewer
from tracing.inbox import list_notifications, read_notification
from tracing.mail import BadMailAddress, mail_wishes, set_mail_wishes
from tracing.mail_delivery import send_due
from tracing.notification_policy import policy
from tracing.notifications import MAIL, notify
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import MailSettings
from tracing.platform.worker import run_one
from tracing.services import Services
from tracing.tasks import REGISTRY

K, D = NotificationKind, MailDelivery
ADDRESS = "li.na@example.org"
ABOUT = uuid.UUID("11111111-2222-4333-8444-555555555555")
NAME = "韦桂英"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    """A mail server with STARTTLS."""
    with mail_server(certificate(tmp_path / "tls")) as found:
        yield found


@pytest.fixture
def mailing(any_services: Services, server: MailServer) -> Services:
    """Services that mail through it."""
    settings = MailSettings(
        host=HOST, port=server.port, username="guitu", password=SecretStr("a secret"), sender="guitu@station.test",
        ca_file=server.certificate, timeout_seconds=5,
    )  # fmt: skip
    return replace(any_services, settings=any_services.settings.model_copy(update={"mail": settings}))


def wish(services: Services, viewer: Viewer, now: datetime, **deliveries: MailDelivery) -> None:
    with unit_of_work(services.db) as session:
        set_mail_wishes(session, services, viewer, ADDRESS, {K(name): one for name, one in deliveries.items()}, now=now)


def tell(services: Services, viewer: Viewer, kind: NotificationKind, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        notify(session, [viewer.user_id], kind, "case", ABOUT, now=now)


def run(services: Services, now: datetime) -> list[Job]:
    """Run what is due, as the worker does; the mail jobs as they stand then."""
    while run_one(services.db, services.settings, REGISTRY, services, "tests", lambda: now):
        pass
    with read_only(services.db) as session:
        return list(session.scalars(select(Job).where(Job.kind == MAIL).order_by(Job.created_at)))


def text_of(mail: Message) -> str:
    content = mail.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


def mailed(services: Services) -> list[bool]:
    with read_only(services.db) as session:
        rows = session.scalars(select(Notification).order_by(Notification.created_at))
        return [row.mailed_at is not None for row in rows]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> list[datetime]:
    """The wall clock of the delivery, one element that tests set."""
    moments = [now]
    monkeypatch.setattr("tracing.mail_delivery.utc_now", lambda: moments[0])
    return moments


def test_at_once_over_tls_with_kind_and_link_alone(
    mailing: Services, server: MailServer, staff: Viewer, now: datetime, clock: list[datetime]
) -> None:
    wish(mailing, staff, now)
    tell(mailing, staff, K.LOOKOUT_OPENED, now)
    assert [job.state for job in run(mailing, now)] == [JobState.DONE]
    (mail,) = server.mails
    assert (server.recipients, server.protected, len(server.logins)) == ([ADDRESS], [True], 1)
    text = text_of(mail)
    assert policy().kinds[K.LOOKOUT_OPENED].zh in text
    with read_only(mailing.db) as session:
        (row,) = list_notifications(session, staff).items
    assert f"{mailing.settings.web.public_url}/inbox/{row.id}" in text
    assert str(ABOUT) not in text
    assert NAME not in text
    assert mail["From"] == "guitu@station.test"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mailed(mailing) == [True]
    run(mailing, now)
    assert len(server.mails) == 1


def test_the_days_mail_is_one_and_leaves_out_what_was_read(
    mailing: Services, server: MailServer, staff: Viewer, now: datetime, clock: list[datetime]
) -> None:
    wish(mailing, staff, now, lookout_opened=D.DAILY, claims_conflict=D.OFF)
    for kind in (K.LOOKOUT_OPENED, K.REVIEW_WAITING, K.CLAIMS_CONFLICT, K.TIP_RECEIVED):
        tell(mailing, staff, kind, now)
    (job,) = run(mailing, now)
    assert (job.state, server.mails) == (JobState.QUEUED, [])
    with unit_of_work(mailing.db) as session:
        tip = next(one for one in list_notifications(session, staff).items if one.kind is K.TIP_RECEIVED)
        read_notification(session, staff, tip.id, now=now)
    clock[0] = policy().digest.after(now)
    assert clock[0] - now <= timedelta(days=1)
    assert [one.state for one in run(mailing, clock[0])] == [JobState.DONE]
    text = text_of(server.mails[0])
    assert [kind for kind in K if policy().kinds[kind].zh in text] == [K.LOOKOUT_OPENED, K.REVIEW_WAITING]
    assert len(server.mails) == 1


def test_whoever_gave_no_address_is_sent_nothing(
    mailing: Services, server: MailServer, staff: Viewer, caseworker: Viewer, now: datetime, clock: list[datetime]
) -> None:
    wish(mailing, staff, now)
    tell(mailing, caseworker, K.LOOKOUT_OPENED, now)
    assert run(mailing, now) == []
    assert server.mails == []
    with unit_of_work(mailing.db) as session:
        assert set_mail_wishes(session, mailing, staff, " ", {}, now=now).address is None
    tell(mailing, staff, K.LOOKOUT_OPENED, now)
    assert run(mailing, now) == []
    assert server.mails == []


def test_a_busy_server_is_tried_again_for_days_without_losing_an_attempt(
    mailing: Services, server: MailServer, staff: Viewer, now: datetime, clock: list[datetime]
) -> None:
    wish(mailing, staff, now)
    server.busy = True
    tell(mailing, staff, K.LOOKOUT_OPENED, now)
    waits = []
    for _ in range(8):
        (job,) = run(mailing, clock[0])
        assert (job.state, job.attempts) == (JobState.QUEUED, 0)
        waits.append((job.run_after - clock[0]).total_seconds())
        clock[0] = job.run_after
    assert waits == sorted(waits)
    assert waits[0] == policy().mail_retry.first_seconds
    server.busy = False
    assert [job.state for job in run(mailing, clock[0])] == [JobState.DONE]
    assert len(server.mails) == 1
    assert mailed(mailing) == [True]


def test_a_server_that_never_comes_back_is_an_operators_business(
    mailing: Services, server: MailServer, staff: Viewer, now: datetime, clock: list[datetime]
) -> None:
    wish(mailing, staff, now)
    server.busy = True
    tell(mailing, staff, K.LOOKOUT_OPENED, now)
    clock[0] = now + timedelta(hours=policy().mail_retry.give_up_hours)
    moment = clock[0]
    for _ in range(mailing.settings.jobs.max_attempts):
        (job,) = run(mailing, moment)
        moment += timedelta(hours=1)
    assert job.state is JobState.SET_ASIDE
    assert ADDRESS not in (job.last_error or "")


def test_an_address_that_does_not_exist_is_shown_to_its_owner_and_not_tried_again(
    mailing: Services, server: MailServer, staff: Viewer, now: datetime, clock: list[datetime]
) -> None:
    wish(mailing, staff, now)
    server.refuses.add(ADDRESS)
    tell(mailing, staff, K.LOOKOUT_OPENED, now)
    assert [job.state for job in run(mailing, now)] == [JobState.DONE]
    with read_only(mailing.db) as session:
        assert mail_wishes(session, mailing, staff).refused_at == now
    tell(mailing, staff, K.LOOKOUT_OPENED, now)
    assert len(run(mailing, now)) == 1
    assert server.mails == []
    assert mailed(mailing) == [False, False]
    wish(mailing, staff, now)
    with read_only(mailing.db) as session:
        assert mail_wishes(session, mailing, staff).refused_at is None


@pytest.mark.parametrize("refusal", ["550 5.7.1 not from here", "554 Relaying denied"])
def test_a_server_that_will_not_serve_us_says_nothing_of_the_address(
    refusal: str, mailing: Services, server: MailServer, staff: Viewer, now: datetime, clock: list[datetime]
) -> None:
    wish(mailing, staff, now)
    server.refuses.add(ADDRESS)
    server.refusal = refusal
    tell(mailing, staff, K.LOOKOUT_OPENED, now)
    (job,) = run(mailing, now)
    assert job.state is JobState.QUEUED
    with read_only(mailing.db) as session:
        assert mail_wishes(session, mailing, staff).refused_at is None
    server.refuses.clear()
    clock[0] = job.run_after
    assert [one.state for one in run(mailing, clock[0])] == [JobState.DONE]
    assert len(server.mails) == 1


def test_sent_again_after_a_crash_it_is_the_same_mail(
    mailing: Services, server: MailServer, staff: Viewer, now: datetime, clock: list[datetime]
) -> None:
    wish(mailing, staff, now)
    tell(mailing, staff, K.LOOKOUT_OPENED, now)
    server.drop_after = True  # it has the mail, and we cannot know
    (job,) = run(mailing, now)
    assert job.state is JobState.QUEUED
    tell(mailing, staff, K.LOOKOUT_ENDED, now + timedelta(seconds=1))
    server.drop_after, clock[0] = False, job.run_after
    run(mailing, clock[0])
    same = [mail for mail in server.mails if mail["Message-ID"] == server.mails[0]["Message-ID"]]
    assert len(same) == 2
    assert len({mail.get_payload() for mail in same}) == 1
    assert len({mail["Message-ID"] for mail in server.mails}) == 2
    assert mailed(mailing) == [True, True]


def test_it_is_never_sent_in_the_clear_when_that_was_not_allowed(
    mailing: Services, server: MailServer, staff: Viewer, now: datetime, clock: list[datetime]
) -> None:
    wish(mailing, staff, now)
    server.certificate = None  # offers no STARTTLS any more
    tell(mailing, staff, K.LOOKOUT_OPENED, now)
    assert [job.state for job in run(mailing, now)] == [JobState.QUEUED]
    assert (server.mails, server.logins) == ([], [])


def test_without_a_mail_server_nothing_waits(any_services: Services, staff: Viewer, now: datetime) -> None:
    wish(any_services, staff, now)
    tell(any_services, staff, K.LOOKOUT_OPENED, now)
    assert [job.state for job in run(any_services, now)] == [JobState.DONE]
    with read_only(any_services.db) as session:
        assert mail_wishes(session, any_services, staff).available is False


def test_closed_accounts_are_sent_nothing(
    mailing: Services, server: MailServer, staff: Viewer, now: datetime, clock: list[datetime]
) -> None:
    wish(mailing, staff, now)
    tell(mailing, staff, K.LOOKOUT_OPENED, now)
    with unit_of_work(mailing.db) as session:
        session.get_one(User, staff.user_id).active = False
    run(mailing, now)
    assert server.mails == []


@pytest.mark.parametrize(
    "text", ["li.na", "a@b c", "a@b\nBcc: x@y.z", "a@b,c@d", "李@x.cn", "<a@b.cn>", "a" * 250 + "@b.cn"]
)
def test_what_is_no_address_is_refused(services: Services, staff: Viewer, now: datetime, text: str) -> None:
    with pytest.raises(BadMailAddress), unit_of_work(services.db) as session:
        set_mail_wishes(session, services, staff, text, {}, now=now)


def test_wishes_are_ones_own_and_begin_with_the_policy(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    wish(services, staff, now, tip_received=D.IMMEDIATE, lookout_opened=D.OFF)
    with read_only(services.db) as session:
        own = mail_wishes(session, services, staff)
        other = mail_wishes(session, services, world.viewer(world.a.users[Role.CASEWORKER]))
    usual = {kind: policy().kinds[kind].mail for kind in K}
    assert own.deliveries == usual | {K.TIP_RECEIVED: D.IMMEDIATE, K.LOOKOUT_OPENED: D.OFF}
    assert (other.address, other.deliveries) == (None, usual)


def test_a_mail_that_is_due_twice_is_sent_once(
    mailing: Services, server: MailServer, staff: Viewer, now: datetime
) -> None:
    wish(mailing, staff, now)
    tell(mailing, staff, K.LOOKOUT_OPENED, now)
    sent = [send_due(mailing, staff.user_id, uuid.uuid4(), now, lambda _: None) for _ in range(2)]
    assert sent == [1, 0]
    assert len(server.mails) == 1
