"""`matcher.index.snapshot`: what comes back, and that nothing but the whole right file does."""

import fcntl
import json
import os
import random
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.index.base import Damage, SnapshotDamaged, VectorIndex, Watermark, checksum
from matcher.index.choice import LocalIndex
from matcher.index.compressed import FaissCompressedIndex
from matcher.index.exact import FaissExactIndex
from matcher.index.hnsw import FaissHnswIndex
from matcher.index.sealed_stream import CHUNK, SALT, TAG, SealedReader, SealedWriter
from matcher.index.snapshot import MAGIC, prune, read_header, read_snapshot, snapshot_path, snapshots, write_snapshot
from tests.matcher.index.conformance import DIMENSION, MODEL, entries, vectors

KEY = bytes(range(32))
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MARK = Watermark({"xid": 7, "seq": 2**60})
KINDS: dict[str, Callable[[], LocalIndex]] = {
    "exact": lambda: FaissExactIndex(MODEL, DIMENSION),
    "compressed": lambda: FaissCompressedIndex(MODEL, DIMENSION, compressed_from=0),
    "hnsw": lambda: FaissHnswIndex(MODEL, DIMENSION, graph_from=0),
}


def filled(kind: str, count: int = 300) -> LocalIndex:
    """An index with a watermark, out of which some were removed."""
    index = KINDS[kind]()
    held = entries(count)
    index.add(held)
    index.remove(entry.face_id for entry in held[::7])
    index.mark(MARK)
    return index


def kept(index: VectorIndex) -> set[bytes]:
    return {checksum(entry) for entry in index.fetch(index.ids())}


