"""CHECK constraints and unique indexes, met by raw SQL on both databases."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Enum
from sqlalchemy.exc import IntegrityError, StatementError

from models.base import Base
from models.subject import Subject
from models.user import Role
from tests.models.sql import AT, Ground, insert, run, scalar
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

ENUM_COLUMNS = sorted(
    (table.name, column.name)
    for table in Base.metadata.tables.values()
    for column in table.columns
    if isinstance(column.type, Enum)
)
FILLED = ["case_file", "report", "candidate", "job", "organisation", "user_account", "profile_attribute", "match_pass"]
UNKNOWN_VALUE = "no_such_value"


@pytest.mark.parametrize(("table", "column"), [pair for pair in ENUM_COLUMNS if pair[0] in FILLED])
def test_an_enum_column_takes_its_own_values_alone(ground: Ground, table: str, column: str) -> None:
    assert scalar(ground.db, f"SELECT count(*) FROM {table}")  # a table without rows would prove nothing
    with pytest.raises(IntegrityError):
        run(ground.db, f"UPDATE {table} SET {column} = :value", value=UNKNOWN_VALUE)


def test_every_enum_column_has_its_check() -> None:
    for table, column in ENUM_COLUMNS:
        kind = Base.metadata.tables[table].columns[column].type
        assert isinstance(kind, Enum)
        assert kind.create_constraint, f"{table}.{column}"
        assert not kind.native_enum, f"{table}.{column}"


def test_the_audit_log_has_one_head(ground: Ground) -> None:
    for identity in (1, 2):
        with pytest.raises(IntegrityError):
            insert(ground.db, "audit_head", id=identity, seq=0, hash="0" * 64)


def test_a_candidate_has_exactly_one_other_record(ground: Ground) -> None:
    other = {"id": ground.story.candidate, "case": ground.other.case_id}
    with pytest.raises(IntegrityError):
        run(ground.db, "UPDATE candidate SET other_case_id = :case WHERE id = :id", **other)
    with pytest.raises(IntegrityError):
        run(ground.db, "UPDATE candidate SET report_id = NULL WHERE id = :id", id=ground.story.candidate)
    both = "UPDATE candidate SET report_id = NULL, other_case_id = :case WHERE id = :id"
    assert run(ground.db, both, **other) == 1


def test_a_case_is_not_its_own_candidate(ground: Ground) -> None:
    with pytest.raises(IntegrityError):
        run(
            ground.db, "UPDATE candidate SET report_id = NULL, other_case_id = case_id WHERE id = :id",
            id=ground.story.candidate,
        )  # fmt: skip


@pytest.mark.parametrize("grade", [-4, 4])
def test_a_grade_is_on_the_scale(ground: Ground, grade: int) -> None:
    with pytest.raises(IntegrityError):
        insert(
            ground.db, "review", id=uuid.uuid4(), candidate_id=ground.story.candidate,
            examiner_id=ground.examiner_ids[0], opinion="supports", grade=grade, committed_at=AT,
        )  # fmt: skip


def test_an_uncertainty_is_not_negative(ground: Ground) -> None:
    assert run(ground.db, "UPDATE profile_attribute SET uncertainty = 0")
    with pytest.raises(IntegrityError):
        run(ground.db, "UPDATE profile_attribute SET uncertainty = -0.5")


def test_one_current_value_an_attribute(ground: Ground) -> None:
    profile_id = scalar(ground.db, "SELECT profile_id FROM case_file WHERE id = :id", id=ground.story.case_id)
    row: dict[str, object] = {
        "profile_id": uuid.UUID(str(profile_id)), "kind": "height", "value": "180", "basis": "measured",
        "recorded_by_id": ground.world.a.users[Role.STATION_STAFF].id, "recorded_at": AT,
    }  # fmt: skip
    with pytest.raises(IntegrityError):
        insert(ground.db, "profile_attribute", id=uuid.uuid4(), **row)
    insert(ground.db, "profile_attribute", id=uuid.uuid4(), superseded_at=AT, **row)


def test_foreign_keys_hold(ground: Ground) -> None:
    with pytest.raises(IntegrityError):
        run(ground.db, "UPDATE case_file SET organisation_id = :nobody", nobody=uuid.uuid4())


def test_a_naive_time_is_a_programming_error(services: Services) -> None:
    subject = Subject(id=uuid.uuid4(), master_key_id="k", created_at=datetime(2026, 3, 2, 9, 0))  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive datetime"), unit_of_work(services.db) as session:
        session.add(subject)


def test_times_come_back_in_utc_whatever_zone_they_went_in(any_services: Services, now: datetime) -> None:
    identity = uuid.uuid4()
    with unit_of_work(any_services.db) as session:
        session.add(Subject(id=identity, master_key_id="k", created_at=now))
    with read_only(any_services.db) as session:
        found = session.get_one(Subject, identity).created_at
    assert found == now
    assert found.utcoffset() == timedelta(0)
