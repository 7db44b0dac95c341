"""Outcomes: what each needs, its papers, the dossier, what a withdrawal undoes, and the return-home ledger."""

import csv
import io
import uuid
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from models.case import TRANSITIONS, CaseState
from models.home_notice import HomeNotice
from models.notification import Notification, NotificationKind
from models.outcome import Handover, Outcome, OutcomeKind, OutcomeRoute
from models.user import Role
from tests.factories.stories import (
    SIGNED,
    Story,
    dossier_complete,
    end_story,
    judged_case,
    kin_verified,
    papers_for,
    state_of,
)
from tests.factories.world import World
from tracing import dossier, ledger
from tracing import outcome_papers as papers
from tracing.access import Permission, Viewer
from tracing.cases import CaseClosed, ReasonMissing
from tracing.confirmation import recall
from tracing.dossier import DossierIncomplete
from tracing.kin import KinNotVerified
from tracing.ledger import LedgerFilter, LedgerRow
from tracing.outcome_papers import NO_PAPERS, Papers, Receiver, Transfer
from tracing.outcome_rules import RULES
from tracing.outcomes import BeforeAdmission, OutcomeWithdrawn, ReturnStands, record_outcome, withdraw_outcome
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

K, S = OutcomeKind, CaseState


def record(
    services: Services, viewer: Viewer, story: Story, kind: OutcomeKind, given: Papers, now: datetime
) -> uuid.UUID:  # fmt: skip
    with unit_of_work(services.db) as session:
        return record_outcome(
            session, services, viewer, story.case_id, kind, OutcomeRoute.FACE, occurred_on=services.local_day(now),
            note_text=None, papers=given, now=now,
        ).id  # fmt: skip


def test_every_kind_has_a_rule_whose_state_can_be_reached() -> None:
    assert set(RULES) == set(K)
    reachable = set().union(*TRANSITIONS.values())
    assert {rule.state for rule in RULES.values() if rule.state} <= reachable


def test_what_a_return_home_comes_with(services: Services, world: World, caseworker: Viewer, now: datetime) -> None:
    story = judged_case(services, world, S.FAMILY_CONTACTED, now=now)
    kin_verified(services, world, story.case_id, now=now)
    whole = papers_for(services, K.ESCORTED_HOME, now)
    trip = whole.trip
    assert trip is not None
    wrong: tuple[tuple[Papers, type[errors.TracingError]], ...] = (
        (NO_PAPERS, papers.HandoverMissing),
        (replace(whole, handover=Receiver("韦桂英")), papers.HandoverMissing),
        (replace(whole, trip=None), papers.TripMissing),
        (replace(whole, trip=replace(trip, arrived_at=trip.departed_at - timedelta(hours=1))), papers.TripBackwards),
        (replace(whole, trip=replace(trip, arrived_at=now + timedelta(hours=1))), papers.TripBackwards),
        (replace(whole, trip=replace(trip, to_division="999999")), errors.Invalid),
        (replace(whole, transfer=Transfer("1", receiver="x")), papers.NotOfThisOutcome),
    )
    for given, refused in wrong:
        with pytest.raises(refused):
            record(services, caseworker, story, K.ESCORTED_HOME, given, now)
    record(services, caseworker, story, K.ESCORTED_HOME, whole, now)
    assert state_of(services, story.case_id) is S.REUNIFIED


def test_a_transfer_is_written_to_a_station(any_services: Services, world: World, staff: Viewer, now: datetime) -> None:
    story = judged_case(any_services, world, S.UNRESOLVED, now=now)
    station = Transfer("移字1", organisation_id=world.b.station.id)
    for given, refused in (
        (None, papers.NoticeMissing),
        (Transfer("移字1"), papers.NoticeMissing),
        (replace(station, receiver="x"), papers.NoticeMissing),
        (replace(station, organisation_id=world.a.station.id), papers.ReceiverUnknown),
        (replace(station, organisation_id=world.b.police.id), papers.ReceiverUnknown),
        (replace(station, organisation_id=uuid.uuid4()), papers.ReceiverUnknown),
    ):
        with pytest.raises(refused):
            record(any_services, staff, story, K.TRANSFERRED, Papers(transfer=given), now)
    outcome_id = record(any_services, staff, story, K.TRANSFERRED, Papers(transfer=station), now)
    assert state_of(any_services, story.case_id) is S.TRANSFERRED
    with read_only(any_services.db) as session:
        notice = session.scalars(select(HomeNotice)).one()
    assert (notice.outcome_id, notice.organisation_id, notice.document_number) == (
        outcome_id, world.b.station.id, "移字1",
    )  # fmt: skip
    with read_only(any_services.db) as session:
        told = set(
            session.scalars(
                select(Notification.recipient_id).where(
                    Notification.kind == NotificationKind.REFERRAL_SENT, Notification.object_id == notice.id
                )
            )
        )  # fmt: skip
    assert told == {world.b.users[one].id for one in (Role.STATION_STAFF, Role.CASEWORKER)}


