"""The index soak: 200 writers and 50 searchers at once; no committed face missed, no removed face returned.

    python -m benchmarks.soak_index [--seconds 60] [--writers 200] [--searchers 50] [--seed 1]

On PostgreSQL (GUITU_TEST_POSTGRES_URL), in four processes: two write, two hold a replica and search. Every face has a
byte in shared memory, its log: written when its commit has returned, and before its removal begins. A searcher looks at
the byte, opens a session, searches for the face, looks at the byte again: a face that was there all the while must be
found, one that was gone before must not be. The last line is one JSON object.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_ubyte
from enum import IntEnum
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from sqlalchemy import update

from benchmarks.drill_index import database, settings_of
from benchmarks.synthetic_gallery import embedding, services_for
from models.photo import Photo
from tests.factories.gallery import AT, VERSION, Ground, Person, make_ground, make_person
from tracing.gallery_verify import verify
from tracing.platform import migrations
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import IndexSettings, Settings

FORK = multiprocessing.get_context("fork")
INDEX = IndexSettings(wait_seconds=60)
WRITING_PROCESSES, SEARCHING_PROCESSES = 2, 2
FACES_A_WRITER = 2000
PAUSE_SECONDS = 1.0
ALIKE = 0.99
"""Two faces of different numbers are never this alike: 128 values drawn at random."""


class Fate(IntEnum):
    """A face's byte."""

    NONE = 0
    COMMITTED = 1
    CHANGING = 2
    REMOVED = 3


class Log(Protocol):
    """The bytes of all faces, shared between the processes. One byte is written and read whole."""

    def __getitem__(self, number: int) -> int:
        """The fate of the face of this number."""

    def __setitem__(self, number: int, fate: int) -> None:
        """Note it."""


def _threads(count: int, work: Callable[[int], None]) -> None:
    """Run `work` in so many threads. Raises what one of them raised: a soak in which a thread died proves nothing."""
    with ThreadPoolExecutor(count) as pool:
        for future in [pool.submit(work, number) for number in range(count)]:
            future.result()


def write(settings: Settings, ground: Ground, log: Log, first: int, count: int, until: float, say: Connection) -> None:
    """A writing process: `count` writers, of whom each adds and removes faces of its own."""
    done = [0, 0]

    def writer(place: int) -> None:
        chance, base = random.Random(first + place), (first + place) * FACES_A_WRITER
        mine: list[tuple[int, Person]] = []
        for number in range(base, base + FACES_A_WRITER):
            if time.monotonic() > until:
                break
            with unit_of_work(services.db) as session:
                person = make_person(session, services.vault, ground, embedding(number))
            log[number] = Fate.COMMITTED
            done[0] += 1
            mine.append((number, person))
            time.sleep(chance.uniform(0, PAUSE_SECONDS))
            if len(mine) > 2 and chance.random() < 0.7:
                old, removed = mine.pop(chance.randrange(len(mine)))
                log[old] = Fate.CHANGING
                with unit_of_work(services.db) as session:
                    session.execute(update(Photo).where(Photo.id == removed.photo_id).values(removed_at=AT))
                log[old] = Fate.REMOVED
                done[1] += 1

    with services_for(settings, INDEX) as services:
        _threads(count, writer)
    say.send(done)


def search(settings: Settings, log: Log, writers: int, count: int, seed: int, until: float, say: Connection) -> None:
    """A searching process: `count` searchers over one replica."""
    times: list[float] = []
    found = {"missed": 0, "returned": 0, "looked_for_committed": 0, "looked_for_removed": 0}
    counting = threading.Lock()

    def searcher(place: int) -> None:
        chance = random.Random(seed * 1000 + place)
        while time.monotonic() < until:
            number = _chosen(log, writers, chance)
            if number is None:
                time.sleep(0.01)
                continue
            before = log[number]
            started = time.perf_counter()
            with read_only(services.db) as session:
                (hits,) = services.gallery.search(session, VERSION, embedding(number)[None], 50)
            took = time.perf_counter() - started
            after = log[number]
            there = bool(hits) and hits[0].similarity > ALIKE
            with counting:
                times.append(took)
                if before == after == Fate.COMMITTED:
                    found["looked_for_committed"] += 1
                    found["missed"] += not there
                elif before == Fate.REMOVED:
                    found["looked_for_removed"] += 1
                    found["returned"] += there

    with services_for(settings, INDEX) as services:
        replica = services.gallery.warm_known(VERSION)
        if replica is None:
            raise RuntimeError("there is no face to begin with")
        replica.wait(60, 1)
        _threads(count, searcher)
        with read_only(services.db) as session:
            clean = verify(session, services.vault, replica.exactly(session)).clean
        catching_up = services.gallery.metrics.registry.get_sample_value("guitu_index_catch_up_seconds_sum") or 0.0
    say.send((found, times, clean, catching_up))


