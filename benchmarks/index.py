"""The index beside `face_recognition.face_distance` and a sort, over one gallery in one run.

    python -m benchmarks.index [--faces 1000000] [--largest 10000000] [--queries 200] [--breadth 256]

Gallery: 50,000 identities × 20 noisy samples, unit vectors (benchmarks/clustered.py); queries are new samples. One
query, k = 50, runs in one thread on either side, in turns; medians. A batch of 64 may use every processor. The peer's
gallery is of float64, as face_recognition.face_encodings returns them, and, printed as well, of float32.

Recall: a hit counts when its similarity, from the original float32 vectors, is at least the true 50th less 1e-4, which
is what rounding two embeddings to halves can exchange. Beside it are printed the share of the very same ids, and how
many of the 20 faces of the query's own identity were found: of the 50 the other 30 are strangers, spread evenly over
128 dimensions, which is hard for a graph.

Memory and start are those of fresh processes: memory is resident memory after loading the snapshot less that before,
start is everything from starting Python to the first answer. The graph takes long to build, so it is kept, as a
snapshot, in var/bench, and said to be. The last line is one JSON object.
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
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.clustered import DIMENSION, Floats, face_ids, gallery, identities_asked, identities_of, queries
from matcher.faces.weights import load_face_recognition
from matcher.index.base import IndexEntry, VectorIndex
from matcher.index.choice import LocalIndex, rebuilt
from matcher.index.exact import FaissExactIndex
from matcher.index.face_table import FaceTable, as_ids
from matcher.index.hnsw import FaissHnswIndex
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
PEER64 = "face_distance and argsort, float64"
PEER32 = "face_distance and argsort, float32"
EXACT, GRAPH, TOGETHER = "exact", "graph", "exact, a query of a batch of 64"


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


def exact_of(vectors: Floats) -> FaissExactIndex:
    """The gallery in an exact index, all of one kind."""
    index = FaissExactIndex(MODEL, DIMENSION)
    for start in range(0, len(vectors), AT_ONCE):
        part = vectors[start : start + AT_ONCE]
        ids = face_ids(start, len(part))
        index.add([IndexEntry(one, one, GalleryKind.REPORT, vector) for one, vector in zip(ids, part, strict=True)])
    return index


def graph_of(index: FaissExactIndex, breadth: int) -> tuple[LocalIndex, str]:
    """The same faces in a graph: the kept one, or a new one, which is kept; and a word on which."""
    path = FOLDER / f"graph-{len(index)}.index"
    if path.exists():
        return read_snapshot(path, KEY, MODEL, DIMENSION, breadth), "kept"
    started = time.perf_counter()
    graph = rebuilt(index, 1, breadth)
    taken = time.perf_counter() - started
    write_snapshot(graph, path, KEY, AT)
    return graph, f"built in {taken:.0f} s"


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
    """Seconds from starting Python to the end of `fresh`, and the bytes that the index takes: medians of three."""
    seconds, held = [], []
    for _ in range(3):
        started = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.index", "--fresh", str(path)]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds.append(time.perf_counter() - started)
        held.append(json.loads(ran.stdout)["bytes"])
    return float(np.median(seconds)), int(np.median(held))


def growth(faces: int, breadth: int, *, with_graph: bool) -> None:
    """One line of the growth table."""
    vectors, asked = gallery(faces), queries(faces, BATCH)
    started = time.perf_counter()
    index = exact_of(vectors)
    added = time.perf_counter() - started
    del vectors
    path = FOLDER / f"exact-{faces}.index"
    write_snapshot(index, path, KEY, AT)
    seconds, held = in_fresh_process(path)
    size = path.stat().st_size
    path.unlink()
    single = median_ms(lambda number: index.search(asked[number : number + 1], K), 20)
    batch = median_ms(lambda _: index.search(asked, K), 3) / BATCH
    walk = "-"
    if with_graph:
        graph, _ = graph_of(index, breadth)
        walk = f"{median_ms(lambda number: graph.search(asked[number : number + 1], K), BATCH):.2f}"
    figures = (f"{added:.1f}", f"{single:.2f}", f"{batch:.2f}", walk, f"{held / 1e6:.0f}", f"{size / 1e6:.0f}")
    print(f"{faces:>10,} " + " ".join(f"{figure:>9}" for figure in (*figures, f"{seconds:.2f}")), flush=True)


def compare(faces: int, count: int, breadth: int) -> dict[str, float]:
    """The bars: speed, recall, memory and start at one size."""
    load_face_recognition()
    from face_recognition import face_distance

    vectors, asked = gallery(faces), queries(faces, count)
    index = exact_of(vectors)
    graph, word = graph_of(index, breadth)
    if not isinstance(graph, FaissHnswIndex):
        raise SystemExit("the kept graph is none")
    print(f"{faces:,} faces, {faces // 20:,} identities; graph {word}, breadth {breadth}", flush=True)

    doubles = vectors.astype(np.float64)
    sides: dict[str, Callable[[int], object]] = {
        PEER64: lambda at: np.argsort(face_distance(doubles, asked[at].astype(np.float64)))[:K],
        PEER32: lambda at: np.argsort(face_distance(vectors, asked[at]))[:K],
        EXACT: lambda at: index.search(asked[at : at + 1], K),
        GRAPH: lambda at: graph.search(asked[at : at + 1], K),
        TOGETHER: lambda _: index.search(asked[:BATCH], K),
    }
    calls = {EXACT: 5, GRAPH: 20}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(TURNS):
        for name, work in sides.items():
            # Other queries in every call: neither side is helped by what the last one left in the caches.
            for call in range(turn * calls.get(name, 1), (turn + 1) * calls.get(name, 1)):
                started = time.perf_counter()
                work(call % count)
                taken = (time.perf_counter() - started) * 1e3
                times[name].append(taken / BATCH if name == TOGETHER else taken)
    medians = {name: float(np.median(found)) for name, found in times.items()}
    for name, found in medians.items():
        print(f"  {name:<40} {found:>10.3f} ms", flush=True)
    del sides
    print(
        f"  beside float32: exact {medians[PEER32] / medians[EXACT]:.1f}, graph {medians[PEER32] / medians[GRAPH]:.0f}"
    )

    truth, table = truth_of(vectors, asked), FaceTable()
    for start in range(0, faces, AT_ONCE):
        ids = as_ids(face_ids(start, min(AT_ONCE, faces - start)))
        table.append(ids, ids)
    recalls = {EXACT: recall(index, vectors, asked, truth, table), GRAPH: recall(graph, vectors, asked, truth, table)}
    for name, (share, same, own) in recalls.items():
        print(
            f"  {name}: recall@{K} {share:.5f}, the same ids {same:.5f}, of the identity asked for {own:.5f}",
            flush=True,
        )

    path = FOLDER / f"exact-{faces}.index"
    write_snapshot(index, path, KEY, AT)
    seconds, held = in_fresh_process(path)
    path.unlink()
    return {
        "exact_speedup": round(medians[PEER64] / medians[EXACT], 1),
        "hnsw_speedup": round(medians[PEER64] / medians[GRAPH], 1),
        "exact_recall_at_50": round(recalls[EXACT][0], 5),
        "hnsw_recall_at_50": round(recalls[GRAPH][0], 5),
        "memory_ratio": round(held / (4 * DIMENSION * faces), 3),
        "start_seconds": round(seconds, 2),
        "batch_ratio": round(medians[EXACT] / medians[TOGETHER], 2),
    }


def main() -> None:
    """Run what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--largest", type=int, default=0, help="one more line of the growth table, without a graph")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--breadth", type=int, default=256)
    parser.add_argument("--fresh", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fresh:
        fresh(given.fresh)
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    figures = compare(given.faces, max(given.queries, BATCH), given.breadth)
    columns = ("added s", "exact ms", "batch ms", "graph ms", "MB", "file MB", "start s")
    print(f"{'faces':>10} " + " ".join(f"{name:>9}" for name in columns))
    for faces in (10_000, 100_000, 1_000_000):
        if faces <= given.faces:
            growth(faces, given.breadth, with_graph=faces <= 10_000 or faces == given.faces)
    if given.largest > given.faces:
        growth(given.largest, given.breadth, with_graph=False)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
