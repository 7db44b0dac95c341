"""The index beside `face_recognition.face_distance` and a sort, over one gallery in one run.

    python -m benchmarks.index [--faces 1000000] [--largest 10000000] [--queries 200] [--breadth 256]
        [--skip-graph] [--frontier]

Gallery: 50,000 identities × 20 noisy samples, unit vectors (benchmarks/clustered.py); queries are new samples. One
query, k = 50, runs in one thread on either side, in turns; medians. A batch of 64 may use every processor. The peer's
gallery is of float64, as face_recognition.face_encodings returns them, and, printed as well, of float32.

Recall: a hit counts when its similarity, from the original float32 vectors, is at least the true 50th less 1e-4, which
is what rounding two embeddings to halves can exchange. Beside it are printed the share of the very same ids, and how
many of the 20 faces of the query's own identity were found: of the 50 the other 30 are strangers, spread evenly over
128 dimensions, which is hard for a graph. In the growth table recall is that of `matcher.index.recall`.

Memory and start are those of fresh processes: memory is resident memory after loading the snapshot less that before,
start is everything from starting Python to the first answer. The graph takes long to build at a million (half an hour
and more of one processor's time), so it is kept, as a snapshot, in var/bench, and said to be; `--skip-graph` leaves it
out, and its figures are null. `--frontier` prints its recall and time at other breadths. The last line is one JSON
object.
"""

from __future__ import annotations

import os

# One thread a matrix product: the batch divides itself among the processors. To be set before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.clustered import (
    DIMENSION,
    Floats,
    face_ids,
    gallery,
    gallery_parts,
    identities_asked,
    identities_of,
    queries,
)
from matcher.faces.weights import load_face_recognition
from matcher.index.base import IndexEntry, VectorIndex
from matcher.index.choice import LocalIndex, approximate, rebuilt
from matcher.index.exact import FaissExactIndex
from matcher.index.face_table import FaceTable, as_ids
from matcher.index.recall import recall_sample
from matcher.index.snapshot import read_snapshot, write_snapshot
from matcher.vocabulary import GalleryKind

FOLDER = Path("var/bench")
KEY = bytes(32)  # of made-up faces
MODEL = "clustered-1"
AT = datetime(2026, 1, 1, tzinfo=UTC)
K, BATCH = 50, 64
TIE = 1e-4
AT_ONCE = 50_000
TURNS = 5
STARTS = 3
PEER64 = "face_distance and argsort, float64"
PEER32 = "face_distance and argsort, float32"
EXACT, COMPRESSED, GRAPH = "exact", "compressed", "graph"
EXACT_TOGETHER, COMPRESSED_TOGETHER = "exact, a query of a batch of 64", "compressed, a query of a batch of 64"
CALLS = {EXACT: 5, COMPRESSED: 20, GRAPH: 20}
"""Calls a turn; one of every other side."""
BREADTHS = (256, 512, 1024, 2048)


@dataclass(frozen=True)
class Truth:
    """The answers by brute force in float32: similarity of the k-th, and the rows of the k best."""

    kth: NDArray[np.float32]
    rows: NDArray[np.int64]


def truth_of(vectors: Floats, asked: Floats) -> Truth:
    """By one matrix product for some queries at a time."""
    rows = []
    for start in range(0, len(asked), 20):
        products = asked[start : start + 20] @ vectors.T
        rows.append(np.argpartition(products, -K, axis=1)[:, -K:])
    best = np.concatenate(rows)
    return Truth(np.einsum("qd,qkd->qk", asked, vectors[best]).min(axis=1), best)


def recall(index: VectorIndex, vectors: Floats, asked: Floats, truth: Truth, table: FaceTable) -> list[float]:
    """Recall@k as defined above; share of the same ids; share found of the faces of the query's own identity."""
    right, same, own, wanted = 0, 0, 0, 0
    identities, sought = identities_of(len(vectors)), identities_asked(len(vectors), len(asked))
    sizes = np.bincount(identities)
    for query, identity, kth, rows in zip(asked, sought, truth.kth, truth.rows, strict=True):
        found = table.find(as_ids(hit.face_id for hit in index.search(query[np.newaxis], K)[0]))
        right += int(np.count_nonzero(vectors[found] @ query >= kth - TIE))
        same += len(np.intersect1d(found, rows))
        own += int(np.count_nonzero(identities[found] == identity))
        wanted += int(sizes[identity])
    return [right / (K * len(asked)), same / (K * len(asked)), own / wanted]


def exact_of(parts: Iterable[Floats]) -> FaissExactIndex:
    """The gallery in an exact index, all of one kind."""
    index, start = FaissExactIndex(MODEL, DIMENSION), 0
    for part in parts:
        ids = face_ids(start, len(part))
        index.add([IndexEntry(one, one, GalleryKind.REPORT, vector) for one, vector in zip(ids, part, strict=True)])
        start += len(part)
    return index


