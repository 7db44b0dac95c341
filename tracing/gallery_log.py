"""Following the change log (底库变更日志) without skipping anything, whatever order transactions commit in.

PostgreSQL hands out `seq` before the commit, so "everything after number n" would skip a transaction that took a low
number and committed late. What two snapshots tell is exact: a row that the later one sees and the earlier one did not
was written by a transaction that began after the earlier snapshot (xid >= its xmax) or was running then (xid in its
xip). Each reading asks for just these rows, in the statement that also tells its own snapshot. A transaction that
stays open for hours delays nothing and costs nothing.

SQLite has one writer at a time: there the number is `seq`, and a snapshot is "all below max(seq) + 1".
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Integer,
    String,
    TextClause,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from matcher.index.base import Watermark
from models.base import UTCDateTime
from models.face_change import FaceChange

TRIM = "#trim"
"""Model version of the row that a trimming leaves: its `face_id` is the mark, as a number."""

MARK, XMAX, RUNNING, ANCHOR_SEQ, ANCHOR = "mark", "xmax", "running_", "anchor_seq", "anchor"
ANCHOR_BYTES = 7
"""Of a SHA-256; three bits fewer make a whole number below 2**53, which every reader of JSON keeps exactly."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Which changes a snapshot shows: numbers below `xmax` that are not in `running`; all below `xmin` for certain."""

    xmin: int
    xmax: int
    running: frozenset[int] = field(default_factory=frozenset)

    def __contains__(self, number: int) -> bool:
        """Whether the snapshot shows what the transaction of this number wrote."""
        return number < self.xmax and number not in self.running

    def newer(self, other: "Seen") -> bool:
        """Whether this snapshot is the later one. Snapshots of one database are ordered: the later one sees more."""
        return (self.xmax, -len(self.running)) > (other.xmax, -len(other.running))


NOTHING_SEEN = Seen(0, 0)


@dataclass(frozen=True, slots=True)
class Change:
    """A face to be looked at again, and the number of the transaction (PostgreSQL) or row (SQLite) that says so."""

    number: int
    face_id: uuid.UUID


class LogTrimmed(Exception):
    """The log no longer reaches back to where this replica stands: load it anew."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one statement found: its own snapshot, the changes that it shows beyond the snapshot before, and the mark
    below which the log was trimmed in between (0: it was not).
    """

    seen: Seen
    changes: tuple[Change, ...]
    trimmed: int = 0

    def check(self, since: Seen) -> None:
        """Raise LogTrimmed when something was trimmed that a replica which has seen `since` had not applied."""
        if self.trimmed > since.xmin:
            raise LogTrimmed


def _statement(sql: str, *, xip: bool = False) -> TextClause:
    bound: list[BindParameter[Any]] = [
        bindparam("xmax", type_=BigInteger),
        bindparam("version", type_=String),
        bindparam("trim", TRIM, type_=String),
        *([bindparam("running", type_=ARRAY(BigInteger))] if xip else []),
    ]
    return text(sql).bindparams(*bound)


_POSTGRESQL = """
    SELECT now.shown, log.xid AS number, log.face_id, log.model_version
    FROM (SELECT pg_current_snapshot()::text AS shown) AS now
    LEFT JOIN face_change AS log ON log.model_version IN (:version, :trim) AND ({new})"""
_POSTGRESQL_COLUMNS = {"shown": String, "number": BigInteger, "face_id": Uuid, "model_version": String}
_READ = _statement(_POSTGRESQL.format(new="log.xid >= :xmax")).columns(**_POSTGRESQL_COLUMNS)
_READ_RUNNING = _statement(_POSTGRESQL.format(new="log.xid >= :xmax OR log.xid = ANY(:running)"), xip=True).columns(
    **_POSTGRESQL_COLUMNS
)
_READ_SQLITE = _statement(
    """
    SELECT now.shown, log.seq AS number, log.face_id, log.model_version
    FROM (SELECT coalesce(max(seq), 0) + 1 AS shown FROM face_change) AS now
    LEFT JOIN face_change AS log ON log.seq >= :xmax AND log.model_version IN (:version, :trim)"""
).columns(shown=Integer, number=Integer, face_id=Uuid, model_version=String)
_ANCHOR = (
    text(
        """
    SELECT seq, face_id, at, xmin::text::bigint AS tuple FROM face_change WHERE xid < :mark
    ORDER BY xid DESC, seq DESC LIMIT 1"""
    )
    .bindparams(bindparam("mark", type_=BigInteger))
    .columns(seq=BigInteger, face_id=Uuid, at=UTCDateTime, tuple=BigInteger)
)
_ANCHOR_SQLITE = (
    text("SELECT seq, face_id, at, 0 AS tuple FROM face_change WHERE seq < :mark ORDER BY seq DESC LIMIT 1")
    .bindparams(bindparam("mark", type_=Integer))
    .columns(seq=Integer, face_id=Uuid, at=UTCDateTime, tuple=Integer)
)


def read(session: Session, model_version: str, since: Seen) -> Reading:
    """The changes of a model version that the session shows and `since` did not. One statement.

    The session must have changed nothing itself: what it may yet roll back would be taken for committed.
    """
    values: dict[str, object] = {"version": model_version, "xmax": since.xmax}
    if not _postgresql(session):
        rows = session.execute(_READ_SQLITE, values).all()
        seen = Seen(rows[0].shown, rows[0].shown)
    else:
        if since.running:
            rows = session.execute(_READ_RUNNING, values | {"running": sorted(since.running)}).all()
        else:
            rows = session.execute(_READ, values).all()
        seen = _parsed(rows[0].shown)
    logged = [row for row in rows if row.number is not None]
    return Reading(
        seen,
        tuple(Change(row.number, row.face_id) for row in logged if row.model_version != TRIM),
        max((row.face_id.int for row in logged if row.model_version == TRIM), default=0),
    )


