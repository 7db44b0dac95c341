"""Sightings: what is wrong with one, who sees it, and when it is erased."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from models.lookout import LookoutEnd
from models.sighting import LinkState, Sighting, SightingLink
from models.user import Role
from tests.factories.faces import RED, make_photo_bytes
from tests.factories.network import look_out, seen, sight
from tests.factories.records import make_case
from tests.factories.world import World
from tracing import lookout_answers, sighted_cases, sighting_links, sightings
from tracing.access import Viewer
from tracing.cases import ReasonMissing
from tracing.facts import InvalidFacts
from tracing.lookout_policy import lookout_policy
from tracing.lookout_watch import watch_lookouts
from tracing.lookouts import end_lookout
from tracing.photos import prepare_photo
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services
from tracing.sightings import PhotoBasisMissing, SightingEnded


def test_what_is_wrong_with_a_sighting_is_named(services: Services, staff: Viewer, now: datetime) -> None:
    wrong = seen(now, minutes=-300, division="999999", latitude=21.0, longitude=None, patrol_id=uuid.uuid4())
    with pytest.raises(InvalidFacts) as refused, unit_of_work(services.db) as session:
        sightings.record_sighting(session, services, staff, wrong, now=now)
    assert {(one.field, one.slug) for one in refused.value.problems} == {
        ("seen_at", "date_in_future"), ("division", "unknown_division"), ("latitude", "point_incomplete"),
        ("patrol_id", "walk_unknown"),
    }  # fmt: skip
    with pytest.raises(PhotoBasisMissing):
        sight(services, staff, now, RED, photo_basis=None)


def test_who_sees_a_sighting(
    any_services: Services, world: World, liaison: Viewer, staff: Viewer, now: datetime
) -> None:
    services = any_services
    own, stations = sight(services, liaison, now), sight(services, staff, now)

    def sees(viewer: Viewer) -> set[uuid.UUID]:
        if viewer.role not in (*NETWORK, Role.BUREAU_SUPERVISOR):
            with pytest.raises(errors.Forbidden), unit_of_work(services.db) as session:
                sightings.list_sightings(session, viewer, now=now)
            return set()
        with unit_of_work(services.db) as session:
            return {one.id for one in sightings.list_sightings(session, viewer, now=now).items}

    for viewer in world.viewers():
        inside = viewer.path.startswith(world.a.bureau.path)
        expected = {own, stations} if inside and viewer.role is not Role.COMMUNITY_LIAISON else set()
        if viewer.user_id == liaison.user_id:
            expected = {own}
        if viewer.role not in (*NETWORK, Role.BUREAU_SUPERVISOR) or viewer.user_id == world.a.sister_staff.id:
            expected = set()
        assert sees(viewer) == expected, viewer.role


NETWORK = (Role.STATION_STAFF, Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR, Role.COMMUNITY_LIAISON)


def test_a_withdrawn_sighting_is_erased_and_kept(any_services: Services, staff: Viewer, now: datetime) -> None:
    services = any_services
    first = sight(services, staff, now, RED)
    with pytest.raises(ReasonMissing), unit_of_work(services.db) as session:
        sightings.withdraw_sighting(session, services, staff, first, reason="", now=now)
    with unit_of_work(services.db) as session:
        sightings.withdraw_sighting(session, services, staff, first, reason="认错人", now=now)
    with pytest.raises(SightingEnded), unit_of_work(services.db) as session:
        sightings.withdraw_sighting(session, services, staff, first, reason="认错人", now=now)
    with pytest.raises(SightingEnded):
        look_out(services, staff, first, now)
    with unit_of_work(services.db) as session:
        sighting, words, photos = sightings.get_sighting(session, services, staff, first, now=now)
        assert (sighting.withdrawal_reason, words, photos) == ("认错人", None, [])
        assert session.scalar(select(func.count()).select_from(Sighting)) == 1


def test_what_led_to_nothing_is_erased_after_its_time(any_services: Services, staff: Viewer, now: datetime) -> None:
    services = any_services
    days = lookout_policy(services).unlinked_kept_days
    alone, admitted = sight(services, staff, now), sight(services, staff, now)
    with unit_of_work(services.db) as session:
        sighted_cases.admit_sighted(session, services, staff, admitted, now=now)
    assert watch_lookouts(services, now + timedelta(days=days - 1)) == (0, 0)
    assert watch_lookouts(services, now + timedelta(days=days, minutes=1)) == (0, 1)
    with read_only(services.db) as session:
        assert session.get_one(Sighting, alone).erased_at is not None
        assert session.get_one(Sighting, admitted).erased_at is None


def test_a_link_lets_read_a_sighting_but_not_write_it(
    colour: Services, world: World, staff: Viewer, now: datetime
) -> None:
    services, sister = colour, world.viewer(world.a.sister_staff)
    lookout = look_out(services, staff, sight(services, staff, now), now)
    assert watch_lookouts(services, now + timedelta(hours=12)) == (1, 0)
    with unit_of_work(services.db) as session:
        answer = lookout_answers.answer_lookout(session, services, sister, lookout.id, seen(now), now=now)
    theirs = answer.sighting_id
    assert theirs is not None
    prepared = prepare_photo(make_photo_bytes(RED), services.settings)
    with unit_of_work(services.db) as session:
        sightings.get_sighting(session, services, staff, theirs, now=now)
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        sightings.withdraw_sighting(session, services, staff, theirs, reason="认错人", now=now)
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        sightings.add_sighting_photo(session, services, staff, theirs, prepared, now=now)
    with unit_of_work(services.db) as session:
        sightings.add_sighting_photo(session, services, sister, theirs, prepared, now=now)
        sightings.withdraw_sighting(session, services, sister, theirs, reason="认错人", now=now)


@pytest.mark.parametrize("erased", [False, True])
def test_a_withdrawn_sighting_is_no_part_of_a_story(
    erased: bool, any_services: Services, staff: Viewer, now: datetime
) -> None:
    services = any_services
    first = sight(services, staff, now)
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, submitted=False, now=now)
        sighting_links.link_sighting(session, staff, first, case_id=case.id, reason="同一人", now=now)
    if erased:  # its photographs went with a lookout that ended; its words are kept for the case
        lookout = look_out(services, staff, first, now)
        with unit_of_work(services.db) as session:
            end_lookout(session, services, staff, lookout.id, LookoutEnd.FOUND, reason="已找到", now=now)
    with unit_of_work(services.db) as session:
        kept = session.get_one(Sighting, first)
        assert (kept.erased_at is not None, kept.words_sealed is not None) == (erased, True)
        with pytest.raises(IntegrityError, match="gate: sightings"), session.begin_nested():
            session.execute(update(Sighting).values(words_sealed=b"other", place="elsewhere"))
        sightings.withdraw_sighting(session, services, staff, first, reason="认错人", now=now)
    with unit_of_work(services.db) as session:
        assert session.get_one(Sighting, first).words_sealed is None
        assert sighted_cases.case_story(session, services, staff, case.id, now=now).sightings == []


def test_a_link_is_nobodys_for_whom_its_case_does_not_exist(
    any_services: Services, world: World, liaison: Viewer, staff: Viewer, now: datetime
) -> None:
    services = any_services
    examiner = world.viewer(world.a.users[Role.POLICE_EXAMINER])
    first = sight(services, liaison, now)
    with unit_of_work(services.db) as session:  # a draft is its station's alone
        case = make_case(session, services, staff, submitted=False, now=now)
        link = sighting_links.link_sighting(session, staff, first, case_id=case.id, reason="同一人", now=now)
    proposed = SightingLink(
        id=uuid.uuid4(), sighting_id=sight(services, liaison, now), case_id=case.id, state=LinkState.PROPOSED,
        origin=False, similarity=0.9, log10_lr=2.0, model_version="m", created_at=now,
    )  # fmt: skip
    with unit_of_work(services.db) as session:
        session.add(proposed)
    for viewer, seen_links in ((staff, [link.id]), (examiner, []), (liaison, [])):
        with unit_of_work(services.db) as session:
            assert [one.id for one in sighting_links.list_links(session, viewer, first, now=now)] == seen_links
    for accept in (True, False):
        with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
            sighting_links.decide_link(session, examiner, proposed.id, accept=accept, reason=None, now=now)
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        sighting_links.withdraw_link(session, examiner, link.id, reason="看错", now=now)
    with unit_of_work(services.db) as session:
        sighting_links.decide_link(session, staff, proposed.id, accept=True, reason=None, now=now)
        sighting_links.withdraw_link(session, staff, link.id, reason="看错", now=now)


def test_the_sightings_of_a_lookout_begin_with_the_one_it_was_opened_for(
    services: Services, staff: Viewer, liaison: Viewer, now: datetime
) -> None:
    first, _other = sight(services, staff, now), sight(services, staff, now)
    lookout = look_out(services, staff, first, now)
    with unit_of_work(services.db) as session:
        answer = lookout_answers.answer_lookout(
            session, services, liaison, lookout.id, seen(now, minutes=5), now=now + timedelta(minutes=1)
        )
    with unit_of_work(services.db) as session:
        listed = sightings.list_sightings(session, staff, lookout_id=lookout.id, now=now)
    assert [one.id for one in listed.items] == [answer.sighting_id, first]
