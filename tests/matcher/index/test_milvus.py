"""`matcher.index.milvus` on a file of Milvus Lite, and on a real server where one is given (`make test-milvus`)."""

import logging
import os
import subprocess
import sys
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
from matcher.index.distributed import open_distributed
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


def test_nobody_there() -> None:
    with pytest.raises(IndexUnreachable, match="connecting") as raised:
        MilvusIndex("http://127.0.0.1:9", MODEL, DIMENSION, token="name:secret", timeout_seconds=1)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("ftp://milvus.example", "http"),
        ("http://", "http"),
        ("http://name:secret@milvus.example:19530", "token apart"),
        ("index.sqlite", r"ends in \.db"),
    ],
)
def test_wrong_locations(location: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        MilvusIndex(location, MODEL, DIMENSION)
    assert "secret" not in str(raised.value)


def test_a_file_of_another_process_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "index.db")
    with _child(f"index = MilvusIndex({path!r}, 'm', 8); print('open', flush=True); input()") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        with pytest.raises(IndexUnreachable, match="another process"):
            MilvusIndex(path, MODEL, DIMENSION)
        child.kill()


def test_a_kill_leaves_the_watermark_behind_the_faces(tmp_path: Path) -> None:
    """Killed with -9 while it adds: whatever the watermark says was added is there."""
    path = str(tmp_path / "index.db")
    program = f"""
index = MilvusIndex({path!r}, 'model-1', 8)
start = index.watermark.positions.get("seq", 0)
for number in range(start, start + 1000):
    index.add(entries(10, number))
    index.mark(Watermark({{"seq": number + 1}}))
    print(number + 1, flush=True)
"""
    said = 0
    for lines in (3, 1, 7):
        with _child(program) as child:
            assert child.stdout is not None
            for _ in range(lines):
                said = int(child.stdout.readline())
            child.kill()
        index = MilvusIndex(path, MODEL, DIMENSION)
        marked = index.watermark.positions["seq"]
        assert marked >= said
        assert index.ids() >= {entry.face_id for number in range(marked) for entry in entries(10, number)}
        index.close()


def test_the_library_brings_nothing_along(tmp_path: Path) -> None:
    """pymilvus reads a `.env` beside it at import, and logs failed calls with their filters: neither happens here."""
    program = tmp_path / "program.py"
    program.write_text(
        "import logging, os, dotenv, dotenv.main\n"
        "def found(*arguments, **named):\n"
        "    return FILE\n"
        f"FILE = {str(tmp_path / '.env')!r}\n"
        "dotenv.main.find_dotenv = found\n"
        "import matcher.index.milvus\n"
        "print(os.environ.get('GUITU_FROM_DOTENV'), os.environ.get('PYTHON_DOTENV_DISABLED'))\n"
        "print([type(h).__name__ for h in logging.getLogger('pymilvus').handlers])\n"
    )
    (tmp_path / ".env").write_text("GUITU_FROM_DOTENV=yes\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    said = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["None None", "['NullHandler']"]
    # The trap is real: without the switch the library reads the file.
    bare = program.read_text().replace("import matcher.index.milvus", "import pymilvus")
    program.write_text(bare)
    said = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[0] == "yes None"


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


def test_opened_by_the_name_of_a_plan(tmp_path: Path) -> None:
    index = open_distributed(str(tmp_path / "index.db"), MODEL, DIMENSION, plan="exact")
    assert index.version == "milvus-flat-1"
    index.close()
    with pytest.raises(ValueError, match="exact, graph, cells"):
        open_distributed(str(tmp_path / "index.db"), MODEL, DIMENSION, plan="tree")


def test_without_the_package_the_remedy_is_said() -> None:
    program = (
        "import sys; sys.modules['pymilvus'] = None\n"
        "from matcher.index import distributed\n"
        "import importlib.util\n"
        "distributed.find_spec = lambda name: None\n"
        "try:\n    distributed.open_distributed('x.db', 'm', 8)\n"
        "except distributed.DistributedIndexUnavailable as error:\n    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install 'guitu[milvus]'" in said.stdout


def _child(program: str) -> subprocess.Popen[str]:
    imports = (
        "from matcher.index.base import Watermark\nfrom matcher.index.milvus import MilvusIndex\n"
        "from tests.matcher.index.conformance import entries\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", imports + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
