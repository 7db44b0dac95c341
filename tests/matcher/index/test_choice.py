"""`matcher.index.choice`: which index a size gets, and the way from one to another."""

import pytest

from matcher.index.choice import SORTS, Approximation, approximate, empty_index, outgrown, rebuilt
from matcher.index.compressed import FaissCompressedIndex
from matcher.index.exact import FaissExactIndex
from matcher.index.hnsw import FaissHnswIndex
from tests.matcher.index.conformance import DIMENSION, MODEL, entries, vectors

SORT = pytest.mark.parametrize("sort", SORTS)


@SORT
def test_the_size_chooses(sort: Approximation) -> None:
    small, large = empty_index(MODEL, DIMENSION, 99, 100, sort), empty_index(MODEL, DIMENSION, 100, 100, sort)
    assert isinstance(small, FaissExactIndex)
    assert isinstance(large, SORTS[sort])
    assert (approximate(small), approximate(large)) == (None, large)
    small.add(entries(99))
    assert not outgrown(small, 100, 0.2, sort)
    small.add(entries(1, 5))
    assert outgrown(small, 100, 0.2, sort)
    large.add(entries(100))
    large.remove(entry.face_id for entry in entries(10))
    assert not outgrown(large, 100, 0.2, sort)
    large.remove(entry.face_id for entry in entries(60))
    assert outgrown(large, 100, 1.0, sort)
    assert isinstance(rebuilt(large, 100, sort), FaissExactIndex)


def test_another_sort_that_is_wanted_takes_over_and_stays() -> None:
    index = empty_index(MODEL, DIMENSION, 100, 100, "graph")
    index.add(entries(100))
    assert outgrown(index, 100, 0.2)
    other = rebuilt(index, 100)
    assert isinstance(other, FaissCompressedIndex)
    assert not outgrown(other, 100, 0.2)
    assert outgrown(other, 100, 0.2, "graph")
    assert isinstance(rebuilt(other, 100, "graph"), FaissHnswIndex)


@SORT
def test_rebuilding_keeps_faces_and_watermark(sort: Approximation) -> None:
    index = FaissExactIndex(MODEL, DIMENSION)
    index.add(entries(300))
    grown = rebuilt(index, 100, sort)
    assert isinstance(grown, SORTS[sort])
    assert (grown.ids(), grown.watermark) == (index.ids(), index.watermark)
    for mine, other in zip(grown.search_exact(vectors(9, 3), 10), index.search_exact(vectors(9, 3), 10), strict=True):
        assert [hit.face_id for hit in mine] == [hit.face_id for hit in other]


def test_codes_made_for_far_fewer_faces_are_made_anew() -> None:
    index = empty_index(MODEL, DIMENSION, 400, 400)
    assert isinstance(index, FaissCompressedIndex)
    index.add(entries(200))
    assert not index.stale
    index.add(entries(1_000, 1))
    assert outgrown(index, 400, 0.2)
    fresh = rebuilt(index, 400)
    assert isinstance(fresh, FaissCompressedIndex)
    with fresh.shelves_unchanged() as (shelves, _):
        assert {shelf.codes.trained_on for shelf in shelves.values()} == {600}
    assert not outgrown(fresh, 400, 0.2)
