"""Comparing an index with the database, row by row: ids and checksums."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from matcher.index.base import VectorIndex, checksum
from tracing.gallery_faces import FETCH, count_faces, entries, next_faces
from tracing.gallery_replica import Progress, no_progress
from tracing.platform.crypto import Vault


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
    total = count_faces(session, index.model_version)
    after, faces, missing, altered, unreadable = None, 0, 0, 0, 0
    left = set(index.ids())
    while ids := next_faces(session, index.model_version, after, FETCH):
        wanted = {entry.face_id: entry for entry in entries(session, vault, index.model_version, ids)}
        kept = {entry.face_id: checksum(entry) for entry in index.fetch(wanted)}
        gone = wanted.keys() - kept.keys()
        wrong = {face_id for face_id, found in kept.items() if found != checksum(wanted[face_id])}
        missing, altered, unreadable = missing + len(gone), altered + len(wrong), unreadable + len(ids) - len(wanted)
        left -= wanted.keys()
        after, faces = ids[-1], faces + len(wanted)
        progress(faces, total)
    return Verification(faces, missing, altered, len(left), unreadable)
