"""A case in review on both databases, before anybody has judged it."""

from datetime import datetime

import pytest
from sqlalchemy import select

from models.candidate import Candidate
from models.case import CaseState
from models.user import Role
from tests.factories.records import make_case
from tests.factories.stories import Story, judged_case, run_jobs
from tests.factories.world import World
from tests.models.sql import Ground
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services


@pytest.fixture
def ground(any_services: Services, world: World, now: datetime) -> Ground:
    """Two cases in review, found for one report."""
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    with unit_of_work(any_services.db) as session:
        second = make_case(session, any_services, world.viewer(world.a.users[Role.STATION_STAFF]), now=now)
    run_jobs(any_services, now)
    with read_only(any_services.db) as session:
        candidate_id = session.scalars(
            select(Candidate.id).where(Candidate.case_id == second.id, Candidate.report_id == story.report_id)
        ).one()
    return Ground(any_services.db, world, story, Story(second.id, story.report_id, candidate_id))