def _chosen(log: Log, writers: int, chance: random.Random) -> int | None:
    """A face with a fate, mostly one of the newest of some writer: those are the ones that could be missed."""
    base = chance.randrange(writers) * FACES_A_WRITER
    last = base
    while last < base + FACES_A_WRITER and log[last] != Fate.NONE:
        last += 1
    if last == base:
        return None
    return last - 1 if chance.random() < 0.5 else chance.randrange(base, last)


def soak(seconds: float, writers: int, searchers: int, seed: int) -> dict[str, Any]:
    """Run the soak; its figures."""
    log: Log = FORK.RawArray(c_ubyte, writers * FACES_A_WRITER)
    with tempfile.TemporaryDirectory() as folder, database(Path(folder), postgresql=True) as url:
        settings = settings_of(Path(folder) / "var", url)
        # Writers pause and may wait for a connection; each searcher has one, so that what is timed is the search. In
        # all fewer than the server's 100.
        waiting, own = settings.with_pool(1), settings.with_pool(searchers // SEARCHING_PROCESSES)
        migrations.upgrade(settings)
        with services_for(settings, INDEX) as services, unit_of_work(services.db) as session:
            ground = make_ground(session)
            make_person(session, services.vault, ground, embedding(2**31))
        until = time.monotonic() + seconds
        pipes = []
        for number in range(WRITING_PROCESSES + SEARCHING_PROCESSES):
            hear, say = FORK.Pipe(duplex=False)
            if number < WRITING_PROCESSES:
                share = writers // WRITING_PROCESSES
                arguments: tuple[Any, ...] = (waiting, ground, log, number * share, share, until, say)
                process = FORK.Process(target=write, args=arguments)
            else:
                share = searchers // SEARCHING_PROCESSES
                process = FORK.Process(target=search, args=(own, log, writers, share, seed + number, until, say))
            process.start()
            say.close()
            pipes.append((process, hear))
        answers = [hear.recv() for _, hear in pipes]
        for process, _ in pipes:
            process.join()
    return _figures(seconds, writers, searchers, answers)


def _figures(seconds: float, writers: int, searchers: int, answers: list[Any]) -> dict[str, Any]:
    written, searched = answers[:WRITING_PROCESSES], answers[WRITING_PROCESSES:]
    times = np.concatenate([np.array(times) for _, times, _, _ in searched]) * 1000
    counted: dict[str, int] = {}
    for found, *_rest in searched:
        for name, value in found.items():
            counted[name] = counted.get(name, 0) + value
    clean = all(one[2] for one in searched)
    return {
        "seconds": seconds,
        "writers": writers,
        "searchers": searchers,
        "added": sum(done[0] for done in written),
        "removed": sum(done[1] for done in written),
        "searches": len(times),
        **counted,
        "p50_ms": round(float(np.percentile(times, 50)), 2),
        "p99_ms": round(float(np.percentile(times, 99)), 2),
        "catching_up_mean_ms": round(1000 * sum(one[3] for one in searched) / len(times), 3),
        "clean_at_the_end": clean,
        "good": clean and not counted["missed"] and not counted["returned"],
    }


def main() -> int:
    """Run from the command line; exit code 1 when a committed face was missed or a removed one returned."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--writers", type=int, default=200)
    parser.add_argument("--searchers", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    figures = soak(given.seconds, given.writers, given.searchers, given.seed)
    for name, value in figures.items():
        print(f"{name:22} {value}")
    print(json.dumps(figures))
    return 0 if figures["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
