"""What a vector index gives, whichever library is behind it.

An index is an artefact that can be rebuilt at any time from the stored embeddings; it is never the only place where
anything is kept. It holds the faces of one model version; two versions side by side are two indexes.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matcher.vocabulary import GalleryKind

LENGTH_TOLERANCE = 1e-3
"""How far from 1 the length of a float32 embedding may be: a thousand times its rounding error."""

ROUNDING = 2.0**-11
"""Most that a similarity may differ from the cosine of the float32 embeddings: halves keep 11 significant bits, and the
sum of |q_i x_i| over two unit vectors is at most 1 (Cauchy and Schwarz).
"""


@dataclass(frozen=True, slots=True, eq=False)
class IndexEntry:
    """One face to be found: its id, the report or case that it belongs to, and its embedding (d,), length 1."""

    face_id: uuid.UUID
    subject_id: uuid.UUID
    kind: GalleryKind
    embedding: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hit:
    """One face found. `similarity` is the cosine of the query and the kept embedding, -1 to 1, within `ROUNDING`."""

    face_id: uuid.UUID
    subject_id: uuid.UUID
    kind: GalleryKind
    similarity: float


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a replica has followed its source. The index keeps it and never looks inside; empty means from the start.

    `positions` maps names that the caller chooses to whole numbers, and is written as JSON.
    """

    positions: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, int]:
        """The positions as a plain dictionary."""
        return dict(self.positions)

    @classmethod
    def from_json(cls, value: object) -> "Watermark":
        """What `as_json` gave. Raises ValueError on anything else than an object of whole numbers."""
        if not isinstance(value, dict) or not all(
            isinstance(name, str) and type(number) is int for name, number in value.items()
        ):
            raise ValueError("a watermark is an object of whole numbers")
        return cls(dict(value))


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """What an index holds. `tombstones`: removed faces that still take room; no search returns them."""

    faces: Mapping[GalleryKind, int]
    tombstones: int
    bytes_held: int | None
    """Bytes of vectors, ids and links in this process; None when they live in another one."""

    @property
    def tombstone_share(self) -> float:
        """Tombstones among all rows, 0 to 1; 0 for an empty index."""
        rows = sum(self.faces.values()) + self.tombstones
        return self.tombstones / rows if rows else 0.0


class IndexUnreachable(Exception):
    """The index lives in another process, and that did not answer or refused. Nothing is known of a change under way:
    every change may be made again, for all of them are idempotent.
    """


class IndexLost(IndexUnreachable):
    """The index answers, and what was put into it is not there (any more): it must be filled anew."""


class Damage(StrEnum):
    """Why a snapshot cannot be used."""

    MISSING = "missing"
    NOT_A_SNAPSHOT = "not_a_snapshot"
    OLD_FORMAT = "old_format"  # written by another version of the format or of the index
    FOREIGN = "foreign"  # whole as it may be: of another model version or dimension, or sealed under another key
    TRUNCATED = "truncated"
    ALTERED = "altered"


class SnapshotDamaged(Exception):
    """A snapshot cannot be used; `reason` says why. The remedy is always the same: rebuild from the database."""

    def __init__(self, reason: Damage, detail: str = "") -> None:
        """`detail` is for the log; it names no face."""
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason


