"""A town: an installation with synthetic faces, and the searches and keepers of one or more processes on it."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import update

from matcher.vocabulary import GalleryKind
from models.photo import Photo
from tests.factories.gallery import AT, VERSION, Ground, Person, make_ground, make_person, unit
from tracing.gallery_erasure import request_erasure
from tracing.gallery_keeper import IndexKeeper
from tracing.gallery_move import Watcher
from tracing.gallery_replica import Progress, Replica, no_progress
from tracing.gallery_verify import Verification, verify
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import IndexSettings
from tracing.services import FaceEngines, Services, build_services

DIMENSION = 8
QUICK = IndexSettings(trim_minutes=0.0001, erasure_seconds=0, heartbeat_seconds=0.05, replica_seconds=60)


def vector(number: int) -> NDArray[np.float32]:
    return unit(np.random.default_rng(number).standard_normal(DIMENSION).astype(np.float32))


def synthetic(services: Services) -> Services:
    """The services with a face model of the test's own, so that only what the test stores is searched."""
    return replace(services, faces=FaceEngines(VERSION, MappingProxyType({})))


@dataclass
class Town:
    """Services, and whoever was stored in them."""

    services: Services
    ground: Ground

    def add(self, number: int, kind: GalleryKind = GalleryKind.REPORT) -> Person:
        with unit_of_work(self.services.db) as session:
            return make_person(session, self.services.vault, self.ground, vector(number), kind)

    def remove(self, person: Person) -> None:
        with unit_of_work(self.services.db) as session:
            session.execute(update(Photo).where(Photo.id == person.photo_id).values(removed_at=AT))
            request_erasure(session, person.photo_id, now=utc_now())

    def found(self, number: int, k: int = 1, services: Services | None = None) -> list[uuid.UUID]:
        services = services or self.services
        with read_only(services.db) as session:
            (hits,) = services.gallery.search(session, VERSION, vector(number)[None], k)
        return [hit.face_id for hit in hits]

    def replica(self, services: Services | None = None) -> Replica:
        services = services or self.services
        replica = services.gallery.warm_known(VERSION)
        assert replica is not None
        replica.wait(20, 1)
        return replica

    def check(self, services: Services | None = None) -> Verification:
        services = services or self.services
        replica = self.replica(services)
        with read_only(services.db) as session:
            return verify(session, services.vault, replica.exactly(session))

    def another_process(self) -> Services:
        """Services as another process of this installation builds them."""
        return synthetic(build_services(self.services.settings))

    def keeper(self, services: Services | None = None) -> IndexKeeper:
        return IndexKeeper(services or self.services, utc_now)

    @property
    def folder(self) -> Path:
        return self.services.settings.data_dir / "index"

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.index"))


@contextmanager
def town_on(any_services: Services, index: IndexSettings = QUICK) -> Iterator[Town]:
    """A town on the database of these services."""
    settings = any_services.settings.model_copy(update={"index": index})
    services = synthetic(build_services(settings))
    with unit_of_work(services.db) as session:
        ground = make_ground(session)
    yield Town(services, ground)
    services.gallery.close_shared()
    services.db.dispose()


class Onlooker:
    """Watches a move without a terminal; `said` has every sentence."""

    def __init__(self, at_bar: Callable[[str, int, int], None] | None = None) -> None:
        self.said: list[str] = []
        self._at_bar = at_bar

    @property
    def watcher(self) -> Watcher:
        return Watcher(self._bar, self.said.append)

    @contextmanager
    def _bar(self, title: str) -> Iterator[Progress]:
        yield partial(self._at_bar, title) if self._at_bar else no_progress
