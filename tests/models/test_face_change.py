"""Raw SQL on both databases: every way in which a face enters or leaves the searchable set is in the change log."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from matcher.vocabulary import GalleryKind
from models.case import CaseState
from models.face import Face
from models.face_change import FaceChange
from models.report import ReportState
from tests.factories.gallery import AT, VERSION, Person, make_face, make_ground, make_person, unit
from tests.models.sql import run, scalar
from tracing.platform.db import Database, read_only, unit_of_work
from tracing.services import Services

VECTOR = unit(np.array([1, 2, 3], np.float32))


@dataclass(frozen=True)
class Log:
    """A case and a report in the database, and what has been logged since they were made."""

    db: Database
    case: Person
    report: Person
    since: int

    def faces(self) -> list[uuid.UUID]:
        """Faces logged since, in order."""
        with read_only(self.db) as session:
            query = select(FaceChange.face_id).where(FaceChange.seq > self.since).order_by(FaceChange.seq)
            return list(session.scalars(query))

    @property
    def postgresql(self) -> bool:
        """Which of the two databases it is."""
        return self.db.engine.dialect.name == "postgresql"


@pytest.fixture
def log(any_services: Services) -> Log:
    """Two people, each with a face that is searchable."""
    with unit_of_work(any_services.db) as session:
        ground = make_ground(session)
        case = make_person(session, any_services.vault, ground, VECTOR, GalleryKind.CASE)
        report = make_person(session, any_services.vault, ground, VECTOR)
    since = scalar(any_services.db, "SELECT max(seq) FROM face_change")
    assert isinstance(since, int)
    return Log(any_services.db, case, report, since)


def test_a_database_has_a_first_row_of_its_own(any_services: Services) -> None:
    assert scalar(any_services.db, "SELECT count(*) FROM face_change") == 1


def test_a_new_face_is_logged_with_its_version(any_services: Services, log: Log) -> None:
    with unit_of_work(any_services.db) as session:
        made = make_face(
            session, any_services.vault, log.case.subject_id, log.case.photo_id, VECTOR, ordinal=1, version="other-1"
        )
    assert log.faces() == [made]
    with read_only(log.db) as session:
        row = session.scalars(select(FaceChange).where(FaceChange.seq > log.since)).one()
    assert (row.model_version, row.xid > 0) == ("other-1", log.postgresql)


def test_what_is_rolled_back_is_not_logged(any_services: Services, log: Log) -> None:
    with log.db.session_factory() as session, session.begin() as transaction:
        make_face(session, any_services.vault, log.case.subject_id, log.case.photo_id, VECTOR, ordinal=1)
        transaction.rollback()
    assert log.faces() == []


CHANGES: dict[str, str] = {
    "not chosen": "UPDATE face SET chosen = FALSE WHERE id = :face",
    "another embedding": "UPDATE face SET embedding_sealed = :blob WHERE id = :face",
    "another version": "UPDATE face SET model_version = 'other-1' WHERE id = :face",
    "another photograph": "UPDATE face SET photo_id = :other_photo, ordinal = 7 WHERE id = :face",
    "face deleted": "DELETE FROM face WHERE id = :face",
    "photograph removed": "UPDATE photo SET removed_at = :at WHERE id = :photo",
    "photograph moved": "UPDATE photo SET profile_id = :other_profile WHERE id = :photo",
    "person erased": "UPDATE subject SET wrapped_key = NULL, destroyed_at = :at WHERE id = :subject",
    "key gone alone": "UPDATE subject SET wrapped_key = NULL WHERE id = :subject",
    "person exchanged": "UPDATE profile SET subject_id = :new_subject WHERE id = :profile",
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_every_change_of_a_face_is_logged(any_services: Services, log: Log, change: str) -> None:
    with unit_of_work(any_services.db) as session:
        new_subject = any_services.vault.new_subject(session, AT)
    person, other = log.case, log.report
    values: dict[str, object] = {
        "face": person.face_id, "photo": person.photo_id, "profile": person.profile_id, "subject": person.subject_id,
        "other_photo": other.photo_id, "other_profile": other.profile_id, "new_subject": new_subject.id,
        "at": AT, "blob": b"another",
    }  # fmt: skip
    statement = CHANGES[change]
    assert run(log.db, statement, **{name: value for name, value in values.items() if f":{name}" in statement}) == 1
    assert set(log.faces()) == {person.face_id}


def test_a_change_of_version_is_logged_under_both(log: Log) -> None:
    run(log.db, "UPDATE face SET model_version = 'other-1' WHERE id = :face", face=log.case.face_id)
    with read_only(log.db) as session:
        rows = session.scalars(select(FaceChange.model_version).where(FaceChange.seq > log.since)).all()
    assert sorted(rows) == sorted([VERSION, "other-1"])


@pytest.mark.parametrize("state", [state for state in CaseState if state is not CaseState.UNRESOLVED])
def test_every_move_of_a_case_is_logged(log: Log, state: CaseState) -> None:
    statement = "UPDATE case_file SET state = :state WHERE id = :id"
    try:
        run(log.db, statement, state=state.value, id=log.case.owner_id)
    except IntegrityError:  # states that rest on a confirmation, which a gate refuses: nothing happened
        assert log.faces() == []
    else:
        assert log.faces() == [log.case.face_id]


@pytest.mark.parametrize("state", [state for state in ReportState if state is not ReportState.OPEN])
def test_every_move_of_a_report_is_logged(log: Log, state: ReportState) -> None:
    run(log.db, "UPDATE report SET state = :state WHERE id = :id", state=state.value, id=log.report.owner_id)
    assert log.faces() == [log.report.face_id]


@pytest.mark.parametrize("table", ["case_file", "report"])
def test_a_record_that_goes_is_logged(log: Log, table: str) -> None:
    person = log.case if table == "case_file" else log.report
    run(log.db, f"DELETE FROM {table} WHERE id = :id", id=person.owner_id)
    assert log.faces() == [person.face_id]


@pytest.mark.parametrize("table", ["case_file", "report"])
def test_a_profile_that_changes_hands_is_logged_on_both_sides(log: Log, table: str) -> None:
    person, other = (log.case, log.report) if table == "case_file" else (log.report, log.case)
    run(
        log.db, f"UPDATE {table} SET profile_id = :profile WHERE id = :id",
        profile=other.profile_id, id=person.owner_id,
    )  # fmt: skip
    assert set(log.faces()) == {person.face_id, other.face_id}


UNTOUCHED: dict[str, Callable[[Log], object]] = {
    "quality": lambda log: run(log.db, "UPDATE face SET quality_overall = 5 WHERE id = :id", id=log.case.face_id),
    "choice again": lambda log: run(log.db, "UPDATE face SET chosen = TRUE WHERE id = :id", id=log.case.face_id),
    "size": lambda log: run(log.db, "UPDATE photo SET width = width + 1 WHERE id = :id", id=log.case.photo_id),
    "same state": lambda log: run(
        log.db, "UPDATE case_file SET state = state, updated_at = :at WHERE id = :id", id=log.case.owner_id, at=AT
    ),
    "key wrapped anew": lambda log: run(
        log.db, "UPDATE subject SET wrapped_key = :key WHERE id = :id", id=log.case.subject_id, key=b"anew"
    ),
}


@pytest.mark.parametrize("change", list(UNTOUCHED))
def test_what_changes_nothing_for_the_search_is_not_logged(log: Log, change: str) -> None:
    assert UNTOUCHED[change](log) == 1
    assert log.faces() == []


def test_truncate_is_logged(log: Log) -> None:
    if not log.postgresql:
        pytest.skip("SQLite has no TRUNCATE")
    run(log.db, "TRUNCATE face")
    assert set(log.faces()) == {log.case.face_id, log.report.face_id}


def test_what_replace_pushes_out_is_logged(log: Log) -> None:
    if log.postgresql:
        pytest.skip("PostgreSQL has no REPLACE")
    with read_only(log.db) as session:
        names = ", ".join(column.name for column in Face.__table__.columns)
        values = ", ".join(":new" if column.name == "id" else column.name for column in Face.__table__.columns)
        assert session.get(Face, log.case.face_id) is not None
    new = uuid.uuid4()
    run(
        log.db, f"INSERT OR REPLACE INTO face ({names}) SELECT {values} FROM face WHERE id = :face",
        new=new, face=log.case.face_id,
    )  # fmt: skip
    assert set(log.faces()) == {log.case.face_id, new}


def test_replacing_a_photograph_over_itself_is_logged(log: Log) -> None:
    if log.postgresql:
        pytest.skip("PostgreSQL has no REPLACE")
    run(log.db, "INSERT OR REPLACE INTO photo SELECT * FROM photo WHERE id = :id", id=log.case.photo_id)
    assert set(log.faces()) == {log.case.face_id}
