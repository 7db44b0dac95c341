"""Notices: who drafts and who lets through, what may be told of whom, and that nobody found is still shown."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select, update

from matcher.vocabulary import Sex
from models.case import GATED, AdmissionKind, Case, CaseState
from models.confirmation import ConfirmationMethod
from models.contact import DangerScreen, PersonWish
from models.deadline import ClockKind, Deadline
from models.milestone import Milestone, MilestoneKind
from models.notice import PUBLIC_STATES, NoticeFact, NoticeState, NoticeVersion
from models.notification import Notification, NotificationKind
from models.outcome import OutcomeKind
from models.user import Role
from tests.factories.notices import draft_of, look, propose, publish, told
from tests.factories.records import make_case
from tests.factories.stories import Story, end_story, judged_case, two_reviews
from tests.factories.world import World
from tracing import notice_errors, notices
from tracing.access import Permission, Viewer
from tracing.admission import Admission, StatedIdentity, disprove_identity, record_admission, take_into_care
from tracing.cases import ReasonMissing, move_case
from tracing.confirmation import confirm, recall
from tracing.notice_content import TelephoneInvalid
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.screenings import record_screening
from tracing.services import Services


@pytest.fixture
def story(any_services: Services, world: World, now: datetime) -> Story:
    """A case in review: a man of about 45 who was heard to say a name."""
    return judged_case(any_services, world, CaseState.IN_REVIEW, now=now)


@pytest.fixture
def bureau(world: World) -> Viewer:
    """Province a's bureau supervisor."""
    return world.viewer(world.a.users[Role.BUREAU_SUPERVISOR])


def test_drafted_by_one_published_by_another(
    any_services: Services, world: World, staff: Viewer, bureau: Viewer, story: Story, now: datetime
) -> None:
    version = propose(any_services, world, story.case_id, now=now)
    assert look(any_services, story.case_id, now) is None
    with pytest.raises(errors.Forbidden), unit_of_work(any_services.db) as session:
        notices.approve_notice(session, any_services, staff, version.id, now=now)
    with pytest.raises(notice_errors.NoticeWaiting):
        propose(any_services, world, story.case_id, now=now)
    with unit_of_work(any_services.db) as session:
        notices.approve_notice(session, any_services, bureau, version.id, now=now)
        kinds = session.scalars(select(Milestone.kind).where(Milestone.case_id == story.case_id)).all()
        clock = session.scalars(
            select(Deadline).where(Deadline.case_id == story.case_id, Deadline.kind == ClockKind.TRACING_NOTICE)
        ).one()
        assert kinds == [MilestoneKind.NOTICE_PUBLISHED]
        assert clock.met_at == now
    found = told(look(any_services, story.case_id, now))
    assert found[NoticeFact.SEX] == (Sex.MALE,)
    assert found[NoticeFact.NAME_HEARD] == ("韦建国",)
    with pytest.raises(notice_errors.NoticeEnded), unit_of_work(any_services.db) as session:
        notices.approve_notice(session, any_services, bureau, version.id, now=now)


def test_whoever_drafted_it_does_not_approve_it_in_another_role(
    services: Services, world: World, bureau: Viewer, now: datetime
) -> None:
    case = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = propose(services, world, case.case_id, now=now)
    promoted = replace(bureau, user_id=version.drafted_by_id)
    with pytest.raises(notice_errors.OwnDraft), unit_of_work(services.db) as session:
        notices.approve_notice(session, services, promoted, version.id, now=now)
    with pytest.raises(notice_errors.OwnDraft), unit_of_work(services.db) as session:
        notices.reject_notice(session, promoted, version.id, reason="x", now=now)


def test_who_may_do_what(any_services: Services, world: World, story: Story, now: datetime) -> None:
    version = propose(any_services, world, story.case_id, now=now)
    refused = (errors.Forbidden, errors.NotFound)
    for viewer in world.viewers():
        inside = viewer.path.startswith(world.a.bureau.path)
        if not (viewer.may(Permission.NOTICE) and inside and viewer.organisation_id == world.a.station.id):
            with pytest.raises(refused), unit_of_work(any_services.db) as session:
                notices.draft_notice(session, any_services, viewer, story.case_id, draft_of(), now=now)
        if not (viewer.may(Permission.NOTICE_APPROVE) and inside):
            with pytest.raises(refused), unit_of_work(any_services.db) as session:
                notices.approve_notice(session, any_services, viewer, version.id, now=now)
            with pytest.raises(refused), unit_of_work(any_services.db) as session:
                notices.reject_notice(session, viewer, version.id, reason="x", now=now)
        if not inside:
            with pytest.raises(refused), unit_of_work(any_services.db) as session:
                notices.read_notice(session, any_services, viewer, version.id, now=now)
            with pytest.raises(refused), unit_of_work(any_services.db) as session:
                notices.withdraw_notice(session, viewer, version.id, reason="x", now=now)


