"""`matcher.index.compressed` against the model, coded from the first face on; how often it misses; and its codes."""

import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.clustered import gallery, queries
from matcher.index import compressed
from matcher.index.base import IndexEntry, VectorIndex
from matcher.index.choice import rebuilt
from matcher.index.compressed import CompressedShelf, FaissCompressedIndex
from matcher.index.face_table import Ids
from matcher.index.nibbles import Nibbles
from matcher.index.recall import recall_sample
from matcher.index.scan import Halves
from matcher.vocabulary import GalleryKind
from tests.matcher.index.conformance import DIMENSION, MODEL, Conformance, Floats, entries, machine, vectors


def coded(model_version: str, dimension: int) -> FaissCompressedIndex:
    """An index that never takes the exact way by its size."""
    return FaissCompressedIndex(model_version, dimension, compressed_from=0)


TestCompressedMachine = machine(coded).TestCase
TestCompressedMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


class TestCompressed(Conformance):
    """`Conformance` of the codes."""

    def new(self, model_version: str, dimension: int) -> VectorIndex:
        return coded(model_version, dimension)


def of(given_vectors: Floats) -> list[IndexEntry]:
    """Reports with these embeddings."""
    reports = entries(len(given_vectors), kinds=[GalleryKind.REPORT])
    return [
        IndexEntry(entry.face_id, entry.subject_id, entry.kind, vector)
        for entry, vector in zip(reports, given_vectors, strict=True)
    ]


@pytest.fixture(scope="module")
def held() -> list[IndexEntry]:
    return of(gallery(20_000))


@pytest.fixture
def index(held: list[IndexEntry]) -> FaissCompressedIndex:
    made = FaissCompressedIndex(MODEL, 128)
    made.add(held)
    return made


def shelf_of(index: FaissCompressedIndex) -> CompressedShelf:
    with index.shelves_unchanged() as (shelves, _):
        return shelves[GalleryKind.REPORT]


def test_recall(index: FaissCompressedIndex, held: list[IndexEntry]) -> None:
    assert shelf_of(index).codes.rows == 20_000
    sample = recall_sample(index, queries(20_000, 100), 50)
    assert (sample.queries, sample.wanted) == (100, 5_000)
    assert sample.recall >= 0.999
    # Removing and adding leaves nothing that wears it out.
    index.remove(entry.face_id for entry in held[:9_000])
    assert shelf_of(index).codes.rows == 11_000
    assert index.statistics().tombstones == 0
    assert recall_sample(index, queries(20_000, 100), 50).recall >= 0.999
    index.add(held[:5_000])
    assert recall_sample(index, queries(20_000, 100), 50).recall >= 0.999


def test_recall_sees_a_shortlist_that_misses(index: FaissCompressedIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "SHORTLIST", 50)
    monkeypatch.setattr(compressed, "SHORTLIST_A_HIT", 1)
    assert 0.5 < recall_sample(index, queries(20_000, 100), 50).recall < 0.99


def test_codes_begin_and_end_by_the_number_of_faces() -> None:
    index, held = FaissCompressedIndex(MODEL, DIMENSION, 400), entries(500, kinds=[GalleryKind.REPORT])
    for part, rows in ((slice(0, 399), 0), (slice(399, 400), 400), (slice(400, 500), 500)):
        index.add(held[part])
        assert shelf_of(index).codes.rows == rows
    index.remove(entry.face_id for entry in held[:300])
    assert shelf_of(index).codes.rows == 200
    index.remove([held[300].face_id])
    assert (shelf_of(index).codes.rows, shelf_of(index).codes.trained_on) == (0, 0)
    assert len(index.search(vectors(1, 3), 199)[0]) == 199


def test_levels_that_suit_none_of_the_faces_never_make_an_answer_wrong(held: list[IndexEntry]) -> None:
    (far,) = vectors(1, 5, 128)
    index = FaissCompressedIndex(MODEL, 128, 1_000)
    index.add(of(np.tile(far, (1_000, 1))))
    others = [IndexEntry(uuid.UUID(int=at), e.subject_id, e.kind, e.embedding) for at, e in enumerate(held)]
    index.add(others)
    assert index.stale
    given = {entry.face_id: entry.embedding for entry in others}
    asked = queries(20_000, 20)
    for query, hits in zip(asked, index.search(asked, 50), strict=True):
        assert len({hit.face_id for hit in hits}) == 50
        for hit in hits:
            assert hit.similarity == pytest.approx(float(query @ given.get(hit.face_id, far)), abs=1e-3)
    assert recall_sample(rebuilt(index, 1_000), asked, 50).recall >= 0.999


def test_equal_faces_are_all_found() -> None:
    (one,) = vectors(1, 5)
    index = coded(MODEL, DIMENSION)
    index.add(of(np.tile(one, (3_000, 1))))
    (hits,) = index.search(one[np.newaxis], 2_500)
    assert len({hit.face_id for hit in hits}) == 2_500
    assert all(hit.similarity == pytest.approx(1, abs=1e-3) for hit in hits)


@pytest.mark.parametrize("dimension", [1, 3, 33, 512])
def test_any_dimension(dimension: int) -> None:
    index = coded(MODEL, dimension)
    index.add(of(vectors(2_000, 1, dimension)))
    assert recall_sample(index, vectors(20, 2, dimension), 10).recall == 1


def ids_of(numbers: list[int]) -> Ids:
    return np.array([[number + 1, 7] for number in numbers], np.uint64).reshape(-1, 2)


def assert_codes_are_those_of(shelf: CompressedShelf, halves: Halves) -> None:
    """Row by row, in every bit, and nothing else is left in the blocks."""
    fresh = Nibbles(halves.shape[1])
    fresh.scanner.pq = shelf.codes.scanner.pq
    fresh.scanner.is_trained, fresh.trained_on = True, 1
    fresh.append(halves)
    np.testing.assert_array_equal(shelf.codes.blocks, fresh.blocks)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), dimension=st.sampled_from([1, 5, 8]), seed=st.integers(0, 2**16))
def test_codes_follow_their_rows(data: st.DataObject, dimension: int, seed: int) -> None:
    """After any adding and removing the codes are those of the vectors, and of a removed face not a bit is left."""
    shelf, model, added = CompressedShelf(dimension, 0), dict[int, Halves](), 0
    for step in range(data.draw(st.integers(1, 6))):
        count = data.draw(st.sampled_from([0, 1, 31, 32, 33, 127, 128, 300]))
        fresh = vectors(count, seed + step, dimension).astype(np.float16)
        if count:
            shelf.append(ids_of(list(range(added, added + count))), ids_of([0] * count), fresh)
        model |= {added + at: row for at, row in enumerate(fresh)}
        added += count
        gone = data.draw(st.lists(st.sampled_from(sorted(model)), unique=True)) if model else []
        if gone:
            shelf.take(shelf.table.find(ids_of(gone)))
        for number in gone:
            del model[number]
        assert shelf.table.rows == len(model)
        np.testing.assert_array_equal(
            shelf.halves[shelf.table.find(ids_of(list(model)))], np.array([*model.values()]).reshape(-1, dimension)
        )
        if model:
            assert shelf.codes.rows == len(model)
            assert_codes_are_those_of(shelf, shelf.halves)
