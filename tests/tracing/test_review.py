"""Review: blind until committed, shuffled for each examiner, refused to whoever entered the case."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from matcher.vocabulary import Sex
from models.candidate import Candidate, CandidateState
from models.case import Case, CaseState
from models.confirmation import ConfirmationMethod
from models.review import Opinion, Review
from models.user import Role
from tests.factories.records import facts, make_case, make_report
from tests.factories.stories import commit_opinion, describe, examiners, judged_case, run_jobs
from tests.factories.world import World
from tracing.access import Permission, Viewer
from tracing.candidates import CandidateView, get_candidate, list_candidates
from tracing.confirmation import confirm
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.review import (
    AlreadyJudged,
    ConflictOfInterest,
    NotInReview,
    ReviewInUse,
    withdraw_review,
)
from tracing.review_queue import review_queue
from tracing.services import Services


def judge(
    services: Services, viewer: Viewer, candidate_id: uuid.UUID, now: datetime, opinion: Opinion = Opinion.SUPPORTS
) -> Review:
    with unit_of_work(services.db) as session:
        return commit_opinion(session, services, viewer, candidate_id, opinion, " 耳廓一致 ", now=now)


def withdraw(services: Services, viewer: Viewer, candidate_id: uuid.UUID, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        withdraw_review(session, viewer, candidate_id, now=now)


def listed(services: Services, viewer: Viewer, case_id: uuid.UUID, now: datetime) -> list[CandidateView]:
    with unit_of_work(services.db) as session:
        if viewer.may(Permission.REVIEW):
            describe(session, services, viewer, case_id, now=now)
        return list_candidates(session, viewer, case_id, now=now)


@pytest.fixture
def crowded(services: Services, world: World, staff: Viewer, reporter: Viewer, now: datetime) -> uuid.UUID:
    """A case with eight candidates of different strength."""
    with unit_of_work(services.db) as session:
        for height in range(164, 180, 2):
            make_report(session, services, reporter, known=facts(sex=Sex.MALE, height=height, name="韦建国"), now=now)
        case = make_case(session, services, staff, known=facts(sex=Sex.MALE, height=178, name="韦建国"), now=now)
    run_jobs(services, now)
    return case.id


def test_an_examiner_sees_no_score_rank_or_opinion_before_the_own(
    any_services: Services, world: World, now: datetime
) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    judge(any_services, first, story.candidate, now)
    (blind,) = listed(any_services, second, story.case_id, now)
    assert (blind.sealed, blind.rank, blind.own_review, blind.reviews) == (True, None, None, ())
    with unit_of_work(any_services.db) as session:
        single = get_candidate(session, second, story.candidate, now=now)
    assert (single.sealed, single.rank, single.reviews) == (True, None, ())
    (own,) = listed(any_services, first, story.case_id, now)
    assert (own.sealed, own.rank, len(own.reviews)) == (False, 1, 1)
    assert own.own_review is not None
    assert own.own_review.remarks == "耳廓一致"
    judge(any_services, second, story.candidate, now)
    (open_view,) = listed(any_services, second, story.case_id, now)
    assert (open_view.sealed, open_view.rank, len(open_view.reviews)) == (False, 1, 2)


def test_the_order_is_shuffled_stable_and_each_examiners_own(
    services: Services, world: World, crowded: uuid.UUID, now: datetime
) -> None:
    first, second = examiners(world)
    orders = {}
    for viewer in (first, second):
        orders[viewer] = [view.candidate.id for view in listed(services, viewer, crowded, now)]
        again = [view.candidate.id for view in listed(services, viewer, crowded, now + timedelta(hours=1))]
        assert again == orders[viewer]
    station = listed(services, world.viewer(world.a.users[Role.STATION_STAFF]), crowded, now)
    assert [view.rank for view in station] == list(range(1, len(station) + 1))
    strongest_first = [view.candidate.id for view in station]
    assert len(strongest_first) == 8
    # By chance alone two of these orders agree once in 8! = 40,320 runs.
    assert len({tuple(strongest_first), *map(tuple, orders.values())}) == 3
    assert all(sorted(order) == sorted(strongest_first) for order in orders.values())


def test_the_order_tells_nothing_while_one_candidate_waits(
    services: Services, world: World, crowded: uuid.UUID, now: datetime
) -> None:
    examiner = examiners(world)[0]
    views = listed(services, examiner, crowded, now)
    for view in views[:-1]:
        judge(services, examiner, view.candidate.id, now, Opinion.OPPOSES)
    after = listed(services, examiner, crowded, now)
    assert [view.candidate.id for view in after] == [view.candidate.id for view in views]
    assert [view.sealed for view in after] == [False] * 7 + [True]
    judge(services, examiner, views[-1].candidate.id, now, Opinion.CANNOT_TELL)
    ranks = [view.rank for view in listed(services, examiner, crowded, now)]
    assert ranks == list(range(1, 9))


def test_one_opinion_a_candidate_until_it_is_withdrawn(any_services: Services, world: World, now: datetime) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    examiner = examiners(world)[0]
    judge(any_services, examiner, story.candidate, now, Opinion.SLIGHTLY_OPPOSES)
    with pytest.raises(AlreadyJudged):
        judge(any_services, examiner, story.candidate, now)
    withdraw(any_services, examiner, story.candidate, now)
    with pytest.raises(errors.NotFound):
        withdraw(any_services, examiner, story.candidate, now)
    judge(any_services, examiner, story.candidate, now, Opinion.STRONGLY_SUPPORTS)
    with read_only(any_services.db) as session:
        rows = session.scalars(select(Review).order_by(Review.withdrawn_at.is_(None))).all()
    assert [(row.opinion, row.grade, row.withdrawn_at is None) for row in rows] == [
        (Opinion.SLIGHTLY_OPPOSES, -1, False),
        (Opinion.STRONGLY_SUPPORTS, 3, True),
    ]


@pytest.mark.parametrize("opinion", list(Opinion))
def test_every_answer_is_kept_with_its_grade(services: Services, world: World, opinion: Opinion, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    review = judge(services, examiners(world)[0], story.candidate, now, opinion)
    scale = ["strongly_opposes", "opposes", "slightly_opposes", "neither", "slightly_supports", "supports",
             "strongly_supports"]  # fmt: skip
    assert review.grade == (scale.index(opinion.value) - 3 if opinion.value in scale else None)
    with read_only(services.db) as session:
        assert session.get_one(Candidate, story.candidate).state is CandidateState.JUDGED


@pytest.mark.parametrize("column", ["created_by_id", "submitted_by_id"])
def test_whoever_entered_the_case_does_not_judge_it(
    services: Services, world: World, column: str, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    with unit_of_work(services.db) as session:
        session.execute(update(Case).where(Case.id == story.case_id).values({column: first.user_id}))
    with pytest.raises(ConflictOfInterest):
        judge(services, first, story.candidate, now)
    with unit_of_work(services.db) as session:
        assert review_queue(session, services, first, now=now).items == ()
        assert [item.case.id for item in review_queue(session, services, second, now=now).items] == [story.case_id]


def test_who_judges_at_all(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    for viewer in world.viewers():
        if viewer.may(Permission.REVIEW) and viewer.path.startswith(world.a.bureau.path):
            assert judge(services, viewer, story.candidate, now).examiner_id == viewer.user_id
        else:
            with pytest.raises(errors.NotFound if viewer.may(Permission.REVIEW) else errors.Forbidden):
                judge(services, viewer, story.candidate, now)


def test_the_queue_counts_what_waits_for_this_examiner(
    services: Services, world: World, crowded: uuid.UUID, now: datetime
) -> None:
    first, second = examiners(world)
    views = listed(services, first, crowded, now)
    judge(services, first, views[0].candidate.id, now, Opinion.NEITHER)
    with unit_of_work(services.db) as session:
        for viewer, waiting in ((first, 7), (second, None)):  # not before the features are noted
            (item,) = review_queue(session, services, viewer, now=now).items
            assert (item.case.id, item.waiting) == (crowded, waiting)
    withdraw(services, first, views[0].candidate.id, now)
    with unit_of_work(services.db) as session:
        assert [item.waiting for item in review_queue(session, services, first, now=now).items] == [8]


def test_a_decided_case_takes_no_opinion(services: Services, world: World, supervisor: Viewer, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IDENTIFIED, now=now)
    with pytest.raises(NotInReview):
        judge(services, supervisor, story.candidate, now)
    with unit_of_work(services.db) as session:
        assert review_queue(session, services, supervisor, now=now).items == ()


def test_an_opinion_that_carries_a_confirmation_is_not_withdrawn(
    services: Services, world: World, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IDENTIFIED, now=now)
    with pytest.raises(ReviewInUse):
        withdraw(services, examiners(world)[0], story.candidate, now)
    recalled = judged_case(services, world, CaseState.RECALLED, now=now)
    withdraw(services, examiners(world)[0], recalled.candidate, now)


def test_a_rivals_opinion_is_not_in_use(
    services: Services, world: World, supervisor: Viewer, crowded: uuid.UUID, now: datetime
) -> None:
    first, second = examiners(world)
    views = listed(services, first, crowded, now)
    judge(services, first, views[0].candidate.id, now, Opinion.OPPOSES)
    for viewer in (first, second):
        judge(services, viewer, views[1].candidate.id, now)
    with unit_of_work(services.db) as session:
        confirm(
            session, supervisor, crowded, views[1].candidate.id, ConfirmationMethod.AGREEING_REVIEWS,
            reference=None, grounds="一致", now=now,
        )  # fmt: skip
    withdraw(services, first, views[0].candidate.id, now)
    with pytest.raises(ReviewInUse):
        withdraw(services, second, views[1].candidate.id, now)
