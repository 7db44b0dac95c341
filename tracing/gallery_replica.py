"""One process's replica of the gallery for one model version: built, caught up with the log, and made anew.

What is searched and how far it has followed the log belong together (`_Held`): a replica that is made anew brings its
own position, and whoever catches up searches the very index that was caught up.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Condition, Lock, Thread

import structlog
from sqlalchemy.orm import Session

from matcher.index.base import Watermark
from matcher.index.choice import LocalIndex
from tracing.gallery_faces import FETCH, count_faces, entries, next_faces
from tracing.gallery_log import MARK, NOTHING_SEEN, Change, LogTrimmed, Seen, head, read, seen_by
from tracing.platform.crypto import Vault
from tracing.platform.errors import IndexWarming

log = structlog.stdlib.get_logger(__name__)

Reader = Callable[[], AbstractContextManager[Session]]
"""Opens a read-only session with a snapshot of its own."""

Maker = Callable[[int], LocalIndex]
"""Makes an empty index, given how many faces it is to hold."""

Progress = Callable[[int, int], None]
"""Told (faces done, faces in all) now and then."""


def no_progress(done: int, total: int) -> None:
    """For whoever does not watch."""


@dataclass
class _Held:
    """An index and what it has applied. `lock` is held while changes are applied, never while searching."""

    index: LocalIndex
    seen: Seen
    lock: Lock = field(default_factory=Lock)


@dataclass(frozen=True)
class ReplicaState:
    """A replica as an operator sees it; `done` of `total` faces while it is built."""

    model_version: str
    seen: Seen
    faces: int
    done: int
    total: int

    @property
    def mark(self) -> int | None:
        """The number below which every change is applied; None until it is ready."""
        return None if self.seen == NOTHING_SEEN else self.seen.xmin


class Replica:
    """Safe to share between threads. Nothing is loaded before it is asked for."""

    def __init__(self, model_version: str, dimension: int, vault: Vault, reader: Reader, make: Maker) -> None:
        """`make` gives the empty index; `reader` opens sessions on connections that no caller of `caught_up` may hold:
        it is used while others wait.
        """
        self.model_version, self.dimension = model_version, dimension
        self._vault, self._reader, self._make = vault, reader, make
        self._held: _Held | None = None
        self._loading = False
        self._progress = (0, 0)
        self._condition = Condition()

    @property
    def state(self) -> ReplicaState:
        """How it stands, without touching the database."""
        held = self._held
        done, total = self._progress
        if held is None:
            return ReplicaState(self.model_version, NOTHING_SEEN, 0, done, total)
        return ReplicaState(self.model_version, held.seen, len(held.index), done, total)

    @property
    def loading(self) -> bool:
        """Whether an index is being loaded or made."""
        return self._loading

    @property
    def progress(self) -> tuple[int, int]:
        """Faces done and faces in all, of the rebuilding under way or the last one."""
        return self._progress

    @property
    def index(self) -> LocalIndex | None:
        """The index as it is, not caught up; None when it is not loaded."""
        held = self._held
        return None if held is None else held.index

    def warm(self, load: Callable[[], LocalIndex | None]) -> None:
        """Begin to load in a thread of its own, unless it is ready or loading. `load` gives an index or None."""
        with self._condition:
            if self._held is not None or self._loading:
                return
            self._loading = True
        Thread(target=self._load, args=(load,), name="index-load", daemon=True).start()

    def wait(self, seconds: float, retry_after: int) -> None:
        """Until it is ready. Raises IndexWarming after so many seconds, or when the loading failed."""
        with self._condition:
            self._condition.wait_for(lambda: self._held is not None or not self._loading, seconds)
            if self._held is None:
                raise IndexWarming(retry_after=retry_after)

    def caught_up(self, session: Session, retry_after: int) -> LocalIndex:
        """The index, holding at least what the session shows. The session must have changed nothing itself.

        With nothing new this is one statement and no lock. Raises IndexWarming when it is not loaded.
        """
        held = self._held
        if held is None:
            raise IndexWarming(retry_after=retry_after)
        try:
            self._follow(held, session)
        except LogTrimmed:
            log.warning("index_left_behind", model=self.model_version)
            with self._condition:
                if self._held is held:
                    self._held = None
            raise IndexWarming(retry_after=retry_after) from None
        return held.index

    def exactly(self, session: Session) -> LocalIndex:
        """The index, holding just what the session shows: to be compared with it, while nobody else uses the replica.

        Raises RuntimeError when the replica has seen more than the session, LogTrimmed and IndexWarming as they say.
        """
        held = self._held
        if held is None:
            raise IndexWarming(retry_after=1)
        with held.lock:
            reading = read(session, self.model_version, held.seen)
            reading.check(held.seen)
            if held.seen.newer(reading.seen):
                raise RuntimeError("the replica has seen more than this session")
            self._apply(held.index, session, reading.changes)
            self._advance(held, reading.seen)
        return held.index

    def rebuild(self, progress: Progress = no_progress) -> int:
        """Make the index anew from the database and put it in place; how many faces. Searches go on in the old one."""
        with self._reader() as session:
            seen = head(session)
            total = count_faces(session, self.model_version)
        index, after, done = self._make(total), None, 0
        while True:
            # Short sessions: what changes behind the cursor is in the log from `seen` on.
            with self._reader() as session:
                ids = next_faces(session, self.model_version, after, FETCH)
                index.add(entries(session, self._vault, self.model_version, ids))
            if not ids:
                break
            after, done = ids[-1], done + len(ids)
            self._progress = (done, max(done, total))
            progress(*self._progress)
        index.mark(_mark(seen))
        self._put(_Held(index, seen))
        return len(index)

    def exchange(self, remake: Callable[[LocalIndex], LocalIndex]) -> None:
        """Put an index made from the present one in its place, for example without its tombstones, in a thread of its
        own; nothing when that is under way. Searches and changes go on meanwhile; they are followed once more.
        """
        with self._condition:
            if self._held is None or self._loading:
                return
            self._loading = True
            held = self._held
        Thread(target=self._exchange, args=(held, remake), name="index-exchange", daemon=True).start()

    def write(self, write: Callable[[LocalIndex], None], position: Callable[[Seen], Watermark | None]) -> int | None:
        """Have the index written under its position; the mark, or None when there is nothing to write it under.

        Changes wait while it is written, searches do not.
        """
        held = self._held
        if held is None:
            return None
        with held.lock:
            watermark = position(held.seen)
            if watermark is None:
                return None
            held.index.mark(watermark)
            write(held.index)
            return watermark.positions[MARK]

    def _load(self, load: Callable[[], LocalIndex | None]) -> None:
        try:
            index = load()
            if index is None:
                self.rebuild()
            else:
                self._put(_Held(index, seen_by(index.watermark)))
        except Exception:
            log.exception("index_not_loaded", model=self.model_version)
        finally:
            with self._condition:
                self._loading = False
                self._condition.notify_all()

    def _exchange(self, held: _Held, remake: Callable[[LocalIndex], LocalIndex]) -> None:
        try:
            with held.lock:
                seen = held.seen
            index = remake(held.index)
            index.mark(_mark(seen))
            self._put(_Held(index, seen))
        except Exception:
            log.exception("index_not_exchanged", model=self.model_version)
        finally:
            with self._condition:
                self._loading = False
                self._condition.notify_all()

    def _put(self, held: _Held) -> None:
        with self._condition:
            self._held = held
            self._condition.notify_all()

    def _follow(self, held: _Held, session: Session) -> None:
        since = held.seen
        reading = read(session, self.model_version, since)
        reading.check(since)
        if not reading.changes:
            # Not worth waiting for: whoever holds the lock moves on by itself.
            if reading.seen.newer(held.seen) and held.lock.acquire(blocking=False):
                try:
                    self._advance(held, reading.seen)
                finally:
                    held.lock.release()
            return
        with held.lock:
            # Another thread may have applied them meanwhile.
            if all(change.number in held.seen for change in reading.changes):
                self._advance(held, reading.seen)
                return
            # A session as new as can be, so that the threads that wait here find their changes applied as well. Every
            # application sees more than the one before: none undoes what a newer snapshot showed.
            with self._reader() as newest:
                since = held.seen
                latest = read(newest, self.model_version, since)
                latest.check(since)
                self._apply(held.index, newest, latest.changes)
            self._advance(held, latest.seen)

    def _apply(self, index: LocalIndex, session: Session, changes: Sequence[Change]) -> None:
        ids = list({change.face_id: None for change in changes})
        for start in range(0, len(ids), FETCH):
            piece = ids[start : start + FETCH]
            found = entries(session, self._vault, self.model_version, piece)
            index.remove(set(piece) - {entry.face_id for entry in found})
            index.add(found)

    def _advance(self, held: _Held, seen: Seen) -> None:
        if seen.newer(held.seen):
            held.seen = seen
            held.index.mark(_mark(seen))


def _mark(seen: Seen) -> Watermark:
    return Watermark({MARK: seen.xmin})
