"""Cases: admitting, editing, submitting and moving by name."""

import uuid
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from matcher.vocabulary import AttributeKind, Basis, GalleryKind, Sex
from models.case import TRANSITIONS, Case, CaseState
from models.job import Job
from models.profile import ProfileAttribute
from models.user import Role
from tests.factories.records import SEEN, attach, facts, make_case
from tests.factories.stories import judged_case, run_jobs, state_of
from tests.factories.world import World
from tracing.access import Viewer
from tracing.cases import (
    MANUAL_MOVES,
    CaseClosed,
    Circumstances,
    NothingKnown,
    ReasonMissing,
    create_case,
    edit_case,
    get_case,
    list_cases,
    move_case,
    submit_case,
)
from tracing.facts import Facts, InvalidFacts
from tracing.numbers import is_valid
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.profiles import current_facts
from tracing.services import Services
from tracing.transitions import IllegalMove

DAY = date(2026, 3, 2)


def edit(
    services: Services,
    viewer: Viewer,
    case: Case,
    known: Facts,
    now: datetime,
    *,
    version: int | None = None,
    circumstances: Circumstances | None = None,
) -> Case:
    kept = Circumstances(case.admitted_on, case.found_on, case.found_division, case.found_place)
    with unit_of_work(services.db) as session:
        return edit_case(session, services, viewer, case.id, circumstances or kept, known, version=version, now=now)


def matches(services: Services) -> int:
    with read_only(services.db) as session:
        return session.scalar(select(func.count()).select_from(Job).where(Job.kind == "match")) or 0


def test_a_case_begins_as_a_draft_with_a_number(services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, submitted=False, now=now)
    assert case.state is CaseState.DRAFT
    assert case.number.startswith("450702-2026-000001-")
    assert is_valid(case.number)
    assert case.organisation_id == staff.organisation_id
    assert (case.submitted_by_id, matches(services)) == (None, 0)


def test_everything_wrong_is_told_at_once_and_nothing_is_stored(
    services: Services, staff: Viewer, now: datetime
) -> None:
    circumstances = Circumstances(DAY + timedelta(days=2), DAY + timedelta(days=3), "999999", "字" * 201)
    with pytest.raises(InvalidFacts) as refused, unit_of_work(services.db) as session:
        create_case(session, services, staff, circumstances, facts(height=2, age=130), now=now)
    told = [(problem.field, problem.slug) for problem in refused.value.problems]
    assert told == [
        ("admitted_on", "date_in_future"),
        ("found_on", "date_in_future"),
        ("found_division", "unknown_division"),
        ("found_place", "text_too_long"),
        ("attributes.age", "age_out_of_range"),
        ("attributes.height", "height_in_metres"),
    ]
    with read_only(services.db) as session:
        assert not session.scalar(select(func.count()).select_from(Case))


def test_nobody_is_found_after_the_admission(services: Services, staff: Viewer, now: datetime) -> None:
    with pytest.raises(InvalidFacts) as refused, unit_of_work(services.db) as session:
        create_case(session, services, staff, Circumstances(DAY - timedelta(days=1), DAY), SEEN, now=now)
    assert [problem.slug for problem in refused.value.problems] == ["found_after_admission"]


def test_the_day_is_the_stations_own(services: Services, staff: Viewer, now: datetime) -> None:
    """At seven in the morning of New Year's Day it is still the old year in UTC."""
    morning = now.replace(year=2027, month=1, day=1, hour=7)
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, now=morning)
    assert case.admitted_on == date(2027, 1, 1)
    assert case.number.startswith("450702-2027-")


def test_texts_fit_their_columns(any_services: Services, staff: Viewer, now: datetime) -> None:
    place = " 沙埠镇\0 " + " " * 300
    with unit_of_work(any_services.db) as session:
        case = create_case(
            session, any_services, staff, Circumstances(DAY, found_place=place), facts(name="韦" + " " * 200), now=now
        )
    assert case.found_place == "沙埠镇"


