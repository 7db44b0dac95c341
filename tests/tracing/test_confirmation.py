"""Confirmation: what it rests on, what it closes, its recall, and two that race for one report."""

import threading
import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateState
from models.case import Case, CaseState
from models.confirmation import DECISIVE_METHODS, Confirmation, ConfirmationMethod
from models.job import Job
from models.report import Report, ReportState
from models.review import Opinion
from models.user import Role
from tests.factories.records import make_case
from tests.factories.stories import Story, commit_opinion, examiners, judged_case, run_jobs, state_of, two_reviews
from tests.factories.world import World
from tracing.access import Permission, Viewer
from tracing.cases import ReasonMissing
from tracing.confirmation import (
    CandidateIsCase,
    DisagreementStands,
    NotThisCase,
    OpinionsMissing,
    ReferenceMissing,
    ReportTaken,
    ReviewsMissing,
    agreeing_examiners,
    confirm,
    recall,
    standing_confirmation,
)
from tracing.contact import ContactSealed, read_family_contact
from tracing.fact_errors import EmptyValue
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.reports import withdraw_report
from tracing.review import ConflictOfInterest, withdraw_review
from tracing.services import Services

BY_REVIEWS = ConfirmationMethod.AGREEING_REVIEWS


def decide(
    services: Services,
    viewer: Viewer,
    story: Story,
    now: datetime,
    *,
    method: ConfirmationMethod = BY_REVIEWS,
    reference: str | None = None,
    candidate_id: uuid.UUID | None = None,
    grounds: str = "两名比对员意见一致",
) -> Confirmation:
    with unit_of_work(services.db) as session:
        return confirm(
            session, viewer, story.case_id, candidate_id or story.candidate, method,
            reference=reference, grounds=grounds, now=now,
        )  # fmt: skip


def judge(services: Services, viewer: Viewer, candidate_id: uuid.UUID, opinion: Opinion, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        commit_opinion(session, services, viewer, candidate_id, opinion, None, now=now)


def states(services: Services) -> dict[uuid.UUID, CandidateState]:
    with read_only(services.db) as session:
        return {one.id: one.state for one in session.scalars(select(Candidate))}


def report_state(services: Services, report_id: uuid.UUID | None) -> ReportState:
    with read_only(services.db) as session:
        return session.get_one(Report, report_id).state


@pytest.fixture
def story(any_services: Services, world: World, now: datetime) -> Story:
    """A case in review."""
    return judged_case(any_services, world, CaseState.IN_REVIEW, now=now)


def second_case(services: Services, staff: Viewer, story: Story, now: datetime) -> Story:
    """Another case found for the same report."""
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, now=now)
    run_jobs(services, now)
    with read_only(services.db) as session:
        found = session.scalars(
            select(Candidate.id).where(Candidate.case_id == case.id, Candidate.report_id == story.report_id)
        ).one()
    return Story(case.id, story.report_id, found)


def test_two_agreeing_examiners_are_needed(
    any_services: Services, world: World, supervisor: Viewer, story: Story, now: datetime
) -> None:
    first, second = examiners(world)
    for viewer in (first, second):
        with pytest.raises(OpinionsMissing) as untold:  # the supervisor examines too, and has yet to judge
            decide(any_services, supervisor, story, now)
        assert untold.value.params == {}
        if viewer is second:
            with pytest.raises(ReviewsMissing) as refused:
                decide(any_services, first, story, now)
            assert refused.value.params == {"agreeing": 1}
        judge(any_services, viewer, story.candidate, Opinion.SUPPORTS, now)
    confirmation = decide(any_services, supervisor, story, now)
    assert (confirmation.confirmed_by_id, confirmation.report_id) == (supervisor.user_id, story.report_id)
    assert state_of(any_services, story.case_id) is CaseState.IDENTIFIED
    assert report_state(any_services, story.report_id) is ReportState.RESOLVED
    assert states(any_services)[story.candidate] is CandidateState.CONFIRMED


