"""What a pass changed in the lists, which terms did it, whose new facts caused it, and who may see that."""

import uuid
from collections.abc import Sequence
from datetime import datetime

import pytest

from matcher.vocabulary import GalleryKind, Sex
from models.candidate import ListChange
from models.review import Opinion
from models.user import Role
from tests.factories.records import facts, make_case, make_report
from tests.factories.stories import candidate_of, commit_opinion, examiners, run_jobs
from tests.factories.world import World
from tracing.access import Viewer
from tracing.candidate_changes import ChangeView, list_changes
from tracing.cases import Circumstances, edit_case
from tracing.facts import Facts
from tracing.platform import errors
from tracing.platform.db import unit_of_work
from tracing.reports import withdraw_report
from tracing.services import Services

POOR, CLUE = facts(sex=Sex.MALE), facts(sex=Sex.MALE, name="韦建国")


def changes(services: Services, viewer: Viewer, case_id: uuid.UUID, now: datetime) -> Sequence[ChangeView]:
    with unit_of_work(services.db) as session:
        return list_changes(session, viewer, case_id, now=now).items


def edit(services: Services, viewer: Viewer, case_id: uuid.UUID, known: Facts, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        day = services.local_day(now)
        edit_case(session, services, viewer, case_id, Circumstances(day, day, "450702"), known, version=None, now=now)
    run_jobs(services, now)


@pytest.fixture
def case_id(any_services: Services, staff: Viewer, reporter: Viewer, now: datetime) -> uuid.UUID:
    """A case of which little is known, with one candidate."""
    with unit_of_work(any_services.db) as session:
        make_report(session, any_services, reporter, known=facts(sex=Sex.MALE, name="韦建国"), now=now)
    run_jobs(any_services, now)
    with unit_of_work(any_services.db) as session:
        case = make_case(session, any_services, staff, known=POOR, now=now)
    run_jobs(any_services, now)
    return case.id


def test_a_new_clue_says_what_it_changed(
    any_services: Services, case_id: uuid.UUID, staff: Viewer, now: datetime
) -> None:
    (entered,) = changes(any_services, staff, case_id, now)
    assert (entered.row.change, entered.row.rank_before, entered.row.rank_after) == (ListChange.ENTERED, None, 1)
    assert entered.row.log10_lr_before is None
    assert {term["before"] for term in entered.row.terms} == {None}
    edit(any_services, staff, case_id, CLUE, now)
    moved, first = changes(any_services, staff, case_id, now)
    assert first.row.id == entered.row.id
    assert (moved.row.change, moved.row.rank_before, moved.row.rank_after) == (ListChange.MOVED, 1, 1)
    assert moved.row.log10_lr_before is not None
    assert moved.row.log10_lr_before == entered.row.log10_lr_after
    assert moved.row.log10_lr_after == candidate_of(any_services, case_id).log10_lr > entered.row.log10_lr_after + 1
    (term,) = [term for term in moved.row.terms if term["kind"] == "name"]
    assert term["before"] is None
    assert term["after"] > 1
    delta = sum((term["after"] or 0) - (term["before"] or 0) for term in moved.row.terms)
    assert delta == pytest.approx(moved.row.log10_lr_after - moved.row.log10_lr_before, abs=1e-4)
    assert (moved.cause.kind, moved.cause.id) == (GalleryKind.CASE, case_id)
    assert moved.row.match_pass.revision == 2


def test_a_clue_against_a_candidate_says_why_it_left(
    any_services: Services, case_id: uuid.UUID, staff: Viewer, now: datetime
) -> None:
    edit(any_services, staff, case_id, facts(sex=Sex.FEMALE, name="欧阳慧"), now)
    left = changes(any_services, staff, case_id, now)[0]
    assert (left.row.change, left.row.rank_before, left.row.rank_after) == (ListChange.LEFT, 1, None)
    assert left.row.log10_lr_before is not None
    assert left.row.log10_lr_after < left.row.log10_lr_before
    assert {term["kind"] for term in left.row.terms if (term["after"] or 0) < 0} >= {"sex", "name"}
    found = candidate_of(any_services, case_id)
    assert (found.listed, found.log10_lr) == (False, left.row.log10_lr_after)
    edit(any_services, staff, case_id, CLUE, now)
    again = changes(any_services, staff, case_id, now)[0]
    assert again.row.change is ListChange.ENTERED
    assert again.row.log10_lr_before == left.row.log10_lr_after


def test_a_report_names_itself_as_the_cause(
    any_services: Services, case_id: uuid.UUID, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        new = make_report(session, any_services, reporter, known=facts(sex=Sex.MALE, age=50), now=now)
    run_jobs(any_services, now)
    newest = changes(any_services, staff, case_id, now)[0]
    assert (newest.row.change, newest.cause.number, newest.other.number) == (ListChange.ENTERED, new.number, new.number)
    assert newest.cause.kind is GalleryKind.REPORT


def test_who_is_no_longer_searched_for_leaves_at_the_next_pass(
    any_services: Services, case_id: uuid.UUID, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    report_id = candidate_of(any_services, case_id).report_id
    assert report_id is not None
    with unit_of_work(any_services.db) as session:
        withdraw_report(session, any_services, reporter, report_id, now=now)
    edit(any_services, staff, case_id, CLUE, now)
    left = changes(any_services, staff, case_id, now)[0]
    assert (left.row.change, left.row.terms) == (ListChange.LEFT, [])
    assert left.row.log10_lr_after == left.row.log10_lr_before


def test_sealed_changes_are_not_told_until_the_opinion_is_given(
    any_services: Services, world: World, case_id: uuid.UUID, now: datetime
) -> None:
    first, second = examiners(world)
    assert changes(any_services, first, case_id, now) == ()
    with unit_of_work(any_services.db) as session:
        candidate_id = candidate_of(any_services, case_id).id
        commit_opinion(session, any_services, first, candidate_id, Opinion.SUPPORTS, now=now)
    assert len(changes(any_services, first, case_id, now)) == 1
    assert changes(any_services, second, case_id, now) == ()
    with pytest.raises(errors.NotFound):
        changes(any_services, world.viewer(world.b.users[Role.STATION_STAFF]), case_id, now)
    with pytest.raises(errors.Forbidden):
        changes(any_services, world.viewer(world.a.users[Role.AUDITOR]), case_id, now)
