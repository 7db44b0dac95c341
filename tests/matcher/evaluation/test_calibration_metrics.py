"""`matcher.evaluation.calibration_metrics`: published definitions on values that can be reckoned by hand."""

from itertools import pairwise
from math import log, log2, log10

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.evaluation.calibration_metrics import (
    cllr,
    excess_if_honest,
    min_cllr,
    pav_log10_lr,
    upper_bound,
)

VALUES = st.lists(st.integers(-40, 40), min_size=1, max_size=40).map(lambda values: np.array(values) / 10)
Values = np.ndarray[tuple[int], np.dtype[np.float64]]


def test_saying_nothing_costs_one_bit() -> None:
    assert cllr(np.zeros(3), np.zeros(5)) == pytest.approx(1)


def test_cllr_by_hand() -> None:
    expected = ((log2(1 + 1 / 10) + log2(1 + 1 / 100)) / 2 + log2(1 + 1 / 2)) / 2
    assert cllr(np.array([1.0, 2.0]), np.array([-log10(2)])) == pytest.approx(expected)


def test_certainty_costs_nothing_when_right_and_all_when_wrong() -> None:
    assert cllr(np.array([50.0]), np.array([-50.0])) == pytest.approx(0)
    assert cllr(np.array([-50.0]), np.array([50.0])) > 100
    assert cllr(np.array([np.inf]), np.array([-np.inf])) == 0


def test_the_best_monotone_calibration_by_hand() -> None:
    same, strangers = pav_log10_lr(np.array([0.3, 0.7, 0.9]), np.array([0.1, 0.5, 0.5]))
    assert list(strangers[:1]) == [-np.inf]
    assert same == pytest.approx([log10(1 / 2), np.inf, np.inf])
    assert strangers[1:] == pytest.approx([log10(1 / 2)] * 2)


@given(VALUES, VALUES)
def test_no_calibration_of_these_scores_is_better(same: Values, strangers: Values) -> None:
    least = min_cllr(same, strangers)
    assert 0 <= least <= 1 + 1e-9
    assert least <= cllr(same, strangers) + 1e-9
    assert min_cllr(same * 3 + 1, strangers * 3 + 1) == pytest.approx(least)
    again = pav_log10_lr(same, strangers)
    order = np.argsort(np.concatenate([same, strangers]), kind="stable")
    ranked = np.concatenate(again)[order]
    assert all(low <= high for low, high in pairwise(ranked))


def test_separated_scores_cost_nothing_at_best() -> None:
    assert min_cllr(np.array([0.6, 0.9]), np.array([0.1, 0.5])) == 0
    assert min_cllr(np.array([0.1]), np.array([0.9])) == pytest.approx(1)


def test_a_set_bears_no_more_than_its_size() -> None:
    """All pairs apart, and one stranger more at the top: 1 in n + 1 at most."""
    same, strangers = np.full(50, 9.0), np.full(99, -9.0)
    assert upper_bound(same, strangers) == pytest.approx(log10(100))


def test_a_misleading_pair_lowers_the_bound() -> None:
    same = np.array([0.5, 1.5, 2.5, 3.5])
    apart = np.full(99, -1.0)
    misled = np.append(np.full(98, -1.0), 3.0)
    assert upper_bound(same, misled) < upper_bound(same, apart)
    # Up to 1.5 three quarters of the same-person pairs are above, and 2 of 100 strangers: 37 is borne. Beyond it half
    # are, and 25 is less than 10 ** 1.5.
    assert upper_bound(same, misled) == 1.5
    assert upper_bound(np.array([-1.0]), np.array([1.0])) == 0


@given(VALUES, VALUES)
def test_bounds_stay_within_the_size(same: Values, strangers: Values) -> None:
    assert 0 <= upper_bound(same, strangers) <= log10(len(strangers) + 1) + 1e-9


def test_what_honest_ratios_exceed_the_least_by_is_chance_and_falls_with_the_pairs() -> None:
    """Log LRs of two normals half their variance to either side of 0 are exactly honest."""
    rng = np.random.default_rng(0)

    def excess(pairs: int) -> tuple[float, float]:
        same, strangers = rng.normal(4, 8**0.5, pairs) / log(10), rng.normal(-4, 8**0.5, 20 * pairs) / log(10)
        told = excess_if_honest(same, strangers, 0, 20)
        assert told is not None
        return told, cllr(same, strangers) / min_cllr(same, strangers)

    few, many = excess(100), excess(5000)
    assert few[0] > many[0] > 1
    assert many[0] == pytest.approx(many[1], abs=0.03)
    bold = rng.normal(4, 8**0.5, 5000), rng.normal(-4, 8**0.5, 100_000)
    assert cllr(*bold) / min_cllr(*bold) > 1.2 > many[0]


def test_pairs_that_are_told_apart_entirely_have_no_excess() -> None:
    assert excess_if_honest(np.full(5, 9.0), np.full(50, -9.0), 0) is None


def test_a_kind_that_is_missing_is_an_error() -> None:
    for judge in (cllr, min_cllr, upper_bound):
        with pytest.raises(ValueError, match="same-person pairs and on strangers"):
            judge(np.array([1.0]), np.empty(0))
