"""`matcher.index.move`: exact to Milvus Lite and back, killed half-way, and with changes meanwhile."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from matcher.index.base import IndexEntry, VectorIndex, Watermark, checksum
from matcher.index.exact import FaissExactIndex
from matcher.index.milvus import MilvusIndex
from matcher.index.move import MoveProgress, MoveToken, move
from tests.matcher.index.conformance import DIMENSION, MODEL, entries, vectors


class Killed(BaseException):
    """The process ends here."""


def exact(held: list[IndexEntry] | None = None, at: int = 0) -> FaissExactIndex:
    index = FaissExactIndex(MODEL, DIMENSION)
    index.add(held or [])
    index.mark(Watermark({"seq": at}))
    return index


def content(index: VectorIndex) -> dict[uuid.UUID, object]:
    """Everything that an index holds."""
    return {entry.face_id: checksum(entry) for entry in index.fetch(index.ids())}


def quiet(progress: MoveProgress) -> None:
    """Nobody looks."""


def recorded(into: list[MoveProgress], until: int | None = None) -> Callable[[MoveProgress], None]:
    def note(progress: MoveProgress) -> None:
        into.append(progress)
        if until is not None and progress.done >= until:
            raise Killed

    return note


def test_to_milvus_and_back(tmp_path: Path) -> None:
    source = exact(entries(250), at=42)
    milvus = MilvusIndex(str(tmp_path / "index.db"), MODEL, DIMENSION)
    seen: list[MoveProgress] = []
    move(source, milvus, MoveToken(source.watermark), recorded(seen), faces_at_once=100)
    assert [(progress.done, progress.total) for progress in seen] == [(0, 250), (100, 250), (200, 250), (250, 250)]
    assert milvus.watermark == Watermark({"seq": 42})
    assert content(source) == content(milvus)
    back = exact()
    move(milvus, back, MoveToken(milvus.watermark), quiet)
    assert back.watermark == Watermark({"seq": 42})
    assert content(source) == content(back)
    queries = vectors(5, 9)
    for here, there in zip(source.search(queries, 20), milvus.search(queries, 20), strict=True):
        assert [hit.similarity for hit in there] == pytest.approx([hit.similarity for hit in here], abs=1e-6)
    milvus.close()


@pytest.mark.parametrize("killed_at", [0, 100, 200, 250])
def test_a_killed_move_goes_on(killed_at: int) -> None:
    held = entries(250)
    source, target = exact(held, at=1), exact(at=0)
    seen: list[MoveProgress] = []
    with pytest.raises(Killed):
        move(source, target, MoveToken(source.watermark), recorded(seen, killed_at), faces_at_once=100)
    # Not yet marked: whoever looks sees that it is not whole.
    assert target.watermark == Watermark({"seq": 0})
    # While it lay, the source went on: one face went, one came, one was replaced; all after the token's watermark.
    gone, changed = sorted(held, key=lambda entry: entry.face_id)[:2]
    (new,) = entries(1, 77)
    source.remove([gone.face_id])
    source.add([new, IndexEntry(changed.face_id, changed.subject_id, changed.kind, new.embedding)])
    source.mark(Watermark({"seq": 4}))
    token = MoveToken.from_json(seen[-1].token.as_json())
    again: list[MoveProgress] = []
    move(source, target, token, recorded(again), faces_at_once=100)
    assert again[0].done in {killed_at, max(0, killed_at - 1), killed_at + 1}
    assert gone.face_id not in target.ids()
    assert target.watermark == Watermark({"seq": 1})
    # Following the log from there, as the caller does, makes them the same.
    target.add(source.fetch([new.face_id, changed.face_id]))
    assert content(source) == content(target)


def test_what_an_abandoned_move_left_is_taken_away() -> None:
    source, target = exact(entries(20)), exact(entries(30, 5))
    move(source, target, MoveToken(source.watermark), quiet)
    assert target.ids() == source.ids()


def test_an_empty_index_moves_too() -> None:
    source, target = exact(at=9), exact(entries(3))
    move(source, target, MoveToken(source.watermark), quiet)
    assert (len(target), target.watermark) == (0, Watermark({"seq": 9}))


def test_another_model_is_refused() -> None:
    source = exact(entries(3))
    others: list[VectorIndex] = [FaissExactIndex("model-2", DIMENSION), FaissExactIndex(MODEL, DIMENSION + 1)]
    for other in others:
        with pytest.raises(ValueError, match="one model version and dimension"):
            move(source, other, MoveToken(source.watermark), quiet)
        assert len(other) == 0


@pytest.mark.parametrize(
    "value",
    [None, {}, {"watermark": {}}, {"watermark": {"a": "b"}, "after": None}, {"watermark": {}, "after": 3},
     {"watermark": {}, "after": "x"}],
)  # fmt: skip
def test_a_foreign_token_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"token|watermark|face id|UUID"):
        MoveToken.from_json(value)
