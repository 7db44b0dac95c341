"""The searchable faces of a model version as the database has them: what an index is filled from."""

import uuid
from collections.abc import Iterable

from matcher.index.base import IndexEntry
from tracing.gallery_faces import FETCH, entries, next_faces
from tracing.gallery_replica import Reader
from tracing.platform.crypto import Vault

IDS_AT_ONCE = 10_000


class StoredFaces:
    """A `FaceSource` over sessions that `reader` opens, each for a moment: what changes in between is in the log."""

    def __init__(self, model_version: str, dimension: int, vault: Vault, reader: Reader) -> None:
        """Nothing is read yet."""
        self.model_version, self.dimension = model_version, dimension
        self._vault, self._reader = vault, reader

    def ids(self) -> frozenset[uuid.UUID]:
        """See `FaceSource`. Also faces whose stored embedding does not open, which `fetch` leaves out."""
        found: set[uuid.UUID] = set()
        after = None
        while True:
            with self._reader() as session:
                ids = next_faces(session, self.model_version, after, IDS_AT_ONCE)
            if not ids:
                return frozenset(found)
            found.update(ids)
            after = ids[-1]

    def fetch(self, ids: Iterable[uuid.UUID]) -> list[IndexEntry]:
        """See `FaceSource`. Raises MasterKeyUnknown."""
        wanted, found = list(ids), list[IndexEntry]()
        for start in range(0, len(wanted), FETCH):
            with self._reader() as session:
                found += entries(session, self._vault, self.model_version, wanted[start : start + FETCH])
        return found
