"""Approximate nearest-neighbour search over a graph (HNSW, Malkov and Yashunin 2018), for galleries past some million.

The graph walks over the same halves as the exact index, so every similarity that it reports is the exact one, and what
it reports is in the right order; it can only miss a face. How often it does is measured by `matcher.index.recall`.

A removed face leaves an empty row (tombstone) in the graph, which every search leaves out. Its ids and its embedding
are gone at once: the row takes over the embedding of a neighbour, so that the paths through it stay sensible. When
tombstones pass a share, `matcher.index.choice` builds a fresh index.
"""

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from matcher.index.exact import UNTYPED, compare_all, halves_of, resize, selector_of
from matcher.index.face_table import FaceTable, Ids, ReadInto, Rows, Write
from matcher.index.in_memory import InMemoryIndex
from matcher.index.scan import PROCESSORS, Floats, Found, Halves

LINKS = 32  # links a face and layer, twice as many on the lowest: with 16 recall@50 fell from .996 to .992 at 100,000
BUILD_BREADTH = 100  # efConstruction
SEARCH_BREADTH = 128  # efSearch, at the least: with 32 some searches miss every photograph of a person
MOST_PADDING = 4.0
GRAPH_FROM = 20_000
"""Faces of a kind from which the graph is walked: below, comparing every face is as fast, and exact."""

ADDED_AT_ONCE = 64
"""Faces added while searches wait."""

VERSION = f"hnsw-fp16-{LINKS}-{BUILD_BREADTH}-1"


class GraphShelf:
    """`Shelf` over faiss.IndexHNSW."""

    def __init__(self, dimension: int, breadth: int, graph_from: int) -> None:
        """Empty."""
        self.table = FaceTable()
        self.quantizer = faiss.IndexScalarQuantizer(
            dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        self.graph: Any = UNTYPED.IndexHNSW(self.quantizer, LINKS)
        self.graph.hnsw.efConstruction = BUILD_BREADTH
        self._breadth = breadth
        self._graph_from = graph_from

    @property
    def halves(self) -> Halves:
        """See `Shelf`."""
        return halves_of(self.quantizer)

    @property
    def bytes_held(self) -> int:
        """See `Shelf`."""
        links = 4 * self.graph.hnsw.neighbors.size() + 8 * self.graph.hnsw.offsets.size()
        return int(self.table.bytes_held + self.quantizer.codes.size() + links)

    def append(self, faces: Ids, subjects: Ids, halves: Halves) -> None:
        """See `Shelf`."""
        self.table.append(faces, subjects)
        faiss.omp_set_num_threads(min(PROCESSORS, len(faces)))
        self.graph.add(halves.astype(np.float32))

    def take(self, rows: Rows) -> None:
        """See `Shelf`. The rows become tombstones."""
        self.table.kill(rows)
        halves = self.halves
        for row in rows.tolist():
            halves[row] = halves[self._stand_in(row)] if self.table.living else 0

    def nearest(self, queries: Floats, k: int) -> Found:
        """See `Shelf`."""
        if self.table.living < self._graph_from:
            return self.nearest_exact(queries, k)
        faiss.omp_set_num_threads(min(PROCESSORS, len(queries)))
        parameters = UNTYPED.SearchParametersHNSW()
        # Tombstones take places among the candidates: as many more are kept.
        padding = min(MOST_PADDING, self.table.rows / self.table.living)
        parameters.efSearch = round(max(self._breadth, 2 * k) * padding)
        selector = selector_of(self._living())
        if selector is not None:
            parameters.sel = selector
        similarities, rows = self.graph.search(queries, k, params=parameters)
        # A walk that ends among tombstones, or in a part that it cannot leave, must not look like a small gallery.
        short = np.flatnonzero((rows < 0).any(axis=1))
        if len(short):
            similarities[short], rows[short] = self.nearest_exact(queries[short], k)
        return similarities, rows

    def nearest_exact(self, queries: Floats, k: int) -> Found:
        """See `Shelf`."""
        return compare_all(self.quantizer, queries, k, self._living())

    def save(self, write: Write) -> None:
        """See `Shelf`."""
        self.table.save(write)
        if self.table.rows:
            write(self.halves)
            faiss.write_index(
                self.graph,
                UNTYPED.PyCallbackIOWriter(lambda data: write(np.frombuffer(data, np.uint8))),
                UNTYPED.IO_FLAG_SKIP_STORAGE,
            )

    def load(self, rows: int, read_into: ReadInto) -> None:
        """See `Shelf`."""

        def read(count: int) -> bytes:
            found = np.empty(count, np.uint8)
            read_into(found)
            return found.tobytes()

        self.table.load(rows, read_into)
        resize(self.quantizer, rows)
        if rows:
            read_into(self.halves)
            self.graph = faiss.read_index(UNTYPED.PyCallbackIOReader(read), UNTYPED.IO_FLAG_SKIP_STORAGE)
            self.graph.storage = self.quantizer

    def _living(self) -> NDArray[np.bool_] | None:
        return None if self.table.living == self.table.rows else self.table.alive

    def _stand_in(self, row: int) -> int:
        """A living row near this one in the graph, or any living one."""
        hnsw = self.graph.hnsw
        start = hnsw.offsets.at(row)
        count = hnsw.nb_neighbors(0)
        links = faiss.rev_swig_ptr(hnsw.neighbors.data(), hnsw.neighbors.size())[start : start + count]
        alive = self.table.alive
        living = [link for link in links.tolist() if link >= 0 and alive[link]]
        return living[0] if living else int(np.argmax(alive))


class FaissHnswIndex(InMemoryIndex[GraphShelf]):
    """`ApproximateIndex` over a graph for each kind."""

    def __init__(
        self, model_version: str, dimension: int, breadth: int = SEARCH_BREADTH, graph_from: int = GRAPH_FROM
    ) -> None:
        """An empty index for embeddings of `dimension` values.

        `breadth`: candidates kept during a walk (efSearch); k · 2 where that is more. Raises ValueError when the
        dimension is below 1 or the breadth below `SEARCH_BREADTH`.
        """
        if breadth < SEARCH_BREADTH:
            raise ValueError(f"a walk of fewer than {SEARCH_BREADTH} candidates misses people")
        super().__init__(
            VERSION, model_version, dimension, lambda values: GraphShelf(values, breadth, graph_from), ADDED_AT_ONCE
        )
