"""`matcher.index.milvus` on a file of Milvus Lite, and on a real server where one is given (`make test-milvus`)."""

import logging
import os
import uuid
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from matcher.index.base import ROUNDING, IndexEntry, IndexUnreachable, VectorIndex, Watermark
from matcher.index.milvus import MilvusIndex
from matcher.index.milvus_plan import EXACT, MOST_HITS, PLANS, MilvusPlan
from matcher.vocabulary import GalleryKind
from tests.matcher.index.conformance import DIMENSION, MODEL, Conformance, entries, machine, vectors

SERVER = os.environ.get("GUITU_TEST_MILVUS_URL", "")
TOKEN = os.environ.get("GUITU_TEST_MILVUS_TOKEN", "")

Open = Callable[..., MilvusIndex]
"""Opens the test's index: again, if it is there already."""

PLACES = [
    "lite",
    pytest.param(
        "server",
        marks=[pytest.mark.milvus, pytest.mark.skipif(not SERVER, reason="no Milvus server: run `make test-milvus`")],
    ),
]


@pytest.fixture(params=PLACES)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file or a server."""
    return SERVER if request.param == "server" else str(tmp_path / "index.db")


@pytest.fixture
def opened(location: str) -> Iterator[Open]:
    """Opens the index; the collections go away afterwards."""
    prefix, made = f"test_{uuid.uuid4().hex}", []

    def again(model_version: str = MODEL, dimension: int = DIMENSION, plan: MilvusPlan = EXACT) -> MilvusIndex:
        index = MilvusIndex(location, model_version, dimension, token=TOKEN, plan=plan, prefix=prefix)
        made.append((index, model_version, dimension, plan))
        return index

    yield again
    for index, *_ in made:
        index.close()
    for arguments in {(version, dimension) for _, version, dimension, _ in made}:
        plan = next(plan for _, version, _, plan in made if version == arguments[0])
        MilvusIndex(location, *arguments, token=TOKEN, plan=plan, prefix=prefix).drop()


class TestMilvusConforms(Conformance):
    """What every index must do."""

    @pytest.fixture(autouse=True, params=PLACES)
    def somewhere(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
        """Where this run's indexes are; closed and dropped afterwards."""
        self.location = SERVER if request.param == "server" else ""
        self.folder, self.made = tmp_path, list[MilvusIndex]()
        yield
        for index in self.made:
            index.drop()

    def new(self, model_version: str, dimension: int) -> VectorIndex:
        """An empty index in a collection of its own."""
        name = uuid.uuid4().hex
        location = self.location or str(self.folder / f"{name}.db")
        index = MilvusIndex(location, model_version, dimension, token=TOKEN, prefix=f"test_{name}")
        self.made.append(index)
        return index


class DroppedAfterwards(MilvusIndex):
    """A `MilvusIndex` whose collection goes when it is closed, so that a server does not keep hundreds."""

    def close(self) -> None:
        """Drop, then close."""
        if not self._closed:
            self._closed = True
            for name in (self._positions, self._faces):
                self._client.drop_collection(name)
            self._closed = False
            super().close()


def test_any_sequence_of_changes_on_lite(tmp_path: Path) -> None:
    def new(model_version: str, dimension: int) -> VectorIndex:
        return MilvusIndex(str(tmp_path / f"{uuid.uuid4().hex}.db"), model_version, dimension)

    few = settings(max_examples=12, stateful_step_count=12, deadline=None)
    run_state_machine_as_test(machine(new), settings=few)


@pytest.mark.milvus
@pytest.mark.skipif(not SERVER, reason="no Milvus server: run `make test-milvus`")
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_any_sequence_of_changes_on_a_server(plan: MilvusPlan) -> None:
    def new(model_version: str, dimension: int) -> VectorIndex:
        return DroppedAfterwards(
            SERVER, model_version, dimension, token=TOKEN, plan=plan, prefix=f"test_{uuid.uuid4().hex}"
        )

    # Every strong read waits 0.2 s on a server of 2.3, and each step makes five.
    few = settings(max_examples=3, stateful_step_count=8, deadline=None)
    run_state_machine_as_test(machine(new), settings=few)


