"""Versions: they count edits, so that a job never makes an editor's work stale."""

from datetime import datetime

from models.case import Case, CaseState
from models.user import Role
from tests.factories.records import facts, make_case
from tests.factories.stories import run_jobs
from tests.factories.world import World
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services


def test_a_matching_pass_does_not_change_the_version(services: Services, world: World, now: datetime) -> None:
    viewer = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        case = make_case(session, services, viewer, known=facts(age=50), now=now)
        seen = case.version
    run_jobs(services, now)
    with read_only(services.db) as session:
        after = session.get_one(Case, case.id)
    assert after.state is not CaseState.SUBMITTED
    assert after.version == seen
