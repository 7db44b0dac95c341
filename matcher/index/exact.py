"""Exact nearest-neighbour search in memory: every query is compared with every face.

Embeddings are kept as halves (fp16): half the memory of floats, and a similarity is off by at most `ROUNDING`. At
1,000,000 faces of 128 values that is 256 MB, and 40 MB for ids.
"""

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from matcher.index.face_table import FaceTable, Ids, ReadInto, Rows, Write
from matcher.index.in_memory import InMemoryIndex
from matcher.index.scan import Floats, Found, Halves, scan

UNTYPED: Any = faiss
"""The library, where its stubs know less than it has."""

VERSION = "exact-fp16-1"

ADDED_AT_ONCE = 4_096

TOGETHER_FROM = 4
"""Queries from which one pass over the faces for all of them is faster than a pass for each."""


class FlatShelf:
    """`Shelf` over faiss.IndexScalarQuantizer: the inner products of float queries with halves."""

    def __init__(self, dimension: int) -> None:
        """Empty."""
        self.table = FaceTable()
        self.quantizer = faiss.IndexScalarQuantizer(
            dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )

    @property
    def halves(self) -> Halves:
        """See `Shelf`."""
        return halves_of(self.quantizer)

    @property
    def bytes_held(self) -> int:
        """See `Shelf`."""
        return int(self.table.bytes_held + self.quantizer.codes.size())

    def append(self, faces: Ids, subjects: Ids, halves: Halves) -> None:
        """See `Shelf`."""
        self.table.append(faces, subjects)
        self.quantizer.add_sa_codes(np.ascontiguousarray(halves, "<f2").view(np.uint8))

    def take(self, rows: Rows) -> None:
        """See `Shelf`. The last rows move into the holes; what is left behind them is wiped."""
        movers, holes = self.table.drop(rows)
        halves = self.halves
        halves[holes] = halves[movers]
        halves[self.table.rows :] = 0
        resize(self.quantizer, self.table.rows)

    def nearest(self, queries: Floats, k: int) -> Found:
        """See `Shelf`."""
        return compare_all(self.quantizer, queries, k, None)

    def nearest_exact(self, queries: Floats, k: int) -> Found:
        """See `Shelf`."""
        return self.nearest(queries, k)

    def save(self, write: Write) -> None:
        """See `Shelf`."""
        self.table.save(write)
        if self.table.rows:
            write(self.halves)

    def load(self, rows: int, read_into: ReadInto) -> None:
        """See `Shelf`."""
        self.table.load(rows, read_into)
        resize(self.quantizer, rows)
        if rows:
            read_into(self.halves)


class FaissExactIndex(InMemoryIndex[FlatShelf]):
    """`VectorIndex` that compares every face."""

    def __init__(self, model_version: str, dimension: int) -> None:
        """An empty index for embeddings of `dimension` values. Raises ValueError when it is below 1."""
        super().__init__(VERSION, model_version, dimension, FlatShelf, ADDED_AT_ONCE)


def compare_all(
    quantizer: faiss.IndexScalarQuantizer, queries: Floats, k: int, alive: NDArray[np.bool_] | None
) -> Found:
    """The k most similar rows of an fp16 quantizer, every row compared; `alive` (n,) leaves rows out."""
    if len(queries) >= TOGETHER_FROM:
        return scan(queries, halves_of(quantizer), k, alive)
    # One thread a query: the scan is bound by memory, and searches of several threads share the processors.
    faiss.omp_set_num_threads(1)
    selector, parameters = selector_of(alive), faiss.SearchParameters()
    if selector is not None:
        parameters.sel = selector
    similarities, rows = quantizer.search(queries, k, params=parameters)
    return similarities, rows


def selector_of(alive: NDArray[np.bool_] | None) -> Any:
    """A FAISS selector of the rows that are alive; None for all. FAISS keeps a bare pointer to it: hold it until the
    search is done.
    """
    return None if alive is None else UNTYPED.IDSelectorBitmap(np.packbits(alive, bitorder="little"))


def halves_of(quantizer: faiss.IndexScalarQuantizer) -> Halves:
    """The vectors of an fp16 quantizer, (n, d), in place: no copy, and no longer valid when it grows."""
    if not quantizer.ntotal:
        return np.empty((0, quantizer.d), np.float16)
    codes = faiss.rev_swig_ptr(quantizer.codes.data(), quantizer.codes.size())
    found: Halves = codes.view("<f2").reshape(quantizer.ntotal, quantizer.d)
    return found


def resize(quantizer: faiss.IndexScalarQuantizer, rows: int) -> None:
    """Give an fp16 quantizer this many rows: the last are cut off, or rows of zeros added, to be written in place."""
    quantizer.codes.resize(rows * quantizer.code_size)
    quantizer.ntotal = rows