def compressed_of(index: FaissExactIndex) -> tuple[LocalIndex, float]:
    """The same faces in a compressed index, and the seconds that it took."""
    started = time.perf_counter()
    made = rebuilt(index, 1)
    return made, time.perf_counter() - started


def graph_of(index: LocalIndex, breadth: int) -> LocalIndex:
    """The same faces in a graph: the kept one, or a new one, which is kept."""
    path = FOLDER / f"graph-{len(index)}.index"
    if not path.exists():
        print(f"  building the graph of {len(index):,} faces, to be kept in {path} …", flush=True)
        started = time.perf_counter()
        write_snapshot(rebuilt(index, 1, "graph", breadth), path, KEY, AT)
        print(f"  … built in {time.perf_counter() - started:.0f} s", flush=True)
    print(f"  graph {path}, breadth {breadth}", flush=True)
    return read_snapshot(path, KEY, MODEL, DIMENSION, breadth)


def median_ms(work: Callable[[int], object], rounds: int) -> float:
    """Median time of a call, in milliseconds."""
    times = []
    for number in range(rounds):
        started = time.perf_counter()
        work(number)
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1e3


def resident() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fresh(path: Path) -> None:
    """Runs alone in its process: load a snapshot, answer once, say how much memory the index takes."""
    before = resident()
    index = read_snapshot(path, KEY, MODEL, DIMENSION)
    after = resident()
    index.search(np.eye(1, DIMENSION, dtype=np.float32), K)
    print(json.dumps({"bytes": after - before, "faces": len(index)}))


def in_fresh_process(path: Path) -> tuple[float, int]:
    """Seconds from starting Python to the end of `fresh`, and the bytes that the index takes: medians of `STARTS`."""
    seconds, held = [], []
    for _ in range(STARTS):
        started = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.index", "--fresh", str(path)]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds.append(time.perf_counter() - started)
        held.append(json.loads(ran.stdout)["bytes"])
    return float(np.median(seconds)), int(np.median(held))


def growth(faces: int) -> None:
    """One line of the growth table."""
    asked = queries(faces, BATCH)
    started = time.perf_counter()
    index = exact_of(gallery_parts(faces, AT_ONCE))
    added = time.perf_counter() - started
    single = median_ms(partial(ask, index, asked), 20)
    batch = median_ms(partial(ask_all, index, asked), 3) / BATCH
    coarse, made = compressed_of(index)
    quick = median_ms(partial(ask, coarse, asked), BATCH)
    watched = approximate(coarse)
    share = recall_sample(watched, asked, K).recall if watched is not None else 1.0
    figures = [f"{added:.1f}", f"{single:.2f}", f"{batch:.2f}", f"{made:.1f}", f"{quick:.2f}", f"{share:.5f}"]
    for name, one in ((EXACT, index), (COMPRESSED, coarse)):
        seconds, held, size = kept_and_started(one, name)
        figures += [f"{held / 1e6:.0f}", f"{size / 1e6:.0f}", f"{seconds:.2f}"]
    cells = " ".join(f"{figure:>{len(name)}}" for name, figure in zip(COLUMNS, figures, strict=True))
    print(f"{faces:>10,} {cells}", flush=True)


def kept_and_started(index: LocalIndex, name: str) -> tuple[float, int, int]:
    """What `in_fresh_process` says of its snapshot, and the bytes of that."""
    path = FOLDER / f"{name}-{len(index)}.index"
    write_snapshot(index, path, KEY, AT)
    try:
        return *in_fresh_process(path), path.stat().st_size
    finally:
        path.unlink()


COLUMNS = (
    "added s",
    "exact ms",
    "batch ms",
    "compressed s",
    "compressed ms",
    "recall@50",
    *("exact MB", "file MB", "start s"),
    *("compressed MB", "file MB", "start s"),
)


