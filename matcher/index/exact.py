"""Exact nearest-neighbour search in memory: every query is compared with every face.

At 128 values a face, 100,000 faces take 51 MB and a query some milliseconds, so an approximate index would trade found
people for time that is not short.
"""

import uuid
from collections.abc import Iterable, Sequence
from threading import Lock

import faiss
import numpy as np
from numpy.typing import NDArray

from matcher.index.base import Hit, IndexEntry
from matcher.vocabulary import GalleryKind

VERSION = "flat-ip-1"

# How far from 1 the length of a float32 embedding may be: a thousand times its rounding error.
LENGTH_TOLERANCE = 1e-3


class FaissExactIndex:
    """`VectorIndex` over faiss.IndexFlatIP: inner products of unit vectors, which are cosines."""

    def __init__(self, model_version: str, dimension: int) -> None:
        """An empty index for embeddings of `dimension` values. Raises ValueError when it is below 1."""
        if dimension < 1:
            raise ValueError("an embedding has at least one value")
        self._model_version = model_version
        self._dimension = dimension
        self._faiss = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
        self._rows: dict[int, Hit] = {}
        self._numbers: dict[uuid.UUID, int] = {}
        self._next = 0
        self._lock = Lock()

    @property
    def model_version(self) -> str:
        """See `VectorIndex`."""
        return self._model_version

    @property
    def version(self) -> str:
        """See `VectorIndex`."""
        return VERSION

    @property
    def dimension(self) -> int:
        """Values in an embedding."""
        return self._dimension

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """See `VectorIndex`. Of entries with the same face id the last one stays."""
        unique = list({entry.face_id: entry for entry in entries}.values())
        if not unique:
            return
        if any(entry.embedding.shape != (self._dimension,) for entry in unique):
            raise ValueError(f"embeddings must have shape ({self._dimension},)")
        vectors = self._checked(np.stack([entry.embedding for entry in unique]))
        with self._lock:
            self._remove([entry.face_id for entry in unique])
            numbers = np.arange(self._next, self._next + len(unique), dtype=np.int64)
            self._next += len(unique)
            self._faiss.add_with_ids(vectors, numbers)
            for number, entry in zip(numbers.tolist(), unique, strict=True):
                self._rows[number] = Hit(entry.face_id, entry.subject_id, entry.kind, 0.0)
                self._numbers[entry.face_id] = number

    def remove(self, ids: Iterable[uuid.UUID]) -> int:
        """See `VectorIndex`."""
        with self._lock:
            return self._remove(ids)

    def search(
        self, queries: NDArray[np.float32], k: int, kinds: frozenset[GalleryKind] | None = None
    ) -> list[list[Hit]]:
        """See `VectorIndex`."""
        if k < 1:
            raise ValueError("k must be at least 1")
        vectors = self._checked(queries)
        with self._lock:
            wanted = len(self._rows) if kinds is None else sum(row.kind in kinds for row in self._rows.values())
            if not wanted or not len(vectors):
                return [[] for _ in vectors]
            parameters = faiss.SearchParameters()
            # FAISS keeps a bare pointer: the selector must live until the search is done.
            selector = None if kinds is None else self._selector(kinds)
            if selector is not None:
                parameters.sel = selector
            similarities, numbers = self._faiss.search(vectors, min(k, wanted), params=parameters)
            return [
                [self._hit(number, similarity) for number, similarity in zip(row, scores, strict=True) if number >= 0]
                for row, scores in zip(numbers.tolist(), similarities.tolist(), strict=True)
            ]

    def __len__(self) -> int:
        """See `VectorIndex`."""
        return len(self._numbers)

    def ids(self) -> frozenset[uuid.UUID]:
        """See `VectorIndex`."""
        with self._lock:
            return frozenset(self._numbers)

    def _hit(self, number: int, similarity: float) -> Hit:
        row = self._rows[number]
        # Rounding can carry a cosine just past its bounds.
        return Hit(row.face_id, row.subject_id, row.kind, max(-1.0, min(1.0, similarity)))

    def _selector(self, kinds: frozenset[GalleryKind]) -> faiss.IDSelectorBatch:
        numbers = [number for number, row in self._rows.items() if row.kind in kinds]
        return faiss.IDSelectorBatch(np.array(numbers, dtype=np.int64))

    def _remove(self, ids: Iterable[uuid.UUID]) -> int:
        numbers = [self._numbers.pop(face_id) for face_id in set(ids) if face_id in self._numbers]
        if numbers:
            self._faiss.remove_ids(faiss.IDSelectorBatch(np.array(numbers, dtype=np.int64)))
        for number in numbers:
            del self._rows[number]
        return len(numbers)

    def _checked(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        if vectors.ndim != 2 or vectors.shape[1] != self._dimension:
            raise ValueError(f"expected shape (n, {self._dimension}), got {vectors.shape}")
        lengths = np.linalg.norm(vectors, axis=1)
        if not np.all(np.abs(lengths - 1) <= LENGTH_TOLERANCE):
            raise ValueError("every vector must have length 1")
        return np.ascontiguousarray(vectors, dtype=np.float32)
