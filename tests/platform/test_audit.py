"""The audit chain: whole under concurrent writers, and any tampering found."""

from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from models.audit import AuditEvent, AuditHead
from models.job import JobState
from tests.platform.conftest import NOW
from tracing.platform import audit
from tracing.platform.audit import AuditHeadMissing
from tracing.platform.db import Database, read_only, unit_of_work


def note(session: Session, number: int) -> None:
    """Record one event."""
    audit.record(
        session,
        actor_id=None,
        organisation_id=uuid4(),
        action="case.view",
        object_kind="case",
        object_id=uuid4(),
        at=NOW + timedelta(seconds=number),
        number=number,
        score=0.1 + number / 3,
        states=[JobState.DONE, None, True],
    )


def written(db: Database, number: int) -> None:
    """Write that many events, three a unit of work."""
    for start in range(0, number, 3):
        with unit_of_work(db) as session:
            for event in range(start, min(start + 3, number)):
                note(session, event)


def verification(db: Database) -> audit.AuditVerification:
    """Verify in a snapshot, as operators do."""
    with read_only(db) as session:
        return audit.verify(session)


def test_chain_is_whole_and_survives_the_round_trip(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "CHUNK", 4)
    assert verification(db) == audit.AuditVerification(0, True, 0, audit.GENESIS_HASH)  # noqa: FBT003
    written(db, 13)
    found = verification(db)
    assert (found.ok, found.events, found.head_seq, found.reason) == (True, 13, 13, None)
    with read_only(db) as session:
        event = session.get_one(AuditEvent, 2)
    assert event.detail == {"number": 1, "score": 0.1 + 1 / 3, "states": ["done", None, True]}
    assert event.at == NOW + timedelta(seconds=1)


def test_hash_is_the_documented_one() -> None:
    event = {
        "seq": 1,
        "at": datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=8))),
        "actor_id": None,
        "organisation_id": None,
        "action": "case.view",
        "object_kind": "case",
        "object_id": "42",
        "detail": {"b": 1, "a": [True]},
        "previous_hash": audit.GENESIS_HASH,
    }
    # printf '%064d\n{"action":…}' 0 | sha256sum, over the canonical JSON written out by hand.
    assert audit.chain_hash(event) == "6795b83ef73931c9d5b0671c6aec4eb60d6ebe1bdd1538b8f020f7c04b7dbf26"
    assert audit.chain_hash(event | {"at": datetime(2026, 3, 1, 4, tzinfo=UTC)}) == audit.chain_hash(event)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", NOW),
        ("organisation_id", None),
        ("action", "case.edit"),
        ("object_kind", "report"),
        ("object_id", None),
        ("detail", {}),
        ("previous_hash", "f" * 64),
        ("hash", "f" * 64),
    ],
)
@pytest.mark.parametrize("seq", [1, 3, 7])
def test_an_altered_event_is_found(seq: int, column: str, value: object, sqlite_db: Database) -> None:
    written(sqlite_db, 7)
    with unit_of_work(sqlite_db) as session:
        session.execute(update(AuditEvent).where(AuditEvent.seq == seq).values({column: value}))
    if (column, seq) == ("at", 1):
        assert verification(sqlite_db).ok  # it already had this value
        return
    found = verification(sqlite_db)
    assert (found.ok, found.bad_seq) == (False, seq)


@pytest.mark.parametrize("seq", [1, 4, 7])
def test_a_deleted_event_is_found(seq: int, db: Database) -> None:
    written(db, 7)
    with unit_of_work(db) as session:
        session.execute(delete(AuditEvent).where(AuditEvent.seq == seq))
    found = verification(db)
    assert (found.ok, found.bad_seq, found.reason) == (False, seq, "missing")


def test_deleted_and_closed_up_is_found(sqlite_db: Database) -> None:
    written(sqlite_db, 7)
    with unit_of_work(sqlite_db) as session:
        session.execute(delete(AuditEvent).where(AuditEvent.seq == 4))
        for seq in (5, 6, 7):
            session.execute(update(AuditEvent).where(AuditEvent.seq == seq).values(seq=seq - 1))
        session.execute(update(AuditHead).values(seq=6))
    found = verification(sqlite_db)
    assert (found.ok, found.bad_seq) == (False, 4)


def test_reordered_events_are_found(sqlite_db: Database) -> None:
    written(sqlite_db, 5)
    with unit_of_work(sqlite_db) as session:
        for old, new in ((2, 100), (3, 2), (100, 3)):
            session.execute(update(AuditEvent).where(AuditEvent.seq == old).values(seq=new))
    found = verification(sqlite_db)
    assert (found.ok, found.bad_seq) == (False, 2)


def test_a_tail_cut_off_is_found_even_when_the_head_goes_back(sqlite_db: Database) -> None:
    written(sqlite_db, 5)
    with unit_of_work(sqlite_db) as session:
        session.execute(delete(AuditEvent).where(AuditEvent.seq > 3))
    assert verification(sqlite_db).bad_seq == 4
    with unit_of_work(sqlite_db) as session:
        session.execute(update(AuditHead).values(seq=3))
    found = verification(sqlite_db)
    assert (found.bad_seq, found.reason) == (3, "not the event that the head names")


@pytest.mark.parametrize(("seq", "bad"), [(0, 1), (-1, 1), (6, 6)])
def test_an_event_slipped_in_outside_the_chain_is_found(seq: int, bad: int, sqlite_db: Database) -> None:
    written(sqlite_db, 5)
    with unit_of_work(sqlite_db) as session:
        copy = session.execute(select(*AuditEvent.__table__.columns).where(AuditEvent.seq == 5)).mappings().one()
        session.execute(AuditEvent.__table__.insert().values({**copy, "seq": seq, "hash": "e" * 64}))  # type: ignore[attr-defined]
    found = verification(sqlite_db)
    assert (found.ok, found.bad_seq) == (False, bad)


def test_concurrent_writers_keep_the_chain_whole(db: Database) -> None:
    together = Barrier(4)
    failures: list[BaseException] = []

    def write() -> None:
        together.wait()
        try:
            written(db, 24)
        except BaseException as failure:  # noqa: BLE001 - shown by the main thread
            failures.append(failure)

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = verification(db)
    assert (found.ok, found.events) == (True, 96)


def test_without_a_head_nothing_is_written(db: Database) -> None:
    with unit_of_work(db) as session:
        session.execute(text("DELETE FROM audit_head"))
    with pytest.raises(AuditHeadMissing), unit_of_work(db) as session:
        note(session, 1)
    with pytest.raises(AuditHeadMissing):
        verification(db)


@pytest.mark.parametrize("value", ["王小明", "two words", "a@b.example", "x" * 129, {"of": "free text"}, ["马 路"]])
def test_free_text_is_refused_without_being_repeated(value: object, sqlite_db: Database) -> None:
    with unit_of_work(sqlite_db) as session:
        with pytest.raises(ValueError, match="free text") as refusal:
            audit.record(
                session, actor_id=None, organisation_id=None, action="a", object_kind="case", at=NOW, reason=value
            )
        assert "王" not in str(refusal.value)
        assert audit.pending(session) == 0


def test_naive_time_is_refused(sqlite_db: Database) -> None:
    with unit_of_work(sqlite_db) as session, pytest.raises(ValueError, match="naive"):
        audit.record(
            session,
            actor_id=None,
            organisation_id=None,
            action="a",
            object_kind="case",
            at=datetime(2026, 3, 1),  # noqa: DTZ001 - that is the point
        )
