"""Tips: taken in by the notice's address alone, sealed, judged by the station, never lost; accepted ones are clues."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.case import CaseState
from models.clue import Clue, ClueConfidence, ClueKind
from models.notification import Notification, NotificationKind
from models.profile import ProfileName
from models.tip import Tip, TipDecision, TipState
from models.user import Role
from tests.factories.faces import RED, make_photo_bytes
from tests.factories.notices import propose, publish, token_of
from tests.factories.stories import Story, judged_case
from tests.factories.world import World
from tracing import tips
from tracing.access import Permission, Viewer
from tracing.cases import ReasonMissing, move_case
from tracing.clues import ClueText, correct_clue
from tracing.facts import InvalidFacts
from tracing.notices import withdraw_notice
from tracing.photo_refusals import PhotoTooLarge
from tracing.photos import PreparedPhoto
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services
from tracing.tips import TipText

SEEN = TipText("他像是小董镇的韦建国", "小董镇", "去年中秋", "李女士 13807771234")


@pytest.fixture
def story(any_services: Services, world: World, now: datetime) -> Story:
    """A case in review with a public notice."""
    made = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    publish(any_services, world, made.case_id, now=now)
    return made


def send(
    services: Services, story: Story, given: TipText = SEEN, *, photo: PreparedPhoto | None = None, now: datetime
) -> Tip | None:
    token = token_of(services, story.case_id)
    with unit_of_work(services.db) as session:
        tips.receive_tip(session, services, token, given, photo, now=now)
    with read_only(services.db) as session:
        return session.scalars(select(Tip).order_by(Tip.received_at.desc()).limit(1)).one()


def test_it_waits_sealed_and_the_station_is_told_once(
    any_services: Services, world: World, staff: Viewer, story: Story, now: datetime
) -> None:
    first = send(any_services, story, now=now)
    send(any_services, story, TipText("又看见他了"), now=now + timedelta(minutes=1))
    send(any_services, story, now=now + timedelta(minutes=2))  # a second tap
    with read_only(any_services.db) as session:
        assert len(session.scalars(select(Tip)).all()) == 2
        told = session.scalars(
            select(Notification.recipient_id).where(Notification.kind == NotificationKind.TIP_RECEIVED)
        ).all()
    assert sorted(told) == sorted(world.a.users[role].id for role in (Role.STATION_STAFF, Role.CASEWORKER))
    assert first is not None
    with unit_of_work(any_services.db) as session:
        view = tips.read_tip(session, any_services, staff, first.id, now=now)
    assert (view.given, view.tip.state, view.tip.has_contact) == (SEEN, TipState.RECEIVED, True)


def test_words_and_photograph_lie_sealed(services: Services, world: World, staff: Viewer, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    publish(services, world, story.case_id, now=now)
    photo = tips.prepare_tip_photo(make_photo_bytes(RED, width=2000), services.settings)
    tip = send(services, story, photo=photo, now=now)
    assert tip is not None
    assert max(photo.width, photo.height) == 1600
    stored = services.settings.data_dir.joinpath("guitu.sqlite3").read_bytes()
    stored += services.settings.data_dir.joinpath("guitu.sqlite3-wal").read_bytes()
    assert not [text for text in (SEEN.text, SEEN.contact) if text and text.encode() in stored]
    assert services.store.get(str(tip.id)) != photo.data
    with unit_of_work(services.db) as session:
        assert tips.read_tip_photo(session, services, staff, tip.id, now=now) == photo.data
    small = services.settings.model_copy(
        update={"tips": services.settings.tips.model_copy(update={"max_photo_bytes": 2048})}
    )
    with pytest.raises(PhotoTooLarge):
        tips.prepare_tip_photo(make_photo_bytes(RED, width=2000), small)


def test_nothing_is_taken_where_nothing_is_public(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    propose(services, world, story.case_id, now=now)
    with pytest.raises(errors.NotFound):  # drafted, not published
        send(services, story, now=now)
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, story.case_id, CaseState.LEFT, reason="离站", now=now)
    with pytest.raises(errors.NotFound):
        send(services, story, now=now)
    for token in ("", "x" * 32, "汉字", "x" * 5000):
        with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
            tips.receive_tip(session, services, token, SEEN, None, now=now)
    with read_only(services.db) as session:
        assert session.scalars(select(Tip)).all() == []


def test_what_is_wrong_is_named(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    publish(services, world, story.case_id, now=now)
    with pytest.raises(InvalidFacts) as refused:
        send(services, story, TipText(" ", "长" * 121, None, "长" * 121), now=now)
    assert [one.field for one in refused.value.problems] == ["text", "place", "contact"]


def test_who_judges(any_services: Services, world: World, story: Story, now: datetime) -> None:
    tip = send(any_services, story, now=now)
    assert tip is not None
    for viewer in world.viewers():
        if viewer.may(Permission.TIP) and viewer.organisation_id == world.a.station.id:
            continue
        refused = (errors.Forbidden, errors.NotFound)
        with pytest.raises(refused), unit_of_work(any_services.db) as session:
            tips.read_tip(session, any_services, viewer, tip.id, now=now)
        with pytest.raises(refused), unit_of_work(any_services.db) as session:
            tips.reject_tip(session, viewer, tip.id, reason="x", now=now)
        with pytest.raises(refused), unit_of_work(any_services.db) as session:
            tips.accept_tip(session, any_services, viewer, tip.id, [NAME], now=now)


NAME = ClueText(ClueKind.NAME, "韦建国", ClueConfidence.SURE)
PLACE = ClueText(ClueKind.PLACE, "小董镇", ClueConfidence.SURE, "450703")


def test_what_is_accepted_is_an_unsure_clue_of_the_public(
    any_services: Services, world: World, staff: Viewer, story: Story, now: datetime
) -> None:
    tip = send(any_services, story, now=now)
    assert tip is not None
    with pytest.raises(tips.TipSaysNothing), unit_of_work(any_services.db) as session:
        tips.accept_tip(session, any_services, staff, tip.id, [], now=now)
    with unit_of_work(any_services.db) as session:
        made = tips.accept_tip(
            session,
            any_services,
            staff,
            tip.id,
            [ClueText(ClueKind.NAME, "韦小明", ClueConfidence.SURE), PLACE],
            now=now,
        )
    assert {(one.tip_id, one.confidence, one.heard_at) for one in made} == {(tip.id, ClueConfidence.UNSURE, now)}
    with read_only(any_services.db) as session:
        source = session.scalars(select(ProfileName.source).where(ProfileName.text == "韦小明")).one()
    assert source is not None
    assert source.startswith("public tip 2026-03-02")
    with pytest.raises(tips.TipJudged), unit_of_work(any_services.db) as session:
        tips.reject_tip(session, staff, tip.id, reason="x", now=now)
    with unit_of_work(any_services.db) as session:  # verified since: the correction may be sure, and keeps its source
        corrected = correct_clue(session, any_services, staff, made[1].id, PLACE, now=now)
    assert (corrected.tip_id, corrected.confidence) == (tip.id, ClueConfidence.SURE)


def test_spam_is_put_aside_and_may_be_taken_up_later(
    any_services: Services, world: World, staff: Viewer, story: Story, now: datetime
) -> None:
    tip = send(any_services, story, now=now)
    assert tip is not None
    with pytest.raises(ReasonMissing), unit_of_work(any_services.db) as session:
        tips.reject_tip(session, staff, tip.id, reason="", now=now)
    with unit_of_work(any_services.db) as session:
        tips.reject_tip(session, staff, tip.id, reason="广告", now=now)
    with pytest.raises(tips.TipJudged), unit_of_work(any_services.db) as session:
        tips.reject_tip(session, staff, tip.id, reason="再次", now=now)
    with unit_of_work(any_services.db) as session:
        assert tips.list_tips(session, staff, states=frozenset({TipState.RECEIVED}), now=now).items == ()
        (kept,) = tips.list_tips(session, staff, case_id=story.case_id, now=now).items
        assert kept.state is TipState.REJECTED
    with unit_of_work(any_services.db) as session:
        tips.accept_tip(session, any_services, staff, tip.id, [PLACE], reason="核实属实", now=now + timedelta(days=1))
    with read_only(any_services.db) as session:
        decisions = session.scalars(select(TipDecision).order_by(TipDecision.decided_at)).all()
        assert [(one.accepted, one.reason) for one in decisions] == [(False, "广告"), (True, "核实属实")]
        assert session.scalars(select(Clue.text).where(Clue.tip_id == tip.id)).all() == ["小董镇"]


def test_tips_are_judged_after_the_notice_has_ended_too(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = publish(services, world, story.case_id, now=now)
    tip = send(services, story, now=now)
    assert tip is not None
    with unit_of_work(services.db) as session:
        withdraw_notice(session, staff, version.id, reason="更换照片", now=now)
        tips.accept_tip(session, services, staff, tip.id, [PLACE], now=now)
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        tips.read_tip(session, services, staff, uuid.uuid4(), now=now)
