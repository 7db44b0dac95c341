"""The part of the keeper's round that is about the index that all processes share."""

from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.index.base import IndexUnreachable
from models.face_model import FaceModel, FaceModelState
from models.index_place import Place
from tracing.gallery_log import Seen, seen_from, waiting
from tracing.gallery_move import drop_shared, drop_unwanted
from tracing.gallery_place import in_milvus, shared_rows, wanted
from tracing.gallery_shared import SharedReplica
from tracing.platform.clock import Clock
from tracing.platform.db import read_only
from tracing.platform.errors import IndexWarming
from tracing.services import Services

log = structlog.stdlib.get_logger(__name__)

COUNT_EVERY = timedelta(seconds=60)


class SharedKeeper:
    """Feeds, fills and empties the shared index while nobody asks, and tells how it stands."""

    def __init__(self, services: Services, clock: Clock) -> None:
        """Does nothing yet."""
        self._services, self._clock = services, clock
        self._counts: dict[str, tuple[datetime, int]] = {}

    def tick(self, versions: frozenset[str]) -> dict[str, tuple[Seen, int]]:
        """One round; of each model version that this process could answer from there, its position and faces."""
        services, gallery = self._services, self._services.gallery
        with read_only(services.db) as session:
            in_force, needed, rows = in_milvus(session), Place.MILVUS in wanted(session), shared_rows(session)
        gallery.metrics.in_milvus.set(in_force)
        try:
            if not needed:
                gallery.close_shared()
                if rows:
                    drop_unwanted(services)
                return {}
            self._drop_retired()
        except IndexUnreachable as error:
            log.warning("shared_index_not_dropped", reason=str(error))
        reached = {}
        for version in sorted(versions):
            shared = gallery.shared_known(version)
            if shared is not None and (found := self._keep(shared, in_force=in_force)) is not None:
                reached[version] = found
        return reached

    def _keep(self, shared: SharedReplica, *, in_force: bool) -> tuple[Seen, int] | None:
        services, version = self._services, shared.model_version
        metrics = services.gallery.metrics
        seen = None
        try:
            with read_only(services.db) as session:
                row = shared.keep(session, fill=in_force)
                if row is not None and row.built_at is not None:
                    seen, faces = seen_from(row.position), self._faces(shared)
                    if in_force:
                        metrics.faces.labels(version).set(faces)
                        metrics.lag.labels(version).set(waiting(session, version, seen.xmax))
        except IndexUnreachable as error:
            services.gallery.unanswered(error, version)
        except IndexWarming:
            log.info("shared_index_not_ready", model=version)
        if in_force:
            metrics.ready.labels(version).set(seen is not None)
        return None if seen is None else (seen, faces)

    def _faces(self, shared: SharedReplica) -> int:
        """Counted now and then: each count is a read of Milvus."""
        now, (at, faces) = self._clock(), self._counts.get(shared.model_version, (None, 0))
        if at is None or now - at >= COUNT_EVERY:
            faces = len(shared.opened())
            self._counts[shared.model_version] = now, faces
        return faces

    def _drop_retired(self) -> None:
        services = self._services
        with read_only(services.db) as session:
            rows = [row for row in shared_rows(session) if _retired(session, row.model_version)]
        for row in rows:
            shared = services.gallery.shared(row.model_version, row.dimension)
            drop_shared(services, shared, partial(_not_retired, version=row.model_version))


def _not_retired(session: Session, version: str) -> bool:
    return not _retired(session, version)


def _retired(session: Session, version: str) -> bool:
    """Whether nobody searches under the version any more. One that the database does not know is left alone."""
    found = session.scalars(select(FaceModel.state).where(FaceModel.model_version == version)).one_or_none()
    return found is FaceModelState.RETIRED
