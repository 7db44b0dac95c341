"""Contact: sealed before the release, open to the station's caseworker alone, sealed again after a recall."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.audit import AuditEvent
from models.candidate import Candidate
from models.case import CONTACT_OPEN, CaseState
from models.confirmation import ConfirmationMethod
from models.contact import ContactAttempt, ContactChannel, ContactResult, DangerScreen, PersonWish
from models.outcome import OutcomeKind, OutcomeRoute
from models.user import Role
from tests.factories.records import FAMILY, make_report
from tests.factories.stories import (
    Story,
    dossier_complete,
    examiners,
    judged_case,
    kin_verified,
    papers_for,
    run_jobs,
    state_of,
)
from tests.factories.world import World
from tracing.access import Viewer
from tracing.cases import move_case
from tracing.confirmation import confirm, recall
from tracing.contact import (
    ContactSealed,
    NotConfirmed,
    list_attempts,
    read_family_contact,
    record_attempt,
    release_contact,
)
from tracing.fact_errors import DateInFuture
from tracing.facts import InvalidFacts
from tracing.outcomes import RouteMissing, list_outcomes, record_outcome
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.reports import FamilyContact
from tracing.screenings import DangerSuspected, PersonObjects
from tracing.services import Services
from tracing.transitions import IllegalMove

S = CaseState


def read(services: Services, viewer: Viewer, story: Story, now: datetime) -> FamilyContact:
    with unit_of_work(services.db) as session:
        return read_family_contact(session, services, viewer, story.case_id, now=now)


def release(
    services: Services,
    viewer: Viewer,
    story: Story,
    now: datetime,
    wish: PersonWish = PersonWish.WANTS_CONTACT,
    danger: DangerScreen = DangerScreen.NO_SIGN,
) -> None:
    with unit_of_work(services.db) as session:
        release_contact(session, viewer, story.case_id, wish, danger, now=now)


def attempt(
    services: Services,
    viewer: Viewer,
    story: Story,
    now: datetime,
    result: ContactResult = ContactResult.REACHED,
    at: datetime | None = None,
) -> ContactAttempt:
    with unit_of_work(services.db) as session:
        return record_attempt(
            session, services, viewer, story.case_id, ContactChannel.LOCAL_POLICE, result,
            note_text="姐姐听到消息哭了", attempted_at=at or now, now=now,
        )  # fmt: skip


def end(
    services: Services,
    viewer: Viewer,
    story: Story,
    now: datetime,
    kind: OutcomeKind,
    route: OutcomeRoute | None = None,
    days: int = 0,
) -> None:
    with unit_of_work(services.db) as session:
        record_outcome(
            session, services, viewer, story.case_id, kind, route,
            occurred_on=services.local_day(now + timedelta(days=days)), note_text=None,
            papers=papers_for(services, kind, now), now=now,
        )  # fmt: skip


@pytest.mark.parametrize("state", list(S))
def test_in_which_states_the_details_open(
    services: Services, world: World, caseworker: Viewer, state: CaseState, now: datetime
) -> None:
    story = judged_case(services, world, state, now=now)
    if state in CONTACT_OPEN:
        assert read(services, caseworker, story, now) == FAMILY
    else:
        with pytest.raises(ContactSealed):
            read(services, caseworker, story, now)
        with pytest.raises(ContactSealed):
            attempt(services, caseworker, story, now)


def test_nobody_but_the_stations_caseworker_reads_them(any_services: Services, world: World, now: datetime) -> None:
    story = judged_case(any_services, world, S.CONTACT_RELEASED, now=now)
    for viewer in world.viewers():
        if viewer.user_id == world.a.users[Role.CASEWORKER].id:
            assert read(any_services, viewer, story, now) == FAMILY
        elif viewer.role is Role.CASEWORKER:  # another organisation's: the case does not exist
            with pytest.raises(errors.NotFound):
                read(any_services, viewer, story, now)
        else:
            with pytest.raises(errors.Forbidden):
                read(any_services, viewer, story, now)
    with read_only(any_services.db) as session:
        readers = session.scalars(select(AuditEvent.actor_id).where(AuditEvent.action == "contact.read")).all()
    assert readers == [world.a.users[Role.CASEWORKER].id]


def test_who_releases(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, S.IDENTIFIED, now=now)
    police = {Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR}
    for viewer in world.viewers():
        if not (viewer.role in police and viewer.path.startswith(world.a.bureau.path)):
            with pytest.raises(errors.NotFound if viewer.role in police else errors.Forbidden):
                release(services, viewer, story, now)
    release(services, examiners(world)[1], story, now)
    assert state_of(services, story.case_id) is S.CONTACT_RELEASED


def test_what_stands_against_a_release(any_services: Services, world: World, supervisor: Viewer, now: datetime) -> None:
    story = judged_case(any_services, world, S.IDENTIFIED, now=now)
    with pytest.raises(PersonObjects):
        release(any_services, supervisor, story, now, wish=PersonWish.OBJECTS)
    with pytest.raises(DangerSuspected):
        release(any_services, supervisor, story, now, danger=DangerScreen.SUSPECTED)
    assert state_of(any_services, story.case_id) is S.IDENTIFIED
    release(any_services, supervisor, story, now, wish=PersonWish.CANNOT_EXPRESS)
    with pytest.raises(IllegalMove):
        release(any_services, supervisor, story, now)


@pytest.mark.parametrize("state", [S.SUBMITTED, S.IN_REVIEW, S.UNRESOLVED, S.RECALLED])
def test_no_release_without_a_standing_confirmation(
    services: Services, world: World, supervisor: Viewer, state: CaseState, now: datetime
) -> None:
    story = judged_case(services, world, state, now=now)
    with pytest.raises(NotConfirmed):
        release(services, supervisor, story, now)


def test_attempts_are_kept_sealed_and_the_first_that_reaches_moves_the_case(
    any_services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, S.CONTACT_RELEASED, now=now)
    attempt(any_services, caseworker, story, now, ContactResult.NO_ANSWER)
    assert state_of(any_services, story.case_id) is S.CONTACT_RELEASED
    made = attempt(any_services, caseworker, story, now + timedelta(minutes=9))
    assert made.note_sealed is not None
    assert "姐姐".encode() not in made.note_sealed
    assert state_of(any_services, story.case_id) is S.FAMILY_CONTACTED
    attempt(any_services, caseworker, story, now + timedelta(minutes=19))
    with unit_of_work(any_services.db) as session:
        rows = list_attempts(session, any_services, caseworker, story.case_id, now=now)
    assert [(row.result, text) for row, text in rows] == [
        (ContactResult.NO_ANSWER, "姐姐听到消息哭了"),
        (ContactResult.REACHED, "姐姐听到消息哭了"),
        (ContactResult.REACHED, "姐姐听到消息哭了"),
    ]


def test_an_attempt_is_not_made_tomorrow(services: Services, world: World, caseworker: Viewer, now: datetime) -> None:
    story = judged_case(services, world, S.CONTACT_RELEASED, now=now)
    with pytest.raises(DateInFuture):
        attempt(services, caseworker, story, now, at=now + timedelta(minutes=6))
    attempt(services, caseworker, story, now, at=now + timedelta(minutes=5))


@pytest.mark.parametrize("kind", list(OutcomeKind))
def test_which_state_an_outcome_brings(
    services: Services, world: World, caseworker: Viewer, kind: OutcomeKind, now: datetime
) -> None:
    story = judged_case(services, world, S.FAMILY_CONTACTED, now=now)
    kin_verified(services, world, story.case_id, now=now)
    dossier_complete(services, world, story.case_id, now=now)
    end(services, caseworker, story, now, kind, OutcomeRoute.FACE)
    expected = {
        OutcomeKind.REUNITED: S.REUNIFIED, OutcomeKind.ESCORTED_HOME: S.REUNIFIED,
        OutcomeKind.TRANSFERRED: S.TRANSFERRED, OutcomeKind.SETTLED: S.SETTLED, OutcomeKind.LEFT: S.LEFT,
        OutcomeKind.DECEASED: S.DECEASED, OutcomeKind.HOSPITAL: S.FAMILY_CONTACTED,
        OutcomeKind.REFUSED_CONTACT: S.FAMILY_CONTACTED, OutcomeKind.LONG_STAY: S.FAMILY_CONTACTED,
        OutcomeKind.MISSING_AGAIN: S.LEFT,
    }  # fmt: skip
    assert state_of(services, story.case_id) is expected[kind]
    with read_only(services.db) as session:
        assert [row.kind for row in list_outcomes(session, story.case_id)] == [kind]


def test_what_an_outcome_must_say(services: Services, world: World, caseworker: Viewer, now: datetime) -> None:
    story = judged_case(services, world, S.FAMILY_CONTACTED, now=now)
    with pytest.raises(RouteMissing):
        end(services, caseworker, story, now, OutcomeKind.REUNITED)
    with pytest.raises((DateInFuture, InvalidFacts)):
        end(services, caseworker, story, now, OutcomeKind.LEFT, days=2)
    with read_only(services.db) as session:
        assert list_outcomes(session, story.case_id) == []


@pytest.mark.parametrize("state", [S.UNRESOLVED, S.IN_REVIEW, S.IDENTIFIED, S.CONTACT_RELEASED])
def test_nobody_is_reunited_before_the_family_was_reached(
    services: Services, world: World, caseworker: Viewer, state: CaseState, now: datetime
) -> None:
    story = judged_case(services, world, state, now=now)
    with pytest.raises(IllegalMove):
        end(services, caseworker, story, now, OutcomeKind.REUNITED, OutcomeRoute.FACE)
    assert state_of(services, story.case_id) is state


def test_notes_on_another_family_stay_sealed_after_a_recall(
    any_services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, S.FAMILY_CONTACTED, now=now)
    examiner, supervisor = examiners(world)[0], world.viewer(world.a.users[Role.POLICE_SUPERVISOR])
    with unit_of_work(any_services.db) as session:
        recall(session, any_services, supervisor, story.case_id, reason="DNA 不符", now=now)
        staff = world.viewer(world.a.users[Role.STATION_STAFF])
        move_case(session, any_services, staff, story.case_id, S.SEARCHING, reason="再次寻亲", now=now)
        right = make_report(session, any_services, world.viewer(world.b.users[Role.STATION_STAFF]), now=now).id
    run_jobs(any_services, now)
    with unit_of_work(any_services.db) as session:
        named = select(Candidate.id).where(Candidate.case_id == story.case_id, Candidate.report_id == right)
        confirm(
            session, examiner, story.case_id, session.scalars(named).one(), ConfirmationMethod.DNA,
            reference="D-2026-1", grounds="DNA 一致", now=now,
        )  # fmt: skip
    release(any_services, examiner, story, now)
    attempt(any_services, caseworker, story, now + timedelta(minutes=3))
    with unit_of_work(any_services.db) as session:
        listed = list_attempts(session, any_services, caseworker, story.case_id, now=now)
    assert [text for _, text in listed] == [None, "姐姐听到消息哭了"]