class VectorIndex(Protocol):
    """Nearest embeddings of one model version.

    One instance may be used by several threads at once. Searches run side by side; each sees every change whose call
    has returned, and no part of one `add` of a face without the rest of that face. A change that raises ValueError has
    changed nothing. Implementations in another process raise `IndexUnreachable` from every method.
    """

    @property
    def model_version(self) -> str:
        """The only version whose embeddings this index takes and answers."""
        ...

    @property
    def version(self) -> str:
        """The builder's version: a change means that an index must be built anew and that matches may differ."""
        ...

    @property
    def dimension(self) -> int:
        """Values in an embedding, at least 1."""
        ...

    @property
    def watermark(self) -> Watermark:
        """What `mark` was last given; `Watermark()` before."""
        ...

    def mark(self, watermark: Watermark) -> None:
        """Note how far the source has been followed. Call it after the changes that lead there: what is kept then is
        never older than its watermark, and following the source again from there makes it whole.
        """
        ...

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Add faces; one that is there already is replaced, whatever its kind was, so that adding again is harmless.

        Of entries with the same face id the last one stays. All or nothing: raises ValueError, with nothing added, when
        an embedding has another dimension, or a length further than `LENGTH_TOLERANCE` from 1 (also: not a number).
        """
        ...

    def remove(self, ids: Iterable[uuid.UUID]) -> int:
        """Remove faces by face id; how many were there. Unknown ids are ignored, repeated ones count once.

        When it returns, no search that begins can find them.
        """
        ...

    def search(
        self, queries: NDArray[np.float32], k: int, kinds: frozenset[GalleryKind] | None = None
    ) -> list[list[Hit]]:
        """For each row of `queries` (q, d), length 1 each, min(k, faces searched) hits, most similar first.

        `kinds` restricts what is searched; None means everything, and the empty set nothing. Many queries in one call
        cost less each than one by one. Raises ValueError on a wrong shape or length or k < 1.

        An exact index gives the k most similar faces (ties and differences below `ROUNDING` either way). An
        approximate one gives as many hits with right similarities, but may miss a face that is more similar.
        """
        ...

    def fetch(self, ids: Iterable[uuid.UUID]) -> list[IndexEntry]:
        """What is kept for these face ids, for verification: in any order, unknown ids left out.

        The embedding is the kept one: the given one rounded to halves, so that `checksum` of both is equal.
        """
        ...

    def __len__(self) -> int:
        """Faces held."""
        ...

    def ids(self) -> frozenset[uuid.UUID]:
        """Face ids held, as objects, which are large: for verification, not for every search."""
        ...

    def statistics(self) -> IndexStatistics:
        """What is held now."""
        ...

    def close(self) -> None:
        """Let go of connections and files. Again does nothing; an index in this process has none."""
        ...


class ApproximateIndex(VectorIndex, Protocol):
    """An index that may miss a face, and can tell how often: see `matcher.index.recall`."""

    def search_exact(
        self, queries: NDArray[np.float32], k: int, kinds: frozenset[GalleryKind] | None = None
    ) -> list[list[Hit]]:
        """As `search`, with every face compared."""
        ...


def checked_queries(vectors: NDArray[np.float32], dimension: int) -> NDArray[np.float32]:
    """The vectors as contiguous float32 (n, dimension). Raises ValueError on another shape or a length other than 1."""
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        raise ValueError(f"expected shape (n, {dimension}), got {vectors.shape}")
    found = np.ascontiguousarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(found, axis=1)
    if not np.all(np.abs(lengths - 1) <= LENGTH_TOLERANCE):
        raise ValueError("every vector must have length 1")
    return found


def checked_entries(entries: Sequence[IndexEntry], dimension: int) -> list[IndexEntry]:
    """The last entry of each face id, as `VectorIndex.add` takes them. Raises ValueError as it does."""
    unique = list({entry.face_id: entry for entry in entries}.values())
    # Every entry is looked at, also one that a later one replaces: a bad batch must not pass by its order.
    if any(entry.embedding.shape != (dimension,) for entry in entries):
        raise ValueError(f"embeddings must have shape ({dimension},)")
    if entries:
        checked_queries(np.stack([entry.embedding for entry in entries]), dimension)
    return unique


def checksum(entry: IndexEntry) -> bytes:
    """SHA-256 of a face as an index keeps it: ids, kind, and the embedding rounded to little-endian halves."""
    kept = np.asarray(entry.embedding, np.float32).astype("<f2").tobytes()
    return hashlib.sha256(entry.face_id.bytes + entry.subject_id.bytes + entry.kind.encode() + b"\0" + kept).digest()
