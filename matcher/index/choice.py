"""Which index a gallery of some size gets, and making it anew when it has outgrown the one it has."""

from typing import Literal

import numpy as np

from matcher.index.base import ApproximateIndex, VectorIndex
from matcher.index.compressed import COMPRESSED_FROM, CompressedShelf, FaissCompressedIndex
from matcher.index.exact import FaissExactIndex
from matcher.index.face_table import Ids
from matcher.index.hnsw import SEARCH_BREADTH, FaissHnswIndex
from matcher.index.scan import Halves
from matcher.vocabulary import GalleryKind

LocalIndex = FaissExactIndex | FaissCompressedIndex | FaissHnswIndex
"""An index in this process, which a snapshot can keep."""

BUILT_AT_ONCE = 50_000


Approximation = Literal["compressed", "graph"]
"""How a gallery is searched that has too many faces to compare each exactly."""

SORTS: dict[Approximation, type[FaissCompressedIndex] | type[FaissHnswIndex]] = {
    "compressed": FaissCompressedIndex,
    "graph": FaissHnswIndex,
}


def empty_index(
    model_version: str,
    dimension: int,
    faces: int,
    approximate_from: int,
    approximation: Approximation = "compressed",
    breadth: int = SEARCH_BREADTH,
) -> LocalIndex:
    """An empty index for about so many faces: exact below `approximate_from`, `approximation` from there on.

    `breadth`: of a graph, see `FaissHnswIndex`. Raises ValueError as the three do.
    """
    if faces < approximate_from:
        return FaissExactIndex(model_version, dimension)
    if approximation == "graph":
        return FaissHnswIndex(model_version, dimension, breadth)
    # Two kinds share the faces, and an index is given up only below half of `approximate_from`.
    return FaissCompressedIndex(model_version, dimension, min(COMPRESSED_FROM, approximate_from // 4))


def local(index: VectorIndex) -> LocalIndex:
    """The index as one of this process. Raises TypeError for one that lives elsewhere."""
    if not isinstance(index, FaissExactIndex | FaissCompressedIndex | FaissHnswIndex):
        raise TypeError("an index in another process has no snapshot, and keeps itself in order")
    return index


def approximate(index: VectorIndex) -> ApproximateIndex | None:
    """The index as one that may miss a face and has to be watched; None for any other."""
    return index if isinstance(index, FaissCompressedIndex | FaissHnswIndex) else None


def outgrown(
    index: VectorIndex,
    approximate_from: int,
    tombstone_share: float,
    approximation: Approximation = "compressed",
) -> bool:
    """Whether `rebuilt` would give a better index: another sort suits the size or is wanted, the codes were made for
    far fewer faces, or too many rows are tombstones.

    An approximate index is given up for its size only below half of `approximate_from`, so that a size about there does
    not go to and fro. An index in another process is never outgrown.
    """
    if isinstance(index, FaissExactIndex):
        return len(index) >= approximate_from
    if not isinstance(index, FaissCompressedIndex | FaissHnswIndex):
        return False
    if len(index) < approximate_from / 2 or not isinstance(index, SORTS[approximation]):
        return True
    if isinstance(index, FaissCompressedIndex):
        return index.stale
    return index.statistics().tombstone_share > tombstone_share


def rebuilt(
    index: VectorIndex,
    approximate_from: int,
    approximation: Approximation = "compressed",
    breadth: int = SEARCH_BREADTH,
) -> LocalIndex:
    """A fresh index of the same faces and watermark, of the sort that suits their number.

    The old one goes on serving and changing. Changes from here on reach the new one as they reach every replica: the
    caller follows the source from the new one's watermark, then puts it in the old one's place. Changes wait while the
    rows are copied, not while the new index is built.
    Raises TypeError as `local` does.
    """
    copies: dict[GalleryKind, tuple[Ids, Ids, Halves]] = {}
    with local(index).shelves_unchanged() as (shelves, watermark):
        for kind, shelf in shelves.items():
            alive = shelf.table.alive
            copies[kind] = shelf.table.faces[alive], shelf.table.subjects[alive], shelf.halves[alive]
        faces = sum(int(np.count_nonzero(shelf.table.alive)) for shelf in shelves.values())
    fresh = empty_index(index.model_version, index.dimension, faces, approximate_from, approximation, breadth)
    with fresh.shelves_to_fill(watermark) as empty:
        for kind, (face_ids, subject_ids, halves) in copies.items():
            shelf = empty[kind]
            if isinstance(shelf, CompressedShelf):
                # From all of them: the first that go in may be unlike the rest.
                shelf.train(halves)
            for start in range(0, len(face_ids), BUILT_AT_ONCE):
                part = slice(start, start + BUILT_AT_ONCE)
                shelf.append(face_ids[part], subject_ids[part], halves[part])
    return fresh
