"""`matcher.index.hnsw` against the model, with the graph walked from the first face on; and how often it misses."""

import numpy as np
import pytest
from hypothesis import settings

from benchmarks.clustered import gallery, queries
from matcher.index.base import IndexEntry, VectorIndex
from matcher.index.choice import outgrown, rebuilt
from matcher.index.hnsw import FaissHnswIndex
from matcher.index.recall import recall_sample
from matcher.vocabulary import GalleryKind
from tests.matcher.index.conformance import DIMENSION, MODEL, Conformance, entries, machine


def walked(model_version: str, dimension: int) -> FaissHnswIndex:
    """An index that never takes the exact way by its size."""
    return FaissHnswIndex(model_version, dimension, graph_from=0)


TestHnswMachine = machine(walked).TestCase
TestHnswMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


class TestHnsw(Conformance):
    """`Conformance` of the graph."""

    def new(self, model_version: str, dimension: int) -> VectorIndex:
        return walked(model_version, dimension)


def of_gallery(count: int) -> list[IndexEntry]:
    reports = entries(count, kinds=[GalleryKind.REPORT])
    return [
        IndexEntry(entry.face_id, entry.subject_id, entry.kind, vector)
        for entry, vector in zip(reports, gallery(count), strict=True)
    ]


@pytest.fixture(scope="module")
def held() -> list[IndexEntry]:
    return of_gallery(6_000)


@pytest.fixture
def graph(held: list[IndexEntry]) -> FaissHnswIndex:
    index = walked(MODEL, 128)
    index.add(held)
    return index


def test_recall(graph: FaissHnswIndex) -> None:
    sample = recall_sample(graph, queries(6_000, 100), 50)
    assert (sample.queries, sample.wanted) == (100, 5_000)
    assert sample.recall >= 0.99
    assert recall_sample(graph, queries(6_000, 3), 5, frozenset()).recall == 1


def test_recall_sees_a_graph_that_misses(graph: FaissHnswIndex) -> None:
    with graph.shelves_unchanged() as (shelves, _):
        shelf = shelves[GalleryKind.REPORT]
        # Walks of 1 candidate that end at once: what remains is the luck of the entry point.
        shelf.graph.hnsw.check_relative_distance = False
        shelf._breadth = 1
    assert recall_sample(graph, queries(6_000, 100), 1).recall < 0.99


def test_removed_faces_are_tombstones_until_it_is_rebuilt(graph: FaissHnswIndex, held: list[IndexEntry]) -> None:
    gone = {entry.face_id for entry in held[:3_000]}
    erased = {entry.embedding.astype(np.float16).tobytes() for entry in held[:3_000]}
    graph.remove(gone)
    statistics = graph.statistics()
    assert (statistics.tombstones, statistics.tombstone_share) == (3_000, 0.5)
    # Each erased person's own embedding, asked for: the graph still leads there, and must not answer.
    for hits in graph.search(np.stack([entry.embedding for entry in held[:200]]), 50):
        assert len(hits) == 50
        assert not gone & {hit.face_id for hit in hits}
    with graph.shelves_unchanged() as (shelves, _):
        halves = shelves[GalleryKind.REPORT].halves
        assert not erased & {row.tobytes() for row in halves}
        assert not shelves[GalleryKind.REPORT].table.faces[:3_000].any()
    assert recall_sample(graph, queries(6_000, 100), 50).recall >= 0.98
    assert outgrown(graph, 100, 0.2, "graph")
    fresh = rebuilt(graph, 100, "graph")
    assert isinstance(fresh, FaissHnswIndex)
    assert fresh.statistics().tombstones == 0
    assert fresh.ids() == graph.ids()
    assert not outgrown(fresh, 100, 0.2, "graph")


def test_few_living_faces_among_many_tombstones_are_found(graph: FaissHnswIndex, held: list[IndexEntry]) -> None:
    graph.remove(entry.face_id for entry in held[7:])
    for hits in graph.search(queries(6_000, 20), 50):
        assert {hit.face_id for hit in hits} == {entry.face_id for entry in held[:7]}


def test_a_narrow_walk_is_refused() -> None:
    with pytest.raises(ValueError, match="misses people"):
        FaissHnswIndex(MODEL, DIMENSION, breadth=32)
