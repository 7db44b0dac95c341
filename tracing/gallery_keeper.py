"""The thread that keeps a process's replicas current between searches, writes snapshots and says how they stand. The
index that all processes share is kept beside it (`tracing.gallery_shared_keeper`).
"""

import uuid
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread

import structlog
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from matcher.index.choice import approximate, outgrown, rebuilt
from matcher.index.recall import recall_sample
from models.index_place import Place
from models.index_replica import IndexReplica
from tracing.face_models import live_versions
from tracing.gallery_erasure import forget_silent, live, pending_erasure
from tracing.gallery_log import Seen, positions_of, trim, waiting
from tracing.gallery_place import place_of, shared_marks, wanted
from tracing.gallery_replica import Replica
from tracing.gallery_shared_keeper import SharedKeeper
from tracing.platform.clock import Clock
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.platform.worker import worker_name
from tracing.services import Services

log = structlog.stdlib.get_logger(__name__)


@dataclass
class _Pulse:
    """The row of one index of this process, and since when."""

    started_at: datetime
    id: uuid.UUID = field(default_factory=uuid.uuid4)


class IndexKeeper:
    """Keeps the gallery of one process. `tick` does one round; `start` repeats it in a thread."""

    def __init__(self, services: Services, clock: Clock) -> None:
        """Does not start yet."""
        self._services, self._clock = services, clock
        self._settings = services.settings.index
        self._process = worker_name()
        self._shared = SharedKeeper(services, clock)
        self._pulses: dict[tuple[Place, str], _Pulse] = {}
        self._trimmed_at: datetime | None = None
        self._stop = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to load the index in force, and keep it from then on."""
        self._thread = Thread(target=self._loop, name="index-keeper", daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """End the thread, and say that this process's replicas are gone."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        self._services.gallery.close_shared()
        try:
            with unit_of_work(self._services.db) as session:
                self._unsay(session, frozenset())
        except SQLAlchemyError:
            # A database that went first must not keep the process from ending; the rows count as gone soon.
            log.warning("replica_rows_left", process=self._process)

    def tick(self) -> None:
        """One round: catch up, erase, snapshot, make anew, report, trim. Each step is harmless to repeat."""
        services, gallery, now = self._services, self._services.gallery, self._clock()
        with read_only(services.db) as session:
            # One that is being built is loaded before it comes into force: a switch is no gap in service.
            versions = live_versions(session, services)
            local = versions if self._local_wanted(session, now) else frozenset[str]()
            number = pending_erasure(session, self._settings, now)
        gallery.keep_only(local)
        for version in sorted(local):
            gallery.warm_known(version)
        with read_only(services.db) as session:
            if number is not None:
                gallery.forget(session, number, now)
            for replica in gallery.replicas():
                self._keep(session, replica, now)
        with unit_of_work(services.db) as session:
            said = {(Place.LOCAL, one.model_version) for one in gallery.replicas() if self._say(session, one, now)}
            self._trim(session, now)
        # Last and apart: a Milvus that does not answer holds up nothing else.
        reached = self._shared.tick(versions)
        with unit_of_work(services.db) as session:
            for version, (seen, faces) in reached.items():
                self._say_row(session, Place.MILVUS, version, seen, faces, now)
            self._unsay(session, said | {(Place.MILVUS, version) for version in reached})

    def _local_wanted(self, session: Session, now: datetime) -> bool:
        """Also for a while after a switch: searches that began before it are answered from where they began."""
        row = place_of(session)
        lately = row is not None and now - row.changed_at < timedelta(seconds=self._settings.replica_seconds)
        return lately or Place.LOCAL in wanted(session)

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                self.tick()
            except Exception:
                log.exception("index_keeper")
            self._stop.wait(self._settings.heartbeat_seconds)

    def _keep(self, session: Session, replica: Replica, now: datetime) -> None:
        state, metrics, version = replica.state, self._services.gallery.metrics, replica.model_version
        metrics.ready.labels(version).set(state.mark is not None)
        if state.mark is None:
            return
        metrics.lag.labels(version).set(waiting(session, version, state.mark))
        try:
            index = replica.caught_up(session, self._settings.retry_seconds)
        except IndexWarming:
            return
        size, sort = self._settings.approximate_from, self._settings.approximate
        if outgrown(index, size, self._settings.tombstone_share, sort):
            replica.exchange(lambda old: rebuilt(old, size, sort))
        statistics = index.statistics()
        metrics.faces.labels(version).set(len(index))
        metrics.tombstones.labels(version).set(statistics.tombstone_share)
        queries = self._services.gallery.recent_queries(index.dimension)
        watched = approximate(index)
        if watched is not None and len(queries):
            metrics.recall.labels(version).set(recall_sample(watched, queries, 50).recall)
        if self._snapshot_due(session, replica, now):
            self._services.gallery.snapshot(replica, now)

    def _snapshot_due(self, session: Session, replica: Replica, now: datetime) -> bool:
        files = self._services.gallery.store.files(replica.model_version)
        if not files:
            return replica.state.faces > 0
        changes = waiting(session, replica.model_version, files[0].mark)
        old = now - files[0].written_at >= timedelta(minutes=self._settings.snapshot_minutes)
        return changes >= self._settings.snapshot_changes or (changes > 0 and old)

    def _say(self, session: Session, replica: Replica, now: datetime) -> bool:
        state = replica.state
        if state.mark is None:
            return False
        self._say_row(session, Place.LOCAL, replica.model_version, state.seen, state.faces, now)
        return True

    def _say_row(self, session: Session, place: Place, version: str, seen: Seen, faces: int, now: datetime) -> None:
        pulse = self._pulses.setdefault((place, version), _Pulse(now))
        store = self._services.gallery.store if place is Place.LOCAL else None
        session.merge(
            IndexReplica(
                id=pulse.id,
                process=self._process,
                place=place,
                model_version=version,
                mark=seen.xmin,
                snapshot_mark=store and store.oldest_mark(version),
                position=positions_of(seen),
                snapshots=[positions_of(file.seen) for file in store.files()] if store else [],
                faces=faces,
                started_at=pulse.started_at,
                seen_at=now,
            )
        )
        session.flush()

    def _unsay(self, session: Session, kept: AbstractSet[tuple[Place, str]]) -> None:
        """Delete the rows of indexes that this process does not hold any more."""
        gone = [self._pulses.pop(key).id for key in self._pulses.keys() - kept]
        if gone:
            session.execute(delete(IndexReplica).where(IndexReplica.id.in_(gone)))

    def _trim(self, session: Session, now: datetime) -> None:
        if self._trimmed_at is not None and now - self._trimmed_at < timedelta(minutes=self._settings.trim_minutes):
            return
        self._trimmed_at = now
        forget_silent(session, now)
        found = live(session, now, self._settings.replica_seconds)
        marks = [one.mark for one in found] + [one.snapshot_mark for one in found if one.snapshot_mark is not None]
        marks += shared_marks(session)
        if marks:
            trim(session, min(marks), now)
