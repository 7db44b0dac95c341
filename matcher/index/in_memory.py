"""What the indexes of this process share: a shelf of faces for each kind, the lock, and the way from rows to hits.

A shelf a kind means that a restriction to kinds is no filter, which would cost time or, in a graph, lose neighbours.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from matcher.index.base import Hit, IndexEntry, IndexStatistics, Watermark, checked_entries, checked_queries
from matcher.index.face_table import FaceTable, Ids, ReadInto, Rows, Write, as_ids, as_uuids
from matcher.index.lock import ReadersWriterLock
from matcher.index.scan import Floats, Found, Halves
from matcher.vocabulary import GalleryKind


class Shelf(Protocol):
    """The faces of one kind. Not safe between threads by itself."""

    @property
    def table(self) -> FaceTable:
        """Ids of each row."""
        ...

    @property
    def halves(self) -> Halves:
        """Embedding of each row, (rows, d). A view: copy what outlives the lock."""
        ...

    @property
    def bytes_held(self) -> int:
        """Bytes of everything held."""
        ...

    def append(self, faces: Ids, subjects: Ids, halves: Halves) -> None:
        """Add faces that are distinct and not here."""
        ...

    def take(self, rows: Rows) -> None:
        """Remove the faces of distinct living rows."""
        ...

    def nearest(self, queries: Floats, k: int) -> Found:
        """The shelf's way of searching; k is at most the number of living faces."""
        ...

    def nearest_exact(self, queries: Floats, k: int) -> Found:
        """The same with every face compared."""
        ...

    def save(self, write: Write) -> None:
        """Write everything; `load` reads it."""
        ...

    def load(self, rows: int, read_into: ReadInto) -> None:
        """Replace everything by so many rows that `save` wrote."""
        ...


S = TypeVar("S", bound=Shelf)


