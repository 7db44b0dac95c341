"""The gallery (底库): every searchable face, caught up with the database before searches, wherever the index is kept:
in this process's own replicas, or in one index that all processes share (`tracing.gallery_place`).
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Lock

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from matcher.index import exact
from matcher.index.base import Hit, IndexUnreachable, VectorIndex, Watermark
from matcher.index.choice import LocalIndex, empty_index
from matcher.index.milvus_plan import PLANS
from matcher.vocabulary import GalleryKind
from models.index_place import SharedIndex
from tracing.gallery_faces import (
    dimension_of,
    embedding_purpose,
    gallery_size,
    searchable_case,
    searchable_faces,
    searchable_report,
    unpack,
)
from tracing.gallery_log import Seen, follows, watermark_of
from tracing.gallery_metrics import GalleryMetrics
from tracing.gallery_milvus import open_milvus
from tracing.gallery_place import in_milvus
from tracing.gallery_replica import Replica
from tracing.gallery_shared import SharedReplica
from tracing.gallery_store import SnapshotStore
from tracing.platform.clock import Clock, utc_now
from tracing.platform.crypto import Vault
from tracing.platform.db import READ_ONLY, Database, read_only
from tracing.platform.errors import IndexUnanswered, IndexWarming
from tracing.platform.settings import IndexSettings

log = structlog.stdlib.get_logger(__name__)

__all__ = ["Gallery", "embedding_purpose", "gallery_size", "searchable_case", "searchable_report", "unpack"]

REMEMBERED = 16
"""Queries kept in memory, by which the recall of an approximate index is looked at."""


class Gallery:
    """One index a model version, loaded at its first search. Safe to share between threads."""

    def __init__(
        self,
        vault: Vault,
        db: Database,
        own: Database,
        store: SnapshotStore,
        settings: IndexSettings,
        clock: Clock = utc_now,
    ) -> None:
        """Start empty; nothing is read yet. `own` has a few connections to the same database for this gallery alone:
        whoever applies changes must not wait for one that is held by those who wait for the changes.
        """
        self.store, self.metrics = store, GalleryMetrics()
        self._vault, self._db, self._own, self._settings = vault, db, own, settings
        self._lock = Lock()
        self._clock = clock
        self._replicas: dict[str, Replica] = {}
        self._shared: dict[str, SharedReplica] = {}
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=REMEMBERED)

    def index(self, session: Session, model_version: str, dimension: int) -> VectorIndex:
        """The index of a model version, holding at least what the session shows, and nothing that it shows as gone.

        Waits for `wait_seconds` when it is not loaded, then raises IndexWarming. The shared one needs a read-only
        session on SQLite, to feed it, and raises IndexUnreachable.
        """
        if in_milvus(session):
            with self._reading(session) as reading, self.metrics.catching_up.time():
                may_feed = reading is session or session.get_bind().dialect.name != "sqlite"
                return self.shared(model_version, dimension).caught_up(reading, may_feed=may_feed)
        replica = self.warm(model_version, dimension)
        replica.wait(self._settings.wait_seconds, self._settings.retry_seconds)
        with self._reading(session) as reading, self.metrics.catching_up.time():
            return replica.caught_up(reading, self._settings.retry_seconds)

    def search(
        self,
        session: Session,
        model_version: str,
        queries: NDArray[np.float32],
        k: int,
        kinds: frozenset[GalleryKind] | None = None,
    ) -> list[list[Hit]]:
        """As `VectorIndex.search`, of everything that the session shows. Raises IndexWarming, also when the shared
        index does not answer.
        """
        try:
            index = self.index(session, model_version, queries.shape[1])
            started = time.perf_counter()
            found = index.search(queries, k, kinds)
        except IndexUnreachable as error:
            self.unanswered(error, model_version)
            self.metrics.ready.labels(model_version).set(0)
            raise IndexUnanswered(retry_after=self._settings.retry_seconds) from error
        self.metrics.searching.observe(time.perf_counter() - started)
        self.metrics.queries.inc(len(queries))
        self._recent.append(queries[:1])
        if not isinstance(index, LocalIndex):
            # What stands elsewhere is looked at once more: a server may be restored, or written to by others.
            with self._reading(session) as reading:
                right = searchable_faces(reading, model_version, {hit.face_id for hits in found for hit in hits})
            found = [[hit for hit in hits if hit.face_id in right] for hits in found]
        return found

    def version(self, session: Session, model_version: str) -> str:
        """The version of the index that answers this session's searches."""
        if in_milvus(session):
            return PLANS[self._settings.milvus_plan].version
        replica = self._replicas.get(model_version)
        index = None if replica is None else replica.index
        return exact.VERSION if index is None else index.version

    def shared(self, model_version: str, dimension: int) -> SharedReplica:
        """The shared index of a model version, which is not opened yet."""
        with self._lock:
            found = self._shared.get(model_version)
            if found is None:
                found = self._shared[model_version] = SharedReplica(
                    model_version,
                    dimension,
                    self._vault,
                    self._own,
                    self._open_shared,
                    self._settings,
                    self._clock,
                    self.metrics,
                )
            return found

    def shared_known(self, model_version: str) -> SharedReplica | None:
        """As `shared`, with the dimension of the stored faces; None while there is no face to search for."""
        known = self._shared.get(model_version)
        if known is not None:
            return known
        with read_only(self._db) as session:
            row = session.get(SharedIndex, model_version)
            dimension = row.dimension if row else dimension_of(session, self._vault, model_version)
        return None if dimension is None else self.shared(model_version, dimension)

    def close_shared(self) -> None:
        """Let go of every connection to the shared index."""
        with self._lock:
            found, self._shared = list(self._shared.values()), {}
        for one in found:
            one.close()

    def unanswered(self, error: IndexUnreachable, model_version: str) -> None:
        """Count and log that the shared index did not answer."""
        self.metrics.unreachable.inc()
        log.warning("shared_index_unreachable", model=model_version, reason=str(error))
        shared = self._shared.get(model_version)
        if shared is not None:
            shared.close()

    def warm(self, model_version: str, dimension: int) -> Replica:
        """The replica of a model version, which begins to load unless it is loaded or loading."""
        with self._lock:
            replica = self._replicas.get(model_version)
            if replica is None:
                replica = self._replicas[model_version] = Replica(
                    model_version,
                    dimension,
                    self._vault,
                    lambda: read_only(self._own),
                    lambda faces: empty_index(
                        model_version, dimension, faces, self._settings.approximate_from, self._settings.approximate
                    ),
                )
        replica.warm(lambda: self._from_snapshot(model_version, dimension))
        return replica

    def warm_known(self, model_version: str) -> Replica | None:
        """As `warm`, with the dimension of the stored faces; None while there is no face to search for."""
        known = self._replicas.get(model_version)
        if known is not None:
            return self.warm(model_version, known.dimension)
        with read_only(self._db) as session:
            dimension = dimension_of(session, self._vault, model_version)
        return None if dimension is None else self.warm(model_version, dimension)

    def replicas(self) -> list[Replica]:
        """Those that were asked for."""
        with self._lock:
            return list(self._replicas.values())

    def keep_only(self, model_versions: frozenset[str]) -> None:
        """Let go of the indexes and snapshots of every other model version. They come back when asked for."""
        with self._lock:
            self._replicas = {name: one for name, one in self._replicas.items() if name in model_versions}
        self.store.drop_versions(model_versions)

    def recent_queries(self, dimension: int) -> NDArray[np.float32]:
        """The last queries of this dimension, (q, dimension)."""
        found = [query for query in list(self._recent) if query.shape[1] == dimension]
        return np.concatenate(found) if found else np.empty((0, dimension), np.float32)

    def snapshot(self, replica: Replica, now: datetime) -> bool:
        """Write a replica's index to this process's folder; False when another process is writing there, or there is
        nothing yet to mark it by.
        """

        def position(seen: Seen) -> Watermark | None:
            # A snapshot of its own: the caller's may be older than the replica.
            with read_only(self._db) as session:
                return watermark_of(session, seen)

        with self.store.writing() as mine:
            return mine and replica.write(lambda index: self.store.write(index, now), position) is not None

    def forget(self, session: Session, number: int, now: datetime) -> bool:
        """Take what the change `number` removed out of this process: out of its indexes, and out of its folder, where
        new snapshots are written first if that can be done. False when another process is writing there: ask again.
        What other processes hold is not touched.
        """
        old = {file.model_version for file in self.store.files() if number not in file.seen}
        for replica in self.replicas():
            if replica.state.mark is None:
                continue
            with suppress(IndexWarming):
                replica.caught_up(session, self._settings.retry_seconds)
            if replica.model_version in old and number in replica.state.seen:
                self.snapshot(replica, now)
        with self.store.writing() as mine:
            if mine:
                self.store.drop_to(number)
            return mine

    def _from_snapshot(self, model_version: str, dimension: int) -> LocalIndex | None:
        def accept(index: LocalIndex) -> bool:
            with read_only(self._db) as session:
                return follows(session, model_version, index.watermark)

        found = self.store.load(model_version, dimension, accept)
        if found is None:
            self.metrics.rebuilds.inc()
        return found

    def _open_shared(self, model_version: str, dimension: int, *, make: bool) -> VectorIndex:
        with read_only(self._own) as session:
            return open_milvus(session, self._settings, model_version, dimension, make=make)

    @contextmanager
    def _reading(self, session: Session) -> Iterator[Session]:
        """The session, or one of our own when it may hold changes: those must not be taken for committed."""
        if session.connection().get_execution_options().get(READ_ONLY):
            yield session
        else:
            with read_only(self._db) as own:
                yield own