def head(session: Session) -> Seen:
    """The session's snapshot alone: where a replica begins that is about to be built from the database."""
    return read(session, "", Seen(2**62, 2**62)).seen


def seen_by(watermark: Watermark) -> Seen:
    """What an index with this watermark has applied. Raises KeyError when it is not one of ours."""
    return seen_from(watermark.positions)


def seen_from(positions: Mapping[str, int]) -> Seen:
    """What `positions_of` was given. Raises KeyError."""
    mark = positions[MARK]
    running = frozenset(number for name, number in positions.items() if name.startswith(RUNNING))
    return Seen(mark, positions.get(XMAX, mark), running)


def positions_of(seen: Seen) -> dict[str, int]:
    """The snapshot as named whole numbers, as watermarks and rows of replicas keep it."""
    running = {f"{RUNNING}{place}": number for place, number in enumerate(sorted(seen.running))}
    return {MARK: seen.xmin, XMAX: seen.xmax, **running}


def watermark_of(session: Session, seen: Seen) -> Watermark | None:
    """The position as a snapshot file keeps it: with the last change below it, by which the log is known again.

    None when there is none below it: a database that was just restored, until something changes.
    """
    anchor = _anchor(session, seen.xmin)
    return None if anchor is None else Watermark({**positions_of(seen), ANCHOR_SEQ: anchor[0], ANCHOR: anchor[1]})


def follows(session: Session, model_version: str, watermark: Watermark) -> bool:
    """Whether this database's log leads on from the watermark, with nothing missing in between.

    It does not when it was trimmed beyond, or is another database's, or a restored one's that has gone another way.
    """
    mark = watermark.positions.get(MARK)
    if mark is None or mark > head(session).xmin:
        return False
    since = seen_by(watermark)
    try:
        read(session, model_version, since).check(since)
    except LogTrimmed:
        return False
    recorded = (watermark.positions.get(ANCHOR_SEQ), watermark.positions.get(ANCHOR))
    return _anchor(session, mark) == recorded


def break_off(session: Session, now: datetime) -> None:
    """Have every replica of every process, and every snapshot, thrown away and made anew from the database.

    The row is that of a trimming up to here: whoever has not seen it stands below it.
    """
    number = own_number(session) if _postgresql(session) else own_number(session) + 1
    session.execute(
        insert(FaceChange).values(xid=_own_xid(session), face_id=uuid.UUID(int=number + 1), model_version=TRIM, at=now)
    )


def look_again(session: Session, model_version: str, face_ids: Iterable[uuid.UUID], now: datetime) -> None:
    """Log these faces as if each had changed: every index compares them with the database once more."""
    rows = [{"xid": _own_xid(session), "face_id": one, "model_version": model_version, "at": now} for one in face_ids]
    if rows:
        session.execute(insert(FaceChange), rows)


def trim(session: Session, mark: int, now: datetime) -> int:
    """Delete changes numbered below `mark`, but the last of them: it is the anchor of whoever stands there. How many.

    `mark` is the lowest of every live replica and kept snapshot. Whoever stands lower, for example a process that was
    stopped for hours, finds the row that is left here (it is committed with the deletion) and loads anew.
    """
    anchor = _anchor(session, mark)
    if anchor is None:
        return 0
    number = _number(session)
    found = session.execute(
        delete(FaceChange).where(number < mark, FaceChange.seq != anchor[0]).returning(FaceChange.seq),
        execution_options={"synchronize_session": False},
    )
    deleted = len(found.all())
    if deleted:
        session.execute(
            insert(FaceChange).values(xid=_own_xid(session), face_id=uuid.UUID(int=mark), model_version=TRIM, at=now)
        )
    return deleted


def waiting(session: Session, model_version: str, mark: int) -> int:
    """How many changes of a model version are logged from `mark` on."""
    number = _number(session)
    query = select(func.count()).select_from(FaceChange)
    return session.scalar(query.where(number >= mark, FaceChange.model_version == model_version)) or 0


def own_number(session: Session) -> int:
    """The number of what this session has changed so far: once committed, whoever's mark is above it has applied it."""
    return _own_xid(session) if _postgresql(session) else session.scalar(select(func.max(FaceChange.seq))) or 0


def _own_xid(session: Session) -> int:
    if not _postgresql(session):
        return 0
    return int(session.scalars(text("SELECT pg_current_xact_id()::text::bigint")).one())


def _number(session: Session) -> InstrumentedAttribute[int]:
    return FaceChange.xid if _postgresql(session) else FaceChange.seq


def _anchor(session: Session, mark: int) -> tuple[int, int] | None:
    """Seq and fingerprint of the last change below `mark`. All of them are committed, so it stays the same one.

    The tuple's own xmin is in the fingerprint because a dump that is restored elsewhere keeps every column but that.
    """
    row = session.execute(_ANCHOR if _postgresql(session) else _ANCHOR_SQLITE, {"mark": mark}).one_or_none()
    if row is None:
        return None
    text_of = f"{row.seq} {row.face_id} {row.at.isoformat()} {row.tuple}"
    return row.seq, int.from_bytes(hashlib.sha256(text_of.encode()).digest()[:ANCHOR_BYTES], "big") >> 3


def _parsed(snapshot: str) -> Seen:
    """PostgreSQL's text form of a snapshot, `xmin:xmax:xip,xip…`."""
    xmin, xmax, running = snapshot.split(":")
    return Seen(int(xmin), int(xmax), frozenset(int(xid) for xid in running.split(",") if xid))


def _postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
