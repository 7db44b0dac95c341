"""Indexes while several threads search and change them: nothing that is there is missed, nothing removed comes back."""

import random
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from matcher.index.base import IndexEntry, checksum
from matcher.index.choice import LocalIndex, rebuilt
from matcher.index.compressed import FaissCompressedIndex
from matcher.index.exact import FaissExactIndex
from matcher.index.hnsw import FaissHnswIndex
from matcher.index.lock import ReadersWriterLock
from matcher.index.snapshot import read_snapshot, write_snapshot
from tests.matcher.index.conformance import DIMENSION, MODEL, entries
from tests.matcher.index.test_snapshot import AT, KEY

WRITERS, SEARCHERS, STEPS = 4, 4, 60
FACTORIES: dict[str, Callable[[], LocalIndex]] = {
    "exact": lambda: FaissExactIndex(MODEL, DIMENSION),
    "compressed": lambda: FaissCompressedIndex(MODEL, DIMENSION, compressed_from=0),
    "hnsw": lambda: FaissHnswIndex(MODEL, DIMENSION, graph_from=0),
}


def run_all(work: list[Callable[[], None]]) -> None:
    """Run everything at once; the first failure is raised."""
    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(one) for one in work]:
            done.result()


@pytest.mark.parametrize("kind", FACTORIES)
def test_searchers_beside_writers(kind: str, tmp_path: Path) -> None:
    index = FACTORIES[kind]()
    lasting = entries(200, 1)
    index.add(lasting)
    forever_gone: set[uuid.UUID] = set()
    stop = threading.Event()

    def write(number: int) -> None:
        chance, mine = random.Random(number), list[IndexEntry]()
        for step in range(STEPS):
            added = entries(chance.randint(1, 8), 1_000 * (number + 1) + step)
            index.add(added)
            mine += added
            query = added[0].embedding[np.newaxis]
            assert added[0].face_id in {hit.face_id for hit in index.search(query, len(lasting))[0]}
            gone = [mine.pop(chance.randrange(len(mine))) for _ in range(min(len(mine), 4))]
            assert index.remove(entry.face_id for entry in gone) == len(gone)
            forever_gone.update(entry.face_id for entry in gone)

    def search(number: int) -> None:
        chance = random.Random(100 + number)
        while not stop.is_set():
            before = frozenset(forever_gone)
            asked = chance.sample(lasting, 5)
            for entry, hits in zip(asked, index.search(np.stack([e.embedding for e in asked]), 40), strict=True):
                found = {hit.face_id for hit in hits}
                assert entry.face_id in found
                assert not before & found
                assert len(hits) == 40

    def keep() -> None:
        while not stop.is_set():
            path = tmp_path / "kept.index"
            write_snapshot(index, path, KEY, AT)
            found = read_snapshot(path, KEY, MODEL, DIMENSION)
            assert {entry.face_id for entry in lasting} <= found.ids() & rebuilt(index, 10**9).ids()

    def write_all() -> None:
        try:
            run_all([partial(write, number) for number in range(WRITERS)])
        finally:
            stop.set()

    run_all([write_all, keep, *(partial(search, number) for number in range(SEARCHERS))])
    held = index.ids()
    assert not held & forever_gone
    known = {checksum(entry) for entry in lasting}
    assert known <= {checksum(entry) for entry in index.fetch(held)}


def test_many_readers_are_in_at_once_and_a_writer_alone() -> None:
    lock, inside = ReadersWriterLock(), threading.Barrier(3)
    counts: dict[str, int] = {"value": 0}

    def read() -> None:
        with lock.reading():
            inside.wait(30)  # All three are in, or this fails.

    run_all([read] * 3)

    def write() -> None:
        for _ in range(500):
            with lock.writing():
                seen = counts["value"]
                threading.Event().wait(0)
                counts["value"] = seen + 1

    run_all([write] * 4)
    assert counts["value"] == 2_000


def test_readers_go_on_while_changes_are_held_off() -> None:
    lock = ReadersWriterLock()
    wanted, done = threading.Event(), threading.Event()

    def write() -> None:
        wanted.set()
        with lock.writing():
            done.set()

    with lock.unchanged():
        writer = threading.Thread(target=write)
        writer.start()
        wanted.wait(30)
        # A writer that waits for the snapshot keeps no search out.
        with lock.reading():
            assert not done.is_set()
    writer.join(30)
    assert done.is_set()


def test_a_waiting_writer_goes_before_later_readers() -> None:
    lock, order = ReadersWriterLock(), list[str]()
    first_in, leave = threading.Event(), threading.Event()

    def first() -> None:
        with lock.reading():
            first_in.set()
            leave.wait(30)

    def write() -> None:
        with lock.writing():
            order.append("writer")

    def later() -> None:
        with lock.reading():
            order.append("reader")

    threads = [threading.Thread(target=first)]
    threads[0].start()
    first_in.wait(30)
    threads.append(threading.Thread(target=write))
    threads[1].start()
    while not lock._writer:
        threading.Event().wait(0.001)
    threads.append(threading.Thread(target=later))
    threads[2].start()
    leave.set()
    for thread in threads:
        thread.join(30)
    assert order == ["writer", "reader"]
