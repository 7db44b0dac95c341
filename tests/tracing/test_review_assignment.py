"""Assignments: two different examiners, a third on disagreement, nobody waits for ever; the queue; requests."""

import uuid
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from matcher.vocabulary import GalleryKind, Sex
from models.candidate import Candidate, CandidateState
from models.case import Case, CaseState
from models.milestone import MilestoneKind
from models.notification import Notification, NotificationKind
from models.organisation import OrganisationKind
from models.review import Opinion
from models.review_protocol import AssignmentEnd, RequestKind, ReviewAssignment
from models.user import Role, User
from tests.factories.records import attach, facts, make_case, make_report
from tests.factories.stories import commit_opinion, describe, examiners, judged_case, run_jobs
from tests.factories.world import World
from tracing.access import Viewer
from tracing.cases import ReasonMissing, move_case
from tracing.features import FeaturesMissing
from tracing.milestones import record_milestone
from tracing.organisations import place
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.review import withdraw_review
from tracing.review_queue import ClockBand, Need, NothingToJudge, PlacesTaken, review_queue, take_case
from tracing.review_requests import RequestEnded, ask_for, list_requests, withdraw_request
from tracing.review_states import ConflictOfInterest
from tracing.review_supervision import AssignmentEnded, ExaminerUnfit, NobodyLeft, list_assignments, reassign
from tracing.review_watch import assign_all
from tracing.services import Services

K = NotificationKind


def rows(services: Services) -> list[ReviewAssignment]:
    with read_only(services.db) as session:
        return list(
            session.scalars(select(ReviewAssignment).order_by(ReviewAssignment.assigned_at, ReviewAssignment.place))
        )


def told(services: Services, kind: NotificationKind) -> Counter[uuid.UUID]:
    with read_only(services.db) as session:
        return Counter(session.scalars(select(Notification.recipient_id).where(Notification.kind == kind)))


