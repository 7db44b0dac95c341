"""Nearest-neighbour search in two passes: every face compared coarsely, then a shortlist exactly.

The first pass reads four bits a value (`matcher.index.nibbles`), a quarter of what the exact index reads; the second
compares some hundred faces by the same halves as the exact index. So every similarity that is reported is the exact
one, and what is reported is in the right order; a face is missed only when hundreds of others look nearer from afar.
How often that is, is measured by `matcher.index.recall`. Unlike a graph it is made in seconds, a removed face leaves
nothing behind, and strangers are found as well as the person.
"""

from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np

from matcher.index.exact import UNTYPED, compare_all, halves_of, resize
from matcher.index.face_table import FaceTable, Ids, ReadInto, Rows, Write
from matcher.index.in_memory import InMemoryIndex
from matcher.index.nibbles import Nibbles
from matcher.index.scan import PROCESSORS, Floats, Found, Halves

VERSION = "compressed-nibbles-1"

SHORTLIST = 500
"""Faces compared exactly, at the least."""

SHORTLIST_A_HIT = 10
"""The same for each hit asked for."""

COMPRESSED_FROM = 20_000
"""Faces of a kind from which there are codes: below, comparing every face is as fast, and exact."""

STALE_GROWTH = 4
"""Times the faces that the levels were found from, at which they are found anew: those who came may be others."""

ADDED_AT_ONCE = 1_024
"""Faces added while searches wait."""


class CompressedShelf:
    """`Shelf` over faiss.IndexPQFastScan, re-scored over faiss.IndexScalarQuantizer."""

    def __init__(self, dimension: int, compressed_from: int) -> None:
        """Empty."""
        self.table = FaceTable()
        self.quantizer = faiss.IndexScalarQuantizer(
            dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        self.codes = Nibbles(dimension)
        self._compressed_from = compressed_from

    @property
    def halves(self) -> Halves:
        """See `Shelf`."""
        return halves_of(self.quantizer)

    @property
    def bytes_held(self) -> int:
        """See `Shelf`."""
        return int(self.table.bytes_held + self.quantizer.codes.size() + self.codes.bytes_held)

    @property
    def stale(self) -> bool:
        """Whether there are many more faces than the levels were found from."""
        return 0 < self.codes.trained_on * STALE_GROWTH < self.table.rows

    def train(self, halves: Halves) -> None:
        """Find the levels from what is about to be appended to an empty shelf, when that is enough for codes."""
        if len(halves) >= max(1, self._compressed_from):
            self.codes.train(halves)

    def append(self, faces: Ids, subjects: Ids, halves: Halves) -> None:
        """See `Shelf`."""
        self.table.append(faces, subjects)
        self.quantizer.add_sa_codes(np.ascontiguousarray(halves, "<f2").view(np.uint8))
        if self.codes.trained_on:
            self.codes.append(halves)
        elif self.table.rows >= self._compressed_from:
            self.codes.train(self.halves)
            self.codes.append(self.halves)

    def take(self, rows: Rows) -> None:
        """See `Shelf`. The last rows move into the holes; what is left behind them is wiped."""
        movers, holes = self.table.drop(rows)
        halves = self.halves
        halves[holes] = halves[movers]
        halves[self.table.rows :] = 0
        resize(self.quantizer, self.table.rows)
        if self.codes.trained_on:
            self.codes.move(movers, holes, self.table.rows)
            # The levels of a few faces would tell of each of them.
            if not self.table.rows or self.table.rows < self._compressed_from / 2:
                self.codes = Nibbles(self.quantizer.d)

    def nearest(self, queries: Floats, k: int) -> Found:
        """See `Shelf`."""
        if not self.codes.trained_on:
            return self.nearest_exact(queries, k)
        # FAISS has a pass of its own for many queries, which takes longer a query than this with codes of this length.
        workers = min(PROCESSORS, len(queries))
        if workers == 1:
            return self._nearest(queries, k)
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(lambda part: self._nearest(part, k), np.array_split(queries, workers)))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def nearest_exact(self, queries: Floats, k: int) -> Found:
        """See `Shelf`."""
        return compare_all(self.quantizer, queries, k, None)

    def save(self, write: Write) -> None:
        """See `Shelf`."""
        self.table.save(write)
        if self.table.rows:
            write(self.halves)
            self.codes.save(write)

    def load(self, rows: int, read_into: ReadInto) -> None:
        """See `Shelf`."""
        self.table.load(rows, read_into)
        resize(self.quantizer, rows)
        self.codes = Nibbles(self.quantizer.d)
        if rows:
            read_into(self.halves)
            self.codes.load(rows, read_into)

    def _nearest(self, queries: Floats, k: int) -> Found:
        faiss.omp_set_num_threads(1)
        shortlist = min(self.table.rows, max(SHORTLIST, SHORTLIST_A_HIT * k))
        both = UNTYPED.IndexRefine(self.codes.scanner, self.quantizer)
        wanted = k if shortlist < self.table.rows else shortlist
        # Half a face more: FAISS multiplies by `wanted` again and rounds down.
        parameters = UNTYPED.IndexRefineSearchParameters(k_factor=(shortlist + 0.5) / wanted)
        found = [both.search(query[np.newaxis], wanted, params=parameters) for query in queries]
        similarities = np.concatenate([one[0] for one in found])
        rows = np.concatenate([one[1] for one in found])
        # FAISS never takes the rows that are least like the query in every value, as all are where all faces are equal.
        short = np.flatnonzero((rows < 0).any(axis=1))
        similarities, rows = similarities[:, :k], rows[:, :k]
        if len(short):
            similarities[short], rows[short] = self.nearest_exact(queries[short], k)
        return similarities, rows


class FaissCompressedIndex(InMemoryIndex[CompressedShelf]):
    """`ApproximateIndex` that compares every face coarsely, and a shortlist exactly."""

    def __init__(self, model_version: str, dimension: int, compressed_from: int = COMPRESSED_FROM) -> None:
        """An empty index for embeddings of `dimension` values; below `compressed_from` faces of a kind it compares
        every face exactly. Raises ValueError when the dimension is below 1.
        """
        super().__init__(
            VERSION, model_version, dimension, lambda values: CompressedShelf(values, compressed_from), ADDED_AT_ONCE
        )

    @property
    def stale(self) -> bool:
        """Whether the levels of some kind were found from far fewer faces than there are now."""
        with self._lock.reading():
            return any(shelf.stale for shelf in self._shelves.values())
