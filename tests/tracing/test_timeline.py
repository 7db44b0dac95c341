"""The course of a case: everything in order, page by page, and no more than a role may know."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from models.case import CaseState
from models.user import Role
from tests.factories.stories import judged_case
from tests.factories.world import World
from tracing.access import Viewer
from tracing.platform.db import unit_of_work
from tracing.services import Services
from tracing.timeline import Event, EventKind, list_events


def _all(services: Services, viewer: Viewer, case_id: uuid.UUID, now: datetime, limit: int) -> list[Event]:
    found: list[Event] = []
    cursor: str | None = None
    while True:
        with unit_of_work(services.db) as session:
            page = list_events(session, viewer, case_id, cursor=cursor, limit=limit, now=now)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_the_course_is_in_order_and_by_role(any_services: Services, world: World, now: datetime) -> None:
    story = judged_case(any_services, world, CaseState.REUNIFIED, now=now)
    later = now + timedelta(hours=1)
    caseworker, supervisor = (
        world.viewer(province.users[role])
        for province, role in ((world.a, Role.CASEWORKER), (world.a, Role.BUREAU_SUPERVISOR))
    )
    whole = _all(any_services, caseworker, story.case_id, later, 200)
    assert [one.at for one in whole] == sorted((one.at for one in whole), reverse=True)
    paged = _all(any_services, caseworker, story.case_id, later, 3)
    assert [replace(one, organisation=None) for one in paged] == [replace(one, organisation=None) for one in whole]
    kinds = {one.kind for one in whole}
    assert kinds >= {
        EventKind.MOVE, EventKind.ATTRIBUTE, EventKind.NAME, EventKind.CONFIRMATION, EventKind.RELEASE,
        EventKind.ATTEMPT, EventKind.KIN, EventKind.OUTCOME,
    }  # fmt: skip
    told = {one.kind for one in _all(any_services, supervisor, story.case_id, later, 200)}
    assert kinds - told == {EventKind.ATTEMPT, EventKind.KIN}
    confirmed = next(one for one in whole if one.kind is EventKind.CONFIRMATION)
    assert (confirmed.actor, confirmed.organisation and confirmed.organisation.id) == (None, world.a.police.id)
    own = next(one for one in whole if one.kind is EventKind.OUTCOME)
    assert own.actor == caseworker.display_name