def test_opened_again_it_holds_what_it_held(opened: Open) -> None:
    held = entries(5)
    first = opened()
    first.add(held)
    first.mark(Watermark({"xid": 2**53 + 1, "seq": 7}))
    first.close()
    first.close()
    second = opened()
    assert second.ids() == {entry.face_id for entry in held}
    assert second.watermark == Watermark({"xid": 2**53 + 1, "seq": 7})


def test_two_open_at_once_see_each_other(opened: Open) -> None:
    writer, reader = opened(), opened()
    (entry,) = entries(1)
    writer.add([entry])
    writer.mark(Watermark({"seq": 1}))
    assert [hit.face_id for hit in reader.search(entry.embedding[np.newaxis], 1)[0]] == [entry.face_id]
    assert reader.watermark == Watermark({"seq": 1})
    assert writer.remove([entry.face_id]) == 1
    assert reader.search(entry.embedding[np.newaxis], 1) == [[]]
    # The one that removed it must not hide it from itself for ever.
    reader.add([entry])
    assert writer.search(entry.embedding[np.newaxis], 1)[0][0].face_id == entry.face_id
    writer.close()
    assert len(reader) == 1


def test_model_versions_side_by_side(opened: Open) -> None:
    old, new = opened("net-1"), opened("net 1")
    old.add(entries(3))
    old.mark(Watermark({"seq": 3}))
    assert (len(old), len(new), new.watermark) == (3, 0, Watermark())
    old.drop()
    assert len(opened("net-1")) == 0


def test_a_collection_of_another_make_is_refused(opened: Open) -> None:
    opened()
    with pytest.raises(ValueError, match="of 8 values, not of 9"):
        opened(dimension=DIMENSION + 1)
    with pytest.raises(ValueError, match="order FLAT, not HNSW"):
        opened(plan=PLANS["graph"])


def test_more_faces_than_one_call_takes(opened: Open) -> None:
    held = entries(2300, 5)
    index = opened()
    index.add(held)
    assert len(index) == 2300
    assert index.ids() == {entry.face_id for entry in held}
    assert {entry.face_id for entry in index.fetch(index.ids())} == index.ids()
    hits = index.search(vectors(60, 6), 1000)
    assert {len(row) for row in hits} == {1000}
    assert index.remove([entry.face_id for entry in held[:1500]]) == 1500
    assert index.ids() == {entry.face_id for entry in held[1500:]}
    assert [len(row) for row in index.search(vectors(2, 6), MOST_HITS * 2)] == [800, 800]


