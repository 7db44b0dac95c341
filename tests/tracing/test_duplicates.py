"""Duplicates: proposed by the engine, linked by a human, never merged; what a link closes, and unlinking restores."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, update

from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateState
from models.case import Case, CaseState
from models.duplicate import DuplicateBasis, DuplicateClosure, DuplicateDecision, DuplicatePair
from models.job import Job
from models.notification import Notification, NotificationKind
from models.review import Opinion
from models.user import Role
from tests.factories.duplicates import DIFFERENT, OTHERS, SAME, Two, candidate, decide, identify, pair_id, undo, unlink
from tests.factories.records import IDENTITY_NUMBER, REPORTED, make_case, make_report
from tests.factories.rivals import race
from tests.factories.stories import commit_opinion, examiners, judged_case, run_jobs
from tests.factories.world import World
from tracing import duplicates
from tracing.access import Permission, Viewer
from tracing.cases import ReasonMissing, move_case
from tracing.duplicate_links import LinkedConfirmed
from tracing.duplicates import PairStatus, PairView
from tracing.matching_batch import request_match_all
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services


def pairs(services: Services, kind: GalleryKind = GalleryKind.REPORT) -> list[DuplicatePair]:
    with read_only(services.db) as session:
        return list(session.scalars(select(DuplicatePair).where(DuplicatePair.kind == kind)))


def shown(
    services: Services, viewer: Viewer, now: datetime, status: PairStatus = PairStatus.PROPOSED
) -> list[PairView]:
    with unit_of_work(services.db) as session:
        return list(duplicates.list_duplicates(session, viewer, status=status, now=now).items)


def test_reports_of_two_relatives_are_proposed_once(
    any_services: Services, world: World, two: Two, reporter: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        make_report(session, any_services, reporter, known=OTHERS, now=now)
    run_jobs(any_services, now)
    (pair,) = pairs(any_services)
    assert {pair.first_id, pair.second_id} == {two.sister, two.uncle}
    assert (pair.basis, pair.proposed_by_id) == (DuplicateBasis.EVIDENCE, None)
    assert pair.log10_lr is not None
    assert pair.log10_lr >= any_services.care.duplicates.minimum_log10_lr
    assert {"time", "travel"}.isdisjoint(row["kind"] for row in pair.terms or ())
    with read_only(any_services.db) as session:
        told = session.scalars(
            select(Notification.recipient_id).where(
                Notification.kind == NotificationKind.DUPLICATE_PROPOSED, Notification.object_id == pair.id
            )
        ).all()
    assert told == [world.b.users[Role.STATION_STAFF].id]


@pytest.mark.parametrize("kind", list(GalleryKind))
def test_a_pass_over_the_whole_gallery_proposes_as_single_passes_do(
    any_services: Services, staff: Viewer, reporter: Viewer, now: datetime, kind: GalleryKind
) -> None:
    make = make_report if kind is GalleryKind.REPORT else make_case
    with unit_of_work(any_services.db) as session:
        ids = {make(session, any_services, one, known=REPORTED, now=now).id for one in (staff, reporter)}
        session.execute(delete(Job))
        if kind is GalleryKind.CASE:  # as after their first passes
            session.execute(update(Case).values(state=CaseState.UNRESOLVED))
        request_match_all(session, any_services, kind, now=now)
    run_jobs(any_services, now)
    (pair,) = pairs(any_services, kind)
    assert {pair.first_id, pair.second_id} == ids


def test_an_equal_identity_number_proposes_whatever_else_is_said(
    any_services: Services, reporter: Viewer, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        for viewer, known in ((reporter, REPORTED), (staff, OTHERS)):
            make_report(session, any_services, viewer, known=known, identity_number=IDENTITY_NUMBER, now=now)
    run_jobs(any_services, now)
    (pair,) = pairs(any_services)
    assert (pair.basis, pair.log10_lr) == (DuplicateBasis.IDENTITY_NUMBER, None)
    for viewer in (reporter, staff):  # each sees the own side, and whom to call about the other
        (view,) = shown(any_services, viewer, now)
        assert sorted(one.id is not None for one in view.sides) == [False, True]
        assert not view.open
        hidden = next(one for one in view.sides if one.id is None)
        assert (hidden.number, hidden.state) == (None, None)
        assert hidden.organisation.id != viewer.organisation_id


def test_one_person_in_two_stations_is_proposed_from_the_candidates(
    any_services: Services, world: World, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        ids = {make_case(session, any_services, one, known=REPORTED, now=now).id for one in (staff, reporter)}
    run_jobs(any_services, now)
    (pair,) = pairs(any_services, GalleryKind.CASE)
    assert {pair.first_id, pair.second_id} == ids
    with read_only(any_services.db) as session:
        told = set(session.scalars(select(Notification.recipient_id).where(Notification.object_id == pair.id)))
    assert told == {province.users[Role.STATION_STAFF].id for province in (world.a, world.b)}


def test_an_examiner_learns_of_it_after_the_own_opinion(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        for _ in range(2):
            make_case(session, services, staff, known=REPORTED, now=now)
    run_jobs(services, now)
    (pair,) = pairs(services, GalleryKind.CASE)
    first, second = examiners(world)
    with read_only(services.db) as session:
        candidate_id = session.scalars(select(Candidate.id).where(Candidate.pair == pair.pair)).one()
    assert [len(shown(services, one, now)) for one in (staff, first, second)] == [1, 0, 0]
    with pytest.raises(errors.NotFound):
        decide(services, first, pair.id, now)
    with unit_of_work(services.db) as session:
        commit_opinion(session, services, first, candidate_id, Opinion.SUPPORTS, "耳廓一致", now=now)
    assert [len(shown(services, one, now)) for one in (staff, first, second)] == [1, 1, 0]
    decide(services, first, pair.id, now)


def test_one_decision_stands_and_is_taken_back(
    any_services: Services, two: Two, reporter: Viewer, now: datetime
) -> None:
    pair = pair_id(any_services, two.sister, two.uncle)
    with pytest.raises(ReasonMissing):
        decide(any_services, reporter, pair, now, why=" ")
    with pytest.raises(duplicates.DecisionWithdrawn):
        unlink(any_services, reporter, pair, now)
    decide(any_services, reporter, pair, now, DIFFERENT, "两兄弟")
    with pytest.raises(duplicates.PairDecided):
        decide(any_services, reporter, pair, now)
    assert [len(shown(any_services, reporter, now, one)) for one in PairStatus] == [0, 0, 1]
    unlink(any_services, reporter, pair, now, "核对后为同一人")
    decide(any_services, reporter, pair, now + timedelta(minutes=1))
    (view,) = shown(any_services, reporter, now, PairStatus.SAME)
    assert [(one.verdict, one.withdrawn_at is None) for one in view.decisions] == [(SAME, True), (DIFFERENT, False)]
    assert view.open
    assert view.standing is view.decisions[0]


def test_two_records_that_nobody_proposed_are_linked_by_hand(
    any_services: Services, two: Two, reporter: Viewer, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        other = make_report(session, any_services, reporter, known=OTHERS, now=now).id

    def link(viewer: Viewer, first: uuid.UUID, second: uuid.UUID) -> uuid.UUID:
        with unit_of_work(any_services.db) as session:
            return duplicates.link_records(
                session, any_services, viewer, GalleryKind.REPORT, first, second, reason="改过名", now=now
            ).id

    with pytest.raises(errors.NotFound):
        link(staff, two.sister, other)
    with pytest.raises(duplicates.SameRecord):
        link(reporter, other, other)
    made = link(reporter, two.sister, other)
    with pytest.raises(duplicates.PairDecided):
        link(reporter, other, two.sister)  # the same pair, whoever is named first
    assert made == pair_id(any_services, other, two.sister)


def test_a_confirmation_closes_the_linked_report_and_unlinking_restores(
    any_services: Services, world: World, two: Two, reporter: Viewer, supervisor: Viewer, now: datetime
) -> None:
    pair = pair_id(any_services, two.sister, two.uncle)
    identify(any_services, supervisor, two.first, two.sister, now)
    assert candidate(any_services, two.second, two.uncle).state is CandidateState.OPEN  # not linked
    undo(any_services, supervisor, two.first, now)
    decide(any_services, reporter, pair, now)
    with unit_of_work(any_services.db) as session:
        move_case(
            session, any_services, world.viewer(world.a.users[Role.STATION_STAFF]), two.first, CaseState.SEARCHING,
            reason="重新核对", now=now,
        )  # fmt: skip
    run_jobs(any_services, now)
    identify(any_services, supervisor, two.first, two.sister, now)
    closed = candidate(any_services, two.second, two.uncle)
    assert closed.state is CandidateState.CLOSED
    with read_only(any_services.db) as session:
        told = session.scalars(
            select(Notification.object_id).where(
                Notification.kind == NotificationKind.CASE_IDENTIFIED,
                Notification.recipient_id == world.b.users[Role.STATION_STAFF].id,
                Notification.object_kind == "report",
            )
        ).all()
    assert two.uncle in told
    with pytest.raises(LinkedConfirmed):
        identify(any_services, supervisor, two.second, two.uncle, now)
    unlink(any_services, reporter, pair, now)
    assert candidate(any_services, two.second, two.uncle).state is CandidateState.OPEN
    # The confirmed case's own rivals stay closed: the confirmation itself closes those.
    assert candidate(any_services, two.first, two.uncle).state is CandidateState.CLOSED
    assert candidate(any_services, two.second, two.sister).state is CandidateState.CLOSED
    with read_only(any_services.db) as session:
        closures = session.scalars(select(DuplicateClosure)).all()
    assert [(one.candidate_id, one.reopened_at is not None) for one in closures] == [(closed.id, True)]
    identify(any_services, supervisor, two.second, two.uncle, now)


def test_a_link_after_the_confirmation_closes_and_a_recall_restores(
    any_services: Services, world: World, two: Two, reporter: Viewer, supervisor: Viewer, now: datetime
) -> None:
    first = examiners(world)[0]
    with unit_of_work(any_services.db) as session:
        judged = session.scalars(
            select(Candidate.id).where(Candidate.case_id == two.second, Candidate.report_id == two.uncle)
        ).one()
        commit_opinion(session, any_services, first, judged, Opinion.NEITHER, now=now)
    identify(any_services, supervisor, two.first, two.sister, now)
    decide(any_services, reporter, pair_id(any_services, two.sister, two.uncle), now)
    assert candidate(any_services, two.second, two.uncle).state is CandidateState.CLOSED
    undo(any_services, supervisor, two.first, now)
    restored = {
        (case, report): candidate(any_services, case, report).state
        for case in (two.first, two.second)
        for report in (two.sister, two.uncle)
    }
    assert restored.pop((two.second, two.uncle)) is CandidateState.JUDGED  # no opinion is lost
    assert set(restored.values()) == {CandidateState.OPEN}


def test_who_decides(services: Services, world: World, reporter: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        for _ in range(2):
            make_report(session, services, reporter, now=now)
    run_jobs(services, now)
    (pair,) = pairs(services)
    for viewer in world.viewers():
        if viewer.may(Permission.DUPLICATE) and pair.id in [one.pair.id for one in shown_to(services, viewer, now)]:
            continue
        with pytest.raises((errors.Forbidden, errors.NotFound)):
            decide(services, viewer, pair.id, now)


def shown_to(services: Services, viewer: Viewer, now: datetime) -> list[PairView]:
    return shown(services, viewer, now) if viewer.may(Permission.CASE_READ) else []


@pytest.mark.postgres
def test_decisions_that_race(postgres_services: Services, world: World, reporter: Viewer, now: datetime) -> None:
    """Of two links of two reports at once one stands; of a link and a confirmation, each knows of the other."""
    services = postgres_services
    supervisor = world.viewer(world.a.users[Role.POLICE_SUPERVISOR])
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    with unit_of_work(services.db) as session:
        staff = world.viewer(world.a.users[Role.STATION_STAFF])
        second = make_case(session, services, staff, now=now).id
        uncle = make_report(session, services, reporter, now=now).id
    run_jobs(services, now)
    assert story.report_id is not None
    sister, pair = story.report_id, pair_id(services, story.report_id, uncle)
    for _ in range(5):
        won, lost = race([lambda: decide(services, reporter, pair, now)] * 3)
        assert len(won) == 1
        assert {type(one) for one in lost} == {duplicates.PairDecided}
        unlink(services, reporter, pair, now)
    won, lost = race(
        [
            lambda: decide(services, reporter, pair, now),
            lambda: identify(services, supervisor, story.case_id, sister, now),
        ]
    )
    assert (len(won), lost) == (2, [])
    assert candidate(services, second, uncle).state is CandidateState.CLOSED
    undo(services, supervisor, story.case_id, now)
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, story.case_id, CaseState.SEARCHING, reason="重新核对", now=now)
    run_jobs(services, now)
    # Linked: of two confirmations for two cases one wins, whoever is first.
    won, lost = race(
        [
            lambda: identify(services, supervisor, story.case_id, sister, now),
            lambda: identify(services, supervisor, second, uncle, now),
        ]
    )
    assert len(won) == 1
    assert {type(one) for one in lost} == {LinkedConfirmed}
    with read_only(services.db) as session:
        standing = session.scalar(select(func.count()).where(DuplicateDecision.withdrawn_at.is_(None)))
    assert standing == 1