def test_nobody_is_settled_before_the_dossier_is_complete(
    any_services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, S.UNRESOLVED, now=now)
    today = any_services.local_day(now)

    def tick(item: str, day: date = today) -> uuid.UUID:
        with unit_of_work(any_services.db) as session:
            return dossier.tick_paper(
                session, any_services, caseworker, story.case_id, item, done_on=day, reference=None, now=now
            ).id

    with pytest.raises(DossierIncomplete):
        record(any_services, caseworker, story, K.SETTLED, NO_PAPERS, now)
    with pytest.raises(dossier.PaperUnknown):
        tick("horoscope")
    photos = tick("photos")
    with pytest.raises(dossier.PaperThere):
        tick("photos")
    dossier_complete(any_services, world, story.case_id, now=now)
    for reason, refused in ((" ", ReasonMissing), ("旧照片", None), ("旧照片", dossier.PaperWithdrawn)):
        with unit_of_work(any_services.db) as session:
            if refused is None:
                dossier.withdraw_paper(session, caseworker, photos, reason=reason, now=now)
            else:
                with pytest.raises(refused):
                    dossier.withdraw_paper(session, caseworker, photos, reason=reason, now=now)
    with pytest.raises(DossierIncomplete) as missing:
        record(any_services, caseworker, story, K.SETTLED, NO_PAPERS, now)
    assert "近期照片" in str(missing.value.params)
    tick("photos")
    made = record(any_services, caseworker, story, K.SETTLED, NO_PAPERS, now)
    assert state_of(any_services, story.case_id) is S.SETTLED
    with read_only(any_services.db) as session:
        assert session.get_one(Outcome, made).dossier_version == any_services.homeward.dossier.version


def test_one_who_goes_missing_again_is_searched_for_and_station_and_police_are_told(
    any_services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, S.UNRESOLVED, now=now)
    record(any_services, caseworker, story, K.MISSING_AGAIN, NO_PAPERS, now)
    assert state_of(any_services, story.case_id) is S.LEFT
    with read_only(any_services.db) as session:
        told = set(
            session.scalars(
                select(Notification.recipient_id).where(Notification.kind == NotificationKind.WANDERED_AGAIN)
            )
        )
    users = world.a.users
    assert told == {
        users[Role.STATION_STAFF].id, users[Role.CASEWORKER].id, users[Role.POLICE_SUPERVISOR].id,
        *(one.id for one in world.a.examiners),
    }  # fmt: skip


@pytest.mark.parametrize("kind", [K.LEFT, K.TRANSFERRED, K.HOSPITAL])
def test_a_relative_who_signs_is_verified_whatever_the_outcome_is_called(
    services: Services, world: World, caseworker: Viewer, kind: OutcomeKind, now: datetime
) -> None:
    story = judged_case(services, world, S.FAMILY_CONTACTED, now=now)
    given = replace(papers_for(services, kind, now), handover=SIGNED)
    with pytest.raises(KinNotVerified):
        record(services, caseworker, story, kind, given, now)
    kin_verified(services, world, story.case_id, now=now)
    record(services, caseworker, story, kind, given, now)


