"""`matcher.evaluation.discard`: error against discard."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.evaluation.discard import SHARES, discard_curve

MISSED = np.array([0.1] * 2 + [0.9] * 8)


def test_a_perfect_measure_discards_the_misses_first() -> None:
    curve = discard_curve(MISSED, np.arange(10.0), 0.5, (0.0, 0.1, 0.2, 0.5))
    assert curve.errors == pytest.approx((0.2, 1 / 9, 0.0, 0.0))
    assert curve.errors == curve.ideal
    assert curve.gain == pytest.approx(1)


def test_a_measure_that_knows_nothing_gains_nothing() -> None:
    curve = discard_curve(MISSED, np.full(10, 50.0), 0.5)
    assert curve.errors == pytest.approx([0.2] * len(SHARES))
    assert curve.gain == pytest.approx(0)


def test_a_measure_that_discards_the_best_is_harmful() -> None:
    curve = discard_curve(MISSED, -np.arange(10.0), 0.5)
    assert curve.errors[-1] == pytest.approx(0.4)
    assert curve.gain is not None
    assert curve.gain < 0


def test_without_misses_there_is_nothing_to_gain() -> None:
    curve = discard_curve(np.full(10, 0.9), np.arange(10.0), 0.5)
    assert set(curve.errors) == {0.0}
    assert curve.gain is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=40), st.randoms())
def test_the_order_of_equals_means_nothing(rows: list[tuple[int, int]], random: Random) -> None:
    first = discard_curve(np.array([a for a, _ in rows], float), np.array([b for _, b in rows], float), 4.5)
    random.shuffle(rows)
    again = discard_curve(np.array([a for a, _ in rows], float), np.array([b for _, b in rows], float), 4.5)
    assert first.errors == pytest.approx(again.errors)
    assert all(ideal <= error + 1e-9 for ideal, error in zip(first.ideal, first.errors, strict=True))


def test_what_has_no_quality_is_refused() -> None:
    with pytest.raises(ValueError, match="quality for each"):
        discard_curve(MISSED, np.array([np.nan] * 10), 0.5)
    with pytest.raises(ValueError, match="needs pairs"):
        discard_curve(np.empty(0), np.empty(0), 0.5)
