"""`matcher.evaluation.identification`: the protocol, and its figures against counts made by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.evaluation.identification import (
    miss_rate,
    miss_rate_interval,
    rank_rate,
    search,
    split,
    with_mates_removed,
)
from matcher.evaluation.templates import Metric
from tests.matcher.evaluation.sources import templates_of

PEOPLE = ["a", "a", "a", "b", "b", "c", "d", "e", "f"]


def test_first_photographs_are_enrolled_and_single_ones_halved() -> None:
    parts = split(PEOPLE, 0)
    assert list(parts.gallery[:2]) == [0, 3]
    assert list(parts.mated) == [1, 2, 4]
    assert [PEOPLE[parts.gallery[mate]] for mate in parts.mates] == ["a", "a", "b"]
    assert len(parts.non_mated) == 2
    assert sorted([*parts.gallery[2:], *parts.non_mated]) == [5, 6, 7, 8]
    assert list(split(PEOPLE, 0).non_mated) == list(parts.non_mated)
    assert any(list(split(PEOPLE, seed).non_mated) != list(parts.non_mated) for seed in range(1, 9))


@given(st.lists(st.integers(0, 12), max_size=40), st.integers(0, 9))
def test_every_photograph_has_one_part(numbers: list[int], seed: int) -> None:
    people = [f"{number:02}" for number in sorted(numbers)]
    parts = split(people, seed)
    assert sorted([*parts.gallery, *parts.mated, *parts.non_mated]) == list(range(len(people)))
    enrolled = {people[at] for at in parts.gallery}
    assert len(enrolled) == len(parts.gallery)
    assert {people[at] for at in parts.mated} <= enrolled
    assert not {people[at] for at in parts.non_mated} & enrolled


def test_ranks_and_scores_by_hand() -> None:
    people = ["a", "a", "a", "b", "b"]
    templates = templates_of([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8], [0.6, 0.8]])
    found = search(templates, split(people, 0), people)
    assert list(found.mate_ranks) == [2, 2, 1]
    assert found.mate_scores == pytest.approx([0.8, 0.0, 1.0])
    assert found.other_scores == pytest.approx([0.96, 0.8, 0.6])
    assert rank_rate(found.mate_ranks, 1) == pytest.approx(1 / 3)
    assert rank_rate(found.mate_ranks, 2) == 1
    assert rank_rate(np.empty(0, np.int64), 1) is None


def test_ties_count_against_the_engine() -> None:
    people = ["a", "a", "b", "b"]
    found = search(templates_of([[1, 0]] * 4), split(people, 0), people)
    assert list(found.mate_ranks) == [2, 2]


def test_a_missing_face_is_a_miss_and_never_a_false_alarm() -> None:
    people = ["a", "a", "b", "b", "c", "d", "e", "f"]
    vectors: list[list[float]] = [[1, 0], [], [], [1, 0], [0, 1], [0, 1], [0, 1], [0, 1]]
    parts = split(people, 0)
    for at in parts.non_mated:
        vectors[at] = []
    found = search(templates_of(vectors), parts, people)
    assert list(found.mate_scores) == [-np.inf, -np.inf]
    assert rank_rate(found.mate_ranks, 1000) == 0
    assert list(found.alarm_scores) == [-np.inf, -np.inf]
    assert miss_rate(found.mate_scores, found.alarm_scores, 0.5) == 1.0


def test_distance_and_cosine_agree_on_unit_vectors() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(20, 8))
    rows = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).tolist()
    people = [f"{at // 2:02}" for at in range(20)]
    parts = split(people, 0)
    by_cosine = search(templates_of(rows), parts, people)
    by_distance = search(templates_of(rows, metric=Metric.EUCLIDEAN), parts, people)
    assert list(by_cosine.mate_ranks) == list(by_distance.mate_ranks)
    assert by_distance.mate_scores == pytest.approx(-np.sqrt(2 - 2 * by_cosine.mate_scores), abs=1e-3)


def test_misses_by_hand() -> None:
    alarms = np.arange(100) / 100
    mates = np.array([0.5, 0.895, 0.985, 0.999])
    assert miss_rate(mates, alarms, 0.1) == 0.25
    assert miss_rate(mates, alarms, 0.05) == 0.5
    assert miss_rate(mates, alarms, 0.01) == 0.5
    assert miss_rate(mates, alarms, 0.001) is None
    assert miss_rate(np.empty(0), alarms, 0.1) is None


def test_perfect_scores_miss_nobody_and_random_ones_nearly_everybody() -> None:
    rng = np.random.default_rng(1)
    alarms = rng.normal(size=5000)
    assert miss_rate(np.full(50, 99.0), alarms, 0.01) == 0
    assert miss_rate(rng.normal(size=20_000), alarms, 0.1) == pytest.approx(0.9, abs=0.015)
    assert miss_rate(rng.normal(size=20_000), alarms, 0.01) == pytest.approx(0.99, abs=0.005)


SCORES = st.lists(st.integers(-64, 64), min_size=1, max_size=50).map(lambda values: np.array(values) / 64)


@given(SCORES, SCORES)
def test_fewer_false_alarms_mean_more_misses(
    mates: np.ndarray[tuple[int], np.dtype[np.float64]], alarms: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> None:
    rates = [miss_rate(mates, alarms, rate) for rate in (0.9, 0.5, 0.2, 0.1, 0.05, 0.02)]
    told = [rate for rate in rates if rate is not None]
    assert told == sorted(told)
    assert miss_rate(mates * 4 + 1, alarms * 4 + 1, 0.5) == miss_rate(mates, alarms, 0.5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99))
def test_a_monotone_change_of_scores_keeps_every_rank(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = [f"{at // 3:02}" for at in range(30)]
    rows = rng.normal(size=(30, 6))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    parts = split(people, seed)
    plain = search(templates_of(rows.tolist()), parts, people)
    doubled = search(templates_of((2 * rows).tolist()), parts, people)
    assert list(plain.mate_ranks) == list(doubled.mate_ranks)
    cmc = [rank_rate(plain.mate_ranks, rank) for rank in range(1, 12)]
    assert cmc == sorted(cmc, key=lambda rate: rate or 0.0)
    assert cmc[-1] == 1


def test_the_interval_holds_the_figure_and_is_the_seeds() -> None:
    rng = np.random.default_rng(5)
    people = [f"{at // 2:03}" for at in range(120)] + [f"x{at:03}" for at in range(120)]
    rows = rng.normal(size=(240, 5))
    rows[1:120:2] = rows[0:120:2] + 0.3 * rng.normal(size=(60, 5))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = search(templates_of(rows.tolist()), split(people, 0), people)
    figure = miss_rate(found.mate_scores, found.alarm_scores, 0.1)
    interval = miss_rate_interval(found, 0.1, 0, resamples=300)
    assert figure is not None
    assert interval is not None
    assert interval[0] < interval[1]
    assert interval[0] <= figure <= interval[1]
    assert interval == miss_rate_interval(found, 0.1, 0, resamples=300)
    assert miss_rate_interval(found, 0.001, 0) is None


def test_removed_mates_are_more_searches_for_strangers() -> None:
    people = ["a", "a", "b", "b", "c", "d"]
    templates = templates_of([[1, 0], [1, 0], [0, 1], [0.6, 0.8], [0.8, 0.6], [0.8, 0.6]])
    found = search(templates, split(people, 0), people)
    more = with_mates_removed(found)
    assert len(more.alarm_scores) == len(found.alarm_scores) + 2
    assert list(more.alarm_scores[-2:]) == list(found.other_scores)
    assert list(more.mate_scores) == list(found.mate_scores)


def test_nobody_to_enrol_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody to enrol"):
        search(templates_of([[1, 0]]), split(["a"], 0), ["a"])
