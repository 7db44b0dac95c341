"""Notifications: one line an account, for those who are meant, and no other."""

import uuid
from datetime import datetime

from sqlalchemy import select

from models.notification import Notification, NotificationKind
from models.user import Role
from tests.factories.world import World
from tracing.notifications import notify, users_of, users_under
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


def test_whom_an_organisation_has_and_whom_a_subtree(any_services: Services, world: World) -> None:
    with unit_of_work(any_services.db) as session:
        assert set(users_of(session, world.a.police.id, {Role.POLICE_EXAMINER})) == {u.id for u in world.a.examiners}
        assert users_of(session, world.a.station.id, {Role.POLICE_EXAMINER}) == []
        liaisons = users_under(session, world.a.station.path, {Role.COMMUNITY_LIAISON})
        assert liaisons == [world.a.users[Role.COMMUNITY_LIAISON].id]
        assert users_under(session, world.b.station.path, {Role.COMMUNITY_LIAISON}) != liaisons
        session.get_one(type(world.a.examiners[0]), liaisons[0]).active = False
        assert users_under(session, world.a.station.path, {Role.COMMUNITY_LIAISON}) == []
