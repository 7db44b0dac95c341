"""The unit of work: all or nothing, writers in turn, readers that hold nobody up."""

import sqlite3
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from models.audit import AuditHead
from models.job import Job
from tests.platform.conftest import NOW, settings_for
from tracing.platform import audit, jobs
from tracing.platform.db import Database, create_database, read_only, unit_of_work
from tracing.platform.settings import Settings, SettingsError


def test_an_exception_rolls_back_with_its_audit_events(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), unit_of_work(db) as session:  # noqa: PT012 - the block is what is tested
        jobs.enqueue(session, kind="k", key="a", payload={}, now=NOW)
        audit.record(session, actor_id=None, organisation_id=None, action="view", object_kind="case", at=NOW)
        raise ZeroDivisionError
    with unit_of_work(db) as session:
        assert session.scalars(select(Job)).all() == []
        assert audit.verify(session).events == 0


def test_only_the_unit_of_work_commits(sqlite_db: Database) -> None:
    with pytest.raises(Exception, match="closed transaction"), unit_of_work(sqlite_db) as session:  # noqa: PT012
        session.commit()
        session.execute(text("SELECT 1"))


def test_concurrent_read_then_write_loses_no_update(db: Database) -> None:
    together = Barrier(4)

    def add() -> None:
        together.wait()
        for _ in range(10):
            with unit_of_work(db) as session:
                seq = session.execute(select(AuditHead.seq).with_for_update()).scalar_one()
                session.execute(update(AuditHead).values(seq=seq + 1))

    threads = [Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with unit_of_work(db) as session:
        assert session.execute(select(AuditHead.seq)).scalar_one() == 40


def test_a_reader_sees_one_snapshot_and_holds_up_no_writer(db: Database) -> None:
    with read_only(db) as reader:
        assert reader.scalars(select(Job)).all() == []
        with unit_of_work(db) as writer:
            jobs.enqueue(writer, kind="k", key="a", payload={}, now=NOW)
        assert reader.scalars(select(Job)).all() == []
    with read_only(db) as reader:
        assert len(reader.scalars(select(Job)).all()) == 1


def test_a_view_that_must_be_audited_cannot_be_read_only(sqlite_db: Database) -> None:
    with pytest.raises(RuntimeError, match="read-only"), read_only(sqlite_db) as session:
        audit.record(session, actor_id=None, organisation_id=None, action="view", object_kind="case", at=NOW)


def test_error_texts_hide_statement_parameters(db: Database) -> None:
    with pytest.raises(IntegrityError) as failure, unit_of_work(db) as session:
        session.execute(
            text("INSERT INTO audit_head (id, seq, hash) VALUES (:id, 0, :hash)"), {"id": 2, "hash": "hunter2"}
        )
    assert "hunter2" not in str(failure.value).split("DETAIL")[0]


def test_sqlite_is_set_to_survive_a_power_cut(sqlite_db: Database) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 30000}
    with sqlite_db.engine.connect() as connection:
        assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected} == expected


def test_sqlite_writer_takes_the_lock_at_its_first_statement(sqlite_db: Database) -> None:
    other = sqlite3.connect(str(sqlite_db.url.database), timeout=0, isolation_level=None)
    with unit_of_work(sqlite_db) as session:
        session.execute(select(Job))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.close()


@pytest.mark.postgres
def test_postgresql_has_its_timeouts(postgres_url: str, tmp_path: Path) -> None:
    db = create_database(settings_for(postgres_url.replace("+psycopg", ""), tmp_path))
    with db.engine.connect() as connection:
        shown = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("statement_timeout", "lock_timeout")]
    assert shown == ["30s", "20s"]
    assert db.engine.driver == "psycopg"
    db.dispose()


def test_other_databases_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="GUITU_DATABASE__URL"):
        create_database(settings_for("mysql://root:hunter2@localhost/guitu", tmp_path))


def test_creating_does_not_connect_and_shows_no_password(tmp_path: Path) -> None:
    settings: Settings = settings_for("postgresql+psycopg://guitu:hunter2@192.0.2.1/guitu", tmp_path)
    assert "hunter2" not in repr(create_database(settings))
