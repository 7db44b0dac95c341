"""The protocol of contact: local first, plan, the wish and danger asked again, refusal, and who is told of what."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.case import CaseState
from models.contact import ContactChannel as Channel
from models.contact import ContactResult, DangerScreen, PersonWish
from models.home_notice import HomeAnswer, HomeNoticeKind
from models.notification import Notification, NotificationKind
from models.outcome import OutcomeKind, OutcomeRoute
from models.user import Role
from tests.factories.stories import Story, end_story, examiners, judged_case, state_of
from tests.factories.world import World
from tracing import contact, contact_plans, home_notices, screenings
from tracing.access import Permission, Viewer
from tracing.cases import CaseClosed, ReasonMissing
from tracing.confirmation import recall
from tracing.contact import ContactSealed, LocalFirst
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.screenings import DangerSuspected, PersonObjects, PoliceClearDanger
from tracing.services import Services

WANTS, OBJECTS = PersonWish.WANTS_CONTACT, PersonWish.OBJECTS
SAFE, SUSPECTED = DangerScreen.NO_SIGN, DangerScreen.SUSPECTED


@pytest.fixture
def story(any_services: Services, world: World, now: datetime) -> Story:
    """A case whose contact is released."""
    return judged_case(any_services, world, CaseState.CONTACT_RELEASED, now=now)


def call(
    services: Services,
    viewer: Viewer,
    story: Story,
    now: datetime,
    channel: Channel = Channel.LOCAL_POLICE,
    result: ContactResult = ContactResult.NO_ANSWER,
) -> uuid.UUID:
    with unit_of_work(services.db) as session:
        return contact.record_attempt(
            session, services, viewer, story.case_id, channel, result, note_text=None, attempted_at=now, now=now
        ).id


def ask(
    services: Services,
    viewer: Viewer,
    story: Story,
    now: datetime,
    wish: PersonWish = WANTS,
    danger: DangerScreen = SAFE,
) -> None:
    with unit_of_work(services.db) as session:
        screenings.record_screening(
            session, services, viewer, story.case_id, wish, danger,
            asked_on=services.local_day(now), note_text="她低头不语", now=now,
        )  # fmt: skip


def read(services: Services, viewer: Viewer, story: Story, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        contact.read_family_contact(session, services, viewer, story.case_id, now=now)


def told(services: Services, kind: NotificationKind) -> set[uuid.UUID]:
    with read_only(services.db) as session:
        return set(session.scalars(select(Notification.recipient_id).where(Notification.kind == kind)))


@pytest.mark.parametrize("channel", [Channel.TELEPHONE, Channel.VISIT])
def test_the_first_attempt_is_local(
    any_services: Services, story: Story, caseworker: Viewer, channel: Channel, now: datetime
) -> None:
    with pytest.raises(LocalFirst):
        call(any_services, caseworker, story, now, channel)
    call(any_services, caseworker, story, now, Channel.VILLAGE_COMMITTEE)
    call(any_services, caseworker, story, now, channel)


def test_a_supervisor_allows_an_exception_with_its_reason(
    any_services: Services, world: World, story: Story, caseworker: Viewer, supervisor: Viewer, now: datetime
) -> None:
    def allow(viewer: Viewer, reason: str) -> None:
        with unit_of_work(any_services.db) as session:
            contact.allow_exception(session, viewer, story.case_id, reason=reason, now=now)

    for viewer in world.viewers():
        if not viewer.may(Permission.CONTACT_EXCEPTION):
            with pytest.raises(errors.Forbidden):
                allow(viewer, "岛上无派出所")
    with pytest.raises(ReasonMissing):
        allow(supervisor, " ")
    allow(supervisor, "岛上无派出所")
    call(any_services, caseworker, story, now, Channel.TELEPHONE)


def test_a_later_objection_stops_contact_until_the_person_wants_it(
    any_services: Services, story: Story, staff: Viewer, caseworker: Viewer, now: datetime
) -> None:
    read(any_services, caseworker, story, now)
    ask(any_services, staff, story, now, OBJECTS)
    for refused in (read, call):
        with pytest.raises(PersonObjects):
            refused(any_services, caseworker, story, now)
    with pytest.raises(PersonObjects), unit_of_work(any_services.db) as session:
        contact_plans.read_plan(session, any_services, caseworker, story.case_id, now=now)
    ask(any_services, caseworker, story, now, WANTS)
    read(any_services, caseworker, story, now)
    with unit_of_work(any_services.db) as session:
        page = screenings.list_screenings(session, any_services, staff, story.case_id, now=now)
    assert {(one.ordinal, one.wish, note) for one, note in page.items} == {
        (1, OBJECTS, "她低头不语"), (2, WANTS, "她低头不语"),
    }  # fmt: skip


def test_only_the_police_clear_up_a_danger(
    any_services: Services, world: World, story: Story, staff: Viewer, caseworker: Viewer, now: datetime
) -> None:
    ask(any_services, staff, story, now, danger=SUSPECTED)
    with pytest.raises(DangerSuspected):
        call(any_services, caseworker, story, now)
    for viewer in (staff, caseworker):
        with pytest.raises(PoliceClearDanger):
            ask(any_services, viewer, story, now)
    ask(any_services, examiners(world)[0], story, now)
    call(any_services, caseworker, story, now)


def test_nothing_is_released_against_what_was_asked_last(
    any_services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, CaseState.IDENTIFIED, now=now)
    ask(any_services, caseworker, story, now, OBJECTS)
    with pytest.raises(PersonObjects), unit_of_work(any_services.db) as session:
        contact.release_contact(session, examiners(world)[0], story.case_id, WANTS, SAFE, now=now)
    assert state_of(any_services, story.case_id) is CaseState.IDENTIFIED


def test_nobody_is_handed_over_against_the_own_wish(
    any_services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, CaseState.FAMILY_CONTACTED, now=now)
    ask(any_services, caseworker, story, now, OBJECTS)
    with pytest.raises(PersonObjects):
        end_story(any_services, world, story.case_id, OutcomeKind.REUNITED, OutcomeRoute.FACE, now=now)


def test_a_plan_is_local_and_its_unit_is_sealed(
    any_services: Services, story: Story, caseworker: Viewer, now: datetime
) -> None:
    def plan(channel: Channel, number: str) -> bytes:
        with unit_of_work(any_services.db) as session:
            return contact_plans.make_plan(
                session, any_services, caseworker, story.case_id, channel,
                unit="演武派出所", call_back_number=number, now=now,
            ).unit_sealed  # fmt: skip

    with pytest.raises(LocalFirst):
        plan(Channel.TELEPHONE, "0777-2820000")
    for number in ("", "call me", "12", "0777/2820000"):
        with pytest.raises(contact_plans.CallBackNumberInvalid):
            plan(Channel.LOCAL_POLICE, number)
    assert "演武".encode() not in plan(Channel.LOCAL_POLICE, "0777-2820000")
    with unit_of_work(any_services.db) as session:
        found = contact_plans.read_plan(session, any_services, caseworker, story.case_id, now=now)
    assert found is not None
    assert (found[1], found[0].call_back_number) == ("演武派出所", "0777-2820000")
    assert found[0].script_version == any_services.homeward.script.version


def test_a_refusal_goes_to_the_home_district_and_is_answered_there_once(
    any_services: Services, world: World, story: Story, caseworker: Viewer, staff: Viewer, now: datetime
) -> None:
    call(any_services, caseworker, story, now, result=ContactResult.REFUSED)
    home = world.viewer(world.b.users[Role.STATION_STAFF])  # the report's person comes from 350203
    assert {home.user_id, staff.user_id, caseworker.user_id} <= told(any_services, NotificationKind.CONTACT_REFUSED)
    with unit_of_work(any_services.db) as session:
        [notice] = home_notices.list_home_notices(session, home, waiting=True, now=now).items
    assert (notice.kind, notice.division, notice.organisation_id) == (
        HomeNoticeKind.REFUSAL, "350203", world.b.station.id,
    )  # fmt: skip

    def answer(viewer: Viewer) -> None:
        with unit_of_work(any_services.db) as session:
            home_notices.answer_home_notice(session, viewer, notice.id, HomeAnswer.TAKES_OVER, now=now)

    with pytest.raises(home_notices.NotAddressed):
        answer(staff)
    with pytest.raises(errors.Forbidden):
        answer(examiners(world)[0])
    with pytest.raises(errors.NotFound):
        answer(world.viewer(world.a.sister_staff))
    answer(home)
    with pytest.raises(home_notices.NoticeAnswered):
        answer(home)
    with unit_of_work(any_services.db) as session:
        assert home_notices.list_home_notices(session, home, waiting=True, now=now).items == ()
        mine = home_notices.list_home_notices(session, caseworker, case_id=story.case_id, now=now).items
    assert [one.answer for one in mine] == [HomeAnswer.TAKES_OVER]


def test_who_is_told_of_a_confirmation_a_release_and_a_recall(
    any_services: Services, world: World, story: Story, caseworker: Viewer, supervisor: Viewer, now: datetime
) -> None:
    station = {world.a.users[Role.STATION_STAFF].id, caseworker.user_id}
    assert told(any_services, NotificationKind.CASE_IDENTIFIED) == station
    assert told(any_services, NotificationKind.CONTACT_RELEASED) == {caseworker.user_id}
    read(any_services, caseworker, story, now + timedelta(minutes=2))
    with unit_of_work(any_services.db) as session:
        recall(session, any_services, supervisor, story.case_id, reason="DNA 不符", now=now + timedelta(minutes=3))
    first, second = examiners(world)
    assert told(any_services, NotificationKind.CONFIRMATION_RECALLED) == station | {
        first.user_id, second.user_id, supervisor.user_id,
    }  # fmt: skip
    with pytest.raises(ContactSealed):
        call(any_services, caseworker, story, now)


def test_nothing_is_asked_of_a_closed_case(services: Services, world: World, staff: Viewer, now: datetime) -> None:
    story = judged_case(services, world, CaseState.CLOSED, now=now)
    with pytest.raises(CaseClosed):
        ask(services, staff, story, now)