class InMemoryIndex(Generic[S]):
    """`ApproximateIndex` over shelves of one sort."""

    def __init__(
        self, version: str, model_version: str, dimension: int, new_shelf: Callable[[int], S], added_at_once: int
    ) -> None:
        """An empty index for embeddings of `dimension` values; `added_at_once` faces go in under one lock, before
        searches that wait have their turn. Raises ValueError when the dimension is below 1.
        """
        if dimension < 1:
            raise ValueError("an embedding has at least one value")
        self._version = version
        self._model_version = model_version
        self._dimension = dimension
        self._shelves: dict[GalleryKind, S] = {kind: new_shelf(dimension) for kind in GalleryKind}
        self._added_at_once = added_at_once
        self._watermark = Watermark()
        self._lock = ReadersWriterLock()

    @property
    def model_version(self) -> str:
        """See `VectorIndex`."""
        return self._model_version

    @property
    def version(self) -> str:
        """See `VectorIndex`."""
        return self._version

    @property
    def dimension(self) -> int:
        """See `VectorIndex`."""
        return self._dimension

    @property
    def watermark(self) -> Watermark:
        """See `VectorIndex`."""
        return self._watermark

    def mark(self, watermark: Watermark) -> None:
        """See `VectorIndex`."""
        with self._lock.writing():
            self._watermark = watermark

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """See `VectorIndex`."""
        unique = checked_entries(entries, self._dimension)
        for start in range(0, len(unique), self._added_at_once):
            part = unique[start : start + self._added_at_once]
            faces = as_ids(entry.face_id for entry in part)
            subjects = as_ids(entry.subject_id for entry in part)
            halves = np.stack([entry.embedding for entry in part]).astype(np.float16)
            of_kind = {
                kind: [number for number, entry in enumerate(part) if entry.kind is kind] for kind in GalleryKind
            }
            # Between two parts the searches that wait have their turn.
            with self._lock.writing():
                self._take(faces)
                for kind, numbers in of_kind.items():
                    if numbers:
                        self._shelves[kind].append(faces[numbers], subjects[numbers], halves[numbers])

    def remove(self, ids: Iterable[uuid.UUID]) -> int:
        """See `VectorIndex`."""
        faces = as_ids(set(ids))
        with self._lock.writing():
            return self._take(faces)

    def search(self, queries: Floats, k: int, kinds: frozenset[GalleryKind] | None = None) -> list[list[Hit]]:
        """See `VectorIndex`."""
        return self._search(queries, k, kinds, lambda shelf: shelf.nearest)

    def search_exact(self, queries: Floats, k: int, kinds: frozenset[GalleryKind] | None = None) -> list[list[Hit]]:
        """See `ApproximateIndex`."""
        return self._search(queries, k, kinds, lambda shelf: shelf.nearest_exact)

    def fetch(self, ids: Iterable[uuid.UUID]) -> list[IndexEntry]:
        """See `VectorIndex`."""
        faces = as_ids(set(ids))
        found: list[IndexEntry] = []
        with self._lock.reading():
            for kind, shelf in self._shelves.items():
                rows = shelf.table.find(faces)
                rows = rows[rows >= 0]
                found += [
                    IndexEntry(face_id, subject_id, kind, embedding)
                    for face_id, subject_id, embedding in zip(
                        as_uuids(shelf.table.faces[rows]),
                        as_uuids(shelf.table.subjects[rows]),
                        shelf.halves[rows].astype(np.float32),
                        strict=True,
                    )
                ]
        return found

    def __len__(self) -> int:
        """See `VectorIndex`."""
        return sum(shelf.table.living for shelf in self._shelves.values())

    def ids(self) -> frozenset[uuid.UUID]:
        """See `VectorIndex`."""
        with self._lock.reading():
            parts = [shelf.table.faces[shelf.table.alive] for shelf in self._shelves.values()]
        return frozenset(face_id for part in parts for face_id in as_uuids(part))

    def statistics(self) -> IndexStatistics:
        """See `VectorIndex`."""
        with self._lock.reading():
            tables = {kind: shelf.table for kind, shelf in self._shelves.items()}
            return IndexStatistics(
                faces={kind: table.living for kind, table in tables.items()},
                tombstones=sum(table.rows - table.living for table in tables.values()),
                bytes_held=sum(shelf.bytes_held for shelf in self._shelves.values()),
            )

    def close(self) -> None:
        """See `VectorIndex`: there is nothing to let go of."""

    @contextmanager
    def shelves_unchanged(self) -> Iterator[tuple[Mapping[GalleryKind, S], Watermark]]:
        """The shelves and the watermark while nothing changes; searches go on. For snapshots and rebuilding."""
        with self._lock.unchanged():
            yield self._shelves, self._watermark

    @contextmanager
    def shelves_to_fill(self, watermark: Watermark) -> Iterator[Mapping[GalleryKind, S]]:
        """The shelves while nobody else is in; afterwards the watermark is `watermark`."""
        with self._lock.writing():
            yield self._shelves
            self._watermark = watermark

    def _take(self, faces: Ids) -> int:
        taken = 0
        for shelf in self._shelves.values():
            rows = shelf.table.find(faces)
            rows = rows[rows >= 0]
            if len(rows):
                shelf.take(rows)
                taken += len(rows)
        return taken

    def _search(
        self,
        queries: Floats,
        k: int,
        kinds: frozenset[GalleryKind] | None,
        way: Callable[[S], Callable[[Floats, int], Found]],
    ) -> list[list[Hit]]:
        if k < 1:
            raise ValueError("k must be at least 1")
        vectors = checked_queries(queries, self._dimension)
        answers: list[list[Hit]] = [[] for _ in vectors]
        if not len(vectors):
            return answers
        with self._lock.reading():
            parts = [
                (kind, shelf.table, way(shelf)(vectors, min(k, shelf.table.living)))
                for kind, shelf in self._shelves.items()
                if shelf.table.living and (kinds is None or kind in kinds)
            ]
            # Hits are made of copies: rows mean something only while the lock is held.
            ids = [(kind, table.faces[rows], table.subjects[rows]) for kind, table, (_, rows) in parts]
        for kind_ids, (_, _, (similarities, _)) in zip(ids, parts, strict=True):
            for answer, hits in zip(answers, _hits(*kind_ids, similarities), strict=True):
                answer += hits
        if len(parts) > 1:
            answers = [sorted(answer, key=_similarity, reverse=True)[:k] for answer in answers]
        return answers


def _similarity(hit: Hit) -> float:
    return hit.similarity


def _hits(kind: GalleryKind, faces: Ids, subjects: Ids, similarities: NDArray[np.float32]) -> Iterator[list[Hit]]:
    # Rounding can carry a cosine just past its bounds.
    for line, face_ids, subject_ids in zip(np.clip(similarities, -1, 1).tolist(), faces, subjects, strict=True):
        yield [
            Hit(face_id, subject_id, kind, similarity)
            for face_id, subject_id, similarity in zip(as_uuids(face_ids), as_uuids(subject_ids), line, strict=True)
        ]
