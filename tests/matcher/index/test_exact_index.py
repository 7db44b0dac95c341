"""`matcher.index.exact` against brute force."""

import uuid
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from matcher.index.base import IndexEntry, VectorIndex
from matcher.index.exact import FaissExactIndex
from matcher.vocabulary import GalleryKind

DIMENSION = 8


def vectors(count: int, seed: int) -> NDArray[np.float32]:
    raw = np.random.default_rng(seed).normal(size=(count, DIMENSION))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


def entries(count: int, seed: int = 0) -> list[IndexEntry]:
    kinds = list(GalleryKind)
    return [
        IndexEntry(uuid.uuid4(), uuid.uuid4(), kinds[number % 2], vector)
        for number, vector in enumerate(vectors(count, seed))
    ]


def index_of(held: list[IndexEntry]) -> VectorIndex:
    index: VectorIndex = FaissExactIndex("model-1", DIMENSION)
    index.add(held)
    return index


KINDS = st.none() | st.frozensets(st.sampled_from(GalleryKind))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 30), st.integers(0, 3), st.integers(1, 40), KINDS, st.integers(0, 2**16), st.data())
def test_agrees_with_brute_force(
    count: int, asked: int, k: int, kinds: frozenset[GalleryKind] | None, seed: int, data: st.DataObject
) -> None:
    held = entries(count, seed)
    index = index_of(held)
    gone = {entry.face_id for entry in held if data.draw(st.booleans())}
    assert index.remove([*gone, uuid.uuid4()]) == len(gone)
    left = [entry for entry in held if entry.face_id not in gone]
    assert len(index) == len(left)
    assert index.ids() == {entry.face_id for entry in left}
    queries = vectors(asked, seed + 1)
    answers = index.search(queries, k, kinds)
    assert len(answers) == asked
    searched = [entry for entry in left if kinds is None or entry.kind in kinds]
    for query, hits in zip(queries, answers, strict=True):
        expected = sorted((float(query @ entry.embedding) for entry in searched), reverse=True)[:k]
        assert [hit.similarity for hit in hits] == pytest.approx(expected, abs=1e-5)
        by_id = {entry.face_id: entry for entry in searched}
        for hit in hits:
            entry = by_id[hit.face_id]
            assert (hit.subject_id, hit.kind) == (entry.subject_id, entry.kind)
            assert hit.similarity == pytest.approx(float(query @ entry.embedding), abs=1e-5)
            assert -1 <= hit.similarity <= 1


def test_adding_again_replaces() -> None:
    first, second = entries(2)
    index = index_of([first])
    index.add([IndexEntry(first.face_id, second.subject_id, GalleryKind.CASE, second.embedding)] * 2)
    assert len(index) == 1
    (hit,) = index.search(second.embedding[np.newaxis], 5)[0]
    assert hit.subject_id == second.subject_id
    assert hit.similarity == pytest.approx(1)


def test_a_bad_batch_adds_nothing() -> None:
    good, other = entries(2)
    index = index_of([])
    for bad in (other.embedding * 2, other.embedding[:4], np.full(DIMENSION, np.nan, np.float32)):
        with pytest.raises(ValueError, match=r"vector|shape"):
            index.add([good, IndexEntry(uuid.uuid4(), uuid.uuid4(), GalleryKind.CASE, bad)])
    assert len(index) == 0


def test_wrong_questions() -> None:
    index = index_of(entries(3))
    with pytest.raises(ValueError, match="k must"):
        index.search(vectors(1, 0), 0)
    with pytest.raises(ValueError, match="shape"):
        index.search(np.zeros((1, DIMENSION + 1), np.float32), 1)
    with pytest.raises(ValueError, match="at least one"):
        FaissExactIndex("model-1", 0)


def test_versions() -> None:
    index = index_of([])
    assert (index.model_version, index.version) == ("model-1", "flat-ip-1")


def test_threads_may_share_it() -> None:
    held = entries(200)
    index = index_of([])
    failures: list[BaseException] = []

    def work(part: int) -> None:
        try:
            for entry in held[part::4]:
                index.add([entry])
                assert index.search(entry.embedding[np.newaxis], 1)[0][0].face_id == entry.face_id
        except BaseException as error:  # noqa: BLE001 - a thread's failure would be lost otherwise
            failures.append(error)

    threads = [Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert index.ids() == {entry.face_id for entry in held}