@pytest.fixture(scope="module", params=KINDS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of each sort."""
    path = tmp_path_factory.mktemp("snapshot") / "whole.index"
    write_snapshot(filled(request.param), path, KEY, AT)
    return path


def reason(path: Path, key: bytes = KEY, model: str = MODEL, dimension: int = DIMENSION) -> Damage:
    """Why it is refused."""
    with pytest.raises(SnapshotDamaged) as refused:
        read_snapshot(path, key, model, dimension)
    return refused.value.reason


def reason_of(data: bytes, tmp_path: Path) -> Damage:
    path = tmp_path / "altered.index"
    path.write_bytes(data)
    return reason(path)


def header_end(data: bytes) -> int:
    return len(MAGIC) + 4 + int.from_bytes(data[len(MAGIC) : len(MAGIC) + 4], "little")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 1, 300, 20_000])
def test_comes_back_as_it_was(kind: str, count: int, tmp_path: Path) -> None:
    index = filled(kind, min(count, 5_000) if kind == "hnsw" else count)
    path, told = tmp_path / "kept.index", list[float]()
    header = write_snapshot(index, path, KEY, AT)
    found = read_snapshot(path, KEY, MODEL, DIMENSION, progress=told.append)
    assert type(found) is type(index)
    assert (len(found), found.watermark, found.statistics().faces) == (len(index), MARK, index.statistics().faces)
    assert kept(found) == kept(index)
    assert (found.statistics().tombstones, found.version) == (index.statistics().tombstones, index.version)
    queries = vectors(20, 9)
    for mine, other in zip(found.search(queries, 5), index.search_exact(queries, 5), strict=True):
        assert [hit.similarity for hit in mine] == pytest.approx([hit.similarity for hit in other], abs=1e-6)
    assert read_header(path) == header
    assert (header.faces, header.created_at, header.watermark) == (len(index), AT, MARK)
    assert told == sorted(told)
    assert told[-1] == 1.0
    # It goes on changing.
    more = entries(50, 77)
    found.add(more)
    assert {entry.face_id for entry in more} <= found.ids()
    assert found.remove([entry.face_id for entry in more]) == 50


def test_is_for_the_owner_alone_and_nothing_is_left_beside(whole: Path) -> None:
    assert stat.S_IMODE(whole.stat().st_mode) == 0o600
    assert list(whole.parent.iterdir()) == [whole]


def test_shows_no_id_and_no_embedding(whole: Path) -> None:
    data = whole.read_bytes()
    for entry in entries(300):
        assert entry.face_id.bytes not in data
        assert entry.subject_id.bytes not in data
        assert str(entry.face_id).encode() not in data
        assert entry.embedding.astype(np.float16).tobytes() not in data


def test_every_byte_of_the_header_and_the_tail_is_guarded(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    tail = range(len(data) - 2 * TAG, len(data))
    for place in [*range(header_end(data)), *range(header_end(data), header_end(data) + 2 * TAG), *tail]:
        for bit in (1, 32, 128):
            altered = bytearray(data)
            altered[place] ^= bit
            assert reason_of(bytes(altered), tmp_path) in Damage


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(["compressed", "hnsw"]), share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_every_bit_of_the_body_is_guarded(
    kind: str, share: float, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray(_body(kind, tmp_path_factory))
    data[int(share * len(data))] ^= 1 << bit
    assert reason_of(bytes(data), tmp_path_factory.getbasetemp()) in Damage


_bodies: dict[str, bytes] = {}


def _body(kind: str, factory: pytest.TempPathFactory) -> bytes:
    if kind not in _bodies:
        path = factory.mktemp("body") / "body.index"
        write_snapshot(filled(kind), path, KEY, AT)
        _bodies[kind] = path.read_bytes()
    return _bodies[kind]


def test_every_length_is_told(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    start = header_end(data)
    chance = random.Random(1)
    lengths = {*range(start + TAG + 2), len(data) - 1, len(data) - TAG, *chance.sample(range(len(data)), 150)}
    for length in lengths:
        found = reason_of(data[:length], tmp_path)
        if length >= len(MAGIC):
            assert found in {Damage.TRUNCATED, Damage.ALTERED}
        else:
            assert found is Damage.NOT_A_SNAPSHOT


def test_something_added_is_told(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    for more in (b"\0", b"\0" * TAG, data[-TAG:], data[header_end(data) :], b"x" * (CHUNK + TAG)):
        assert reason_of(data + more, tmp_path) is Damage.ALTERED


def test_chunks_cannot_change_places(tmp_path: Path) -> None:
    path = tmp_path / "large.index"
    write_snapshot(filled("exact", 60_000), path, KEY, AT)
    data = path.read_bytes()
    start, size = header_end(data), CHUNK + TAG
    chunks = [data[at : at + size] for at in range(start, len(data), size)]
    assert len(chunks) >= 3
    altered = [
        [chunks[1], chunks[0], *chunks[2:]],
        [chunks[0], chunks[0], *chunks[2:]],
        [chunks[0], *chunks[2:]],
        chunks[:-1],
        chunks[:1],
        [*chunks, chunks[-1]],
        [*chunks[:-2], chunks[-1], chunks[-2]],
    ]
    for order in altered:
        assert reason_of(data[:start] + b"".join(order), tmp_path) is Damage.ALTERED
    # Of another snapshot of the same index, under the same key: every file has a key of its own.
    write_snapshot(filled("exact", 60_000), path, KEY, AT)
    other = path.read_bytes()
    assert reason_of(data[:start] + other[start:], tmp_path) is Damage.ALTERED
    assert reason_of(data[: start + size] + other[start + size :], tmp_path) is Damage.ALTERED


def test_another_models_snapshot_is_foreign(whole: Path) -> None:
    assert reason(whole, model="model-2") is Damage.FOREIGN
    assert reason(whole, dimension=DIMENSION + 1) is Damage.FOREIGN
    assert reason(whole, key=bytes(32)) is Damage.FOREIGN
    assert reason(whole.with_name("none.index")) is Damage.MISSING


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("index_version", "exact-fp16-0", Damage.OLD_FORMAT),
        ("model_version", "model-2", Damage.FOREIGN),
        ("dimension", 9, Damage.FOREIGN),
        ("watermark", {"xid": 8}, Damage.ALTERED),
        ("watermark", {"xid": "7"}, Damage.ALTERED),
        ("faces", 1, Damage.ALTERED),
        ("rows", {"report": 10**15}, Damage.ALTERED),
        ("rows", {"nobody": 1}, Damage.ALTERED),
        ("created_at", "yesterday", Damage.ALTERED),
        ("salt", "00" * SALT, Damage.ALTERED),
        ("key_id", "0" * 16, Damage.FOREIGN),
    ],
)
def test_a_forged_header_is_refused(whole: Path, tmp_path: Path, name: str, value: object, expected: Damage) -> None:
    data = whole.read_bytes()
    end = header_end(data)
    text = json.dumps(json.loads(data[len(MAGIC) + 4 : end]) | {name: value}).encode()
    assert reason_of(MAGIC + len(text).to_bytes(4, "little") + text + data[end:], tmp_path) is expected


def test_other_files_are_none(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    assert reason_of(b"", tmp_path) is Damage.NOT_A_SNAPSHOT
    assert reason_of(os.urandom(5_000), tmp_path) is Damage.NOT_A_SNAPSHOT
    assert reason_of(b"guituix0" + data[8:], tmp_path) is Damage.OLD_FORMAT
    assert reason_of(MAGIC + b"\xff" * 4 + data[12:], tmp_path) is Damage.ALTERED


def test_a_failed_write_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept.index"
    write_snapshot(filled("exact", 10), path, KEY, AT)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as context:
        context.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            write_snapshot(filled("exact", 20), path, KEY, AT)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ValueError, match="32 bytes"):
        write_snapshot(filled("exact", 20), path, KEY[:16], AT)
    assert list(tmp_path.iterdir()) == [path]


def test_the_last_two_of_each_model_are_kept(tmp_path: Path) -> None:
    paths: dict[str, list[Path]] = {"dlib 1": [], "dlib-1": []}
    for model, made in paths.items():
        for minute in (2, 0, 1, 3):
            made.append(snapshot_path(tmp_path, model, AT + timedelta(minutes=minute)))
            write_snapshot(FaissExactIndex(model, DIMENSION), made[-1], KEY, AT + timedelta(minutes=minute))
    torn, foreign = snapshot_path(tmp_path, "dlib 1", AT + timedelta(hours=1)), tmp_path / "notes.txt"
    torn.write_bytes(b"")
    foreign.write_bytes(b"")
    killed, at_work = tmp_path / ".a.index.1.partial", tmp_path / ".b.index.2.partial"
    killed.write_bytes(b"")
    with at_work.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        removed = prune(tmp_path)
    assert {torn, killed} <= set(removed)
    assert len(removed) == 6
    for model, (third, first, second, fourth) in paths.items():
        assert snapshots(tmp_path, model) == [fourth, third]
        assert not first.exists()
        assert not second.exists()
    assert foreign.exists()
    assert at_work.exists()
    assert prune(tmp_path) == [at_work]
    with pytest.raises(ValueError, match="at least one"):
        prune(tmp_path, 0)
    assert snapshots(tmp_path / "none", "dlib 1") == []


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.sampled_from([0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1]), max_size=4))
def test_streams_of_any_length_come_back(sizes: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "stream"
    parts = [bytes([number]) * size for number, size in enumerate(sizes)]
    with path.open("wb") as file:
        writer = SealedWriter(file, KEY, bytes(SALT), b"header")
        for part in parts:
            writer.write(part)
        writer.finish()
    assert path.stat().st_size == sum(sizes) + TAG * max(1, -(-sum(sizes) // CHUNK))
    with path.open("rb") as file:
        reader = SealedReader(file, KEY, bytes(SALT), b"header")
        for part in parts:
            found = bytearray(len(part))
            reader.readinto(found)
            assert found == part
        reader.finish()
        with pytest.raises(SnapshotDamaged):
            reader.readinto(bytearray(1))
