"""Patrols: recorded, counted by division and period, withdrawn."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.patrol import AidKind
from models.sighting import SightingSource
from models.user import Role
from tests.factories.network import sight
from tests.factories.world import World
from tracing import patrols
from tracing.access import Permission, Viewer
from tracing.cases import ReasonMissing
from tracing.facts import InvalidFacts
from tracing.patrols import PatrolEnded, Walk
from tracing.platform import errors
from tracing.platform.db import unit_of_work
from tracing.services import Services


def walk(now: datetime, *, days: int = 0, **more: Any) -> Walk:
    values: dict[str, Any] = {
        "route": "火车站—白石湖公园", "started_at": now - timedelta(days=days, hours=3),
        "ended_at": now - timedelta(days=days, hours=1), "members": 4, "people_met": 3,
        "aid": {AidKind.FOOD: 3, AidKind.CLOTHING: 1},
    }  # fmt: skip
    return Walk(**(values | more))


def test_what_is_counted(any_services: Services, world: World, staff: Viewer, now: datetime) -> None:
    services, liaison = any_services, world.viewer(world.a.users[Role.COMMUNITY_LIAISON])
    with unit_of_work(services.db) as session:
        first = patrols.record_patrol(session, staff, walk(now), now=now)
        early = patrols.record_patrol(session, liaison, walk(now, days=40), now=now)
        wrong = patrols.record_patrol(session, staff, walk(now, people_met=900), now=now)
    sight(services, staff, now, source=SightingSource.PATROL, patrol_id=first.id)
    with pytest.raises(ReasonMissing), unit_of_work(services.db) as session:
        patrols.withdraw_patrol(session, staff, wrong.id, reason=" ", now=now)
    with unit_of_work(services.db) as session:
        patrols.withdraw_patrol(session, staff, wrong.id, reason="多记", now=now)
    with pytest.raises(PatrolEnded), unit_of_work(services.db) as session:
        patrols.withdraw_patrol(session, staff, wrong.id, reason="多记", now=now)
    bureau = world.viewer(world.a.users[Role.BUREAU_SUPERVISOR])
    month, always = now - timedelta(days=30), now - timedelta(days=400)
    with unit_of_work(services.db) as session:
        found = patrols.count_patrols(session, bureau, since=month, until=now, division="450700", now=now)
        assert (found.patrols, found.members, found.people_met, found.sightings) == (1, 4, 3, 1)
        assert found.aid == {AidKind.FOOD: 3, AidKind.CLOTHING: 1}
        assert patrols.count_patrols(session, bureau, since=always, until=now, now=now).patrols == 2
        assert patrols.count_patrols(session, bureau, since=always, until=now, division="35", now=now).patrols == 0
        shown = [view.patrol.id for view in patrols.list_patrols(session, staff, now=now).items]
        assert set(shown) == {first.id, wrong.id, early.id}  # the liaison's too: the same jurisdiction
        assert shown[-1] == early.id
        assert len(patrols.list_patrols(session, liaison, now=now).items) == 1


def test_what_is_wrong_is_named(services: Services, staff: Viewer, now: datetime) -> None:
    given = walk(
        now, route=" ", ended_at=now - timedelta(hours=9), members=0, people_met=-1, aid={AidKind.FOOD: 0},
        points=((200.0, 0.0),),
    )  # fmt: skip
    with pytest.raises(InvalidFacts) as refused, unit_of_work(services.db) as session:
        patrols.record_patrol(session, staff, given, now=now)
    assert {one.field for one in refused.value.problems} == {
        "route", "ended_at", "members", "people_met", "aid.food", "points"
    }  # fmt: skip


def test_who_walks_and_who_reads(any_services: Services, world: World, staff: Viewer, now: datetime) -> None:
    with unit_of_work(any_services.db) as session:
        made = patrols.record_patrol(session, staff, walk(now), now=now)
    for viewer in world.viewers():
        if not viewer.may(Permission.PATROL):
            with pytest.raises(errors.Forbidden), unit_of_work(any_services.db) as session:
                patrols.record_patrol(session, viewer, walk(now), now=now)
        above = world.a.station.path.startswith(viewer.jurisdiction)
        if viewer.may(Permission.PATROL_READ) and viewer.role is not Role.COMMUNITY_LIAISON and above:
            with unit_of_work(any_services.db) as session:
                assert patrols.get_patrol(session, viewer, made.id, now=now).patrol.id == made.id
        else:
            with pytest.raises(errors.NotFound), unit_of_work(any_services.db) as session:
                patrols.get_patrol(session, viewer, made.id, now=now)
