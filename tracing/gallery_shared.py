"""The index that all processes share (共用索引) for one model version, as one process sees it.

How far it has followed the log is a row of the database (`SharedIndex`), so that looking costs one statement and no
read of Milvus, which takes 0.2 s on an old server. Who feeds: whoever needs it first, under the lease. The order is
faces, then the stamp in Milvus, then the row; a feeder that dies leaves the row where it was, and the next one repeats
its work, harmlessly. The stamp (generation and turn) tells when what is in Milvus is not what was fed.
"""

import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Protocol

import structlog
from sqlalchemy import update
from sqlalchemy.orm import Session

from matcher.index.base import IndexLost, IndexUnreachable, VectorIndex, Watermark
from matcher.index.move import MoveProgress, MoveToken, move
from models.index_place import SharedIndex
from tracing.gallery_faces import FETCH, entries
from tracing.gallery_lease import NO_SYNC, Lease, LeaseGone
from tracing.gallery_log import MARK, LogTrimmed, Reading, Seen, head, look_again, positions_of, read, seen_from
from tracing.gallery_metrics import GalleryMetrics
from tracing.gallery_replica import Progress, no_progress
from tracing.gallery_source import StoredFaces
from tracing.platform.clock import Clock
from tracing.platform.crypto import Vault
from tracing.platform.db import Database, dialect_insert, read_only, unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.platform.settings import IndexSettings

log = structlog.stdlib.get_logger(__name__)

GENERATION, TURN = "generation", "turn"
GENERATION_BITS = 48
PAUSE_SECONDS = 0.05


class Opener(Protocol):
    """Opens the shared index of a model version and dimension, made when it is not there only if `make`."""

    def __call__(self, model_version: str, dimension: int, *, make: bool) -> VectorIndex:
        """Raises IndexUnreachable and IndexLost."""