def timed(sides: dict[str, Callable[[int], object]], count: int) -> dict[str, float]:
    """Median milliseconds a query of each side, all in turns. The processor's time is printed beside it: what else the
    machine does changes that less.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    worked: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(TURNS):
        for name, work in sides.items():
            calls, together = CALLS.get(name, 1), BATCH if name in (EXACT_TOGETHER, COMPRESSED_TOGETHER) else 1
            # Other queries in every call: neither side is helped by what the last one left in the caches.
            for call in range(turn * calls, (turn + 1) * calls):
                started, processor = time.perf_counter(), time.process_time()
                work(call % count)
                times[name].append((time.perf_counter() - started) * 1e3 / together)
                worked[name].append((time.process_time() - processor) * 1e3 / together)
    medians = {name: float(np.median(found)) for name, found in times.items()}
    for name, found in medians.items():
        beside = f"{medians[PEER64] / found:>10.1f} ×, of float32 {medians[PEER32] / found:.1f} ×"
        print(f"  {name:<40} {found:>10.3f} ms {beside}; processor {np.median(worked[name]):.3f} ms", flush=True)
    return medians


def compare(faces: int, count: int, breadth: int, *, with_graph: bool, frontier: bool) -> dict[str, float | None]:
    """The bars: speed, recall, memory and start at one size."""
    load_face_recognition()
    from face_recognition import face_distance

    vectors, asked = gallery(faces), queries(faces, count)
    index = exact_of(vectors[start : start + AT_ONCE] for start in range(0, faces, AT_ONCE))
    print(f"{faces:,} faces, {faces // 20:,} identities", flush=True)
    coarse, seconds = compressed_of(index)
    print(f"  compressed in {seconds:.0f} s", flush=True)
    indexes: dict[str, LocalIndex] = {EXACT: index, COMPRESSED: coarse}
    if with_graph:
        indexes[GRAPH] = graph_of(index, breadth)
    sides: dict[str, Callable[[int], object]] = {
        PEER64: partial(peer, face_distance, vectors.astype(np.float64), asked.astype(np.float64)),
        PEER32: partial(peer, face_distance, vectors, asked),
        **{name: partial(ask, one, asked) for name, one in indexes.items()},
        EXACT_TOGETHER: partial(ask_all, index, asked[:BATCH]),
        COMPRESSED_TOGETHER: partial(ask_all, coarse, asked[:BATCH]),
    }
    medians = timed(sides, count)
    del sides

    breadths = BREADTHS if frontier and with_graph else ()
    recalls = recalls_of(indexes, vectors, asked, breadths)
    seconds, held, _ = kept_and_started(index, EXACT)
    return {
        "exact_speedup": round(medians[PEER64] / medians[EXACT], 1),
        "compressed_speedup": round(medians[PEER64] / medians[COMPRESSED], 1),
        "hnsw_speedup": round(medians[PEER64] / medians[GRAPH], 1) if with_graph else None,
        "exact_recall_at_50": round(recalls[EXACT], 5),
        "compressed_recall_at_50": round(recalls[COMPRESSED], 5),
        "hnsw_recall_at_50": round(recalls[GRAPH], 5) if with_graph else None,
        "memory_ratio": round(held / (4 * DIMENSION * faces), 3),
        "start_seconds": round(seconds, 2),
        "batch_ratio": round(medians[EXACT] / medians[EXACT_TOGETHER], 2),
        "compressed_batch_ratio": round(medians[COMPRESSED] / medians[COMPRESSED_TOGETHER], 2),
    }


def recalls_of(
    indexes: dict[str, LocalIndex], vectors: Floats, asked: Floats, breadths: tuple[int, ...]
) -> dict[str, float]:
    """Recall@k of each, all three figures printed; and those of the graph at other breadths, printed with its time."""
    truth, table = truth_of(vectors, asked), FaceTable()
    for start in range(0, len(vectors), AT_ONCE):
        ids = as_ids(face_ids(start, min(AT_ONCE, len(vectors) - start)))
        table.append(ids, ids)

    def said(name: str, index: LocalIndex) -> float:
        share, same, own = recall(index, vectors, asked, truth, table)
        print(f"  {name}: recall@{K} {share:.5f}, the same ids {same:.5f}, of the identity asked for {own:.5f}")
        return share

    found = {name: said(name, index) for name, index in indexes.items()}
    for breadth in breadths:
        graph = graph_of(indexes[EXACT], breadth)
        said(f"{GRAPH} in {median_ms(partial(ask, graph, asked), len(asked)):.3f} ms", graph)
    return found


def ask(index: LocalIndex, asked: Floats, number: int) -> object:
    """One search."""
    return index.search(asked[number : number + 1], K)


def ask_all(index: LocalIndex, asked: Floats, number: int) -> object:
    """One search for all."""
    return index.search(asked, K)


def peer(face_distance: Callable[..., NDArray[np.float64]], known: Any, asked: Any, number: int) -> object:
    """One search by face_recognition's own means."""
    return np.argsort(face_distance(known, asked[number]))[:K]


def main() -> None:
    """Run what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--largest", type=int, default=0, help="one more line of the growth table")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--breadth", type=int, default=256)
    parser.add_argument("--skip-graph", action="store_true", help="no graph: its figures are null")
    parser.add_argument("--frontier", action="store_true", help="the graph at other breadths as well")
    parser.add_argument("--only-growth", action="store_true", help="only the growth table")
    parser.add_argument("--fresh", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fresh:
        fresh(given.fresh)
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    figures = {}
    if not given.only_growth:
        count = max(given.queries, BATCH)
        figures = compare(given.faces, count, given.breadth, with_graph=not given.skip_graph, frontier=given.frontier)
    print(f"{'faces':>10} " + " ".join(COLUMNS))
    sizes = [faces for faces in (10_000, 100_000, 1_000_000) if faces <= given.faces]
    for faces in [*sizes, given.largest] if given.largest > given.faces else sizes:
        growth(faces)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
