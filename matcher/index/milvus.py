"""`VectorIndex` in Milvus (Apache-2.0): a server or cluster by URL, or a file of Milvus Lite, by the same code.

A model version has a collection of its own, each kind of record a partition in it, so that a restriction to kinds is no
filter (filters lost .02 to .14 of the neighbours of one identity). The key is the face id as text, VARCHAR(36): numbers
would be 28 bytes a face smaller, but need a table of numbers that outlives every process and must never be wrong. The
metric is the inner product of unit vectors. Embeddings are rounded to halves before they are sent, as in every other
index, so `checksum` agrees across them.

Reads are `Strong`: they wait until the server has applied every earlier write, by whichever process (about 0.2 s on a
server of version 2.3, whose clock ticks every 0.2 s). `Bounded` takes milliseconds and returned a removed face. Ids
that are being removed here are left out here as well, from before the deletion until a read has shown that they are
gone; if it fails, until it is made again. So a process that hands the feeding to another opens its index anew.

Who writes: one process feeds a shared index, the one that holds the lease in the database; any number read. Its order
is add or remove, then `mark`. The watermark is a row of a second collection, so every process reads how far the index
is; a feeder that dies is followed by another, which goes on from there and repeats what was under way, harmlessly.
Two feeders at once are not safe: one that is behind could add again what the other has removed.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from time import sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.index.base import (
    Hit,
    IndexEntry,
    IndexStatistics,
    IndexUnreachable,
    Watermark,
    checked_entries,
    checked_queries,
)
from matcher.index.milvus_connection import close_client, open_client, reaching
from matcher.index.milvus_plan import EXACT, MOST_HITS, MilvusPlan
from matcher.index.milvus_rows import (
    EMBEDDING,
    EVERYTHING,
    FACE,
    KIND,
    PLACE,
    POSITIONS,
    SUBJECT,
    UNUSED,
    among,
    as_entry,
    as_row,
    chunks,
    collection_name,
    expect_faces,
    make_faces,
    make_positions,
    of_kind,
    positions_name,
)
from matcher.vocabulary import GalleryKind

Floats = NDArray[np.float32]

ROWS_AT_ONCE = 1000
"""Faces a call: about 0.7 MB at 128 values, far below the 64 MB that a server takes."""

HITS_AT_ONCE = 50_000
"""Hits a call may answer: with embeddings about 30 MB."""

STRONG = "Strong"
FOLLOWED = "followed"  # key of the one row that keeps the watermark
PAUSE_SECONDS = 0.5
SAMPLE, SAMPLE_HITS = 32, 50  # embeddings asked by `settle`, and hits of each
LEAST_RECALL = 0.99
TIE = 1e-5  # similarities closer than this are equal: float sums in another order


class MilvusIndex:
    """`VectorIndex` over one collection. Every method raises IndexUnreachable when Milvus does not answer or refuses.

    A failed `add` or `remove` may have been applied in part. The watermark has not moved, so following the source again
    from there makes it whole.
    """

    def __init__(
        self,
        location: str,
        model_version: str,
        dimension: int,
        *,
        token: str = "",
        plan: MilvusPlan = EXACT,
        prefix: str = "guitu",
        timeout_seconds: float = 30,
        make: bool = True,
    ) -> None:
        """Open the model version's collection, made if it is not there, or with IndexLost where not `make`.

        `location`: http(s)://host:port, or the path of a Lite file, ending in .db, which one process may hold at a
        time. `prefix` keeps several services on one server apart. Raises ValueError on another location, a dimension
        below 1, or a collection of another dimension or order.
        """
        if dimension < 1:
            raise ValueError("an embedding has at least one value")
        self._location, self._model_version, self._dimension, self._plan = location, model_version, dimension, plan
        self._timeout = timeout_seconds
        self._faces = collection_name(prefix, model_version)
        self._positions = positions_name(self._faces)
        self._changing = Lock()
        self._hidden: set[uuid.UUID] = set()
        self._closed = False
        self._client = open_client(location, token, timeout_seconds)
        try:
            with reaching("opening the collection"):
                expect_faces(self._client, self._faces, unless=make)
                make_faces(self._client, self._faces, dimension, plan)
                make_positions(self._client, self._positions)
        except BaseException:
            self.close()
            raise

    @property
    def model_version(self) -> str:
        """See `VectorIndex`."""
        return self._model_version

    @property
    def version(self) -> str:
        """See `VectorIndex`."""
        return self._plan.version

    @property
    def dimension(self) -> int:
        """See `VectorIndex`."""
        return self._dimension

    @property
    def watermark(self) -> Watermark:
        """See `VectorIndex`. Read from Milvus each time: another process may have moved it."""
        with reaching("reading the watermark"):
            rows = self._client.query(
                self._positions,
                filter=f'{PLACE} == "{FOLLOWED}"',
                output_fields=[POSITIONS],
                consistency_level=STRONG,
                timeout=self._timeout,
            )
        return Watermark.from_json(json.loads(rows[0][POSITIONS])) if rows else Watermark()

    def mark(self, watermark: Watermark) -> None:
        """See `VectorIndex`."""
        row = {PLACE: FOLLOWED, POSITIONS: json.dumps(watermark.as_json()), UNUSED: [1.0, 0.0]}
        with self._changing, reaching("writing the watermark"):
            self._client.upsert(self._positions, [row], timeout=self._timeout)

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """See `VectorIndex`."""
        for part in chunks(checked_entries(entries, self._dimension), ROWS_AT_ONCE):
            with self._changing:
                self._add(part)
                self._hidden.difference_update(entry.face_id for entry in part)

    def remove(self, ids: Iterable[uuid.UUID]) -> int:
        """See `VectorIndex`. Counted by asking first: Lite answers a deletion with the ids given, a server with their
        number, neither with how many were there.
        """
        count = 0
        for part in chunks(sorted(set(ids)), ROWS_AT_ONCE):
            with self._changing:
                here = self._rows(among(part), [FACE])
                count += len({row[FACE] for row in here})
                # Hidden before it is asked for: whatever becomes of the call, this process shows them no more.
                self._hidden.update(part)
                with reaching("removing faces"):
                    # Also those that were not found: a reply that got lost must not leave a face behind.
                    self._client.delete(self._faces, ids=[str(face_id) for face_id in part], timeout=self._timeout)
                if self._rows(among(part), [FACE]):
                    raise IndexUnreachable("Milvus still shows faces that it was told to remove")
                self._hidden.difference_update(part)
        return count

    def search(self, queries: Floats, k: int, kinds: frozenset[GalleryKind] | None = None) -> list[list[Hit]]:
        """See `VectorIndex`. Raises ValueError also where more than `MOST_HITS` hits would be due."""
        if k < 1:
            raise ValueError("k must be at least 1")
        vectors = checked_queries(queries, self._dimension)
        wanted = frozenset(GalleryKind) if kinds is None else kinds
        if not wanted or not len(vectors):
            return [[] for _ in vectors]
        return self._search(vectors, k, wanted)

    def search_exact(self, queries: Floats, k: int, kinds: frozenset[GalleryKind] | None = None) -> list[list[Hit]]:
        """See `ApproximateIndex`: the kept embeddings are read in runs and compared here. For a sample, not a service:
        it reads the whole collection.
        """
        if k < 1:
            raise ValueError("k must be at least 1")
        vectors = checked_queries(queries, self._dimension)
        best: list[list[Hit]] = [[] for _ in vectors]
        wanted = frozenset(GalleryKind) if kinds is None else kinds
        for rows in self._pages(EVERYTHING):
            part = [
                entry for row in rows if (entry := as_entry(row)).kind in wanted and entry.face_id not in self._hidden
            ]
            if part:
                scores = vectors @ np.stack([entry.embedding for entry in part]).T
                for hits, row_scores in zip(best, scores, strict=True):
                    hits += [_hit(entry, score) for entry, score in zip(part, row_scores.tolist(), strict=True)]
                    hits.sort(key=lambda hit: -hit.similarity)
                    del hits[k:]
        return best

    def fetch(self, ids: Iterable[uuid.UUID]) -> list[IndexEntry]:
        """See `VectorIndex`."""
        found = [
            as_entry(row)
            for part in chunks(sorted(set(ids)), ROWS_AT_ONCE)
            for row in self._rows(among(part), EVERYTHING)
        ]
        return [entry for entry in found if entry.face_id not in self._hidden]

    def __len__(self) -> int:
        """See `VectorIndex`."""
        return sum(self.statistics().faces.values())

    def ids(self) -> frozenset[uuid.UUID]:
        """See `VectorIndex`."""
        found = (uuid.UUID(row[FACE]) for rows in self._pages([FACE]) for row in rows)
        return frozenset(face_id for face_id in found if face_id not in self._hidden)

    def statistics(self) -> IndexStatistics:
        """See `VectorIndex`. Milvus clears its own tombstones away, so none are counted."""
        return IndexStatistics({kind: self._count(kind) for kind in GalleryKind}, 0, None)

    def pending_rows(self) -> int:
        """Rows that the server has not indexed yet (`pending_index_rows`), among which an approximate search finds
        less. A server does not count here what it has not yet written out: see `settle`.
        """
        with reaching("asking how far the index is built"):
            return int(self._client.describe_index(self._faces, EMBEDDING, timeout=self._timeout)["pending_index_rows"])

    def settle(self, seconds: float = 3600, pause: Callable[[float], None] = sleep) -> None:
        """Have the server write out what it was given and wait until searches find what they should: call it after a
        bulk load, while nothing changes, before the index is put in force. Raises TimeoutError with what is lacking;
        `seconds` are those between the questions, whose own time comes on top.

        `pending_rows` alone does not tell: a server of version 2.3 went from 0 to all rows and back, more than once,
        and found .72 of the neighbours all the while. So an approximate plan is compared with every face, for a sample
        of kept embeddings, until it finds `LEAST_RECALL` of them. That reads the whole collection once.
        """
        with reaching("writing out"):
            self._client.flush(self._faces, timeout=seconds)
            self._client.flush(self._positions, timeout=seconds)
        page: list[Mapping[str, Any]] = next(iter(self._pages(EVERYTHING)), []) if self._plan.approximate else []
        asked = np.array([row[EMBEDDING] for row in page[:: max(1, len(page) // SAMPLE)][:SAMPLE]], np.float32)
        truth = self.search_exact(asked, SAMPLE_HITS) if len(asked) else []
        lacking = ""
        for _ in range(max(1, int(seconds / PAUSE_SECONDS))):
            left, recall = self.pending_rows(), self._recall(asked, truth)
            if not left and recall >= LEAST_RECALL:
                return
            lacking = f"{left} rows are not indexed, and a sample finds {recall:.3f} of what it should"
            pause(PAUSE_SECONDS)
        raise TimeoutError(f"Milvus has not settled after {seconds:g} s of waiting: {lacking}")

    def drop(self) -> None:
        """Delete collection and watermark of a model version that nobody wants any more; then `close`."""
        with reaching("dropping the collection"):
            for name in (self._positions, self._faces):
                self._client.drop_collection(name, timeout=self._timeout)
        self.close()

    def close(self) -> None:
        """See `VectorIndex`."""
        with self._changing:
            if not self._closed:
                self._closed = True
                close_client(self._client, self._location)

    def _recall(self, asked: Floats, truth: list[list[Hit]]) -> float:
        if not truth:
            return 1.0
        found = sum(
            sum(hit.similarity >= right[-1].similarity - TIE for hit in hits)
            for hits, right in zip(self.search(asked, SAMPLE_HITS), truth, strict=True)
        )
        return found / sum(len(right) for right in truth)

    def _add(self, part: Sequence[IndexEntry]) -> None:
        for kind in GalleryKind:
            rows = [as_row(entry) for entry in part if entry.kind is kind]
            if not rows:
                continue
            with reaching("adding faces"):
                self._client.upsert(self._faces, rows, partition_name=kind.value, timeout=self._timeout)
            for other in set(GalleryKind) - {kind}:
                # A server replaces within a partition alone. Lite replaces everywhere, and would delete from every
                # partition too, whichever is named: so only rows that still have the other kind are deleted.
                stale = self._rows(
                    f"{of_kind(other)} and {among(uuid.UUID(row[FACE]) for row in rows)}", [FACE], [other.value]
                )
                if stale:
                    with reaching("replacing faces"):
                        self._client.delete(
                            self._faces,
                            ids=[row[FACE] for row in stale],
                            partition_name=other.value,
                            timeout=self._timeout,
                        )

    def _search(self, vectors: Floats, k: int, kinds: frozenset[GalleryKind]) -> list[list[Hit]]:
        limit = min(MOST_HITS, k * self._plan.excess)
        answers: list[list[Hit]] = []
        for start in range(0, len(vectors), step := max(1, HITS_AT_ONCE // limit)):
            answers += self._ask(vectors[start : start + step], k, limit, kinds)
        return answers

    def _ask(self, vectors: Floats, k: int, limit: int, kinds: frozenset[GalleryKind]) -> list[list[Hit]]:
        thorough = False
        while True:
            found = self._found(vectors, limit, kinds, self._plan.search_parameters(limit, thorough=thorough))
            answers = [self._hits(rows, vector)[:k] for rows, vector in zip(found, vectors, strict=True)]
            short = [len(rows) for rows, hits in zip(found, answers, strict=True) if len(hits) < k]
            # Short although full: hidden faces took places. Short and not full: nothing is left, or the search stopped
            # before it had seen all of a small gallery.
            if any(count >= limit for count in short):
                if limit >= MOST_HITS:
                    raise ValueError(f"Milvus answers at most {MOST_HITS} hits")
                limit = min(MOST_HITS, limit * 2)
            elif short and self._plan.approximate and not thorough:
                thorough = True
            else:
                return answers

    def _found(
        self, vectors: Floats, limit: int, kinds: frozenset[GalleryKind], parameters: Mapping[str, int]
    ) -> Sequence[Sequence[Mapping[str, Any]]]:
        with reaching("searching"):
            found: Sequence[Sequence[Mapping[str, Any]]] = self._client.search(
                self._faces,
                data=list(vectors),
                anns_field=EMBEDDING,
                limit=limit,
                output_fields=EVERYTHING if self._plan.rescored else [FACE, SUBJECT, KIND],
                search_params={"metric_type": "IP", "params": dict(parameters)},
                partition_names=sorted(kind.value for kind in kinds),
                consistency_level=STRONG,
                timeout=self._timeout,
            )
        return found

    def _hits(self, rows: Sequence[Mapping[str, Any]], vector: Floats) -> list[Hit]:
        hits = []
        for row in rows:
            entity = row["entity"]
            # A server of version 2.3 calls the key "id", Lite by its name.
            face_id = uuid.UUID(row["id"] if "id" in row else row[FACE])
            if face_id in self._hidden:
                continue
            kept = np.asarray(entity[EMBEDDING], np.float32) if self._plan.rescored else None
            score = float(row["distance"]) if kept is None else float(vector @ kept)
            kind = GalleryKind(entity[KIND])
            hits.append(Hit(face_id, uuid.UUID(entity[SUBJECT]), kind, _clipped(score)))
        return sorted(hits, key=lambda hit: -hit.similarity)

    def _rows(self, condition: str, fields: list[str], partitions: list[str] | None = None) -> list[Mapping[str, Any]]:
        with reaching("reading faces"):
            found: list[Mapping[str, Any]] = self._client.query(
                self._faces,
                filter=condition,
                output_fields=fields,
                partition_names=partitions,
                consistency_level=STRONG,
                timeout=self._timeout,
            )
        return found

    def _pages(self, fields: list[str]) -> Iterable[list[Mapping[str, Any]]]:
        with reaching("reading every face"):
            pages = self._client.query_iterator(
                self._faces, batch_size=ROWS_AT_ONCE, filter="", output_fields=fields, consistency_level=STRONG
            )
            try:
                while rows := pages.next():
                    yield rows
            finally:
                pages.close()

    def _count(self, kind: GalleryKind) -> int:
        return int(self._rows(of_kind(kind), ["count(*)"])[0]["count(*)"])


def _hit(entry: IndexEntry, score: float) -> Hit:
    return Hit(entry.face_id, entry.subject_id, entry.kind, _clipped(score))


def _clipped(score: float) -> float:
    # Rounding can carry a cosine just past its bounds.
    return max(-1.0, min(1.0, score))