def test_approvers_are_told_and_the_drafter_hears_of_the_decision(
    services: Services, world: World, bureau: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = propose(services, world, story.case_id, now=now)
    with pytest.raises(ReasonMissing), unit_of_work(services.db) as session:
        notices.reject_notice(session, bureau, version.id, reason=" ", now=now)
    with unit_of_work(services.db) as session:
        rejected = notices.reject_notice(session, bureau, version.id, reason="照片不清", now=now)
        assert rejected.rejection_reason == "照片不清"
    with read_only(services.db) as session:
        lines = session.execute(
            select(Notification.kind, Notification.recipient_id).where(Notification.object_id == version.id)
        ).all()
    asked = {user for kind, user in lines if kind is NotificationKind.NOTICE_TO_APPROVE}
    assert asked == {world.a.users[role].id for role in (Role.BUREAU_SUPERVISOR, Role.POLICE_SUPERVISOR)}
    heard = {user for kind, user in lines if kind is NotificationKind.NOTICE_DECIDED}
    assert heard == {version.drafted_by_id}
    assert look(services, story.case_id, now) is None
    publish(services, world, story.case_id, now=now)  # sent back, drafted anew


@pytest.mark.parametrize("state", sorted(set(CaseState) - GATED - {CaseState.IN_CARE, CaseState.RECALLED}))
def test_the_page_follows_the_state_at_the_same_instant(
    state: CaseState, services: Services, world: World, now: datetime
) -> None:
    """Even when somebody writes the state past every use case.

    The gated ones and the recall are played below; nobody who was sought comes to be in care; a settlement needs its
    dossier.
    """
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    publish(services, world, story.case_id, now=now)
    with unit_of_work(services.db) as session:
        if state is not CaseState.SETTLED:
            session.execute(update(Case).where(Case.id == story.case_id).values(state=state))
    if state is CaseState.SETTLED:
        end_story(services, world, story.case_id, OutcomeKind.SETTLED, now=now)
    assert (look(services, story.case_id, now) is not None) is (state in PUBLIC_STATES)


def test_identification_ends_it_and_a_recall_does_not_bring_it_back(
    any_services: Services, world: World, staff: Viewer, supervisor: Viewer, now: datetime
) -> None:
    services = any_services
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = publish(services, world, story.case_id, now=now)
    confirmed(services, world, story, now)
    assert look(services, story.case_id, now) is None
    with read_only(services.db) as session:
        ended = session.get_one(NoticeVersion, version.id)
        assert (ended.state, ended.withdrawal_reason, ended.withdrawn_by_id) == (
            NoticeState.WITHDRAWN, CaseState.IDENTIFIED, None,
        )  # fmt: skip
        told_of = select(Notification.recipient_id).where(Notification.kind == NotificationKind.NOTICE_WITHDRAWN)
        assert set(session.scalars(told_of)) == {staff.user_id}
    with pytest.raises(notice_errors.CaseNotPublic):
        propose(services, world, story.case_id, now=now)
    with unit_of_work(services.db) as session:
        recall(session, services, supervisor, story.case_id, reason="DNA 不符", now=now)
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, story.case_id, CaseState.SEARCHING, reason="重新寻亲", now=now)
    assert look(services, story.case_id, now) is None
    publish(services, world, story.case_id, now=now)
    assert look(services, story.case_id, now) is not None


def confirmed(services: Services, world: World, story: Story, now: datetime) -> None:
    from_police = world.viewer(world.a.users[Role.POLICE_SUPERVISOR])
    two_reviews(services, world, story.candidate, now=now)
    with unit_of_work(services.db) as session:
        confirm(
            session, from_police, story.case_id, story.candidate, ConfirmationMethod.AGREEING_REVIEWS,
            reference=None, grounds="两人一致", now=now,
        )  # fmt: skip


def test_a_waiting_draft_ends_with_the_stay_too(
    services: Services, world: World, staff: Viewer, bureau: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = propose(services, world, story.case_id, now=now)
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, story.case_id, CaseState.LEFT, reason="自行离站", now=now)
    with pytest.raises(notice_errors.NoticeEnded), unit_of_work(services.db) as session:
        notices.approve_notice(session, services, bureau, version.id, now=now)


