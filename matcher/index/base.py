"""What a vector index gives, whichever library is behind it.

An index is an artefact that can be rebuilt at any time from the stored embeddings; it is never the only place where
anything is kept.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matcher.vocabulary import GalleryKind


@dataclass(frozen=True, slots=True, eq=False)
class IndexEntry:
    """One face to be found: its id, the report or case that it belongs to, and its embedding (d,), length 1."""

    face_id: uuid.UUID
    subject_id: uuid.UUID
    kind: GalleryKind
    embedding: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hit:
    """One face found. `similarity` is the cosine of the two embeddings, -1 to 1."""

    face_id: uuid.UUID
    subject_id: uuid.UUID
    kind: GalleryKind
    similarity: float


class VectorIndex(Protocol):
    """Nearest embeddings of one model version. One instance may be used by several threads at once."""

    @property
    def model_version(self) -> str:
        """The only version whose embeddings this index takes and answers."""
        ...

    @property
    def version(self) -> str:
        """The builder's version: a change means that an index must be built anew."""
        ...

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Add faces; one that is there already is replaced, so that adding again is harmless.

        All or nothing: raises ValueError, with nothing added, when an embedding has another dimension or another length
        than 1.
        """
        ...

    def remove(self, ids: Iterable[uuid.UUID]) -> int:
        """Remove faces by face id; how many were there. Unknown ids are ignored."""
        ...

    def search(
        self, queries: NDArray[np.float32], k: int, kinds: frozenset[GalleryKind] | None = None
    ) -> list[list[Hit]]:
        """For each row of `queries` (q, d), length 1 each, at most `k` hits, most similar first.

        `kinds` restricts what is searched; None means everything. Raises ValueError on a wrong shape or k < 1.
        """
        ...

    def __len__(self) -> int:
        """Faces held."""
        ...

    def ids(self) -> frozenset[uuid.UUID]:
        """Face ids held."""
        ...
