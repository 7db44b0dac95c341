"""The gallery (底库): this process's replicas of every searchable face, caught up with the database before searches."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from matcher.index.base import Hit, VectorIndex, Watermark
from matcher.index.choice import LocalIndex, empty_index
from matcher.vocabulary import GalleryKind
from tracing.gallery_faces import (
    dimension_of,
    embedding_purpose,
    gallery_size,
    searchable_case,
    searchable_report,
    unpack,
)
from tracing.gallery_log import Seen, follows, watermark_of
from tracing.gallery_metrics import GalleryMetrics
from tracing.gallery_replica import Replica
from tracing.gallery_store import SnapshotStore
from tracing.platform.crypto import Vault
from tracing.platform.db import READ_ONLY, Database, read_only
from tracing.platform.errors import IndexWarming
from tracing.platform.settings import IndexSettings

__all__ = ["Gallery", "embedding_purpose", "gallery_size", "searchable_case", "searchable_report", "unpack"]

REMEMBERED = 16
"""Queries kept in memory, by which the recall of an approximate index is looked at."""


class Gallery:
    """One index a model version, loaded at its first search. Safe to share between threads."""

    def __init__(
        self, vault: Vault, db: Database, own: Database, store: SnapshotStore, settings: IndexSettings
    ) -> None:
        """Start empty; nothing is read yet. `own` has a few connections to the same database for this gallery alone:
        whoever applies changes must not wait for one that is held by those who wait for the changes.
        """
        self.store, self.metrics = store, GalleryMetrics()
        self._vault, self._db, self._own, self._settings = vault, db, own, settings
        self._lock = Lock()
        self._replicas: dict[str, Replica] = {}
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=REMEMBERED)

    def index(self, session: Session, model_version: str, dimension: int) -> VectorIndex:
        """The index of a model version, holding at least what the session shows, and nothing that it shows as gone.

        Waits for `wait_seconds` when it is not loaded, then raises IndexWarming.
        """
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
        """As `VectorIndex.search`, of everything that the session shows. Raises IndexWarming."""
        index = self.index(session, model_version, queries.shape[1])
        started = time.perf_counter()
        found = index.search(queries, k, kinds)
        self.metrics.searching.observe(time.perf_counter() - started)
        self.metrics.queries.inc(len(queries))
        self._recent.append(queries[:1])
        return found

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

    @contextmanager
    def _reading(self, session: Session) -> Iterator[Session]:
        """The session, or one of our own when it may hold changes: those must not be taken for committed."""
        if session.connection().get_execution_options().get(READ_ONLY):
            yield session
        else:
            with read_only(self._db) as own:
                yield own