def test_an_unfinished_removal_shows_nothing(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks at the deletion: the face is still in Milvus, and must not be shown by this process."""
    held = entries(6)
    index = opened()
    index.add(held)
    index.mark(Watermark({"seq": 6}))
    gone = held[0]

    def broken(*arguments: object, **named: object) -> None:
        raise ConnectionError

    client: Any = index._client
    with monkeypatch.context() as patch:
        patch.setattr(client, "delete", broken)
        with pytest.raises(IndexUnreachable, match="removing faces"):
            index.remove([gone.face_id])
    assert gone.face_id not in {hit.face_id for hit in index.search(gone.embedding[np.newaxis], 5)[0]}
    # Its place is taken by the next one.
    assert len(index.search(gone.embedding[np.newaxis], 5)[0]) == 5
    assert gone.face_id not in index.ids()
    assert index.fetch([gone.face_id]) == []
    assert gone.face_id not in {hit.face_id for hit in index.search_exact(gone.embedding[np.newaxis], 6)[0]}
    assert opened().ids() >= {gone.face_id}
    assert index.watermark == Watermark({"seq": 6})
    assert index.remove([gone.face_id]) == 1
    assert gone.face_id not in opened().ids()


def test_exact_search_of_a_sample(opened: Open) -> None:
    index = opened()
    index.add(entries(1200, 3))
    queries = vectors(4, 9)
    for kinds in (None, frozenset({GalleryKind.CASE})):
        for exact, found in zip(index.search_exact(queries, 20, kinds), index.search(queries, 20, kinds), strict=True):
            assert [hit.similarity for hit in found] == pytest.approx([hit.similarity for hit in exact], abs=ROUNDING)


@pytest.mark.parametrize("plan", ["graph", "cells"])
def test_approximate_plans_find_nearly_everything(opened: Open, plan: str) -> None:
    """Past the size from which Milvus builds an index (1,024 rows), after it has settled."""
    held = entries(4000, 11)
    index = opened(plan=PLANS[plan])
    index.add(held)
    index.settle(120)
    assert index.pending_rows() == 0
    queries = vectors(20, 12)
    wanted = index.search_exact(queries, 20)
    found = index.search(queries, 20)
    assert {len(hits) for hits in found} == {20}
    near = [
        hit.similarity >= right[-1].similarity - 1e-5 for hits, right in zip(found, wanted, strict=True) for hit in hits
    ]
    assert np.mean(near) >= 0.98
    by_id = {entry.face_id: entry for entry in held}
    for query, hits in zip(queries, found, strict=True):
        for hit in hits:
            assert hit.similarity == pytest.approx(float(query @ by_id[hit.face_id].embedding), abs=ROUNDING)


def test_threads_may_share_it(opened: Open) -> None:
    held = entries(40)
    index = opened()
    failures: list[BaseException] = []

    def work(part: list[IndexEntry]) -> None:
        try:
            for entry in part:
                index.add([entry])
                assert index.search(entry.embedding[np.newaxis], 1)[0][0].face_id == entry.face_id
            index.remove([part[0].face_id])
            assert part[0].face_id not in {hit.face_id for hit in index.search(part[0].embedding[np.newaxis], 40)[0]}
        except BaseException as error:  # noqa: BLE001 - a thread's failure would be lost otherwise
            failures.append(error)

    threads = [Thread(target=work, args=(held[part::4],)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert index.ids() == {entry.face_id for entry in held[4:]}


def test_a_dead_engine_is_said_and_loses_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "index.db")
    index = MilvusIndex(path, MODEL, DIMENSION, timeout_seconds=2)
    index.add(entries(3))
    index.mark(Watermark({"seq": 3}))
    servers: Any = import_module("milvus_lite.server_manager")
    servers.server_manager_instance.release_server(path)
    calls: list[Callable[[], object]] = [
        lambda: index.add(entries(2, 8)),
        lambda: index.remove(entry.face_id for entry in entries(1)),
        lambda: index.search(vectors(1, 0), 1),
        lambda: index.watermark,
        lambda: index.mark(Watermark({"seq": 5})),
        lambda: index.fetch([uuid.UUID(int=1)]),
        lambda: len(index),
        index.ids,
    ]
    for call in calls:
        with pytest.raises(IndexUnreachable):
            call()
    index.close()
    again = MilvusIndex(path, MODEL, DIMENSION)
    assert (len(again), again.watermark) == (3, Watermark({"seq": 3}))
    again.close()


def test_failures_write_no_ids(
    opened: Open, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    index = opened()
    secret = uuid.uuid4()
    index.close()
    with caplog.at_level(logging.DEBUG), pytest.raises(IndexUnreachable) as raised:
        index.fetch([secret])
    written = caplog.text + "".join(capfd.readouterr()) + str(raised.value)
    assert str(secret) not in written


def test_an_index_that_does_not_settle_is_said(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar that nothing can reach stands for a server that goes on missing neighbours."""
    monkeypatch.setattr("matcher.index.milvus.LEAST_RECALL", 1.01)
    index = opened(plan=PLANS["graph"])
    index.add(entries(1500, 11))
    waits: list[float] = []
    with pytest.raises(TimeoutError, match=r"a sample finds [01]\.\d+"):
        index.settle(10, pause=waits.append)
    assert len(waits) == 20
