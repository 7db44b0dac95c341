"""`matcher.index.exact` against the model."""

from hypothesis import settings

from matcher.index.base import VectorIndex
from matcher.index.exact import VERSION, FaissExactIndex
from tests.matcher.index.conformance import DIMENSION, MODEL, Conformance, entries, machine

TestExactMachine = machine(FaissExactIndex).TestCase
TestExactMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


class TestExact(Conformance):
    """`Conformance` of the exact index."""

    def new(self, model_version: str, dimension: int) -> VectorIndex:
        return FaissExactIndex(model_version, dimension)


def test_version() -> None:
    assert FaissExactIndex(MODEL, DIMENSION).version == VERSION == "exact-fp16-1"


def test_removing_leaves_no_row_behind() -> None:
    index = FaissExactIndex(MODEL, DIMENSION)
    held = entries(1000)
    index.add(held)
    index.remove(entry.face_id for entry in held[::3])
    assert index.statistics().tombstones == 0
    with index.shelves_unchanged() as (shelves, _):
        assert sum(len(shelf.halves) for shelf in shelves.values()) == len(index) == 1000 - len(held[::3])
