"""Taking back: a late recall, a withdrawn outcome, and where each leaves the case, its notices and its follow-up."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.candidate import Candidate, CandidateState
from models.case import Case, CaseState
from models.contact import DangerScreen, PersonWish
from models.deadline import ClockKind, Deadline
from models.followup import PresentParty, StabilityGrade, VisitMethod, VisitResult
from models.home_notice import HomeAnswer, HomeNotice
from models.job import Job
from models.notification import Notification, NotificationKind
from models.outcome import Outcome, OutcomeKind, OutcomeRoute
from models.report import Report, ReportState
from models.user import Role
from tests.factories.records import make_case
from tests.factories.stories import Story, end_story, judged_case, papers_for, run_jobs, state_of
from tests.factories.workflow_network import KNOWN
from tests.factories.world import World
from tracing import followup, home_notices
from tracing.access import Viewer
from tracing.admission import record_admission, take_into_care
from tracing.cases import move_case
from tracing.confirmation import recall
from tracing.contact import ContactSealed, read_family_contact, release_contact
from tracing.outcome_papers import Papers, Transfer
from tracing.outcomes import record_outcome, withdraw_outcome
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services
from tracing.transitions import IllegalMove

S, K = CaseState, OutcomeKind


@pytest.fixture
def caseworker(world: World) -> Viewer:
    return world.viewer(world.a.users[Role.CASEWORKER])


@pytest.fixture
def supervisor(world: World) -> Viewer:
    return world.viewer(world.a.users[Role.POLICE_SUPERVISOR])


def undo(services: Services, supervisor: Viewer, story: Story, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        recall(session, services, supervisor, story.case_id, reason="DNA 不符", now=now)


def ended(services: Services, viewer: Viewer, story: Story, kind: OutcomeKind, now: datetime, *to: Papers) -> Outcome:
    with unit_of_work(services.db) as session:
        return record_outcome(
            session, services, viewer, story.case_id, kind, None, occurred_on=services.local_day(now),
            note_text=None, papers=next(iter(to), papers_for(services, kind, now)), now=now,
        )  # fmt: skip


def take_back(services: Services, viewer: Viewer, outcome: Outcome, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        withdraw_outcome(session, services, viewer, outcome.id, reason="记错", now=now)


def rematched(services: Services) -> set[str]:
    """The records for which a pass waits."""
    with read_only(services.db) as session:
        waiting = session.scalars(select(Job.payload).where(Job.state == "queued", Job.kind == "match"))
        return {one["id"] for one in waiting}


@pytest.mark.parametrize("kind", [K.LEFT, K.DECEASED, K.TRANSFERRED])
def test_a_confirmation_is_recalled_after_the_stay_has_ended(
    any_services: Services, world: World, caseworker: Viewer, supervisor: Viewer, now: datetime, kind: OutcomeKind
) -> None:
    story = judged_case(any_services, world, S.CONTACT_RELEASED, now=now)
    later = now + timedelta(hours=1)
    outcome = ended(any_services, caseworker, story, kind, later)
    undo(any_services, supervisor, story, later + timedelta(hours=1))
    assert state_of(any_services, story.case_id) is S.RECALLED
    with read_only(any_services.db) as session:
        assert session.get_one(Report, story.report_id).state is ReportState.OPEN
        assert session.get_one(Candidate, story.candidate).state is CandidateState.JUDGED
        # Who left or died has, whoever it was; who was sent home was sent to another's home.
        assert (session.get_one(Outcome, outcome.id).withdrawn_at is not None) is (kind is K.TRANSFERRED)
        told = session.scalars(
            select(Notification.recipient_id).where(Notification.kind == NotificationKind.CONFIRMATION_RECALLED)
        ).all()
    assert {caseworker.user_id, world.a.examiners[0].id, supervisor.user_id} <= set(told)
    assert str(story.report_id) in rematched(any_services)
    with pytest.raises(ContactSealed), unit_of_work(any_services.db) as session:
        read_family_contact(session, any_services, caseworker, story.case_id, now=later)
    assert ended(any_services, caseworker, story, K.DECEASED, later + timedelta(hours=2)).id != outcome.id


def test_a_closed_return_is_recalled_with_all_that_rested_on_it(
    any_services: Services, world: World, caseworker: Viewer, supervisor: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, S.CLOSED, now=now)
    later = now + timedelta(hours=2)
    grades = dict.fromkeys(any_services.care.follow_up.keys, StabilityGrade.GOOD)
    visit = followup.VisitReport(
        VisitMethod.PHONE, VisitResult.MET, later, "陈某", frozenset({PresentParty.FAMILY}), grades
    )
    with unit_of_work(any_services.db) as session:
        followup.record_visit(session, any_services, caseworker, story.case_id, visit, now=later)
    undo(any_services, supervisor, story, later + timedelta(hours=1))
    with read_only(any_services.db) as session:
        (outcome,) = session.scalars(select(Outcome).where(Outcome.case_id == story.case_id))
        plan = session.scalars(
            select(Deadline).where(Deadline.case_id == story.case_id, Deadline.kind == ClockKind.FOLLOW_UP)
        ).all()
    assert (outcome.withdrawn_by_id, outcome.withdrawal_reason) == (supervisor.user_id, "DNA 不符")
    assert plan
    assert all(one.cancelled_at is not None for one in plan), "nobody is visited at the wrong home"
    with pytest.raises(followup.NotHome), unit_of_work(any_services.db) as session:
        followup.record_visit(session, any_services, caseworker, story.case_id, visit, now=later)


def test_who_was_searched_again_is_recalled_too(
    any_services: Services, world: World, caseworker: Viewer, supervisor: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, S.IDENTIFIED, now=now)
    ended(any_services, caseworker, story, K.LEFT, now + timedelta(hours=1))
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(any_services.db) as session:
        move_case(session, any_services, staff, story.case_id, S.SEARCHING, reason="又被看见", now=now)
    undo(any_services, supervisor, story, now + timedelta(hours=2))
    assert state_of(any_services, story.case_id) is S.RECALLED


def test_nobody_else_recalls(services: Services, world: World, caseworker: Viewer, now: datetime) -> None:
    story = judged_case(services, world, S.LEFT, now=now)
    with unit_of_work(services.db) as session, pytest.raises(IllegalMove):
        move_case(session, services, caseworker, story.case_id, S.RECALLED, reason="误认", now=now)


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    [
        (S.UNRESOLVED, K.TRANSFERRED, S.SEARCHING),
        (S.UNRESOLVED, K.DECEASED, S.SEARCHING),
        (S.UNRESOLVED, K.LEFT, S.SEARCHING),
        (S.SETTLED, K.LEFT, S.SETTLED),
        (S.IDENTIFIED, K.LEFT, S.IDENTIFIED),
        (S.CONTACT_RELEASED, K.DECEASED, S.CONTACT_RELEASED),
        (S.FAMILY_CONTACTED, K.TRANSFERRED, S.FAMILY_CONTACTED),
    ],
)
def test_a_withdrawn_outcome_leads_back(
    any_services: Services,
    world: World,
    caseworker: Viewer,
    now: datetime,
    before: CaseState,
    kind: OutcomeKind,
    after: CaseState,
) -> None:
    story = judged_case(any_services, world, before, now=now)
    run_jobs(any_services, now)
    later = now + timedelta(hours=1)
    outcome = ended(any_services, caseworker, story, kind, later)
    take_back(any_services, caseworker, outcome, later + timedelta(hours=1))
    assert state_of(any_services, story.case_id) is after
    assert (str(story.case_id) in rematched(any_services)) is (after is S.SEARCHING)


def test_a_withdrawn_return_leads_back_to_the_family(
    any_services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, S.FAMILY_CONTACTED, now=now)
    end_story(any_services, world, story.case_id, K.REUNITED, OutcomeRoute.FACE, now=now + timedelta(hours=1))
    with read_only(any_services.db) as session:
        outcome = session.scalars(select(Outcome).where(Outcome.case_id == story.case_id)).one()
    take_back(any_services, caseworker, outcome, now + timedelta(hours=2))
    assert state_of(any_services, story.case_id) is S.FAMILY_CONTACTED


def test_an_outcome_that_did_not_move_the_case_or_beside_which_another_stands_leads_nowhere(
    services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, S.UNRESOLVED, now=now)
    first = ended(services, caseworker, story, K.LEFT, now + timedelta(hours=1))
    second = ended(services, caseworker, story, K.MISSING_AGAIN, now + timedelta(hours=2))
    take_back(services, caseworker, first, now + timedelta(hours=3))
    assert state_of(services, story.case_id) is S.LEFT
    take_back(services, caseworker, second, now + timedelta(hours=4))
    assert state_of(services, story.case_id) is S.SEARCHING
    with unit_of_work(services.db) as session:
        move_case(session, services, caseworker, story.case_id, S.LEFT, reason="已走", now=now + timedelta(hours=5))
    late = ended(services, caseworker, story, K.LEFT, now + timedelta(hours=6))
    take_back(services, caseworker, late, now + timedelta(hours=7))
    assert state_of(services, story.case_id) is S.LEFT


def test_no_contact_is_released_by_the_ways_back(
    services: Services, world: World, caseworker: Viewer, supervisor: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, S.IDENTIFIED, now=now)
    ended(services, caseworker, story, K.LEFT, now + timedelta(hours=1))
    with unit_of_work(services.db) as session, pytest.raises(IllegalMove):
        release_contact(
            session, supervisor, story.case_id, PersonWish.WANTS_CONTACT, DangerScreen.NO_SIGN, now=now
        )  # fmt: skip


def test_known_identity_comes_back_into_care(
    any_services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(any_services.db) as session:
        case = make_case(session, any_services, staff, submitted=False, now=now)
        record_admission(session, any_services, staff, case.id, KNOWN, version=None, now=now)
        take_into_care(session, any_services, staff, case.id, now=now)
    outcome = ended(any_services, caseworker, Story(case.id), K.LEFT, now + timedelta(hours=1))
    take_back(any_services, caseworker, outcome, now + timedelta(hours=2))
    assert state_of(any_services, case.id) is S.IN_CARE
    with read_only(any_services.db) as session:
        assert not session.get_one(Case, case.id).traced


def test_a_notice_that_fell_waits_no_longer_and_is_not_answered(
    any_services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, S.UNRESOLVED, now=now)
    home = world.viewer(world.b.users[Role.CASEWORKER])
    to_b = Papers(transfer=Transfer("移字2026-9", organisation_id=world.b.station.id))
    outcome = ended(any_services, caseworker, story, K.TRANSFERRED, now + timedelta(hours=1), to_b)

    def waiting() -> list[HomeNotice]:
        with unit_of_work(any_services.db) as session:
            return list(home_notices.list_home_notices(session, home, waiting=True, now=now).items)

    (notice,) = waiting()
    take_back(any_services, caseworker, outcome, now + timedelta(hours=2))
    assert waiting() == []
    with pytest.raises(home_notices.NoticeVoid) as refused, unit_of_work(any_services.db) as session:
        home_notices.answer_home_notice(session, home, notice.id, HomeAnswer.RECEIVED, now=now)
    assert isinstance(refused.value, errors.Conflict)


def test_the_addressee_of_a_transfer_is_told_of_the_recall(
    any_services: Services, world: World, caseworker: Viewer, supervisor: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, S.FAMILY_CONTACTED, now=now)
    to_b = Papers(transfer=Transfer("移字2026-9", organisation_id=world.b.station.id))
    ended(any_services, caseworker, story, K.TRANSFERRED, now + timedelta(hours=1), to_b)
    undo(any_services, supervisor, story, now + timedelta(hours=2))
    with read_only(any_services.db) as session:
        notice = session.scalars(select(HomeNotice)).one()
        told = session.scalars(select(Notification.recipient_id).where(Notification.object_id == notice.id)).all()
        assert home_notices.void_among(session, [notice.id]) == {notice.id}
    assert world.b.users[Role.CASEWORKER].id in told
