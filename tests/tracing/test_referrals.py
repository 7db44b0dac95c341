"""Referrals: who writes and who answers, what is read, what stays sealed, and the times for an answer."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.audit import AuditEvent
from models.case import CaseState
from models.notification import Notification, NotificationKind
from models.referral import REFERRAL_TRANSITIONS, Referral, ReferralFact, ReferralKind, ReferralState
from models.user import Role, User
from tests.factories.records import make_case
from tests.factories.stories import judged_case
from tests.factories.world import Province, World
from tracing import referral_lists, referrals
from tracing.access import Permission, Viewer
from tracing.cases import ReasonMissing
from tracing.fact_errors import EmptyValue
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.referral_receivers import ReceiverUnmanned, ReceiverUnsuited, list_receivers
from tracing.referrals import ReferralContent, ReferralText
from tracing.services import Services

SUMMARY = "肾衰竭，需长期透析，返乡后无收入，请协助申请低保"
S = ReferralState


@pytest.fixture
def case_id(any_services: Services, world: World, staff: Viewer, now: datetime) -> uuid.UUID:
    """A case that was handed in."""
    with unit_of_work(any_services.db) as session:
        return make_case(session, any_services, staff, now=now).id


def unit(world: World, province: Province, role: Role = Role.RECEIVING_UNIT) -> Viewer:
    return world.viewer(province.users[role])


def to_home(world: World, *facts: ReferralFact) -> ReferralText:
    """To the benefits office of the person's home, in the other province."""
    return ReferralText(ReferralKind.LOW_INCOME, world.b.receiving.id, SUMMARY, frozenset(facts))


def written(services: Services, viewer: Viewer, case_id: uuid.UUID, given: ReferralText, now: datetime) -> uuid.UUID:
    with unit_of_work(services.db) as session:
        return referrals.create_referral(session, services, viewer, case_id, given, now=now).id


def sent(services: Services, viewer: Viewer, case_id: uuid.UUID, given: ReferralText, now: datetime) -> uuid.UUID:
    made = written(services, viewer, case_id, given, now)
    with unit_of_work(services.db) as session:
        referrals.send_referral(session, services, viewer, made, now=now)
    return made


def answer(
    services: Services,
    viewer: Viewer,
    referral_id: uuid.UUID,
    state: ReferralState,
    now: datetime,
    text: str | None = None,
) -> Referral:
    with unit_of_work(services.db) as session:
        return referrals.answer_referral(session, services, viewer, referral_id, state, text=text, now=now)


def read(services: Services, viewer: Viewer, referral_id: uuid.UUID, now: datetime) -> ReferralContent | None:
    with unit_of_work(services.db) as session:
        return referrals.read_referral(session, services, viewer, referral_id, now=now).content


def told(services: Services, kind: NotificationKind) -> set[uuid.UUID]:
    with read_only(services.db) as session:
        return set(session.scalars(select(Notification.recipient_id).where(Notification.kind == kind)))


def test_the_home_district_answers_across_provinces(
    any_services: Services, world: World, staff: Viewer, case_id: uuid.UUID, now: datetime
) -> None:
    office, other = unit(world, world.b), unit(world, world.a)
    made = written(any_services, staff, case_id, to_home(world, ReferralFact.NAME, ReferralFact.HEALTH), now)
    with pytest.raises(errors.NotFound):
        read(any_services, office, made, now)  # a draft is the station's own
    assert told(any_services, NotificationKind.REFERRAL_SENT) == set()
    with unit_of_work(any_services.db) as session:
        referrals.send_referral(session, any_services, staff, made, now=now)
        again = referrals.send_referral(session, any_services, staff, made, now=now + timedelta(hours=1))
    assert (again.sent_at, len(again.moves)) == (now, 1)
    assert told(any_services, NotificationKind.REFERRAL_SENT) == {office.user_id}
    content = read(any_services, office, made, now)
    assert content is not None
    assert content.summary == SUMMARY
    assert dict(content.facts) == {"name": ("韦建国",)}  # health is not known: nothing is made up
    with pytest.raises(errors.NotFound):
        read(any_services, other, made, now)
    answer(any_services, office, made, S.ACCEPTED, now)
    with pytest.raises(referrals.AnswerMissing):
        answer(any_services, office, made, S.DONE, now, " ")
    answer(any_services, office, made, S.DONE, now, "已批准低保，下月起发放")
    content = read(any_services, staff, made, now)
    assert content is not None
    assert [(state, text) for state, _, text in content.answers] == [(S.DONE, "已批准低保，下月起发放")]
    station = {world.a.users[Role.STATION_STAFF].id, world.a.users[Role.CASEWORKER].id}
    assert told(any_services, NotificationKind.REFERRAL_ANSWERED) == station


