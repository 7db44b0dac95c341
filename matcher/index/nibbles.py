"""Vectors kept coarsely, four bits a value, in the order in which FAISS compares many of them at once (fast scan).

Each value is replaced by the nearest of 16 levels of its place in the vector: a product quantiser (Jégou, Douze and
Schmid 2011) of one value a part, whose codes are compared by look-up in registers (André, Kermarrec and Le Scouarnec
2015; here the `PQFastScan` of FAISS). The levels come from a seeded sample of the vectors, so a quantity that spreads
little gets finer steps; what the levels are never makes an answer wrong, only a shortlist worse.
"""

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from matcher.index.exact import UNTYPED
from matcher.index.face_table import ReadInto, Rows, Write
from matcher.index.scan import PROCESSORS, Halves

BITS = 4
LEVELS = 1 << BITS
SAMPLE = 4_096
"""Vectors that the levels are found from: 256 for each level, as FAISS takes at the most by itself."""
SEED = 11
TOGETHER = 128
"""Vectors a block: at 1,000,000 a search took 2.8 ms with 128, 3.1 to 3.3 with 32, 64 and 96."""
ENCODED_AT_ONCE = 65_536
WORTH_A_THREAD = 1_000  # vectors: some milliseconds


class Nibbles:
    """Codes of rows 0 to `rows`-1. Not safe between threads by itself."""

    def __init__(self, dimension: int) -> None:
        """No levels and no row."""
        self.trained_on = 0
        """Vectors there were when the levels were found; 0: there are no levels yet, and no row can be added."""
        self.scanner: Any = UNTYPED.IndexPQFastScan(dimension, dimension, BITS, faiss.METRIC_INNER_PRODUCT, TOGETHER)

    @property
    def rows(self) -> int:
        """Rows held."""
        return int(self.scanner.ntotal)

    @property
    def bytes_held(self) -> int:
        """Bytes of the codes."""
        return int(self.scanner.codes.size())

    @property
    def blocks(self) -> NDArray[np.uint8]:
        """The codes in place, (blocks, pairs of values, rows / 32, 2 values of the pair, 16 bytes of two rows each): no
        copy, and no longer valid when it grows.
        """
        pairs = self.scanner.M2 // 2
        if not self.scanner.codes.size():
            return np.empty((0, pairs, TOGETHER // 32, 2, 16), np.uint8)
        codes: NDArray[np.uint8] = faiss.rev_swig_ptr(self.scanner.codes.get(), self.scanner.codes.size())
        return codes.reshape(-1, pairs, TOGETHER // 32, 2, 16)

    def train(self, halves: Halves) -> None:
        """Find the levels from a seeded sample of at least one vector (n, d). There must be no row."""
        chosen = np.random.default_rng(SEED).permutation(len(halves))[:SAMPLE]
        sample = halves[np.sort(chosen)].astype(np.float32)
        if len(sample) < LEVELS:
            sample = np.resize(sample, (LEVELS, sample.shape[1]))
        clustering = self.scanner.pq.cp
        clustering.seed, clustering.min_points_per_centroid = SEED, 1
        # In one thread: the parts are so small that threads would only wait for one another.
        faiss.omp_set_num_threads(1)
        self.scanner.train(sample)
        self.trained_on = len(halves)

    def append(self, halves: Halves) -> None:
        """Add rows at the end."""
        faiss.omp_set_num_threads(min(PROCESSORS, -(-len(halves) // WORTH_A_THREAD)))
        for start in range(0, len(halves), ENCODED_AT_ONCE):
            self.scanner.add(halves[start : start + ENCODED_AT_ONCE].astype(np.float32))

    def move(self, movers: Rows, holes: Rows, rows: int) -> None:
        """Put the codes of some rows into the place of others, then cut off all but the first `rows`, wiped."""
        whole = -(-rows // TOGETHER)
        rest = np.arange(rows, min(whole * TOGETHER, self.rows))
        self._write(holes, self._read(movers))
        self._write(rest, np.zeros((len(rest), self.scanner.M2 // 2, 2), np.uint8))
        self.blocks[whole:] = 0
        self._resize(rows)

    def save(self, write: Write) -> None:
        """Write everything; `load` reads it."""
        write(np.array([self.trained_on], "<i8"))
        if self.trained_on:
            write(faiss.vector_to_array(self.scanner.pq.centroids).astype("<f4", copy=False))
            if self.rows:
                write(self.blocks)

    def load(self, rows: int, read_into: ReadInto) -> None:
        """Fill a new one with what `save` wrote of so many rows."""
        trained_on = np.zeros(1, "<i8")
        read_into(trained_on)
        self.trained_on = int(trained_on[0])
        if self.trained_on:
            levels = np.empty(self.scanner.pq.centroids.size(), "<f4")
            read_into(levels)
            faiss.copy_array_to_vector(levels, self.scanner.pq.centroids)
            self.scanner.is_trained = True
            self._resize(rows)
            if rows:
                read_into(self.blocks)

    def _read(self, rows: Rows) -> NDArray[np.uint8]:
        """Codes of some rows, (n, pairs, 2), each below 16."""
        block, group, high, slot = _places(rows)
        shift = (4 * high).astype(np.uint8)[:, np.newaxis, np.newaxis]
        return self.blocks[block, :, group, :, slot] >> shift & np.uint8(15)

    def _write(self, rows: Rows, codes: NDArray[np.uint8]) -> None:
        block, group, high, slot = _places(rows)
        blocks = self.blocks
        # One half after the other: two rows share a byte.
        for half, other in ((0, 0xF0), (1, 0x0F)):
            of = high == half
            at = block[of], slice(None), group[of], slice(None), slot[of]
            blocks[at] = blocks[at] & np.uint8(other) | codes[of] << np.uint8(4 * half)

    def _resize(self, rows: int) -> None:
        blocks = -(-rows // TOGETHER)
        self.scanner.codes.resize(blocks * TOGETHER * self.scanner.M2 // 2)
        self.scanner.ntotal, self.scanner.ntotal2 = rows, blocks * TOGETHER


def _places(rows: Rows) -> tuple[Rows, Rows, Rows, Rows]:
    """Where FAISS keeps rows (`pq4_pack_codes` in faiss/impl/pq4_fast_scan.cpp): block, group of 32, half of the byte
    (1: the upper), and byte of the 16. Its own CodePacker knows blocks of 32 alone.
    """
    block, within = np.divmod(rows, TOGETHER)
    group, within = np.divmod(within, 32)
    high, within = np.divmod(within, 16)
    return block, group, high, np.where(within < 8, 2 * within, 2 * within - 15)