def test_the_station_withdraws_it_with_a_reason(services: Services, world: World, staff: Viewer, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = publish(services, world, story.case_id, now=now)
    with pytest.raises(ReasonMissing), unit_of_work(services.db) as session:
        notices.withdraw_notice(session, staff, version.id, reason="", now=now)
    with unit_of_work(services.db) as session:
        notices.withdraw_notice(session, staff, version.id, reason="本人改变主意", now=now)
    assert look(services, story.case_id, now) is None
    with pytest.raises(notice_errors.NoticeEnded), unit_of_work(services.db) as session:
        notices.withdraw_notice(session, staff, version.id, reason="再次", now=now)


def test_an_objection_or_a_danger_publishes_nothing(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    with pytest.raises(notice_errors.NoticeUnwanted):
        propose(services, world, story.case_id, draft_of(wish=PersonWish.OBJECTS), now=now)
    with pytest.raises(notice_errors.NoticeUnsafe):
        propose(services, world, story.case_id, draft_of(danger=DangerScreen.SUSPECTED), now=now)
    with pytest.raises(TelephoneInvalid):
        propose(services, world, story.case_id, draft_of(telephone="请到前台"), now=now)


def test_a_known_identity_is_no_notice(any_services: Services, world: World, staff: Viewer, now: datetime) -> None:
    """In care, and after it; one that proves false is sought like any other."""
    known = Admission(AdmissionKind.KNOWN_IDENTITY, fingerprint_reason="身份明确", identity=StatedIdentity("梁某"))
    with unit_of_work(any_services.db) as session:
        cases = [make_case(session, any_services, staff, submitted=False, now=now).id for _ in range(2)]
        for one in cases:
            record_admission(session, any_services, staff, one, known, version=None, now=now)
            take_into_care(session, any_services, staff, one, now=now)
        move_case(session, any_services, staff, cases[1], CaseState.LEFT, reason="自行离站", now=now)
    for one in cases:
        with pytest.raises(notice_errors.CaseNotPublic):
            propose(any_services, world, one, now=now)
    with unit_of_work(any_services.db) as session:
        disprove_identity(session, any_services, staff, cases[0], reason="他人证件", now=now)
    publish(any_services, world, cases[0], now=now)
    assert look(any_services, cases[0], now) is not None


@pytest.mark.postgres
def test_an_approval_and_an_identification_that_race(
    postgres_services: Services, world: World, bureau: Viewer, now: datetime
) -> None:
    """Whoever is first, nobody identified is shown."""
    services = postgres_services
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = propose(services, world, story.case_id, now=now)
    start, ended = threading.Barrier(2), list[str]()

    def approve() -> None:
        with unit_of_work(services.db) as session:
            notices.approve_notice(session, services, bureau, version.id, now=now)

    def run(what: Callable[[], object]) -> None:
        start.wait()
        try:
            what()
            ended.append("done")
        except errors.TracingError as error:
            ended.append(error.slug)

    threads = [
        threading.Thread(target=run, args=(one,)) for one in (approve, lambda: confirmed(services, world, story, now))
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(ended) in (["done", "done"], ["done", "notice_ended"])
    assert look(services, story.case_id, now) is None


@pytest.mark.parametrize(
    ("wish", "danger", "refused"),
    [
        (PersonWish.OBJECTS, DangerScreen.NO_SIGN, notice_errors.NoticeUnwanted),
        (PersonWish.WANTS_CONTACT, DangerScreen.SUSPECTED, notice_errors.NoticeUnsafe),
    ],
)
def test_what_is_asked_later_ends_the_notice(
    services: Services,
    world: World,
    staff: Viewer,
    bureau: Viewer,
    now: datetime,
    wish: PersonWish,
    danger: DangerScreen,
    refused: type[errors.TracingError],
) -> None:
    case_id = judged_case(services, world, CaseState.IN_REVIEW, now=now).case_id
    publish(services, world, case_id, now=now)
    waiting = propose(services, world, case_id, now=now)
    with unit_of_work(services.db) as session:
        record_screening(session, services, staff, case_id, wish, danger, asked_on=now.date(), note_text=None, now=now)
    assert look(services, case_id, now) is None
    with pytest.raises(notice_errors.NoticeEnded), unit_of_work(services.db) as session:
        notices.approve_notice(session, services, bureau, waiting.id, now=now)
    with pytest.raises(refused):
        propose(services, world, case_id, now=now)
