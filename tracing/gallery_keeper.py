"""The thread that keeps a process's replicas current between searches, writes snapshots and says how they stand."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread

import structlog
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from matcher.index.choice import approximate, outgrown, rebuilt
from matcher.index.recall import recall_sample
from models.index_replica import IndexReplica
from tracing.face_models import live_versions
from tracing.gallery_erasure import forget_silent, live, pending_erasure
from tracing.gallery_log import positions_of, trim, waiting
from tracing.gallery_replica import Replica
from tracing.platform.clock import Clock
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.platform.worker import worker_name
from tracing.services import Services

log = structlog.stdlib.get_logger(__name__)


@dataclass
class _Pulse:
    """The row of one replica of this process, and since when."""

    id: uuid.UUID = field(default_factory=uuid.uuid4)
    started_at: datetime | None = None


class IndexKeeper:
    """Keeps the gallery of one process. `tick` does one round; `start` repeats it in a thread."""

    def __init__(self, services: Services, clock: Clock) -> None:
        """Does not start yet."""
        self._services, self._clock = services, clock
        self._settings = services.settings.index
        self._process = worker_name()
        self._pulses: dict[str, _Pulse] = {}
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
        ids = [pulse.id for pulse in self._pulses.values()]
        try:
            with unit_of_work(self._services.db) as session:
                session.execute(delete(IndexReplica).where(IndexReplica.id.in_(ids)))
        except SQLAlchemyError:
            # A database that went first must not keep the process from ending; the rows count as gone soon.
            log.warning("replica_rows_left", process=self._process)

    def tick(self) -> None:
        """One round: catch up, erase, snapshot, make anew, report, trim. Each step is harmless to repeat."""
        services, gallery, now = self._services, self._services.gallery, self._clock()
        with read_only(services.db) as session:
            # One that is being built is loaded before it comes into force: a switch is no gap in service.
            versions = live_versions(session, services)
        gallery.keep_only(versions)
        for version in sorted(versions):
            gallery.warm_known(version)
        with read_only(services.db) as session:
            number = pending_erasure(session)
            if number is not None:
                gallery.forget(session, number, now)
            for replica in gallery.replicas():
                self._keep(session, replica, now)
        with unit_of_work(services.db) as session:
            for replica in gallery.replicas():
                self._say(session, replica, now)
            self._trim(session, now)

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

    def _say(self, session: Session, replica: Replica, now: datetime) -> None:
        state = replica.state
        if state.mark is None:
            return
        pulse = self._pulses.setdefault(replica.model_version, _Pulse())
        pulse.started_at = pulse.started_at or now
        session.merge(
            IndexReplica(
                id=pulse.id,
                process=self._process,
                model_version=replica.model_version,
                mark=state.mark,
                snapshot_mark=self._services.gallery.store.oldest_mark(replica.model_version),
                position=positions_of(state.seen),
                snapshots=[positions_of(file.seen) for file in self._services.gallery.store.files()],
                faces=state.faces,
                started_at=pulse.started_at,
                seen_at=now,
            )
        )
        session.flush()

    def _trim(self, session: Session, now: datetime) -> None:
        if self._trimmed_at is not None and now - self._trimmed_at < timedelta(minutes=self._settings.trim_minutes):
            return
        self._trimmed_at = now
        forget_silent(session, now)
        found = live(session, now, self._settings.replica_seconds)
        marks = [one.mark for one in found] + [one.snapshot_mark for one in found if one.snapshot_mark is not None]
        if marks:
            trim(session, min(marks), now)
