"""Raw SQL against what has been recorded, on both databases: nothing that was decided is changed or deleted."""

import uuid

import pytest
from sqlalchemy.exc import IntegrityError

from tests.models.sql import AT, Ground, gate, insert, run, scalar

REVIEW_COLUMNS = ["candidate_id", "examiner_id", "opinion", "grade", "remarks", "committed_at"]
CONFIRMATION_COLUMNS = [
    "case_id", "candidate_id", "report_id", "method", "reference", "grounds", "confirmed_by_id", "confirmed_at",
]  # fmt: skip
EXAMPLES: dict[str, object] = {
    "opinion": "strongly_supports", "grade": 3, "remarks": "changed", "committed_at": AT.replace(year=2020),
    "method": "fingerprint", "reference": "D-9", "grounds": "changed", "confirmed_at": AT.replace(year=2020),
}  # fmt: skip


def another(ground: Ground, column: str) -> object:
    ids: dict[str, object] = {
        "candidate_id": ground.other.candidate,
        "case_id": ground.other.case_id,
        "examiner_id": ground.examiner_ids[1],
        "confirmed_by_id": ground.examiner_ids[1],
        "report_id": uuid.uuid4(),
    }
    return ids.get(column, EXAMPLES.get(column))


@pytest.mark.parametrize("table", ["audit_event", "case_transition", "contact_release"])
def test_append_only(ground: Ground, table: str) -> None:
    ground.release(ground.confirm(method="dna", reference="D-1"))
    before = scalar(ground.db, f"SELECT count(*) FROM {table}")
    assert before
    column = {"audit_event": "action", "case_transition": "reason", "contact_release": "wish"}[table]
    with gate(f"{table} is append-only"):
        run(ground.db, f"UPDATE {table} SET {column} = 'cannot_express'")
    with gate(f"{table} is append-only"):
        run(ground.db, f"DELETE FROM {table}")
    assert scalar(ground.db, f"SELECT count(*) FROM {table}") == before


@pytest.mark.parametrize("table", ["audit_event", "case_transition", "review", "confirmation", "contact_release"])
def test_what_was_decided_cannot_be_truncated(ground: Ground, table: str) -> None:
    if ground.db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(IntegrityError, match=r"gate: \w+ is not emptied"):
        run(ground.db, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("column", REVIEW_COLUMNS)
def test_a_review_is_not_changed(ground: Ground, column: str) -> None:
    identity = ground.review(ground.examiner_ids[0], 2)
    with gate("reviews are withdrawn, never changed"):
        run(
            ground.db, f"UPDATE review SET {column} = :value WHERE id = :id",
            value=another(ground, column), id=identity,
        )  # fmt: skip


def test_a_review_is_withdrawn_once_and_never_deleted(ground: Ground) -> None:
    identity = ground.review(ground.examiner_ids[0], 2)
    with gate("reviews are withdrawn, never deleted"):
        run(ground.db, "DELETE FROM review WHERE id = :id", id=identity)
    assert run(ground.db, "UPDATE review SET withdrawn_at = :at WHERE id = :id", at=AT, id=identity) == 1
    with gate("reviews are withdrawn, never changed"):
        run(ground.db, "UPDATE review SET withdrawn_at = NULL WHERE id = :id", id=identity)


def test_a_review_begins_standing(ground: Ground) -> None:
    ground.note(ground.examiner_ids[0])
    with gate("a review begins standing"):
        run(
            ground.db,
            "INSERT INTO review (id, candidate_id, examiner_id, opinion, grade, committed_at, withdrawn_at)"
            " VALUES (:id, :candidate, :examiner, 'supports', 2, :at, :at)",
            id=uuid.uuid4(), candidate=ground.story.candidate, examiner=ground.examiner_ids[0], at=AT,
        )  # fmt: skip


@pytest.mark.parametrize("column", CONFIRMATION_COLUMNS)
def test_a_confirmation_is_not_changed(ground: Ground, column: str) -> None:
    identity = ground.confirm(method="dna", reference="D-1")
    with gate("confirmations are recalled, never changed"):
        run(
            ground.db, f"UPDATE confirmation SET {column} = :value WHERE id = :id",
            value=another(ground, column), id=identity,
        )  # fmt: skip


def test_a_confirmation_is_recalled_once_and_never_deleted(ground: Ground) -> None:
    identity = ground.confirm(method="dna", reference="D-1")
    with gate("confirmations are recalled, never deleted"):
        run(ground.db, "DELETE FROM confirmation WHERE id = :id", id=identity)
    recalled = "UPDATE confirmation SET recalled_at = :at, recalled_by_id = :user, recall_reason = 'x' WHERE id = :id"
    ground.put("recalled")
    assert run(ground.db, recalled, at=AT, user=ground.supervisor_id, id=identity) == 1
    with gate("confirmations are recalled, never changed"):
        run(ground.db, "UPDATE confirmation SET recalled_at = NULL WHERE id = :id", id=identity)


def test_a_row_is_not_replaced_either(ground: Ground) -> None:
    """SQLite's REPLACE deletes the old row without its delete trigger, unless `recursive_triggers` is on."""
    if ground.db.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite has REPLACE")
    identity = ground.review(ground.examiner_ids[0], -3)
    with pytest.raises(IntegrityError):
        run(
            ground.db,
            "INSERT OR REPLACE INTO review (id, candidate_id, examiner_id, opinion, grade, committed_at)"
            " VALUES (:id, :candidate, :examiner, 'strongly_supports', 3, :at)",
            id=identity, candidate=ground.story.candidate, examiner=ground.examiner_ids[0], at=AT,
        )  # fmt: skip
    with pytest.raises(IntegrityError):
        run(
            ground.db,
            "INSERT OR REPLACE INTO audit_event (seq, at, action, object_kind, detail, previous_hash, hash)"
            " SELECT seq, at, 'forged', object_kind, detail, previous_hash, hash FROM audit_event WHERE seq = 1",
        )


@pytest.mark.parametrize(("opinion", "grade"), [("opposes", 3), ("cannot_tell", 2), ("strongly_supports", None)])
def test_a_review_has_the_grade_of_its_opinion(ground: Ground, opinion: str, grade: int | None) -> None:
    ground.note(ground.examiner_ids[0])
    with gate("the grade is not that of the opinion"):
        insert(
            ground.db, "review", id=uuid.uuid4(), candidate_id=ground.story.candidate,
            examiner_id=ground.examiner_ids[0], opinion=opinion, grade=grade, committed_at=AT,
        )  # fmt: skip


def test_a_recall_names_who_and_why_and_comes_after_the_state(ground: Ground) -> None:
    identity = ground.confirm(method="dna", reference="D-1")
    complete = "UPDATE confirmation SET recalled_at = :at, recalled_by_id = :user, recall_reason = 'raw' WHERE id = :id"
    with gate("a recall names who and why"):
        run(ground.db, "UPDATE confirmation SET recalled_at = :at WHERE id = :id", at=AT, id=identity)
    ground.put("identified")
    with gate("a recall names who and why"):
        run(ground.db, complete, at=AT, user=ground.supervisor_id, id=identity)
    ground.put("recalled")
    assert run(ground.db, complete, at=AT, user=ground.supervisor_id, id=identity) == 1
