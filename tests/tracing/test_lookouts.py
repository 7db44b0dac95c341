"""Sightings and lookouts: the man who had gone, from the call to the case; and who may see what until when."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from models.case import Case, CaseState
from models.job import Job, JobState
from models.lookout import Lookout, LookoutEnd, LookoutRing
from models.notification import Notification, NotificationKind
from models.photo import Photo
from models.sighting import LinkState, Sighting, SightingLink, SightingSource
from models.user import Role
from tests.factories.faces import BLUE, DARK_RED, RED, make_photo_bytes
from tests.factories.network import look_out, seen, sight
from tests.factories.records import make_case
from tests.factories.stories import judged_case, run_jobs, state_of
from tests.factories.world import World
from tracing import inbox, lookout_answers, lookouts, sighted_cases, sighting_links, sighting_matching, sightings
from tracing.access import Viewer
from tracing.cases import CaseClosed, ReasonMissing, move_case
from tracing.lookout_policy import lookout_policy
from tracing.lookout_track import Pace, distance_km, lookout_track
from tracing.lookout_watch import NoWiderRing, watch_lookouts, widen_lookout
from tracing.lookouts import LookoutEnded, LookoutOfOne, LookoutOpenAlready
from tracing.notification_pruning import prune
from tracing.notifications import notify
from tracing.photos import list_photos, prepare_photo
from tracing.platform import errors
from tracing.platform.clock import utc_now
from tracing.platform.crypto import SubjectErased
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.worker import run_one
from tracing.services import Services
from tracing.sighting_links import LinkDecided, LinkedAlready, OriginStays
from tracing.sightings import SightingEnded, SightingIsCase, SightingLookedOut
from tracing.tasks import REGISTRY


def told(services: Services, lookout_id: uuid.UUID, kind: NotificationKind) -> set[uuid.UUID]:
    with read_only(services.db) as session:
        query = select(Notification.recipient_id).where(Notification.object_id == lookout_id, Notification.kind == kind)
        return set(session.scalars(query))


def links(services: Services, sighting_id: uuid.UUID) -> list[SightingLink]:
    with read_only(services.db) as session:
        return list(session.scalars(select(SightingLink).where(SightingLink.sighting_id == sighting_id)))


def photo_of(services: Services, sighting_id: uuid.UUID) -> uuid.UUID:
    with read_only(services.db) as session:
        profile_id = session.get_one(Sighting, sighting_id).profile_id
        return session.scalars(select(Photo.id).where(Photo.profile_id == profile_id)).one()


def test_the_man_who_had_gone_is_found_and_becomes_a_case(
    colour: Services, world: World, staff: Viewer, liaison: Viewer, now: datetime
) -> None:
    services = colour
    first = sight(services, staff, now, RED, minutes=120, place="高铁站")
    lookout = look_out(services, staff, first, now)
    assert liaison.user_id in told(services, lookout.id, NotificationKind.LOOKOUT_OPENED)
    with unit_of_work(services.db) as session:
        view = lookouts.get_lookout(session, services, liaison, lookout.id, now=now)
        assert (view.words, view.has_photo, view.mine) == ("灰色外套", True, False)
        assert lookouts.open_lookout_photo(session, services, liaison, lookout.id, now=now)[:2] == b"\xff\xd8"
        lookout_answers.answer_lookout(session, services, liaison, lookout.id, None, now=now)
    with unit_of_work(services.db) as session:
        answer = lookout_answers.answer_lookout(
            session, services, liaison, lookout.id, seen(now, minutes=0, source=SightingSource.COMMUNITY), now=now
        )
    second = answer.sighting_id
    assert second is not None
    assert staff.user_id in told(services, lookout.id, NotificationKind.LOOKOUT_ANSWERED)
    run_jobs(services, now)
    photo_id = photo_of(services, first)
    with unit_of_work(services.db) as session:
        case = sighted_cases.admit_sighted(session, services, staff, second, now=now)
    # The case has the first sighting's photograph, and place and time of the one where he was found.
    with read_only(services.db) as session:
        assert [one.id for one in list_photos(session, session.get_one(Case, case.id).profile_id)] == [photo_id]
        ended = session.get_one(Lookout, lookout.id)
        assert (ended.end_kind, ended.found_case_id) == (LookoutEnd.FOUND, case.id)
        assert session.get_one(Sighting, second).erased_at is not None
        assert session.get_one(Sighting, first).erased_at is None
    assert (case.state, case.found_place, case.found_division) == (CaseState.DRAFT, "梦园小区南门", "450702")
    assert told(services, lookout.id, NotificationKind.LOOKOUT_ENDED) >= {liaison.user_id}
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        lookouts.open_lookout_photo(session, services, liaison, lookout.id, now=now)
    with pytest.raises(LookoutEnded), unit_of_work(services.db) as session:
        lookouts.open_lookout_photo(session, services, staff, lookout.id, now=now)
    with unit_of_work(services.db) as session:
        story = sighted_cases.case_story(session, services, staff, case.id, now=now)
    assert [(one.sighting.id, one.origin, one.words) for one in story.sightings] == [
        (first, True, "自言自语，往金海湾东大街走"), (second, False, "自言自语，往金海湾东大街走"),
    ]  # fmt: skip
    assert [one.id for one in story.lookouts] == [lookout.id]
    with pytest.raises(SightingIsCase), unit_of_work(services.db) as session:
        sightings.withdraw_sighting(session, services, staff, first, reason="误记", now=now)


def test_once_found_nobody_opens_the_photograph_any_more(
    colour: Services, staff: Viewer, liaison: Viewer, now: datetime
) -> None:
    services = colour
    first = sight(services, staff, now, RED)
    lookout = look_out(services, staff, first, now)
    photo_id = photo_of(services, first)
    run_jobs(services, now)
    with pytest.raises(ReasonMissing), unit_of_work(services.db) as session:
        lookouts.end_lookout(session, services, staff, lookout.id, LookoutEnd.FOUND, reason=" ", now=now)
    with pytest.raises(errors.Forbidden), unit_of_work(services.db) as session:
        lookouts.end_lookout(session, services, liaison, lookout.id, LookoutEnd.FOUND, reason="他在家", now=now)
    with unit_of_work(services.db) as session:
        lookouts.end_lookout(session, services, staff, lookout.id, LookoutEnd.FOUND, reason="自行回家", now=now)
    assert services.store.exists(str(photo_id))
    run_jobs(services, now)
    assert not services.store.exists(str(photo_id))
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        sightings.open_sighting_photo(session, services, staff, first, photo_id, now=now)
    with read_only(services.db) as session:
        sighting = session.get_one(Sighting, first)
        assert sighting.words_sealed is None
        with pytest.raises(SubjectErased):
            services.vault.seal(session, sighting.words_subject_id, "x", b"x")
    with pytest.raises(LookoutEnded), unit_of_work(services.db) as session:
        lookouts.end_lookout(session, services, staff, lookout.id, LookoutEnd.FOUND, reason="x", now=now)
    with pytest.raises(SightingEnded), unit_of_work(services.db) as session:
        sighted_cases.admit_sighted(session, services, staff, first, now=now)


def test_a_photograph_is_matched_with_open_lookouts_and_searched_cases_and_a_human_decides(
    colour: Services, staff: Viewer, liaison: Viewer, now: datetime
) -> None:
    services = colour
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, photo=make_photo_bytes(RED), now=now)
    run_jobs(services, now)
    assert state_of(services, case.id) is CaseState.UNRESOLVED
    lookout = look_out(services, staff, sight(services, staff, now, DARK_RED), now)
    other = look_out(services, staff, sight(services, staff, now, BLUE), now)
    third = sight(services, liaison, now, RED)
    run_jobs(services, now)
    proposed = {one.target_id: one for one in links(services, third)}
    assert set(proposed) == {lookout.id, case.id}
    assert other.id not in proposed
    assert all(one.state is LinkState.PROPOSED and (one.log10_lr or 0) >= 1 for one in proposed.values())
    with pytest.raises(errors.Forbidden), unit_of_work(services.db) as session:
        sighting_links.decide_link(session, liaison, proposed[lookout.id].id, accept=True, reason=None, now=now)
    with unit_of_work(services.db) as session:
        sighting_links.decide_link(session, staff, proposed[lookout.id].id, accept=True, reason=None, now=now)
        sighting_links.decide_link(session, staff, proposed[case.id].id, accept=False, reason="左耳不同", now=now)
    with pytest.raises(LinkDecided), unit_of_work(services.db) as session:
        sighting_links.decide_link(session, staff, proposed[case.id].id, accept=True, reason=None, now=now)
    with unit_of_work(services.db) as session:  # a second photograph: the refused pair is not proposed again
        prepared = prepare_photo(make_photo_bytes(DARK_RED), services.settings)
        sightings.add_sighting_photo(session, services, liaison, third, prepared, now=now)
    run_jobs(services, now)
    assert len(links(services, third)) == 2
    with unit_of_work(services.db) as session:
        sighting_links.withdraw_link(session, staff, proposed[lookout.id].id, reason="看错", now=now)
    with pytest.raises(LinkDecided), unit_of_work(services.db) as session:
        sighting_links.withdraw_link(session, staff, proposed[lookout.id].id, reason="看错", now=now)


def test_a_lookout_is_compared_with_the_sightings_before_it_by_one_job_in_batches(
    colour: Services, staff: Viewer, liaison: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, now = colour, utc_now()
    days = timedelta(days=lookout_policy(services).unlinked_kept_days)
    monkeypatch.setattr(sighting_matching, "BATCH", 2)
    alike = {sight(services, liaison, now, RED) for _ in range(3)}
    old = sight(services, liaison, now, RED, minutes=days // timedelta(minutes=1) + 1)
    withdrawn, blue = sight(services, liaison, now, RED), sight(services, liaison, now, BLUE)
    with unit_of_work(services.db) as session:
        sightings.withdraw_sighting(session, services, liaison, withdrawn, reason="认错人", now=now)
    run_jobs(services, now)

    def queued() -> list[tuple[str, dict[str, object]]]:
        with read_only(services.db) as session:
            rows = session.scalars(select(Job).where(Job.state == JobState.QUEUED)).all()
            return [(one.kind, one.payload) for one in rows if one.kind in ("sighting.match", "lookout.match")]

    own = sight(services, staff, now, DARK_RED)
    run_jobs(services, now)
    lookout = look_out(services, staff, own, now)
    assert queued() == [("lookout.match", {"id": str(lookout.id), "after": None})]
    run_one(services.db, services.settings, REGISTRY, services, "tests", utc_now)
    while queued():
        ((kind, payload),) = queued()
        assert (kind, payload["id"]) == ("lookout.match", str(lookout.id))
        assert payload["after"] is not None
        run_one(services.db, services.settings, REGISTRY, services, "tests", utc_now)

    def proposed() -> list[uuid.UUID]:
        with read_only(services.db) as session:
            return list(session.scalars(select(SightingLink.sighting_id).where(SightingLink.lookout_id == lookout.id)))

    assert set(proposed()) == alike
    assert not links(services, own) + links(services, old) + links(services, blue)
    with unit_of_work(services.db) as session:  # the whole once more, as after a crash
        session.execute(update(Job).where(Job.kind == "lookout.match").values(state=JobState.QUEUED))
    run_jobs(services, utc_now())
    assert sorted(proposed()) == sorted(alike), "a known pair is not proposed twice"


def test_links_by_hand_once_a_pair(services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, submitted=False, now=now)
    first = sight(services, staff, now)
    with unit_of_work(services.db) as session:
        sighting_links.link_sighting(session, staff, first, case_id=case.id, reason="同一人", now=now)
    with pytest.raises(LinkedAlready), unit_of_work(services.db) as session:
        sighting_links.link_sighting(session, staff, first, case_id=case.id, reason="同一人", now=now)
    with pytest.raises(LookoutOfOne), unit_of_work(services.db) as session:
        sighting_links.link_sighting(session, staff, first, reason="同一人", now=now)
    second = sight(services, staff, now)
    with unit_of_work(services.db) as session:
        sighted_cases.admit_sighted(session, services, staff, second, now=now)
    with pytest.raises(OriginStays), unit_of_work(services.db) as session:
        sighting_links.withdraw_link(session, staff, links(services, second)[0].id, reason="误", now=now)


def test_the_rings_widen_with_time_and_each_is_told_once(
    any_services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    services = any_services
    sister, abroad = world.viewer(world.a.sister_staff), world.viewer(world.b.users[Role.COMMUNITY_LIAISON])
    examiner = world.viewer(world.a.users[Role.POLICE_EXAMINER])
    lookout = look_out(services, staff, sight(services, staff, now), now)
    opened = told(services, lookout.id, NotificationKind.LOOKOUT_OPENED)
    assert not opened & {sister.user_id, abroad.user_id, staff.user_id}
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        lookouts.get_lookout(session, services, sister, lookout.id, now=now)
    assert watch_lookouts(services, now + timedelta(hours=11)) == (0, 0)
    assert watch_lookouts(services, now + timedelta(hours=12)) == (1, 0)
    widened = told(services, lookout.id, NotificationKind.LOOKOUT_WIDENED)
    assert {sister.user_id, examiner.user_id} <= widened
    assert not widened & opened
    with unit_of_work(services.db) as session:
        lookouts.get_lookout(session, services, sister, lookout.id, now=now)
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:  # told is not owned
        widen_lookout(session, services, sister, lookout.id, now=now)
    with unit_of_work(services.db) as session:
        widen_lookout(session, services, staff, lookout.id, now=now)
        widen_lookout(session, services, staff, lookout.id, now=now)
    with pytest.raises(NoWiderRing), unit_of_work(services.db) as session:
        widen_lookout(session, services, staff, lookout.id, now=now)
    with read_only(services.db) as session:
        codes = session.scalars(select(LookoutRing.division).where(LookoutRing.lookout_id == lookout.id)).all()
    assert {"450702", "4507", "45", "44", "53"} <= set(codes)
    assert "35" not in codes  # Fujian has no border with Guangxi
    assert abroad.user_id not in told(services, lookout.id, NotificationKind.LOOKOUT_WIDENED)
    days = lookout_policy(services).expires_after_days
    moved, erased = watch_lookouts(services, now + timedelta(days=days, minutes=1))
    assert (moved, erased) == (1, 1)
    with read_only(services.db) as session:
        assert session.get_one(Lookout, lookout.id).end_kind is LookoutEnd.EXPIRED
    assert told(services, lookout.id, NotificationKind.LOOKOUT_ENDED) == opened | widened | {staff.user_id}


def test_whoever_was_told_long_ago_still_hears_of_the_end(
    any_services: Services, world: World, staff: Viewer, liaison: Viewer, now: datetime
) -> None:
    """Read notifications are forgotten, but not those that say who was told of a lookout that is open."""
    lookout = look_out(any_services, staff, sight(any_services, staff, now), now)
    opened = told(any_services, lookout.id, NotificationKind.LOOKOUT_OPENED)
    assert liaison.user_id in opened
    years = now + timedelta(days=1000)
    with unit_of_work(any_services.db) as session:
        inbox.read_all(session, liaison, now=now)
        notify(session, [liaison.user_id], NotificationKind.LOOKOUT_ANSWERED, "sighting", uuid.uuid4(), now=now)
    assert prune(any_services, years) == (1, 0), "the one that is not about a lookout"
    assert told(any_services, lookout.id, NotificationKind.LOOKOUT_OPENED) == opened
    with unit_of_work(any_services.db) as session:
        lookouts.end_lookout(
            session, any_services, staff, lookout.id, LookoutEnd.CALLED_OFF, reason="误报", case_id=None, now=years
        )
    heard = told(any_services, lookout.id, NotificationKind.LOOKOUT_ENDED)
    assert heard == opened
    assert prune(any_services, years + timedelta(seconds=1)) == (len(opened), 0), "an ended lookout keeps none"
    assert told(any_services, lookout.id, NotificationKind.LOOKOUT_ENDED) == heard


def test_one_open_lookout_a_person_and_none_of_a_closed_case(services: Services, staff: Viewer, now: datetime) -> None:
    first = sight(services, staff, now)
    look_out(services, staff, first, now)
    with pytest.raises(LookoutOpenAlready):
        look_out(services, staff, first, now)
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, submitted=False, now=now)
        lookouts.open_lookout(session, services, staff, case_id=case.id, now=now)
        with pytest.raises(LookoutOfOne):
            lookouts.open_lookout(session, services, staff, now=now)
        closed = make_case(session, services, staff, submitted=False, now=now)
    with unit_of_work(services.db) as session:
        caseworker_move = move_case(session, services, staff, closed.id, CaseState.CLOSED, reason="误建", now=now)
        assert caseworker_move.state is CaseState.CLOSED
    with pytest.raises(CaseClosed), unit_of_work(services.db) as session:
        lookouts.open_lookout(session, services, staff, case_id=closed.id, now=now)


def test_the_track_marks_what_cannot_be_one_walk(services: Services, staff: Viewer, now: datetime) -> None:
    first = sight(services, staff, now, minutes=300, latitude=21.95, longitude=108.62)
    lookout = look_out(services, staff, first, now)
    ways = [(240, 21.96, 108.63), (200, None, None), (180, 22.20, 108.80), (179, 25.00, 110.00), (170, 25.0, 110.0)]
    with unit_of_work(services.db) as session:
        for minutes, latitude, longitude in reversed(ways):
            given = seen(now, minutes=minutes, latitude=latitude, longitude=longitude)
            lookout_answers.answer_lookout(session, services, staff, lookout.id, given, now=now)
    with unit_of_work(services.db) as session:
        points = lookout_track(session, services, staff, lookout.id, now=now)
    assert [point.pace for point in points] == [
        None, Pace.ON_FOOT, None, Pace.BY_VEHICLE, Pace.IMPLAUSIBLE, Pace.ON_FOOT
    ]  # fmt: skip
    assert distance_km(0, 0, 0, 1) == pytest.approx(111.195, abs=0.01)


def test_what_an_open_lookout_rests_on_is_not_withdrawn(
    any_services: Services, staff: Viewer, liaison: Viewer, now: datetime
) -> None:
    services = any_services
    first = sight(services, staff, now)
    lookout = look_out(services, staff, first, now)
    with pytest.raises(SightingLookedOut), unit_of_work(services.db) as session:
        sightings.withdraw_sighting(session, services, staff, first, reason="认错人", now=now)
    with unit_of_work(services.db) as session:
        shown = lookouts.list_lookouts(session, services, liaison, now=now).items
        assert [one.words for one in shown] == ["灰色外套"]
        lookouts.end_lookout(session, services, staff, lookout.id, LookoutEnd.CALLED_OFF, reason="认错人", now=now)
        sightings.withdraw_sighting(session, services, staff, first, reason="认错人", now=now)


def test_a_neighbouring_station_admits_whom_it_found(
    colour: Services, world: World, staff: Viewer, now: datetime
) -> None:
    """The photograph is the first station's; a lookout's answer is the right to it, and to write nothing of theirs."""
    services, sister = colour, world.viewer(world.a.sister_staff)
    first = sight(services, staff, now, RED, minutes=120)
    lookout = look_out(services, staff, first, now)
    photo_id = photo_of(services, first)
    assert watch_lookouts(services, now + timedelta(hours=12)) == (1, 0)
    with unit_of_work(services.db) as session:
        answer = lookout_answers.answer_lookout(session, services, sister, lookout.id, seen(now, minutes=0), now=now)
    assert answer.sighting_id is not None
    with unit_of_work(services.db) as session:
        case = sighted_cases.admit_sighted(session, services, sister, answer.sighting_id, now=now)
        assert [one.id for one in list_photos(session, case.profile_id)] == [photo_id]
        assert session.get_one(Lookout, lookout.id).found_case_id == case.id
        assert case.organisation_id == sister.organisation_id


def test_a_case_that_is_over_ends_its_lookout(
    any_services: Services, world: World, staff: Viewer, liaison: Viewer, now: datetime
) -> None:
    services, later = any_services, now + timedelta(minutes=5)
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, submitted=False, now=now)
        called_off = lookouts.open_lookout(session, services, staff, case_id=case.id, now=now)
    story = judged_case(services, world, CaseState.REUNIFIED, now=later)
    with unit_of_work(services.db) as session:
        again = lookouts.open_lookout(session, services, staff, case_id=story.case_id, now=later + timedelta(minutes=9))
    assert watch_lookouts(services, later + timedelta(minutes=10)) == (0, 0), "gone again after the reunion"
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, case.id, CaseState.CLOSED, reason="误建", now=later)
        # As one that was opened before the reunion.
        session.execute(update(Case).where(Case.id == story.case_id).values(state_since=later + timedelta(minutes=10)))
    assert watch_lookouts(services, later + timedelta(minutes=10)) == (2, 0)
    with read_only(services.db) as session:
        ended = {one.id: (one.end_kind, one.found_case_id) for one in session.scalars(select(Lookout))}
    assert ended == {called_off.id: (LookoutEnd.CALLED_OFF, None), again.id: (LookoutEnd.FOUND, story.case_id)}
    assert liaison.user_id in told(services, again.id, NotificationKind.LOOKOUT_ENDED)