def test_submitting_twice_is_harmless(any_services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(any_services.db) as session:
        case = make_case(session, any_services, staff, now=now)
    with unit_of_work(any_services.db) as session:
        again = submit_case(session, any_services, staff, case.id, now=now + timedelta(minutes=1))
    assert (again.state, again.state_since, again.version) == (CaseState.SUBMITTED, now, case.version)
    assert len(again.history) == 1
    assert matches(any_services) == 1
    run_jobs(any_services, now)
    with unit_of_work(any_services.db) as session:
        assert submit_case(session, any_services, staff, case.id, now=now).state is CaseState.UNRESOLVED


def test_an_empty_draft_is_not_submitted_but_one_photograph_or_fact_is_enough(
    services: Services, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, known=Facts(), submitted=False, now=now)
    with pytest.raises(NothingKnown), unit_of_work(services.db) as session:
        submit_case(session, services, staff, case.id, now=now)
    assert state_of(services, case.id) is CaseState.DRAFT
    with unit_of_work(services.db) as session:
        photographed = make_case(session, services, staff, known=Facts(), submitted=False, now=now)
        attach(session, services, staff, GalleryKind.CASE, photographed.id, now=now)
        assert submit_case(session, services, staff, photographed.id, now=now).state is CaseState.SUBMITTED
        known = make_case(session, services, staff, known=facts(sex=Sex.MALE), now=now)
        assert known.state is CaseState.SUBMITTED


def test_a_fact_that_was_taken_back_is_nothing_to_search_with(services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, known=facts(sex=Sex.MALE), submitted=False, now=now)
    edit(services, staff, case, Facts(), now)
    with pytest.raises(NothingKnown), unit_of_work(services.db) as session:
        submit_case(session, services, staff, case.id, now=now)


def test_a_stale_editor_is_told(any_services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(any_services.db) as session:
        case = make_case(session, any_services, staff, submitted=False, now=now)
    seen = case.version
    edit(any_services, staff, case, facts(sex=Sex.MALE, age=50), now + timedelta(minutes=1), version=seen)
    with pytest.raises(errors.StaleVersion):
        edit(any_services, staff, case, facts(sex=Sex.FEMALE), now + timedelta(minutes=2), version=seen)
    with unit_of_work(any_services.db) as session:
        kept = current_facts(get_case(session, staff, case.id, now=now).profile)
    assert {fact.kind: fact.value for fact in kept.attributes} == {AttributeKind.SEX: "male", AttributeKind.AGE: "50"}


def test_an_edit_that_changes_nothing_asks_for_no_match(services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, now=now)
    edit(services, staff, case, SEEN, now)
    assert matches(services) == 1
    edit(services, staff, case, facts(sex=Sex.MALE, basis=Basis.ESTIMATED), now)
    assert matches(services) == 2
    kept = Circumstances(case.admitted_on, case.found_on, "450703")
    edit(services, staff, case, facts(sex=Sex.MALE, basis=Basis.ESTIMATED), now, circumstances=kept)
    assert matches(services) == 3


def test_the_day_of_admission_counts_as_the_day_a_person_was_seen_where_that_is_not_known(
    services: Services, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, now=now)
    day = services.local_day(now)
    for circumstances, passes in (
        (Circumstances(day, day - timedelta(days=9)), 2),
        (Circumstances(day - timedelta(days=1), day - timedelta(days=9)), 2),
        (Circumstances(day - timedelta(days=1)), 3),
        (Circumstances(day - timedelta(days=400)), 4),
    ):
        edit(services, staff, case, SEEN, now, circumstances=circumstances)
        assert matches(services) == passes


def test_a_draft_is_not_matched(services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, submitted=False, now=now)
    edit(services, staff, case, facts(sex=Sex.MALE), now)
    assert matches(services) == 0


def test_an_edit_supersedes_and_never_overwrites(any_services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(any_services.db) as session:
        case = make_case(session, any_services, staff, known=facts(age=40, height=170), now=now)
    later = now + timedelta(days=3)
    edited = edit(any_services, staff, case, facts(age=47, height=170), later)
    assert edited.profile.revision == 2
    with read_only(any_services.db) as session:
        rows = session.scalars(select(ProfileAttribute).where(ProfileAttribute.profile_id == case.profile_id)).all()
    ages = sorted((row.value, row.superseded_at) for row in rows if row.kind is AttributeKind.AGE)
    assert [(value, moment is None) for value, moment in ages] == [("40", False), ("47", True)]
    assert ages[0][1] == later
    assert len([row for row in rows if row.kind is AttributeKind.HEIGHT]) == 1


def test_a_closed_case_is_not_edited(services: Services, world: World, staff: Viewer, now: datetime) -> None:
    story = judged_case(services, world, CaseState.CLOSED, now=now)
    with unit_of_work(services.db) as session:
        case = get_case(session, staff, story.case_id, now=now)
    with pytest.raises(CaseClosed):
        edit(services, staff, case, facts(sex=Sex.MALE), now)


@pytest.mark.parametrize("wanted", list(CaseState))
def test_which_states_are_reached_by_name(services: Services, world: World, wanted: CaseState, now: datetime) -> None:
    story = judged_case(services, world, CaseState.UNRESOLVED, now=now)
    may = {Role.STATION_STAFF: world.viewer(world.a.users[Role.STATION_STAFF])}

    def attempt() -> None:
        with unit_of_work(services.db) as session:
            move_case(session, services, may[Role.STATION_STAFF], story.case_id, wanted, reason=" 转院 ", now=now)

    if wanted in MANUAL_MOVES and wanted in TRANSITIONS[CaseState.UNRESOLVED]:
        attempt()
        with unit_of_work(services.db) as session:
            case = get_case(session, may[Role.STATION_STAFF], story.case_id, now=now)
        assert case.state is wanted
        assert "转院" in {row.reason for row in case.history}
    else:
        with pytest.raises(IllegalMove):
            attempt()
        assert state_of(services, story.case_id) is CaseState.UNRESOLVED


@pytest.mark.parametrize("wanted", sorted(MANUAL_MOVES))
def test_a_move_by_name_needs_its_permission_and_its_reason(
    services: Services, world: World, wanted: CaseState, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.UNRESOLVED, now=now)
    for viewer in world.viewers():
        if viewer.may(MANUAL_MOVES[wanted]) and viewer.organisation_id == world.a.station.id:
            with pytest.raises(ReasonMissing):
                move(services, viewer, story.case_id, wanted, "  ", now)
        else:
            with pytest.raises((errors.Forbidden, errors.NotFound)):
                move(services, viewer, story.case_id, wanted, "x", now)
    assert state_of(services, story.case_id) is CaseState.UNRESOLVED


def move(services: Services, viewer: Viewer, case_id: uuid.UUID, wanted: CaseState, reason: str, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        move_case(session, services, viewer, case_id, wanted, reason=reason, now=now)


def test_searching_again_by_name_runs_a_new_pass(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.LEFT, now=now)
    move(services, staff, story.case_id, CaseState.SEARCHING, "人已回站", now)
    assert run_jobs(services, now) == 1
    assert state_of(services, story.case_id) is CaseState.UNRESOLVED


def test_lists_filter_by_state_and_number_and_turn_pages(services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        made = [
            make_case(session, services, staff, submitted=index % 2 == 0, now=now + timedelta(minutes=index))
            for index in range(5)
        ]
    with unit_of_work(services.db) as session:
        first = list_cases(session, staff, limit=2, now=now)
        second = list_cases(session, staff, limit=2, cursor=first.next_cursor, now=now)
        third = list_cases(session, staff, limit=2, cursor=second.next_cursor, now=now)
        drafts = list_cases(session, staff, states=frozenset({CaseState.DRAFT}), now=now)
        third_made = list_cases(session, staff, number="-000003-", now=now)
        percent = list_cases(session, staff, number="%", now=now)
    pages = [case.id for page in (first, second, third) for case in page.items]
    assert pages == [case.id for case in reversed(made)]
    assert third.next_cursor is None
    assert [case.id for case in drafts.items] == [made[3].id, made[1].id]
    assert [case.id for case in third_made.items] == [made[2].id]
    assert percent.items == ()


@pytest.mark.parametrize("point", [(21.9, None), (None, 108.6), (91.0, 108.6), (21.9, 181.0), (float("nan"), 108.6)])
def test_a_point_is_whole_and_on_the_earth(
    point: tuple[float | None, float | None], services: Services, staff: Viewer, now: datetime
) -> None:
    latitude, longitude = point
    wrong = Circumstances(DAY, found_latitude=latitude, found_longitude=longitude)
    with pytest.raises(InvalidFacts) as caught, unit_of_work(services.db) as session:
        create_case(session, services, staff, wrong, Facts(), now=now)
    assert [one.slug for one in caught.value.problems] == ["point_incomplete"]


def test_a_point_is_kept(services: Services, staff: Viewer, now: datetime) -> None:
    here = Circumstances(DAY, found_latitude=21.9813, found_longitude=108.6542)
    with unit_of_work(services.db) as session:
        made = create_case(session, services, staff, here, Facts(), now=now)
    with read_only(services.db) as session:
        case = session.get_one(Case, made.id)
        assert (case.found_latitude, case.found_longitude) == (21.9813, 108.6542)
