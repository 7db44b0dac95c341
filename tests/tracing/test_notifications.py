"""Notifications: one line an account, for those who are meant, and no other."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from models.deadline import DeadlineEscalation
from models.notification import Notification, NotificationKind
from models.user import Role, User
from tests.factories.records import make_case
from tests.factories.world import World
from tracing import inbox
from tracing.access import Viewer
from tracing.deadline_watch import watch
from tracing.notification_policy import policy
from tracing.notification_pruning import prune
from tracing.notifications import notify, users_of
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services


def test_each_recipient_has_one_line_however_often_named(any_services: Services, world: World, now: datetime) -> None:
    one, other = (user.id for user in world.a.examiners)
    about = uuid.uuid4()
    with unit_of_work(any_services.db) as session:
        assert notify(session, [one, other, one], NotificationKind.REVIEW_WAITING, "case", about, now=now) == 2
    with read_only(any_services.db) as session:
        rows = session.scalars(select(Notification)).all()
    assert {(row.recipient_id, row.object_id, row.read_at) for row in rows} == {
        (one, about, None),
        (other, about, None),
    }


def test_whom_an_organisation_has(any_services: Services, world: World) -> None:
    with unit_of_work(any_services.db) as session:
        assert set(users_of(session, world.a.police.id, {Role.POLICE_EXAMINER})) == {u.id for u in world.a.examiners}
        assert users_of(session, world.a.station.id, {Role.POLICE_EXAMINER}) == []
        session.get_one(User, world.a.examiners[0].id).active = False
        left = {user.id for user in world.a.examiners[1:]}
        assert set(users_of(session, world.a.police.id, {Role.POLICE_EXAMINER})) == left


def test_a_deadline_that_goes_up_is_told_to_those_who_can_look_at_the_case(
    any_services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        case_id = make_case(session, any_services, staff, now=now).id
    watch(any_services, now + timedelta(hours=30))
    supervisor, administrator = (world.a.users[role].id for role in (Role.BUREAU_SUPERVISOR, Role.ADMINISTRATOR))
    with read_only(any_services.db) as session:
        rows = session.scalars(select(Notification)).all()
        escalated = session.scalars(select(DeadlineEscalation.organisation_id)).all()
    assert {(row.kind, row.object_kind, row.object_id) for row in rows} == {
        (NotificationKind.DEADLINE_ESCALATED, "case", case_id)
    }
    assert administrator not in {row.recipient_id for row in rows}
    assert [row.recipient_id for row in rows].count(supervisor) == list(escalated).count(world.a.bureau.id) > 0
    watch(any_services, now + timedelta(hours=30))
    with read_only(any_services.db) as session:
        assert len(session.scalars(select(Notification)).all()) == len(rows)


def test_what_is_read_stays_read_and_ones_own(
    any_services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    later, other = now + timedelta(hours=1), world.a.users[Role.CASEWORKER].id
    with unit_of_work(any_services.db) as session:
        notify(session, [staff.user_id, other], NotificationKind.PHOTO_WANTED, "case", uuid.uuid4(), now=now)
        notify(session, [staff.user_id], NotificationKind.PHOTO_WANTED, "case", uuid.uuid4(), now=later)
        first = inbox.list_notifications(session, staff).items[-1]
        assert inbox.read_notification(session, staff, first.id, now=now).read_at == now
        assert inbox.read_notification(session, staff, first.id, now=later).read_at == now
        assert inbox.read_all(session, staff, until=now, now=later) == 0
        assert inbox.count_unread(session, staff) == 1
        assert inbox.read_all(session, staff, now=later) == 1
        assert inbox.count_unread(session, staff) == 0
        assert inbox.count_unread(session, world.viewer(world.a.users[Role.CASEWORKER])) == 1


def test_old_ones_are_forgotten_read_ones_sooner(any_services: Services, staff: Viewer, now: datetime) -> None:
    keep = policy().keep_days
    with unit_of_work(any_services.db) as session:
        for _ in range(2):
            notify(session, [staff.user_id], NotificationKind.PHOTO_WANTED, "case", uuid.uuid4(), now=now)
        inbox.read_notification(session, staff, inbox.list_notifications(session, staff).items[0].id, now=now)
    second = timedelta(seconds=1)
    assert prune(any_services, now + timedelta(days=keep.read)) == (0, 0)
    assert prune(any_services, now + timedelta(days=keep.read) + second) == (1, 0)
    assert prune(any_services, now + timedelta(days=keep.unread) + second) == (1, 0)


def test_the_days_mail_goes_out_at_its_hour() -> None:
    digest, zone = policy().digest, ZoneInfo(policy().digest.time_zone)
    early = datetime(2026, 3, 2, digest.hour - 1, 59, 59, tzinfo=zone)
    at = datetime(2026, 3, 2, digest.hour, tzinfo=zone)
    assert digest.after(early) == at
    assert digest.after(at) == at + timedelta(days=1)