@pytest.mark.parametrize(
    "until", [CaseState.SUBMITTED, CaseState.LEFT, CaseState.TRANSFERRED, CaseState.REUNIFIED, CaseState.CLOSED]
)
def test_in_any_state_past_the_draft(
    services: Services, world: World, staff: Viewer, until: CaseState, now: datetime
) -> None:
    story = judged_case(services, world, until, now=now)
    made = sent(services, staff, story.case_id, to_home(world), now)
    assert read(services, unit(world, world.b), made, now) is not None


def test_not_from_a_draft_nor_to_anybody(
    any_services: Services, world: World, staff: Viewer, case_id: uuid.UUID, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        draft = make_case(session, any_services, staff, submitted=False, now=now).id
    with pytest.raises(referrals.CaseIsDraft):
        written(any_services, staff, draft, to_home(world), now)
    for kind, organisation in (
        (ReferralKind.LOW_INCOME, world.a.health),  # a hospital grants no benefits
        (ReferralKind.MEDICAL, world.a.police),
        (ReferralKind.MEDICAL, world.a.sister),
    ):
        with pytest.raises(ReceiverUnsuited):
            written(any_services, staff, case_id, ReferralText(kind, organisation.id, SUMMARY), now)
    with pytest.raises(EmptyValue):
        written(any_services, staff, case_id, ReferralText(ReferralKind.JOB, world.a.receiving.id, " "), now)
    given = ReferralText(ReferralKind.JOB, world.a.receiving.id, SUMMARY, visit_id=uuid.uuid4())
    with pytest.raises(referrals.OtherVisit):
        written(any_services, staff, case_id, given, now)
    made = written(any_services, staff, case_id, to_home(world), now)
    with unit_of_work(any_services.db) as session:
        session.get_one(User, world.b.users[Role.RECEIVING_UNIT].id).active = False
    with pytest.raises(ReceiverUnmanned), unit_of_work(any_services.db) as session:
        referrals.send_referral(session, any_services, staff, made, now=now)


def test_a_withdrawn_or_refused_one_is_no_longer_read(
    any_services: Services, world: World, staff: Viewer, case_id: uuid.UUID, now: datetime
) -> None:
    office = unit(world, world.b)
    made = sent(any_services, staff, case_id, to_home(world), now)
    with pytest.raises(ReasonMissing), unit_of_work(any_services.db) as session:
        referrals.withdraw_referral(session, any_services, staff, made, reason=" ", now=now)
    with unit_of_work(any_services.db) as session:
        referrals.withdraw_referral(session, any_services, staff, made, reason="已由家属接回", now=now)
    assert read(any_services, office, made, now) is None
    with pytest.raises(referrals.IllegalReferralMove):
        answer(any_services, office, made, S.ACCEPTED, now)
    refused = sent(any_services, staff, case_id, to_home(world), now)
    answer(any_services, office, refused, S.ACCEPTED, now)
    answer(any_services, office, refused, S.REJECTED, now, "户籍不在本区")
    assert read(any_services, office, refused, now) is None
    content = read(any_services, staff, refused, now)
    assert content is not None
    assert [text for _, _, text in content.answers] == ["户籍不在本区"]


def test_what_was_sent_stays_as_it_was(
    any_services: Services, world: World, staff: Viewer, case_id: uuid.UUID, now: datetime
) -> None:
    made = written(any_services, staff, case_id, to_home(world), now)
    changed = ReferralText(ReferralKind.MEDICAL, world.a.health.id, "需透析")
    with unit_of_work(any_services.db) as session:
        referrals.edit_referral(session, any_services, staff, made, changed, now=now)
    with unit_of_work(any_services.db) as session:
        row = referrals.send_referral(session, any_services, staff, made, now=now)
    assert row.answer_due_at == now + timedelta(hours=24)
    with pytest.raises(referrals.ReferralSent), unit_of_work(any_services.db) as session:
        referrals.edit_referral(session, any_services, staff, made, to_home(world), now=now)
    content = read(any_services, unit(world, world.a, Role.HEALTH_LIAISON), made, now)
    assert content is not None
    assert content.summary == "需透析"


def test_every_move_that_the_table_lacks_is_refused(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    office = unit(world, world.b)
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, now=now).id
    for state in (S.SENT, S.ACCEPTED, S.REJECTED, S.DONE, S.WITHDRAWN):
        made = sent(services, staff, case, to_home(world), now)
        for step in {S.ACCEPTED: [S.ACCEPTED], S.REJECTED: [S.REJECTED], S.DONE: [S.ACCEPTED, S.DONE]}.get(state, []):
            answer(services, office, made, step, now, "x")
        if state is S.WITHDRAWN:
            with unit_of_work(services.db) as session:
                referrals.withdraw_referral(session, services, staff, made, reason="x", now=now)
        for wanted in S:
            if wanted not in REFERRAL_TRANSITIONS[state] and wanted is not S.WITHDRAWN:
                with pytest.raises(referrals.IllegalReferralMove):
                    answer(services, office, made, wanted, now, "x")
        if S.WITHDRAWN not in REFERRAL_TRANSITIONS[state]:
            with pytest.raises(referrals.IllegalReferralMove), unit_of_work(services.db) as session:
                referrals.withdraw_referral(session, services, staff, made, reason="x", now=now)


def test_each_role_does_its_own_part(services: Services, world: World, staff: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, now=now).id
    made = sent(services, staff, case, to_home(world), now)
    for viewer in world.viewers():
        if not (viewer.may(Permission.REFER) and viewer.path.startswith(world.a.station.path)):
            with pytest.raises((errors.Forbidden, errors.NotFound)):
                written(services, viewer, case, to_home(world), now)
            with pytest.raises((errors.Forbidden, errors.NotFound)), unit_of_work(services.db) as session:
                referrals.withdraw_referral(session, services, viewer, made, reason="x", now=now)
        if viewer.organisation_id != world.b.receiving.id:
            with pytest.raises((errors.Forbidden, errors.NotFound)):
                answer(services, viewer, made, S.ACCEPTED, now)
    # The police and the bureau see that there is one, not what it says.
    for role in (Role.POLICE_EXAMINER, Role.BUREAU_SUPERVISOR):
        assert read(services, world.viewer(world.a.users[role]), made, now) is None


def test_lists_page_and_find_the_late_ones(
    any_services: Services, world: World, staff: Viewer, case_id: uuid.UUID, now: datetime
) -> None:
    made = [sent(any_services, staff, case_id, to_home(world), now + timedelta(minutes=one)) for one in range(3)]
    office, later = unit(world, world.b), now + timedelta(days=60)
    with unit_of_work(any_services.db) as session:
        first = referral_lists.list_referrals(session, office, limit=2, now=now)
        rest = referral_lists.list_referrals(session, office, limit=2, cursor=first.next_cursor, now=now)
        assert [one.id for one in (*first.items, *rest.items)] == made[::-1]
        assert referral_lists.list_referrals(session, unit(world, world.a), now=now).items == ()
        assert referral_lists.list_referrals(session, office, overdue=True, now=now).items == ()
        late = referral_lists.list_referrals(session, staff, overdue=True, now=later).items
        assert [one.id for one in late] == made[::-1]
        assert all(one.overdue(later) for one in late)
        with pytest.raises(errors.Forbidden):
            referral_lists.list_referrals(session, world.viewer(world.a.users[Role.AUDITOR]), now=now)
    answer(any_services, office, made[0], S.ACCEPTED, now)
    with unit_of_work(any_services.db) as session:
        assert len(referral_lists.list_referrals(session, staff, overdue=True, now=later).items) == 2


def test_receivers_are_found_in_every_province(
    any_services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    def found(kind: ReferralKind, division: str | None = None) -> set[uuid.UUID]:
        with unit_of_work(any_services.db) as session:
            page = list_receivers(session, any_services, staff, kind, division=division, now=now)
            return {one.id for one in page.items}

    assert found(ReferralKind.LOW_INCOME) == {world.a.receiving.id, world.b.receiving.id}
    assert found(ReferralKind.LOW_INCOME, "35") == {world.b.receiving.id}
    assert found(ReferralKind.LOW_INCOME, "350203") == {world.b.receiving.id}, "the city's office serves its counties"
    assert found(ReferralKind.LOW_INCOME, "350100") == set(), "another city's does not"
    assert found(ReferralKind.MEDICAL, "45") == {world.a.receiving.id, world.a.health.id}


def test_it_stays_sealed_and_each_reading_is_on_record(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, now=now).id
    office = unit(world, world.b)
    made = sent(services, staff, case, to_home(world), now)
    answer(services, office, made, S.REJECTED, now, "户籍在湖里区")
    stored = services.settings.data_dir.joinpath("guitu.sqlite3").read_bytes()
    stored += services.settings.data_dir.joinpath("guitu.sqlite3-wal").read_bytes()
    assert SUMMARY.encode() not in stored
    assert "户籍在湖里区".encode() not in stored
    read(services, staff, made, now)
    with read_only(services.db) as session:
        reads = session.execute(
            select(AuditEvent.actor_id, AuditEvent.detail).where(AuditEvent.action == "referral.read")
        ).all()
    assert [(actor, detail["opened"]) for actor, detail in reads] == [(staff.user_id, True)]