def test_an_official_and_the_family_of_the_dead_sign_without_it(
    services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    official = Papers(handover=Receiver("李站员", unit="街道办事处", relation=" "))
    story = judged_case(services, world, S.UNRESOLVED, now=now)
    record(services, caseworker, story, K.HOSPITAL, official, now)
    record(services, caseworker, story, K.DECEASED, Papers(handover=SIGNED), now)
    assert state_of(services, story.case_id) is S.DECEASED


def test_an_outcome_does_not_lie_before_the_admission(
    services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, S.UNRESOLVED, now=now)
    for days, refused in ((1, True), (0, False)):
        day = services.local_day(now) - timedelta(days=days)
        with unit_of_work(services.db) as session:
            if refused:
                with pytest.raises(BeforeAdmission):
                    record_outcome(
                        session, services, caseworker, story.case_id, K.HOSPITAL, None, occurred_on=day,
                        note_text=None, now=now,
                    )  # fmt: skip
            else:
                record_outcome(
                    session, services, caseworker, story.case_id, K.HOSPITAL, None, occurred_on=day,
                    note_text=None, now=now,
                )  # fmt: skip


def test_one_return_home_stands(services: Services, world: World, caseworker: Viewer, now: datetime) -> None:
    story = judged_case(services, world, S.FAMILY_CONTACTED, now=now)
    kin_verified(services, world, story.case_id, now=now)
    later = now + timedelta(minutes=2)
    first = record(services, caseworker, story, K.REUNITED, papers_for(services, K.REUNITED, later), later)
    escorted = papers_for(services, K.ESCORTED_HOME, later)
    with pytest.raises(ReturnStands):
        record(services, caseworker, story, K.ESCORTED_HOME, escorted, later)
    with unit_of_work(services.db) as session:
        withdraw_outcome(session, services, caseworker, first, reason="记错", now=later)
    record(services, caseworker, story, K.ESCORTED_HOME, escorted, later)


def test_a_closed_case_has_its_outcome(services: Services, world: World, caseworker: Viewer, now: datetime) -> None:
    story = judged_case(services, world, S.CLOSED, now=now)
    with pytest.raises(CaseClosed):
        record(services, caseworker, story, K.HOSPITAL, NO_PAPERS, now)


def test_who_signed_is_sealed_and_a_family_is_opened_by_the_caseworker_alone(
    any_services: Services, world: World, staff: Viewer, caseworker: Viewer, supervisor: Viewer, now: datetime
) -> None:
    story = judged_case(any_services, world, S.REUNIFIED, now=now)
    with read_only(any_services.db) as session:
        handover = session.scalars(select(Handover)).one()
    assert "韦桂英".encode() not in handover.receiver_sealed

    def opened(viewer: Viewer) -> Receiver:
        with unit_of_work(any_services.db) as session:
            return papers.open_handover(session, any_services, viewer, handover.outcome_id, now=now)[1]

    assert opened(caseworker) == SIGNED
    for viewer in world.viewers():
        if viewer.user_id != caseworker.user_id:
            with pytest.raises((errors.Forbidden, errors.NotFound)):
                opened(viewer)
    with unit_of_work(any_services.db) as session:
        recall(session, any_services, supervisor, story.case_id, reason="DNA 不符", now=now)
    with pytest.raises(errors.NotFound):
        opened(caseworker)


def read_ledger(services: Services, viewer: Viewer, now: datetime, **wanted: object) -> list[LedgerRow]:
    found: list[LedgerRow] = []
    cursor = None
    while True:
        with unit_of_work(services.db) as session:
            page = ledger.return_ledger(
                session, viewer, LedgerFilter(**wanted), cursor=cursor, limit=1, now=now  # type: ignore[arg-type]
            )  # fmt: skip
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_the_ledger_by_station_and_period(
    any_services: Services, world: World, staff: Viewer, caseworker: Viewer, now: datetime
) -> None:
    home = judged_case(any_services, world, S.FAMILY_CONTACTED, now=now)
    end_story(any_services, world, home.case_id, K.ESCORTED_HOME, OutcomeRoute.NOTICE, now=now)
    moved = judged_case(any_services, world, S.TRANSFERRED, now=now)
    judged_case(any_services, world, S.LEFT, now=now)
    today = any_services.local_day(now)
    rows = read_ledger(any_services, caseworker, now, since=today, until=today)
    assert {row.case.id for row in rows} == {home.case_id, moved.case_id}
    for nothing in (
        {"since": today + timedelta(days=1)},
        {"until": today - timedelta(days=1)},
        {"organisation_id": world.a.sister.id},
        {"organisation_id": uuid.uuid4()},
    ):
        assert read_ledger(any_services, caseworker, now, **nothing) == []
    bureau = world.viewer(world.a.users[Role.BUREAU_SUPERVISOR])
    assert len(read_ledger(any_services, bureau, now, organisation_id=world.a.centre.id)) == 2
    assert read_ledger(any_services, world.viewer(world.b.users[Role.CASEWORKER]), now) == []
    [trip] = [row.trip for row in rows if row.trip]
    assert (trip.from_division, trip.to_division) == ("450702", "350203")
    assert {row.signed for row in rows} == {True, False}
    for viewer in world.viewers():
        if not viewer.may(Permission.CASE_READ):
            with pytest.raises(errors.Forbidden):
                read_ledger(any_services, viewer, now)
    with unit_of_work(any_services.db) as session:
        withdraw_outcome(
            session, any_services, staff,
            next(row.outcome.id for row in rows if row.case.id == moved.case_id), reason="记错", now=now,
        )  # fmt: skip
    assert [row.case.id for row in read_ledger(any_services, caseworker, now)] == [home.case_id]


def test_the_ledger_as_a_file_names_nobody_and_holds_no_formula(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    judged_case(services, world, S.REUNIFIED, now=now)
    story = judged_case(services, world, S.UNRESOLVED, now=now)
    record(services, staff, story, K.TRANSFERRED, Papers(transfer=Transfer("=1+1", receiver="@厦门站")), now)
    with unit_of_work(services.db) as session:
        text = ledger.ledger_csv(session, staff, LedgerFilter(), now=now)
    assert text.startswith("\ufeff")
    assert "韦桂英" not in text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert {row["outcome"] for row in rows} == {"reunited", "transferred"}
    [moved] = [row for row in rows if row["outcome"] == "transferred"]
    assert (moved["notice_number"], moved["receiver"]) == ("'=1+1", "'@厦门站")


def test_a_withdrawal_says_why_is_made_once_and_leads_back(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, S.LEFT, now=now)
    with read_only(services.db) as session:
        outcome_id = session.scalars(select(Outcome.id)).one()

    def withdraw(reason: str) -> None:
        with unit_of_work(services.db) as session:
            withdraw_outcome(session, services, staff, outcome_id, reason=reason, now=now)

    with pytest.raises(ReasonMissing):
        withdraw("")
    withdraw("记错")
    with pytest.raises(OutcomeWithdrawn):
        withdraw("记错")
    assert state_of(services, story.case_id) is S.SEARCHING
