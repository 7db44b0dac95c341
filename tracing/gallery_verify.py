"""Comparing an index with the database, row by row: ids and checksums."""

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from matcher.index.base import VectorIndex, checksum
from tracing.gallery_faces import FETCH, count_faces, entries, next_faces
from tracing.gallery_replica import Progress, no_progress
from tracing.gallery_shared import SharedReplica
from tracing.platform.crypto import Vault
from tracing.platform.db import Database, read_only


@dataclass(frozen=True)
class Verification:
    """What was found. `unreadable`: searchable faces whose stored embedding does not open; no index can hold them."""

    faces: int
    missing: int
    altered: int
    foreign: int
    unreadable: int

    @property
    def clean(self) -> bool:
        """Whether the index holds exactly what the database has."""
        return not (self.missing or self.altered or self.foreign)


@dataclass(frozen=True)
class Differences:
    """As `Verification`, face by face."""

    faces: int
    missing: frozenset[uuid.UUID]
    altered: frozenset[uuid.UUID]
    foreign: frozenset[uuid.UUID]
    unreadable: int

    @property
    def ids(self) -> frozenset[uuid.UUID]:
        """Every face that differs."""
        return self.missing | self.altered | self.foreign

    @property
    def counted(self) -> Verification:
        """How many of each sort."""
        return Verification(self.faces, len(self.missing), len(self.altered), len(self.foreign), self.unreadable)


def verify(
    session: Session,
    vault: Vault,
    index: VectorIndex,
    progress: Progress = no_progress,
) -> Verification:
    """Compare every searchable face that the session shows with what the index keeps.

    The index must hold what this very session shows (`Replica.exactly`) and not change meanwhile: one of the caller's
    own, not one that serves. What differs is mended by making the index anew: a copy that is wrong in one
    place is not to be trusted.
    """
    return _differences(session, vault, index, progress).counted


def verify_shared(db: Database, vault: Vault, shared: SharedReplica, progress: Progress = no_progress) -> Differences:
    """Compare the database with the index that all processes share, while it serves and is fed.

    What differs at the first look may have changed in between: it is looked at again with the lease in hand, at one
    position. Raises IndexWarming when that cannot be had, and IndexUnreachable.
    """
    with read_only(db) as session:
        first = _differences(session, vault, shared.opened(), progress)
    if not first.ids:
        return first
    with shared.held() as (session, index):
        wrong = first.ids
        wanted: dict[uuid.UUID, bytes] = {}
        for start in range(0, len(wrong), FETCH):
            piece = sorted(wrong)[start : start + FETCH]
            wanted |= {one.face_id: checksum(one) for one in entries(session, vault, index.model_version, piece)}
        kept = {one.face_id: checksum(one) for one in index.fetch(wrong)}
    return Differences(
        first.faces,
        frozenset(wanted.keys() - kept.keys()),
        frozenset(one for one in wanted.keys() & kept.keys() if wanted[one] != kept[one]),
        frozenset(kept.keys() - wanted.keys()),
        first.unreadable,
    )


def _differences(session: Session, vault: Vault, index: VectorIndex, progress: Progress) -> Differences:
    total = count_faces(session, index.model_version)
    after, faces, unreadable = None, 0, 0
    missing, altered = set[uuid.UUID](), set[uuid.UUID]()
    left = set(index.ids())
    while ids := next_faces(session, index.model_version, after, FETCH):
        wanted = {entry.face_id: entry for entry in entries(session, vault, index.model_version, ids)}
        kept = {entry.face_id: checksum(entry) for entry in index.fetch(wanted)}
        missing |= wanted.keys() - kept.keys()
        altered |= {face_id for face_id, found in kept.items() if found != checksum(wanted[face_id])}
        unreadable += len(ids) - len(wanted)
        left -= wanted.keys()
        after, faces = ids[-1], faces + len(wanted)
        progress(faces, total)
    return Differences(faces, frozenset(missing), frozenset(altered), frozenset(left), unreadable)
