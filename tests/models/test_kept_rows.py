"""Raw SQL against milestones, pauses, escalations, interviews, clues: withdrawn or ended, never changed or lost."""

import uuid

import pytest
from sqlalchemy.exc import IntegrityError

from tests.models.sql import AT, Ground, gate, insert, run, scalar


@pytest.fixture
def kept(ground: Ground) -> dict[str, uuid.UUID]:
    """One row of each table, by table."""
    ids = {name: uuid.uuid4() for name in TABLES}
    case, user = ground.story.case_id, ground.supervisor_id
    deadline = scalar(ground.db, "SELECT id FROM deadline WHERE case_id = :case AND kind = 'long_stay'", case=case)
    deadline_id = deadline if isinstance(deadline, uuid.UUID) else uuid.UUID(str(deadline))
    by = {"recorded_by_id": user, "recorded_at": AT}
    insert(ground.db, "milestone", id=ids["milestone"], case_id=case, kind="dna_requested", occurred_at=AT, **by)
    insert(
        ground.db, "deadline_pause", id=ids["deadline_pause"], deadline_id=deadline_id, from_at=AT, reason="hospital",
        paused_by_id=user,
    )  # fmt: skip
    insert(
        ground.db, "deadline_escalation", id=ids["deadline_escalation"], deadline_id=deadline_id, level=1,
        organisation_id=ground.world.a.centre.id, at=AT,
    )  # fmt: skip
    insert(ground.db, "interview", id=ids["interview"], case_id=case, held_at=AT, method="talk", **by)
    insert(
        ground.db, "interview_audio", id=ids["interview_audio"], interview_id=ids["interview"], digest="0" * 64,
        format="wav", bytes_stored=1, added_by_id=user, added_at=AT,
    )  # fmt: skip
    insert(
        ground.db,
        "clue",
        id=ids["clue"],
        case_id=case,
        kind="food",
        text="沙茶面",
        confidence="sure",
        heard_at=AT,
        **by,
    )
    return ids


TABLES = ("milestone", "deadline_pause", "deadline_escalation", "interview", "interview_audio", "clue")
CHANGES = {
    "milestone": "note = 'changed'",
    "deadline_pause": "reason = 'other'",
    "deadline_escalation": "level = 2",
    "interview": "place = 'changed'",
    "clue": "text = 'changed'",
}


def test_no_row_is_deleted(ground: Ground, kept: dict[str, uuid.UUID]) -> None:
    for table in TABLES:
        with pytest.raises(IntegrityError, match="gate: "):
            run(ground.db, f"DELETE FROM {table} WHERE id = :id", id=kept[table])
        if ground.db.engine.dialect.name == "postgresql":
            with pytest.raises(IntegrityError, match=r"gate: \w+ is not emptied"):
                run(ground.db, f"TRUNCATE {table} CASCADE")
        else:
            with pytest.raises(IntegrityError):
                run(ground.db, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE id = :id", id=kept[table])


def test_no_row_is_changed(ground: Ground, kept: dict[str, uuid.UUID]) -> None:
    for table, change in CHANGES.items():
        with pytest.raises(IntegrityError, match="gate: "):
            run(ground.db, f"UPDATE {table} SET {change} WHERE id = :id", id=kept[table])


def test_what_was_withdrawn_stays_withdrawn(ground: Ground, kept: dict[str, uuid.UUID]) -> None:
    columns = "withdrawn_at = {}, withdrawn_by_id = {}, withdrawal_reason = {}"
    withdraw, back = columns.format(":at", ":by", "'x'"), columns.format("NULL", "NULL", "NULL")
    for table in ("milestone", "interview", "clue"):
        update = f"UPDATE {table} SET {{}} WHERE id = :id"
        assert run(ground.db, update.format(withdraw), at=AT, by=ground.supervisor_id, id=kept[table]) == 1
        with pytest.raises(IntegrityError, match="gate: "):
            run(ground.db, update.format(back), id=kept[table])


def test_a_correction_names_a_superseded_clue_of_the_same_case(ground: Ground, kept: dict[str, uuid.UUID]) -> None:
    row = {
        "kind": "food", "text": "x", "confidence": "sure", "heard_at": AT, "recorded_by_id": ground.supervisor_id,
        "recorded_at": AT, "supersedes_id": kept["clue"],
    }  # fmt: skip
    with gate("a correction names the clue"):
        insert(ground.db, "clue", id=uuid.uuid4(), case_id=ground.story.case_id, **row)
    run(ground.db, "UPDATE clue SET superseded_at = :at WHERE id = :id", at=AT, id=kept["clue"])
    with gate("a correction names the clue"):
        insert(ground.db, "clue", id=uuid.uuid4(), case_id=ground.other.case_id, **row)
    insert(ground.db, "clue", id=uuid.uuid4(), case_id=ground.story.case_id, **row)
    with pytest.raises(IntegrityError):
        insert(ground.db, "clue", id=uuid.uuid4(), case_id=ground.story.case_id, **row)
