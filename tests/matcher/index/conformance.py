"""What every `VectorIndex` must do, whichever library is behind it: derive `Conformance`, and call `machine`.

The model is a dictionary searched by numpy. Similarities may differ from it by `ROUNDING`, so hits are compared by
value: the model's k best similarities, in order, and each hit's own.
"""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from numpy.typing import NDArray

from matcher.index.base import ROUNDING, Hit, IndexEntry, VectorIndex, Watermark, checksum
from matcher.vocabulary import GalleryKind

Floats = NDArray[np.float32]
Factory = Callable[[str, int], VectorIndex]
"""Makes an empty index of a model version and a dimension."""

MODEL = "model-1"
DIMENSION = 8
KINDS = st.none() | st.frozensets(st.sampled_from(GalleryKind))
SEEDS = st.integers(0, 2**20)


def vectors(count: int, seed: int, dimension: int = DIMENSION) -> Floats:
    """Seeded unit vectors (count, dimension)."""
    raw = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


def entries(count: int, seed: int = 0, kinds: Iterable[GalleryKind] = GalleryKind) -> list[IndexEntry]:
    """Seeded faces, one of each kind in turn."""
    data, order = np.random.default_rng([seed, 1]).bytes(32 * count), list(kinds)
    return [
        IndexEntry(
            uuid.UUID(bytes=data[32 * at : 32 * at + 16]),
            uuid.UUID(bytes=data[32 * at + 16 : 32 * at + 32]),
            order[at % len(order)],
            vector,
        )
        for at, vector in enumerate(vectors(count, seed))
    ]


def assert_right(hits: list[Hit], query: Floats, k: int, searched: dict[uuid.UUID, IndexEntry]) -> None:
    """Whether the hits are the k best of what was searched."""
    truth = {face_id: float(query @ entry.embedding) for face_id, entry in searched.items()}
    assert [hit.similarity for hit in hits] == pytest.approx(sorted(truth.values(), reverse=True)[:k], abs=ROUNDING)
    assert [hit.similarity for hit in hits] == sorted((hit.similarity for hit in hits), reverse=True)
    assert len({hit.face_id for hit in hits}) == len(hits)
    for hit in hits:
        entry = searched[hit.face_id]
        assert (hit.subject_id, hit.kind) == (entry.subject_id, entry.kind)
        assert hit.similarity == pytest.approx(truth[hit.face_id], abs=ROUNDING)
        assert -1 <= hit.similarity <= 1


def machine(new: Factory, most: int = 12) -> type[RuleBasedStateMachine]:
    """A Hypothesis state machine over indexes of this factory; `most`: faces added in one step."""

    class IndexMachine(RuleBasedStateMachine):
        """Adds, replaces, removes and searches, and compares every answer with the model."""

        def __init__(self) -> None:
            super().__init__()
            self.index = new(MODEL, DIMENSION)
            self.model: dict[uuid.UUID, IndexEntry] = {}
            self.removed: list[uuid.UUID] = []
            self.marked = Watermark()

        def teardown(self) -> None:
            self.index.close()

        @rule(count=st.integers(0, most), seed=SEEDS)
        def add(self, count: int, seed: int) -> None:
            self._add(entries(count, seed))

        @precondition(lambda self: self.model)
        @rule(data=st.data(), seed=SEEDS, kind=st.sampled_from(GalleryKind))
        def replace(self, data: st.DataObject, seed: int, kind: GalleryKind) -> None:
            face_id = data.draw(st.sampled_from(sorted(self.model)))
            other = entries(2, seed)
            again = [IndexEntry(face_id, entry.subject_id, kind, entry.embedding) for entry in other]
            self._add(again)

        @precondition(lambda self: self.removed)
        @rule(data=st.data(), seed=SEEDS)
        def add_what_was_removed(self, data: st.DataObject, seed: int) -> None:
            (entry,) = entries(1, seed)
            face_id = data.draw(st.sampled_from(self.removed))
            self._add([IndexEntry(face_id, entry.subject_id, entry.kind, entry.embedding)])

        @precondition(lambda self: self.model)
        @rule(seed=SEEDS, count=st.integers(1, 5))
        def add_the_same_embedding(self, seed: int, count: int) -> None:
            twin = self.model[min(self.model)]
            self._add([IndexEntry(e.face_id, e.subject_id, e.kind, twin.embedding) for e in entries(count, seed)])

        @rule(data=st.data())
        def remove(self, data: st.DataObject) -> None:
            chosen = data.draw(st.lists(st.sampled_from(sorted(self.model)))) if self.model else []
            assert self.index.remove([*chosen, uuid.UUID(int=0), *chosen]) == len(set(chosen))
            for face_id in set(chosen):
                del self.model[face_id]
                self.removed.append(face_id)

        @rule()
        def remove_everything(self) -> None:
            assert self.index.remove(list(self.model)) == len(self.model)
            self.removed += self.model
            self.model.clear()

        @rule(seed=SEEDS, asked=st.integers(0, 6), k=st.integers(1, 40), kinds=KINDS)
        def search(self, seed: int, asked: int, k: int, kinds: frozenset[GalleryKind] | None) -> None:
            searched = {face_id: entry for face_id, entry in self.model.items() if kinds is None or entry.kind in kinds}
            queries = vectors(asked, seed)
            answers = self.index.search(queries, k, kinds)
            assert len(answers) == asked
            for query, hits in zip(queries, answers, strict=True):
                assert_right(hits, query, k, searched)

        @precondition(lambda self: self.model)
        @rule(data=st.data())
        def find_itself(self, data: st.DataObject) -> None:
            entry = self.model[data.draw(st.sampled_from(sorted(self.model)))]
            (hits,) = self.index.search(entry.embedding[np.newaxis], len(self.model), frozenset({entry.kind}))
            assert entry.face_id in {hit.face_id for hit in hits}

        @rule(number=st.integers(0, 2**62))
        def mark(self, number: int) -> None:
            self.marked = Watermark({"position": number})
            self.index.mark(self.marked)

        @rule()
        def fetch(self) -> None:
            found = self.index.fetch([*self.model, *self.removed])
            assert {entry.face_id: checksum(entry) for entry in found} == {
                face_id: checksum(entry) for face_id, entry in self.model.items()
            }
            assert len(found) == len(self.model)

        @invariant()
        def holds_what_the_model_holds(self) -> None:
            assert len(self.index) == len(self.model)
            assert self.index.ids() == self.model.keys()
            faces = self.index.statistics().faces
            for kind in GalleryKind:
                assert faces[kind] == sum(entry.kind is kind for entry in self.model.values())
            assert self.index.watermark == self.marked

        def _add(self, added: list[IndexEntry]) -> None:
            self.index.add(added)
            self.model |= {entry.face_id: entry for entry in added}

    return IndexMachine