@pytest.mark.parametrize("opinion", [one for one in Opinion if one.grade is None or one.grade < 2])
def test_half_hearted_opinions_do_not_agree(
    services: Services, world: World, supervisor: Viewer, opinion: Opinion, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    judge(services, first, story.candidate, Opinion.STRONGLY_SUPPORTS, now)
    judge(services, second, story.candidate, opinion, now)
    with pytest.raises(OpinionsMissing):
        decide(services, supervisor, story, now)


def test_a_withdrawn_opinion_does_not_count(
    any_services: Services, world: World, supervisor: Viewer, story: Story, now: datetime
) -> None:
    two_reviews(any_services, world, story.candidate, now=now)
    with unit_of_work(any_services.db) as session:
        withdraw_review(session, examiners(world)[1], story.candidate, now=now)
    with pytest.raises(OpinionsMissing):
        decide(any_services, supervisor, story, now)


def test_who_withdrew_beside_a_colleagues_opinion_no_longer_agrees_blind(
    any_services: Services, world: World, supervisor: Viewer, story: Story, now: datetime
) -> None:
    first, second = examiners(world)
    judge(any_services, first, story.candidate, Opinion.SUPPORTS, now)
    judge(any_services, second, story.candidate, Opinion.OPPOSES, now + timedelta(minutes=1))  # and reads the other
    with unit_of_work(any_services.db) as session:
        withdraw_review(session, second, story.candidate, now=now + timedelta(minutes=2))
    judge(any_services, second, story.candidate, Opinion.SUPPORTS, now + timedelta(minutes=3))
    later = now + timedelta(minutes=4)
    judge(any_services, supervisor, story.candidate, Opinion.NEITHER, later)
    with pytest.raises(ReviewsMissing) as refused:
        decide(any_services, supervisor, story, later)
    assert refused.value.params == {"agreeing": 1}
    with unit_of_work(any_services.db) as session:
        withdraw_review(session, second, story.candidate, now=later)
    judge(any_services, second, story.candidate, Opinion.OPPOSES, later)
    with read_only(any_services.db) as session:
        row, case = session.get_one(Candidate, story.candidate), session.get_one(Case, story.case_id)
        assert agreeing_examiners(session, row, case) == (1, 1)


def test_who_withdrew_before_anybody_else_judged_is_still_blind(
    services: Services, world: World, supervisor: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    judge(services, first, story.candidate, Opinion.NEITHER, now)
    with unit_of_work(services.db) as session:
        withdraw_review(session, first, story.candidate, now=now + timedelta(minutes=1))
    for minute, viewer in ((2, second), (3, first)):
        judge(services, viewer, story.candidate, Opinion.SUPPORTS, now + timedelta(minutes=minute))
    decide(services, supervisor, story, now + timedelta(minutes=4))
    assert state_of(services, story.case_id) is CaseState.IDENTIFIED


def test_as_many_who_oppose_have_to_be_settled(
    any_services: Services, world: World, supervisor: Viewer, story: Story, now: datetime
) -> None:
    two_reviews(any_services, world, story.candidate, now=now)
    judge(any_services, supervisor, story.candidate, Opinion.OPPOSES, now)
    # Two against one: the third examiner settled it. A second opponent is an account of its own.
    centre_police = world.a.users[Role.POLICE_SUPERVISOR]
    with unit_of_work(any_services.db) as session:
        fourth = type(centre_police)(
            id=uuid.uuid4(), organisation_id=world.a.police.id, username="fourth", display_name="四",
            role=Role.POLICE_EXAMINER, password_hash="-", created_at=now,
        )  # fmt: skip
        session.add(fourth)
    judge(any_services, world.viewer(fourth), story.candidate, Opinion.STRONGLY_OPPOSES, now)
    with pytest.raises(DisagreementStands):
        decide(any_services, supervisor, story, now)
    decide(any_services, supervisor, story, now, method=ConfirmationMethod.DNA, reference="D-2026-11")
    assert state_of(any_services, story.case_id) is CaseState.IDENTIFIED


@pytest.mark.parametrize("method", sorted(DECISIVE_METHODS))
def test_a_decisive_method_needs_its_reference_and_nothing_else(
    services: Services, world: World, supervisor: Viewer, method: ConfirmationMethod, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    for reference in (None, "", "  "):
        with pytest.raises(ReferenceMissing) as refused:
            decide(services, supervisor, story, now, method=method, reference=reference)
        assert refused.value.field == "reference"
    assert decide(services, supervisor, story, now, method=method, reference=" 117 ").reference == "117"


def test_grounds_are_given(services: Services, world: World, supervisor: Viewer, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    with pytest.raises(EmptyValue) as refused:
        decide(services, supervisor, story, now, method=ConfirmationMethod.DNA, reference="D-1", grounds=" ")
    assert refused.value.field == "grounds"


def test_a_reference_that_does_not_fit_is_told(
    any_services: Services, supervisor: Viewer, story: Story, now: datetime
) -> None:
    with pytest.raises(errors.Invalid) as refused:
        decide(any_services, supervisor, story, now, method=ConfirmationMethod.DNA, reference="9" * 121)
    assert refused.value.field == "reference"


@pytest.mark.parametrize("column", ["created_by_id", "submitted_by_id"])
def test_whoever_entered_the_case_neither_confirms_nor_counts(
    any_services: Services, world: World, supervisor: Viewer, story: Story, column: str, now: datetime
) -> None:
    two_reviews(any_services, world, story.candidate, now=now)
    first = examiners(world)[0]
    with unit_of_work(any_services.db) as session:
        session.execute(update(Case).where(Case.id == story.case_id).values({column: first.user_id}))
    with pytest.raises(ConflictOfInterest):
        decide(any_services, first, story, now, method=ConfirmationMethod.DNA, reference="D-1")
    judge(any_services, supervisor, story.candidate, Opinion.NEITHER, now)
    with pytest.raises(ReviewsMissing) as refused:
        decide(any_services, supervisor, story, now)
    assert refused.value.params == {"agreeing": 1}


def test_who_confirms_and_recalls_at_all(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    for viewer in world.viewers():
        inside = viewer.path.startswith(world.a.bureau.path)
        if not (viewer.may(Permission.CONFIRM) and inside):
            with pytest.raises((errors.Forbidden, errors.NotFound)):
                decide(services, viewer, story, now, method=ConfirmationMethod.DNA, reference="D-1")
        if not (viewer.may(Permission.RECALL) and inside):
            with pytest.raises((errors.Forbidden, errors.NotFound)):
                undo(services, viewer, story, now)
    assert state_of(services, story.case_id) is CaseState.IN_REVIEW


def test_only_a_report_of_this_case_that_is_open(
    any_services: Services, world: World, staff: Viewer, reporter: Viewer, supervisor: Viewer, story: Story,
    now: datetime,
) -> None:  # fmt: skip
    other = second_case(any_services, staff, story, now)
    with pytest.raises(NotThisCase):
        decide(any_services, supervisor, story, now, candidate_id=other.candidate)
    with read_only(any_services.db) as session:
        pair = session.scalars(select(Candidate).where(Candidate.other_case_id.is_not(None))).one()
    with pytest.raises(CandidateIsCase):
        decide(
            any_services, supervisor, Story(pair.case_id, None, pair.id), now,
            method=ConfirmationMethod.DNA, reference="D-1",
        )  # fmt: skip
    assert story.report_id
    with unit_of_work(any_services.db) as session:
        withdraw_report(session, any_services, reporter, story.report_id, now=now)
    with pytest.raises(ReportTaken):
        decide(any_services, supervisor, story, now, method=ConfirmationMethod.DNA, reference="D-1")


def test_rivals_are_closed_and_a_recall_restores_them(
    any_services: Services, world: World, staff: Viewer, supervisor: Viewer, story: Story, now: datetime
) -> None:
    other = second_case(any_services, staff, story, now)
    judge(any_services, examiners(world)[0], other.candidate, Opinion.OPPOSES, now)
    before = states(any_services)
    two_reviews(any_services, world, story.candidate, now=now)
    decide(any_services, supervisor, story, now)
    closed = states(any_services)
    assert closed.pop(story.candidate) is CandidateState.CONFIRMED
    assert set(closed.values()) == {CandidateState.CLOSED}
    with pytest.raises(ReportTaken):
        decide(any_services, supervisor, other, now, method=ConfirmationMethod.DNA, reference="D-1")
    undo(any_services, supervisor, story, now + timedelta(days=1))
    assert states(any_services) == before | {story.candidate: CandidateState.JUDGED}
    decide(any_services, supervisor, other, now, method=ConfirmationMethod.DNA, reference="D-1")


def undo(services: Services, viewer: Viewer, story: Story, now: datetime, reason: str = "DNA 不符") -> Confirmation:
    with unit_of_work(services.db) as session:
        return recall(session, services, viewer, story.case_id, reason=reason, now=now)


def test_a_recall_seals_again_keeps_everything_and_searches_again(
    any_services: Services, world: World, supervisor: Viewer, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, CaseState.FAMILY_CONTACTED, now=now)
    with unit_of_work(any_services.db) as session:
        read_family_contact(session, any_services, caseworker, story.case_id, now=now)
    with pytest.raises(ReasonMissing):
        undo(any_services, supervisor, story, now, "  ")
    recalled = undo(any_services, supervisor, story, now)
    assert (recalled.recalled_by_id, recalled.recall_reason) == (supervisor.user_id, "DNA 不符")
    assert state_of(any_services, story.case_id) is CaseState.RECALLED
    assert report_state(any_services, story.report_id) is ReportState.OPEN
    with pytest.raises(ContactSealed), unit_of_work(any_services.db) as session:
        read_family_contact(session, any_services, caseworker, story.case_id, now=now)
    with pytest.raises(errors.NotFound):
        undo(any_services, supervisor, story, now)
    with read_only(any_services.db) as session:
        assert standing_confirmation(session, story.case_id) is None
        assert session.get_one(Confirmation, recalled.id).confirmed_at is not None


def test_a_reopened_report_is_matched_again(
    services: Services, world: World, supervisor: Viewer, now: datetime
) -> None:
    """The report's revision has not changed since its last pass; the recall must ask for a new one all the same."""
    story = judged_case(services, world, CaseState.RECALLED, now=now)
    with read_only(services.db) as session:
        waiting = session.scalars(select(Job.payload).where(Job.state == "queued")).all()
    asked = {(one["kind"], one["id"]) for one in waiting if "kind" in one}
    assert asked == {(GalleryKind.REPORT.value, str(story.report_id))}


@pytest.mark.postgres
@pytest.mark.parametrize("round_", range(3))
def test_of_two_that_race_for_one_report_one_wins(
    postgres_services: Services, world: World, staff: Viewer, now: datetime, round_: int
) -> None:
    services = postgres_services
    first = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    second = second_case(services, staff, first, now)
    start = threading.Barrier(2)
    won: list[uuid.UUID] = []
    lost: list[BaseException] = []

    def race(viewer: Viewer, story: Story) -> None:
        start.wait()
        try:
            decide(services, viewer, story, now, method=ConfirmationMethod.DNA, reference="D-1")
            won.append(story.case_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the assertion below shows it
            lost.append(error)

    runners = [threading.Thread(target=race, args=pair) for pair in zip(examiners(world), (first, second), strict=True)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert len(won) == 1, lost
    (error,) = lost
    assert isinstance(error, errors.TracingError), repr(error)
    with read_only(services.db) as session:
        assert session.scalars(select(Confirmation.case_id)).all() == won
    loser = ({first.case_id, second.case_id} - set(won)).pop()
    assert state_of(services, loser) is CaseState.IN_REVIEW
