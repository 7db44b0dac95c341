"""The index in Milvus: loading, recall and waiting times, beside Milvus's weaker reads. Last line: one JSON object.

    python -m benchmarks.milvus_index LOCATION --faces 50000 --plan graph

LOCATION: the URL of a server, or a path that ends in .db for Milvus Lite. `make bench-milvus` starts a server for it.
"""

import argparse
import json
import os
import statistics
import time
import uuid
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.clustered import DIMENSION, Floats, face_ids, gallery, queries
from matcher.index.base import IndexEntry
from matcher.index.milvus import MilvusIndex
from matcher.index.milvus_connection import close_client, open_client
from matcher.index.milvus_plan import PLANS
from matcher.index.milvus_rows import EMBEDDING, collection_name
from matcher.vocabulary import GalleryKind

MODEL = "bench"
K = 50
ASKED = 64
RUNS = 15


def main() -> None:
    """Measure one plan on one server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("location", nargs="?", default=os.environ.get("GUITU_TEST_MILVUS_URL", ""))
    parser.add_argument("--faces", type=int, default=50_000)
    parser.add_argument("--plan", choices=sorted(PLANS), default="graph")
    parser.add_argument("--settle-seconds", type=float, default=120)
    arguments = parser.parse_args()
    prefix = f"bench_{uuid.uuid4().hex[:8]}"
    plan = PLANS[arguments.plan]
    index = MilvusIndex(arguments.location, MODEL, DIMENSION, plan=plan, prefix=prefix, timeout_seconds=300)
    vectors, asked = gallery(arguments.faces), queries(arguments.faces, ASKED)
    ids = face_ids(0, arguments.faces)
    entries = [IndexEntry(face, face, GalleryKind.REPORT, row) for face, row in zip(ids, vectors, strict=True)]
    figures: dict[str, object] = {"plan": arguments.plan, "faces": arguments.faces}
    started = time.perf_counter()
    index.add(entries)
    figures["add_seconds"] = round(time.perf_counter() - started, 1)
    figures["recall_at_50_unsettled"] = recall(index, vectors, asked)
    started = time.perf_counter()
    try:
        index.settle(arguments.settle_seconds)
    except TimeoutError as error:
        figures["not_settled"] = str(error)
    figures["settle_seconds"] = round(time.perf_counter() - started, 1)
    figures["recall_at_50"] = recall(index, vectors, asked)
    figures["one_query_ms"] = milliseconds(lambda number: index.search(asked[number : number + 1], K))
    figures["batch_of_64_ms"] = milliseconds(lambda _: index.search(asked, K))
    client = open_client(arguments.location, "", 60)

    def search(level: str, number: int) -> object:
        return client.search(
            collection_name(prefix, MODEL),
            data=[asked[number]],
            anns_field=EMBEDDING,
            limit=K,
            search_params={"metric_type": "IP", "params": plan.search_parameters(K)},
            consistency_level=level,
        )

    for level in ("Strong", "Bounded", "Session", "Eventually"):
        figures[f"{level.lower()}_ms"] = milliseconds(partial(search, level))
    close_client(client, arguments.location)
    figures["remove_1000_ms"] = milliseconds(lambda number: index.remove(ids[number * 1000 : number * 1000 + 1000]))
    index.drop()
    print(json.dumps(figures))


def recall(index: MilvusIndex, vectors: Floats, asked: Floats) -> float:
    """Recall@50 against all inner products of the same halves: a hit counts when it is as similar as the 50th."""
    halves = vectors.astype(np.float16).astype(np.float32)
    found = 0
    for query, hits in zip(asked, index.search(asked, K), strict=True):
        least = np.partition(halves @ query, -K)[-K] - 1e-5
        found += sum(hit.similarity >= least for hit in hits)
    return round(found / (K * len(asked)), 4)


def milliseconds(work: Callable[[int], object]) -> float:
    """Median of `RUNS` runs."""
    times = []
    for number in range(RUNS):
        started = time.perf_counter()
        work(number)
        times.append(1000 * (time.perf_counter() - started))
    return round(statistics.median(times), 1)


if __name__ == "__main__":
    main()