class Conformance(ABC):
    """The plain half. Derive it as `TestSomething` and say how an index is made."""

    @abstractmethod
    def new(self, model_version: str, dimension: int) -> VectorIndex:
        """An empty index."""

    def index_of(self, held: list[IndexEntry]) -> VectorIndex:
        """An index that holds these faces."""
        index = self.new(MODEL, DIMENSION)
        index.add(held)
        return index

    def test_says_what_it_is(self) -> None:
        index = self.index_of([])
        assert (index.model_version, index.dimension, len(index)) == (MODEL, DIMENSION, 0)
        assert index.version
        assert index.version == self.new("model-2", DIMENSION + 1).version
        assert index.watermark == Watermark()

    def test_empty_answers_nothing(self) -> None:
        assert self.index_of([]).search(vectors(2, 0), 3) == [[], []]

    def test_adding_again_replaces(self) -> None:
        first, second = entries(2)
        index = self.index_of([first])
        index.add([IndexEntry(first.face_id, second.subject_id, GalleryKind.CASE, second.embedding)] * 2)
        assert len(index) == 1
        (hit,) = index.search(second.embedding[np.newaxis], 5)[0]
        assert (hit.subject_id, hit.kind) == (second.subject_id, GalleryKind.CASE)
        assert hit.similarity == pytest.approx(1, abs=ROUNDING)

    @pytest.mark.parametrize("place", ["first", "last"])
    def test_a_bad_batch_adds_nothing(self, place: str) -> None:
        good, other = entries(2)
        index = self.index_of([])
        for bad in (other.embedding * 2, other.embedding[:4], np.full(DIMENSION, np.nan, np.float32)):
            wrong = IndexEntry(uuid.uuid4(), uuid.uuid4(), GalleryKind.CASE, bad)
            with pytest.raises(ValueError, match=r"vector|shape"):
                index.add([wrong, good] if place == "first" else [good, wrong])
        assert len(index) == 0
        assert index.search(good.embedding[np.newaxis], 1) == [[]]

    def test_wrong_questions(self) -> None:
        index = self.index_of(entries(3))
        with pytest.raises(ValueError, match="k must"):
            index.search(vectors(1, 0), 0)
        for wrong in (np.zeros((1, DIMENSION + 1), np.float32), vectors(1, 0)[0], vectors(1, 0) * 2):
            with pytest.raises(ValueError, match=r"shape|length"):
                index.search(wrong, 1)

    def test_wrong_dimension(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            self.new(MODEL, 0)

    def test_no_kind_finds_nothing(self) -> None:
        assert self.index_of(entries(4)).search(vectors(2, 0), 3, frozenset()) == [[], []]

    def test_a_batch_answers_as_one_by_one(self) -> None:
        index = self.index_of(entries(150, 1))
        queries = vectors(70, 2)
        for query, together in zip(queries, index.search(queries, 10), strict=True):
            (alone,) = index.search(query[np.newaxis], 10)
            assert [hit.similarity for hit in alone] == pytest.approx([hit.similarity for hit in together], abs=1e-5)
            assert {hit.face_id for hit in alone[:5]} == {hit.face_id for hit in together[:5]}

    def test_extreme_embeddings_are_found(self) -> None:
        axes = [*np.eye(DIMENSION, dtype=np.float32), *-np.eye(DIMENSION, dtype=np.float32)]
        held = [
            IndexEntry(entry.face_id, entry.subject_id, entry.kind, axis)
            for entry, axis in zip(entries(len(axes)), axes, strict=True)
        ]
        index = self.index_of(held)
        for entry in held:
            hits = index.search(entry.embedding[np.newaxis], len(held))[0]
            assert (hits[0].face_id, hits[0].similarity) == (entry.face_id, 1.0)
            assert hits[-1].similarity == -1.0
