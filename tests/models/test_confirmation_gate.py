"""Raw SQL against the confirmation's gate, on both databases: what a confirmation must rest on."""

import uuid

import pytest
from sqlalchemy.exc import IntegrityError

from models.confirmation import DECISIVE_METHODS
from models.user import Role
from tests.models.sql import AT, Ground, gate, run, scalar

NOT_ENOUGH = "two agreeing examiners or a decisive method"
NOT_POLICE = "only the police confirm, never the submitter"


def standing(ground: Ground) -> object:
    return scalar(ground.db, "SELECT count(*) FROM confirmation")


def test_no_review(ground: Ground) -> None:
    with gate(NOT_ENOUGH):
        ground.confirm()
    assert standing(ground) == 0


def test_one_review(ground: Ground) -> None:
    ground.review(ground.examiner_ids[0], 3)
    with gate(NOT_ENOUGH):
        ground.confirm()


def test_two_reviews_of_the_same_examiner(ground: Ground) -> None:
    ground.review(ground.examiner_ids[0], withdrawn_at=AT)
    ground.review(ground.examiner_ids[0])
    with gate(NOT_ENOUGH):
        ground.confirm()
    with pytest.raises(IntegrityError):  # nor can both stand
        ground.review(ground.examiner_ids[0])


@pytest.mark.parametrize("withdrawn", [(0,), (1,), (0, 1)])
def test_withdrawn_reviews_do_not_count(ground: Ground, withdrawn: tuple[int, ...]) -> None:
    for position, examiner_id in enumerate(ground.examiner_ids):
        ground.review(examiner_id, withdrawn_at=AT if position in withdrawn else None)
    with gate(NOT_ENOUGH):
        ground.confirm()


@pytest.mark.parametrize("grade", [1, 0, -1, -2, -3, None])
def test_a_grade_below_two_does_not_count(ground: Ground, grade: int | None) -> None:
    ground.review(ground.examiner_ids[0], 3)
    ground.review(ground.examiner_ids[1], grade)
    with gate(NOT_ENOUGH):
        ground.confirm()


@pytest.mark.parametrize("column", ["submitted_by_id", "created_by_id"])
def test_the_review_of_whoever_entered_the_case_does_not_count(ground: Ground, column: str) -> None:
    for examiner_id in ground.examiner_ids:
        ground.review(examiner_id)
    run(
        ground.db, f"UPDATE case_file SET {column} = :user WHERE id = :id",
        user=ground.examiner_ids[1], id=ground.story.case_id,
    )  # fmt: skip
    with gate(NOT_ENOUGH):
        ground.confirm()


@pytest.mark.parametrize("role", [role for role in Role if not role.value.startswith("police")])
def test_the_review_of_somebody_else_than_the_police_does_not_count(ground: Ground, role: Role) -> None:
    for examiner_id in ground.examiner_ids:
        ground.review(examiner_id)
    moved = "UPDATE user_account SET role = :role WHERE id = :id"
    run(ground.db, moved, role=role.value, id=ground.examiner_ids[1])
    with gate(NOT_ENOUGH):
        ground.confirm()


def test_reviews_of_another_candidate_do_not_count(ground: Ground) -> None:
    ground.review(ground.examiner_ids[0])
    ground.review(ground.examiner_ids[1], candidate_id=ground.other.candidate)
    with gate(NOT_ENOUGH):
        ground.confirm()


@pytest.mark.parametrize("role", [role for role in Role if not role.value.startswith("police")])
def test_nobody_but_the_police_confirms(ground: Ground, role: Role) -> None:
    with gate(NOT_POLICE):
        ground.confirm(method="dna", reference="D-1", confirmed_by_id=ground.world.a.users[role].id)


@pytest.mark.parametrize("column", ["submitted_by_id", "created_by_id"])
def test_police_who_entered_the_case_do_not_confirm_it(ground: Ground, column: str) -> None:
    run(
        ground.db, f"UPDATE case_file SET {column} = :user WHERE id = :id",
        user=ground.supervisor_id, id=ground.story.case_id,
    )  # fmt: skip
    with gate(NOT_POLICE):
        ground.confirm(method="dna", reference="D-1")


def test_a_candidate_of_another_case(ground: Ground) -> None:
    for examiner_id in ground.examiner_ids:
        ground.review(examiner_id, candidate_id=ground.other.candidate)
    with gate("not a candidate of this case"):
        ground.confirm(candidate_id=ground.other.candidate)


def test_a_report_that_is_not_the_candidates(ground: Ground) -> None:
    for examiner_id in ground.examiner_ids:
        ground.review(examiner_id)
    stranger = uuid.uuid4()
    run(
        ground.db,
        "INSERT INTO subject (id, master_key_id, created_at) VALUES (:id, 'k', :at)",
        id=stranger, at=AT,
    )  # fmt: skip
    run(
        ground.db,
        "INSERT INTO profile (id, subject_id, revision, no_marks) VALUES (:id, :id, 1, :no)",
        id=stranger, no=False,
    )  # fmt: skip
    run(
        ground.db,
        "INSERT INTO report (id, number, organisation_id, created_by_id, profile_id, state, created_at, updated_at,"
        " version) VALUES (:id, 'R-1', :organisation, :user, :id, 'open', :at, :at, 1)",
        id=stranger, organisation=ground.world.b.station.id, user=ground.supervisor_id, at=AT,
    )  # fmt: skip
    with gate("not a candidate of this case"):
        ground.confirm(report_id=stranger)


@pytest.mark.parametrize("method", sorted(DECISIVE_METHODS))
def test_a_decisive_method_needs_no_review_but_its_reference(ground: Ground, method: str) -> None:
    for reference in (None, "", "   "):
        with gate("a decisive method needs its reference"):
            ground.confirm(method=method, reference=reference)
    ground.confirm(method=method, reference="2026-117")
    assert standing(ground) == 1


def test_two_agreeing_examiners_are_enough(ground: Ground) -> None:
    ground.review(ground.examiner_ids[0], 2)
    ground.review(ground.examiner_ids[1], 3)
    ground.confirm()
    assert standing(ground) == 1


def test_a_confirmation_begins_standing(ground: Ground) -> None:
    with gate("a confirmation begins standing"):
        ground.confirm(method="dna", reference="D-1", recalled_at=AT)


def test_one_standing_confirmation_a_case_and_a_report(ground: Ground) -> None:
    ground.confirm(method="dna", reference="D-1")
    with pytest.raises(IntegrityError):
        ground.confirm(method="dna", reference="D-2")
    with pytest.raises(IntegrityError):
        ground.confirm(method="dna", reference="D-3", case_id=ground.other.case_id, candidate_id=ground.other.candidate)
    assert standing(ground) == 1
