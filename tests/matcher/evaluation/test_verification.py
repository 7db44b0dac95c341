"""`matcher.evaluation.verification`: against counts made by hand, and what must hold for any scores."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.evaluation.verification import (
    equal_error_rate,
    fold_accuracy,
    roc,
    same_pairs,
    stranger_pairs,
    strict_threshold,
    true_accept_rate,
)

PEOPLE = ["a", "a", "a", "b", "b", "c"]
SCORES = st.lists(st.integers(-64, 64), min_size=1, max_size=60).map(lambda values: np.array(values) / 64)


def as_set(pairs: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in pairs}


def test_every_pair_is_of_one_person_or_of_two() -> None:
    same, strangers = as_set(same_pairs(PEOPLE)), as_set(stranger_pairs(PEOPLE, 0))
    assert same == {(0, 1), (0, 2), (1, 2), (3, 4)}
    assert same | strangers == set(combinations(range(6), 2))
    assert not same & strangers
    assert same_pairs(["a", "b"]).shape == (0, 2)


def test_of_many_strangers_some_are_drawn_by_the_seed() -> None:
    people = [str(at // 2) for at in range(400)]
    drawn = stranger_pairs(people, 1, most=1000)
    assert 900 < len(drawn) <= 1000
    assert all(people[a] != people[b] for a, b in drawn)
    assert len(as_set(drawn)) == len(drawn)
    assert as_set(drawn) == as_set(stranger_pairs(people, 1, most=1000))
    assert as_set(drawn) != as_set(stranger_pairs(people, 2, most=1000))


def test_true_accepts_at_a_rate_of_false_ones() -> None:
    strangers = np.arange(1000) / 1000
    same = np.array([0.5, 0.9895, 0.9985, 0.9995])
    assert true_accept_rate(same, strangers, 0.01) == 0.75
    assert true_accept_rate(same, strangers, 0.001) == 0.5
    assert true_accept_rate(same, strangers, 0.0001) is None
    assert true_accept_rate(np.empty(0), strangers, 0.01) is None


@given(SCORES, st.floats(0, 0.99))
def test_no_more_strangers_pass_than_the_rate(
    strangers: np.ndarray[tuple[int], np.dtype[np.float64]], rate: float
) -> None:
    assert (strangers > strict_threshold(strangers, rate)).mean() <= rate + 1e-9


def test_a_missing_face_is_never_accepted() -> None:
    strangers = np.array([-np.inf] * 90 + [0.1] * 10)
    assert true_accept_rate(np.array([0.5, -np.inf]), strangers, 0.5) == 0.5
    assert equal_error_rate(np.array([-np.inf, -np.inf]), np.array([0.1, 0.2])) == 1
    assert roc(np.array([0.5, -np.inf]), np.array([0.1, -np.inf])).true_accepts.max() == 0.5


def test_equal_error_rate() -> None:
    assert equal_error_rate(np.array([0.8, 0.9]), np.array([0.1, 0.2])) == 0
    assert equal_error_rate(np.array([0.1, 0.2]), np.array([0.8, 0.9])) == 1
    assert equal_error_rate(np.array([0.4, 0.7, 0.8, 0.9]), np.array([0.1, 0.2, 0.3, 0.5])) == 0.25


@given(SCORES, SCORES)
def test_the_curve_rises_and_ends_where_everything_is_accepted(
    same: np.ndarray[tuple[int], np.dtype[np.float64]], strangers: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> None:
    curve = roc(same, strangers)
    assert (np.diff(curve.true_accepts) >= 0).all()
    assert (np.diff(curve.false_accepts) >= 0).all()
    assert (curve.true_accepts[0], curve.false_accepts[0]) == (0, 0)
    assert (curve.true_accepts[-1], curve.false_accepts[-1]) == (1, 1)
    assert 0 <= equal_error_rate(same, strangers) <= 1


@given(SCORES, SCORES)
def test_a_monotone_change_of_scores_changes_no_rate(
    same: np.ndarray[tuple[int], np.dtype[np.float64]], strangers: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> None:
    assert equal_error_rate(same * 8 + 3, strangers * 8 + 3) == equal_error_rate(same, strangers)


def test_a_curve_needs_both_kinds() -> None:
    with pytest.raises(ValueError, match="strangers"):
        roc(np.array([1.0]), np.empty(0))


def test_fold_accuracy() -> None:
    is_same = np.arange(100) < 50
    perfect = np.where(is_same, 0.9, 0.1)
    assert fold_accuracy(perfect, is_same, 0) == (1.0, 0.0)
    lost = perfect.copy()
    lost[:5] = -np.inf
    assert fold_accuracy(lost, is_same, 0)[0] == pytest.approx(0.95)
    random = np.random.default_rng(3).normal(size=4000)
    accuracy, error = fold_accuracy(random, np.arange(4000) < 2000, 0)
    assert accuracy == pytest.approx(0.5, abs=0.03)
    assert 0 < error < 0.03
    with pytest.raises(ValueError, match="10 pairs of each kind"):
        fold_accuracy(perfect[:55], is_same[:55], 0)


def test_the_threshold_of_a_fold_is_not_chosen_on_it() -> None:
    """Ten pairs of a kind: each fold holds one of each, and the odd pair is judged by a threshold without it."""
    is_same = np.arange(20) < 10
    scores = np.where(is_same, 0.9, 0.1)
    scores[0] = 0.05
    assert fold_accuracy(scores, is_same, 0)[0] == pytest.approx(0.95)
