"""Duplicates after the fact: later cases, other provinces, candidates proposed since the link."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.candidate import Candidate, CandidateState
from models.followup import WanderingBasis, WanderingLink
from models.notification import Notification, NotificationKind
from models.user import Role
from tests.factories.duplicates import OTHERS, Two, candidate, decide, identify, pair_id, undo
from tests.factories.records import IDENTITY_NUMBER, make_case, make_report
from tests.factories.stories import run_jobs
from tests.factories.world import World
from tracing import wandering
from tracing.access import Viewer
from tracing.duplicate_links import LinkedConfirmed
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services


def test_who_was_admitted_later_may_have_wandered_again(
    any_services: Services, world: World, two: Two, staff: Viewer, reporter: Viewer, supervisor: Viewer, now: datetime
) -> None:
    """The other report's candidates for a later case stay open; confirmed, the later case links with the earlier."""
    decide(any_services, reporter, pair_id(any_services, two.sister, two.uncle), now)
    identify(any_services, supervisor, two.first, two.sister, now)
    later = now + timedelta(days=200)
    with unit_of_work(any_services.db) as session:
        again = make_case(session, any_services, staff, now=later).id
    run_jobs(any_services, later)
    assert candidate(any_services, again, two.uncle).state is CandidateState.OPEN
    identify(any_services, supervisor, again, two.uncle, later)
    with read_only(any_services.db) as session:
        link = session.scalars(select(WanderingLink)).one()
        rows = session.execute(
            select(Notification.recipient_id, Notification.object_id).where(
                Notification.kind == NotificationKind.WANDERED_AGAIN
            )
        )
        told = {(recipient, about) for recipient, about in rows}
    assert (link.case_id, link.earlier_case_id, link.basis) == (again, two.first, WanderingBasis.LINKED_REPORT)
    people = [world.a.users[role].id for role in (Role.STATION_STAFF, Role.CASEWORKER)]
    assert told == {(one, about) for one in people for about in (again, two.first)}
    undo(any_services, supervisor, again, later)
    with read_only(any_services.db) as session:
        assert session.scalars(select(WanderingLink.withdrawn_at)).one() == later


def test_the_same_number_links_the_history_across_provinces(
    any_services: Services, world: World, supervisor: Viewer, reporter: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        staff = world.viewer(world.a.users[Role.STATION_STAFF])
        first = make_case(session, any_services, staff, now=now).id
        report = make_report(session, any_services, reporter, identity_number=IDENTITY_NUMBER, now=now).id
    run_jobs(any_services, now)
    identify(any_services, supervisor, first, report, now)
    later = now + timedelta(days=400)
    with unit_of_work(any_services.db) as session:
        again = make_case(session, any_services, reporter, now=later).id
        other = make_report(session, any_services, staff, identity_number=IDENTITY_NUMBER, now=later).id
    run_jobs(any_services, later)
    police = world.viewer(world.b.users[Role.POLICE_SUPERVISOR])
    identify(any_services, police, again, other, later)
    with unit_of_work(any_services.db) as session:
        history = wandering.get_history(session, reporter, again, now=later)
    (earlier,) = history.earlier
    assert (earlier.case.id, earlier.link.basis) == (first, WanderingBasis.SAME_IDENTITY)
    assert earlier.case.organisation.id == world.a.station.id


def test_a_candidate_proposed_since_the_link_is_not_confirmed_either(
    any_services: Services, staff: Viewer, two: Two, reporter: Viewer, supervisor: Viewer, now: datetime
) -> None:
    """A match of the whole gallery proposes a candidate of the linked report after the confirmation closed the rest."""
    with unit_of_work(any_services.db) as session:
        third = make_case(session, any_services, staff, known=OTHERS, now=now).id
    run_jobs(any_services, now)
    decide(any_services, reporter, pair_id(any_services, two.sister, two.uncle), now)
    identify(any_services, supervisor, two.first, two.sister, now)
    model = candidate(any_services, two.second, two.uncle)
    with unit_of_work(any_services.db) as session:
        values = {name.key: getattr(model, name.key) for name in Candidate.__mapper__.column_attrs}
        values |= {"id": uuid.uuid4(), "pair": f"{third}:{two.uncle}", "case_id": third}
        session.add(Candidate(**(values | {"state": CandidateState.OPEN})))
    with pytest.raises(LinkedConfirmed):
        identify(any_services, supervisor, third, two.uncle, now)