class SharedReplica:
    """Safe to share between threads. Raises IndexUnreachable from every method that needs Milvus."""

    def __init__(
        self,
        model_version: str,
        dimension: int,
        vault: Vault,
        own: Database,
        opener: Opener,
        settings: IndexSettings,
        clock: Clock,
        metrics: GalleryMetrics,
    ) -> None:
        """Nothing is opened yet. `own`: connections that no caller of `caught_up` may hold."""
        self.model_version, self.dimension = model_version, dimension
        self._vault, self._own, self._opener = vault, own, opener
        self._settings, self._clock, self._metrics = settings, clock, metrics
        self._index: VectorIndex | None = None
        self._generation = 0
        self._opening, self._feeding = Lock(), Lock()
        self._filling: Thread | None = None

    def row(self) -> SharedIndex | None:
        """What the database says of it, read now; None when nothing was ever put there."""
        with read_only(self._own) as session:
            return session.get(SharedIndex, self.model_version)

    @property
    def loading(self) -> bool:
        """Whether this process is filling it."""
        return self._filling is not None and self._filling.is_alive()

    def caught_up(self, session: Session, *, may_feed: bool) -> VectorIndex:
        """The index, holding at least what the session shows. The session must have changed nothing itself.

        Waits for it, or for another process that feeds it, `wait_seconds`, then raises IndexWarming. `may_feed` False:
        the session holds SQLite's only write lock, so this process cannot take the lease now.
        """
        deadline = time.monotonic() + self._settings.wait_seconds
        while True:
            index = self._current(session)
            if index is not None:
                return index
            fed = may_feed and self.feed(session)
            if not fed:
                if time.monotonic() >= deadline:
                    raise IndexWarming(retry_after=self._settings.retry_seconds)
                time.sleep(PAUSE_SECONDS)

    def feed(self, waiting: Session | None = None) -> bool:
        """Follow the log to its end. False when another process holds the lease, or the index is not filled.

        With `waiting`, nothing is done when another thread has just fed what that session shows.
        """
        with self._feeding:
            if waiting is not None and self._current(waiting) is not None:
                return True
            started = time.perf_counter()
            lease = Lease.take(self._own, self.model_version, self._clock, self._settings.milvus_lease_seconds)
            if lease is None:
                return False
            try:
                with lease, read_only(self._own) as newest:
                    self._follow(lease, newest)
            except LeaseGone:
                log.warning("shared_index_lease_gone", model=self.model_version)
                return False
            except (IndexLost, LogTrimmed):
                self.give_up(self.row())
                return False
            self._metrics.feeding.observe(time.perf_counter() - started)
            return True

    @contextmanager
    def held(self) -> Iterator[tuple[Session, VectorIndex]]:
        """A session and the index, holding just what that session shows, while nobody feeds it. Raises IndexWarming
        when another process holds the lease, or it is not filled.
        """
        with self._feeding:
            lease = Lease.take(self._own, self.model_version, self._clock, self._settings.milvus_lease_seconds)
            if lease is None:
                raise IndexWarming(retry_after=self._settings.retry_seconds)
            with lease, read_only(self._own) as session:
                self._follow(lease, session, hold=True)
                yield session, self.opened()

    def drop(self, unless: Callable[[Session], bool], drop: Callable[[str], None]) -> bool:
        """Delete what Milvus keeps of it (`drop`, given the model version), and its row. False when another process
        holds the lease, or it is wanted after all (`unless`).
        """
        self.close()
        lease = Lease.take(self._own, self.model_version, self._clock, self._settings.milvus_lease_seconds)
        if lease is None:
            return False
        with lease:
            with read_only(self._own) as session:
                if unless(session):
                    return False
            # Searches stop before the faces go: an index that is half gone must not answer.
            lease.change(built_at=None, generation=0)
            drop(self.model_version)
            lease.drop()
        return True

    def fill(self, progress: Progress = no_progress) -> bool:
        """Fill it from the database, going on where a filling was cut short; again does nothing when it is filled.

        False when another process holds the lease. Changes made meanwhile are followed afterwards, like any. Raises
        TimeoutError when Milvus does not find what it should (`MilvusIndex.settle`).
        """
        self._ensure_row()
        lease = Lease.take(self._own, self.model_version, self._clock, self._settings.milvus_lease_seconds)
        if lease is None:
            return False
        with lease:
            row = self.row()
            if row is None or row.built_at is not None:
                return True
            if not row.generation:
                row.generation = self._begin(lease)
                row.copied_to = None
            self.close()
            index = self._opener(self.model_version, self.dimension, make=True)

            def note(done: MoveProgress) -> None:
                lease.check(self._settings.milvus_timeout_seconds)
                lease.change(copied_to=done.token.after)
                progress(done.done, done.total)

            try:
                source = StoredFaces(self.model_version, self.dimension, self._vault, lambda: read_only(self._own))
                move(source, index, MoveToken(_stamp(row.generation, 0), row.copied_to), note)
            finally:
                index.close()
            lease.end(built_at=self._clock(), copied_to=None)
        return True

    def warm(self) -> None:
        """Begin to fill it in a thread of its own, unless it is filled, or being filled here."""
        with self._opening:
            if self.loading:
                return
            self._filling = Thread(target=self._fill, name="index-fill", daemon=True)
            self._filling.start()

    def keep(self, session: Session, *, fill: bool) -> SharedIndex | None:
        """One round of the keeper: open it, see that it is the one that was fed, feed it; its row, None when it does
        not answer searches. `fill`: it is in force, so begin to fill it when it is not.
        """
        row = self.row()
        if row is None or row.built_at is None:
            if fill:
                self.warm()
            return None
        try:
            _checked(self.opened(row), row)
        except IndexLost:
            self.give_up(row)
            return None
        if self._current(session) is None or head(session).newer(seen_from(row.position)):
            self.feed()
        return self.row()

    def give_up(self, row: SharedIndex | None) -> None:
        """Have it filled anew: what is there is not what was fed, or the log does not reach back to it."""
        self.close()
        if row is None:
            return
        log.warning("shared_index_given_up", model=self.model_version)
        self._metrics.rebuilds.inc()
        with unit_of_work(self._own) as session:
            session.execute(
                update(SharedIndex)
                .where(SharedIndex.model_version == self.model_version, SharedIndex.generation == row.generation)
                .values(built_at=None, generation=0),
                execution_options=NO_SYNC,
            )

    def opened(self, row: SharedIndex | None = None) -> VectorIndex:
        """The index as it is, not caught up. Raises IndexLost when it is not the one that was fed."""
        row = row or self.row()
        if row is None or row.built_at is None:
            raise IndexWarming(retry_after=self._settings.retry_seconds)
        with self._opening:
            if self._index is not None and self._generation == row.generation:
                return self._index
            if self._index is not None:
                self._index.close()
                self._index = None
            index = self._opener(self.model_version, self.dimension, make=False)
            try:
                _checked(index, row)
            except BaseException:
                index.close()
                raise
            self._index, self._generation = index, row.generation
            return index

    def close(self) -> None:
        """Let go of the connection; it is opened again when needed. After a failure: what the library remembers of it,
        and which faces it hides because their removal failed, must not outlive it.
        """
        with self._opening:
            if self._index is not None:
                self._index.close()
                self._index = None

    def _current(self, session: Session) -> VectorIndex | None:
        """The index, if it holds what the session shows."""
        row = self.row()
        if row is None or row.built_at is None:
            self.warm()
            return None
        try:
            if self._new_to(row, session).changes:
                return None
            return self.opened(row)
        except (IndexLost, LogTrimmed):
            self.give_up(row)
            return None
        except IndexUnreachable:
            self.close()
            raise

    def _new_to(self, row: SharedIndex, session: Session) -> Reading:
        since = seen_from(row.position)
        reading = read(session, self.model_version, since)
        reading.check(since)
        return reading

    def _follow(self, lease: Lease, session: Session, *, hold: bool = False) -> None:
        """Apply what the session shows and the row does not, under the lease; `hold` keeps it afterwards."""
        row = self.row()
        if row is None or row.built_at is None:
            return
        reading = self._new_to(row, session)
        ids = list({change.face_id: None for change in reading.changes})
        turn = row.turn + bool(ids)
        try:
            if ids:
                self._apply(lease, session, ids)
                lease.check(self._settings.milvus_timeout_seconds)
                self.opened(row).mark(_stamp(row.generation, turn, reading.seen))
            advance = lease.change if hold else lease.end
            advance(position=positions_of(reading.seen), turn=turn)
        except LeaseGone:
            # Whoever feeds now may have been overtaken by what was written here last.
            self.close()
            with unit_of_work(self._own) as own:
                look_again(own, self.model_version, ids, self._clock())
            raise
        except IndexUnreachable:
            self.close()
            raise

    def _apply(self, lease: Lease, session: Session, ids: Sequence[uuid.UUID]) -> None:
        index = self.opened()
        for start in range(0, len(ids), FETCH):
            piece = ids[start : start + FETCH]
            found = entries(session, self._vault, self.model_version, piece)
            lease.check(self._settings.milvus_timeout_seconds)
            index.remove(_without(piece, (entry.face_id for entry in found)))
            lease.check(self._settings.milvus_timeout_seconds)
            index.add(found)

    def _ensure_row(self) -> None:
        with unit_of_work(self._own) as session:
            session.execute(
                dialect_insert(session)(SharedIndex)
                .values(
                    model_version=self.model_version, dimension=self.dimension, generation=0, turn=0,
                    position=positions_of(head(session)),
                )
                .on_conflict_do_nothing()
            )  # fmt: skip

    def _begin(self, lease: Lease) -> int:
        with read_only(self._own) as session:
            position = positions_of(head(session))
        generation = secrets.randbits(GENERATION_BITS) + 1
        lease.change(generation=generation, turn=0, position=position, copied_to=None)
        return generation

    def _fill(self) -> None:
        try:
            self.fill()
        except Exception as error:  # noqa: BLE001 - it is tried again at the next round
            log.warning("shared_index_not_filled", model=self.model_version, error=type(error).__name__)


def _without(ids: Iterable[uuid.UUID], found: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    return set(ids) - set(found)


def _stamp(generation: int, turn: int, seen: Seen | None = None) -> Watermark:
    positions = {GENERATION: generation, TURN: turn}
    return Watermark(positions if seen is None else positions | {MARK: seen.xmin})


def _checked(index: VectorIndex, row: SharedIndex) -> None:
    """Raise IndexLost when the index does not hold what the row says was put into it."""
    found = index.watermark.positions
    if found.get(GENERATION) != row.generation or found.get(TURN, -1) < row.turn:
        raise IndexLost("Milvus does not hold what was put into it")