def judge(services: Services, viewer: Viewer, candidate: uuid.UUID, opinion: Opinion, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        commit_opinion(session, services, viewer, candidate, opinion, now=now)


def another_unit(services: Services, world: World, now: datetime, people: int = 1) -> list[User]:
    """Examiners of a second police liaison station of province a."""
    unit = place(
        world.a.centre, kind=OrganisationKind.POLICE_LIAISON, name_zh="第二联络站", name_en="Second liaison",
        division="450700", now=now,
    )  # fmt: skip
    made = [
        User(
            id=uuid.uuid4(), organisation_id=unit.id, username=f"a_far_{number}", display_name="乙站民警",
            role=Role.POLICE_EXAMINER, password_hash="none", created_at=now,
        )
        for number in range(people)
    ]  # fmt: skip
    with unit_of_work(services.db) as session:
        session.add(unit)
        session.flush()
        session.add_all(made)
    return made


def test_two_different_examiners_of_two_units_where_there_are_two(
    any_services: Services, world: World, now: datetime
) -> None:
    far = another_unit(any_services, world, now)
    judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    assert assign_all(any_services, now) == 1
    assert assign_all(any_services, now) == 0
    first, second = rows(any_services)
    assert (first.place, second.place) == (1, 2)
    near = {one.id for one in world.a.examiners}
    assert len({first.examiner_id, second.examiner_id} & near) == 1
    assert far[0].id in (first.examiner_id, second.examiner_id)
    assert told(any_services, K.REVIEW_WAITING) == Counter([first.examiner_id, second.examiner_id])
    assert first.due_at == now + timedelta(hours=72)


def test_a_case_goes_on_when_time_runs_out_and_ends_when_all_is_judged(
    any_services: Services, world: World, now: datetime
) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    assign_all(any_services, now)
    viewers = examiners(world)
    judge(any_services, viewers[0], story.candidate, Opinion.NEITHER, now)
    later = now + timedelta(hours=73)
    assert assign_all(any_services, later) == 1
    done = next(one for one in rows(any_services) if one.examiner_id == viewers[0].user_id)
    assert done.ended_because is AssignmentEnd.DONE
    # Nobody else is there: the same examiner has it again, and the supervisor is told, once.
    expired, again = (one for one in rows(any_services) if one.examiner_id == viewers[1].user_id)
    assert (expired.ended_because, again.ended_at) == (AssignmentEnd.EXPIRED, None)
    supervisor = world.a.users[Role.POLICE_SUPERVISOR].id
    assert told(any_services, K.REVIEW_WAITING)[supervisor] == 1
    (newcomer,) = another_unit(any_services, world, now)
    latest = later + timedelta(hours=73)
    assert assign_all(any_services, latest) == 1
    assert rows(any_services)[-1].examiner_id == newcomer.id
    assert told(any_services, K.REVIEW_WAITING)[supervisor] == 1
    for statement in ("UPDATE review_assignment SET place = 3", "DELETE FROM review_assignment"):
        with pytest.raises(IntegrityError, match="gate: "), unit_of_work(any_services.db) as session:
            session.execute(text(statement))


def test_a_withdrawn_opinion_is_asked_for_again_and_a_left_case_is_released(
    services: Services, world: World, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    for viewer in examiners(world):  # before anything was given to anybody
        judge(services, viewer, story.candidate, Opinion.SUPPORTS, now)
    assign_all(services, now)
    assert {one.ended_because for one in rows(services)} == {AssignmentEnd.DONE}
    assert told(services, K.REVIEW_WAITING) == Counter()
    first = examiners(world)[0]
    with unit_of_work(services.db) as session:
        withdraw_review(session, first, story.candidate, now=now)
    assert assign_all(services, now + timedelta(minutes=1)) == 1
    assert rows(services)[-1].examiner_id == first.user_id
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, story.case_id, CaseState.LEFT, reason="离站", now=now)
    assert assign_all(services, now + timedelta(minutes=2)) == 1
    assert rows(services)[-1].ended_because is AssignmentEnd.RELEASED


def test_a_third_examiner_settles_a_disagreement(any_services: Services, world: World, now: datetime) -> None:
    (third,) = another_unit(any_services, world, now)
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    judge(any_services, first, story.candidate, Opinion.SUPPORTS, now)
    judge(any_services, second, story.candidate, Opinion.SLIGHTLY_OPPOSES, now)
    assign_all(any_services, now)
    assert 3 not in {one.place for one in rows(any_services)}
    with unit_of_work(any_services.db) as session:
        withdraw_review(session, second, story.candidate, now=now)
    judge(any_services, second, story.candidate, Opinion.OPPOSES, now)
    assign_all(any_services, now)
    given = rows(any_services)[-1]
    assert (given.place, given.examiner_id) == (3, third.id)
    assert told(any_services, K.REVIEW_DISAGREEMENT) == Counter(), "the own opinion comes before that of others"
    assert told(any_services, K.REVIEW_WAITING)[third.id] == 1
    viewer = Viewer(
        third.id, third.organisation_id, third.role, third.display_name, first.locale, "/none/", first.jurisdiction
    )
    judge(any_services, viewer, story.candidate, Opinion.STRONGLY_SUPPORTS, now)
    assert rows(any_services)[-1].ended_because is AssignmentEnd.DONE
    assert assign_all(any_services, now + timedelta(days=9)) == 0


def test_without_a_third_the_supervisor_is_told_once(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    for viewer, opinion in zip(examiners(world), (Opinion.SUPPORTS, Opinion.STRONGLY_OPPOSES), strict=True):
        judge(services, viewer, story.candidate, opinion, now)
    for _ in range(3):
        assign_all(services, now)
    assert told(services, K.REVIEW_DISAGREEMENT) == Counter([world.a.users[Role.POLICE_SUPERVISOR].id])


def test_taking_from_the_queue(any_services: Services, world: World, now: datetime) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    supervisor = world.viewer(world.a.users[Role.POLICE_SUPERVISOR])

    def take(viewer: Viewer, at: datetime = now) -> ReviewAssignment:
        with unit_of_work(any_services.db) as session:
            return take_case(session, any_services, viewer, story.case_id, now=at)

    mine = take(first)
    assert take(first).id == mine.id
    with unit_of_work(any_services.db) as session:
        (item,) = review_queue(session, any_services, first, now=now).items
        assert item.assigned_until == mine.due_at
        (item,) = review_queue(session, any_services, second, now=now).items
        assert item.assigned_until is None
    assert take(second).place == 2
    with pytest.raises(PlacesTaken):
        take(supervisor)
    late = now + timedelta(days=4)
    again = take(second, late)  # the own place anew, though the first one was left too long too
    assert (again.place, again.due_at > late) == (2, True)
    assert take(supervisor, late).place == 1  # left too long
    judge(any_services, second, story.candidate, Opinion.NEITHER, now)
    with pytest.raises(NothingToJudge):
        take(second)
    with pytest.raises(errors.NotFound):
        take(world.viewer(world.b.examiners[0]))
    with pytest.raises(errors.Forbidden):
        take(world.viewer(world.a.users[Role.STATION_STAFF]))


def test_whoever_entered_the_case_is_given_nothing(any_services: Services, world: World, now: datetime) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    with unit_of_work(any_services.db) as session:
        session.get_one(Case, story.case_id).created_by_id = first.user_id
    assign_all(any_services, now)
    assert [one.examiner_id for one in rows(any_services)] == [second.user_id]
    with pytest.raises(ConflictOfInterest), unit_of_work(any_services.db) as session:
        take_case(session, any_services, first, story.case_id, now=now)
    with pytest.raises(IntegrityError, match="gate: police examiners"), unit_of_work(any_services.db) as session:
        session.add(
            ReviewAssignment(
                case_id=story.case_id, place=2, examiner_id=first.user_id, assigned_at=now, due_at=now
            )
        )  # fmt: skip


def test_a_supervisor_gives_a_case_to_another(any_services: Services, world: World, now: datetime) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    assign_all(any_services, now)
    supervisor = world.viewer(world.a.users[Role.POLICE_SUPERVISOR])
    first, second = rows(any_services)

    def give(row: ReviewAssignment, to: uuid.UUID | None = None, reason: str = "休假", viewer: Viewer = supervisor):  # type: ignore[no-untyped-def]
        with unit_of_work(any_services.db) as session:
            return reassign(session, any_services, viewer, row.id, examiner_id=to, reason=reason, now=now)

    with pytest.raises(ReasonMissing):
        give(first, reason=" ")
    with pytest.raises(NobodyLeft):
        give(first)
    for nobody in (second.examiner_id, world.b.examiners[0].id, world.a.users[Role.STATION_STAFF].id, uuid.uuid4()):
        with pytest.raises(ExaminerUnfit):
            give(first, nobody)
    with pytest.raises(errors.Forbidden):
        give(first, viewer=examiners(world)[0])
    with pytest.raises(errors.NotFound):
        give(first, viewer=world.viewer(world.b.users[Role.POLICE_SUPERVISOR]))
    (newcomer,) = another_unit(any_services, world, now)
    made = give(first)
    assert (made.examiner_id, made.place, made.assigned_by_id) == (newcomer.id, first.place, supervisor.user_id)
    assert told(any_services, K.REVIEW_WAITING)[newcomer.id] == 1
    with pytest.raises(AssignmentEnded):
        give(first)
    assert give(made, supervisor.user_id).examiner_id == supervisor.user_id
    with unit_of_work(any_services.db) as session:
        page = list_assignments(session, supervisor, story.case_id, limit=3, now=now)
        assert len(page.items) == 3
        rest = list_assignments(session, supervisor, story.case_id, cursor=page.next_cursor, limit=3, now=now)
        assert [one.ended_because for one in (*page.items, *rest.items)].count(AssignmentEnd.REASSIGNED) == 2


def test_the_queue_puts_the_urgent_first_and_tells_no_strength(
    services: Services, world: World, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        make_report(session, services, reporter, known=facts(sex=Sex.MALE, age=40, height=170, name="韦建国"), now=now)
        plain = make_case(session, services, staff, known=facts(sex=Sex.MALE, age=41, name="韦建国"), now=now)
        old = make_case(session, services, staff, known=facts(sex=Sex.MALE, age=61, name="韦建国"), now=now)
    run_jobs(services, now)
    first = examiners(world)[0]
    with unit_of_work(services.db) as session:
        page = review_queue(session, services, first, limit=1, now=now)
        assert [(item.case.id, item.needs) for item in page.items] == [(old.id, (Need.ELDER,))]
        rest = review_queue(session, services, first, cursor=page.next_cursor, limit=1, now=now)
        assert ([item.case.id for item in rest.items], rest.next_cursor) == ([plain.id], None)
        assert {item.clock for item in (*page.items, *rest.items)} == {ClockBand.SOON}
        late = review_queue(session, services, first, now=now + timedelta(days=2)).items
        assert {item.clock for item in late} == {ClockBand.OVERDUE}
        take_case(session, services, first, plain.id, now=now)
        assert [item.case.id for item in review_queue(session, services, first, now=now).items] == [plain.id, old.id]
    assert set(QUEUE_FIELDS) == set(vars(late[0]))


QUEUE_FIELDS = ("case", "waiting", "clock", "due_at", "needs", "assigned_until")


def test_asking_for_what_is_missing_is_no_opinion(any_services: Services, world: World, now: datetime) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    staff = world.viewer(world.a.users[Role.STATION_STAFF])

    def ask(viewer: Viewer, kind: RequestKind, at: datetime = now) -> uuid.UUID:
        with unit_of_work(any_services.db) as session:
            return ask_for(session, viewer, story.candidate, kind, now=at).id

    with pytest.raises(FeaturesMissing):
        ask(first, RequestKind.PHOTO)
    with unit_of_work(any_services.db) as session:
        for viewer in (first, second):
            describe(session, any_services, viewer, story.case_id, now=now)
    made = ask(first, RequestKind.PHOTO)
    assert ask(first, RequestKind.PHOTO) == made
    assert ask(second, RequestKind.PHOTO) != made
    ask(first, RequestKind.DNA)
    people = {world.a.users[Role.STATION_STAFF].id, world.a.users[Role.CASEWORKER].id}
    assert told(any_services, K.PHOTO_WANTED) == told(any_services, K.DNA_WANTED) == Counter(people)
    with read_only(any_services.db) as session:
        assert session.get_one(Candidate, story.candidate).state is CandidateState.OPEN
    later = now + timedelta(hours=1)
    with unit_of_work(any_services.db) as session:
        record_milestone(
            session, any_services, staff, story.case_id, MilestoneKind.DNA_REQUESTED, occurred_at=later, now=later
        )
        attach(session, any_services, staff, GalleryKind.CASE, story.case_id, now=later)
        page = list_requests(session, staff, story.case_id, limit=2, now=later)
        rest = list_requests(session, staff, story.case_id, cursor=page.next_cursor, limit=2, now=later)
        assert [view.met for view in (*page.items, *rest.items)] == [True] * 3
        assert not any(view.mine for view in page.items)
        with pytest.raises(ReasonMissing):
            withdraw_request(session, first, made, reason="", now=later)
        with pytest.raises(errors.NotFound):
            withdraw_request(session, second, made, reason="误", now=later)
        withdraw_request(session, first, made, reason="已有照片", now=later)
        with pytest.raises(RequestEnded):
            withdraw_request(session, first, made, reason="已有照片", now=later)
    with pytest.raises(IntegrityError, match="gate: requests"), unit_of_work(any_services.db) as session:
        session.execute(text("UPDATE review_request SET kind = 'dna' WHERE kind = 'photo'"))
    with pytest.raises(errors.Forbidden):
        ask(staff, RequestKind.DNA)
