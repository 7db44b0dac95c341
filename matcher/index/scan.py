"""Exact nearest neighbours of many queries at once in vectors of halves: one pass over the vectors for all of them."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

Halves = NDArray[np.float16]
Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

Found = tuple[NDArray[np.float32], Rows]
"""Similarities and rows, (q, k) each, most similar first; -inf and any row where there are fewer than k."""

BLOCK = 8_192  # vectors compared at once: 4 MB as floats at 128 values
TOGETHER = 128  # queries compared at once: their similarities with a block are 4 MB
PROCESSORS = os.cpu_count() or 1
WORTH_A_THREAD = 200_000  # comparisons: some milliseconds, many times what a thread takes to start


def scan(queries: Floats, vectors: Halves, k: int, alive: NDArray[np.bool_] | None = None) -> Found:
    """The greatest inner products of float32 queries (q, d) with vectors (n, d). `alive` (n,) leaves rows out."""
    parts = [_divided(queries[at : at + TOGETHER], vectors, k, alive) for at in range(0, len(queries), TOGETHER)]
    if not parts:
        return np.empty((0, k), np.float32), np.empty((0, k), np.int64)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def best(similarities: NDArray[Any], rows: NDArray[Any], k: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The k greatest of each line with their rows, greatest first."""
    if similarities.shape[1] > k:
        kept = np.argpartition(similarities, similarities.shape[1] - k, axis=1)[:, -k:]
        similarities, rows = np.take_along_axis(similarities, kept, 1), np.take_along_axis(rows, kept, 1)
    order = np.argsort(-similarities, axis=1, kind="stable")
    return np.take_along_axis(similarities, order, 1), np.take_along_axis(rows, order, 1)


def _divided(queries: Floats, vectors: Halves, k: int, alive: NDArray[np.bool_] | None) -> Found:
    """The vectors in as many parts as there are processors, side by side."""
    workers = min(PROCESSORS, max(1, len(vectors) * len(queries) // WORTH_A_THREAD))
    if workers == 1:
        return _scan(queries, vectors, k, alive, range(len(vectors)))
    size = -(-len(vectors) // workers)
    spans = [range(start, min(start + size, len(vectors))) for start in range(0, len(vectors), size)]
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(lambda span: _scan(queries, vectors, k, alive, span), spans))
    return best(np.hstack([part[0] for part in parts]), np.hstack([part[1] for part in parts]), k)


def _scan(queries: Floats, vectors: Halves, k: int, alive: NDArray[np.bool_] | None, span: range) -> Found:
    found = np.full((len(queries), k), -np.inf, np.float32), np.full((len(queries), k), -1, np.int64)
    # FAISS turns halves into floats faster than numpy's astype.
    decoder = faiss.IndexScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_fp16)
    faiss.omp_set_num_threads(1)
    for start in range(span.start, span.stop, BLOCK):
        stop = min(start + BLOCK, span.stop)
        block = decoder.sa_decode(vectors[start:stop].view(np.uint8))
        products = queries @ block.T
        if alive is not None:
            products[:, ~alive[start:stop]] = -np.inf
        if start == span.start:
            rows = np.broadcast_to(np.arange(start, stop), products.shape)
            found = best(np.hstack([found[0], products]), np.hstack([found[1], rows]), k)
        else:
            found = _merged(found, products, start, k)
    return found


def _merged(found: Found, products: Floats, start: int, k: int) -> Found:
    # After the first block hardly any product beats the k-th so far: one comparison sorts nearly all of them out.
    places = np.flatnonzero(products > found[0][:, -1:])
    if not len(places):
        return found
    lines, columns = np.divmod(places, products.shape[1])
    counts = np.bincount(lines, minlength=len(products))
    width = int(counts.max())
    within = np.arange(len(lines)) - np.repeat(np.cumsum(counts) - counts, counts)
    similarities = np.full((len(products), width), -np.inf, np.float32)
    rows = np.full((len(products), width), -1, np.int64)
    similarities[lines, within] = products[lines, columns]
    rows[lines, within] = columns + start
    return best(np.hstack([found[0], similarities]), np.hstack([found[1], rows]), k)
