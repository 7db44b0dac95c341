"""Expectation-maximisation recovers what a known model generated."""

import numpy as np
import pytest
from numpy.typing import NDArray

from matcher.linkage.em import Agreement, Chance, fit

PAIRS, SHARE = 200_000, 0.01
M = (np.array([0.8, 0.15, 0.05]), np.array([0.6, 0.4]), np.array([0.7, 0.2, 0.1]), np.array([0.9, 0.1]))
U = (np.array([0.01, 0.04, 0.95]), np.array([0.1, 0.9]), np.array([0.005, 0.045, 0.95]), np.array([0.02, 0.98]))


def synthetic(unknown: float) -> tuple[NDArray[np.bool_], list[Agreement], list[Chance]]:
    """Pairs drawn from the model above, a share of each field's values not known."""
    random = np.random.default_rng(7)
    match = random.random(PAIRS) < SHARE
    fields, chances = [], []
    for m, u in zip(M, U, strict=True):
        levels = np.where(match, random.choice(len(m), PAIRS, p=m), random.choice(len(u), PAIRS, p=u)).astype(np.int8)
        levels[random.random(PAIRS) < unknown] = -1
        # Agreement on values of which none is rarer than another: the frequencies have nothing to add.
        values = np.full(PAIRS, -1, np.int64)
        fields.append(Agreement(levels, values))
        counts = np.bincount(levels[levels >= 0], minlength=len(m)).astype(np.float64)
        chances.append(Chance(counts, np.ones(len(m)), np.ones(1)))
    return match, fields, chances


@pytest.mark.parametrize("unknown", [0.0, 0.2])
@pytest.mark.parametrize("guess", [0.001, 0.05])
def test_known_shares_are_found_again(unknown: float, guess: float) -> None:
    match, fields, chances = synthetic(unknown)
    found = fit(fields, chances, PAIRS, guess)
    assert found.share == pytest.approx(match.mean(), rel=0.05)
    for m, u, true_m, true_u in zip(found.m, found.u, M, U, strict=True):
        assert np.abs(m - true_m).max() < 0.04
        assert np.abs(u - true_u).max() < 0.002
    probability = 1 / (1 + np.exp(-found.log_odds))
    assert probability[match].mean() > 0.8
    assert probability.mean() == pytest.approx(match.mean(), rel=0.05)


def test_a_rare_value_tells_more_than_a_common_one() -> None:
    _, fields, chances = synthetic(0.0)
    equal = fields[0].levels == 0
    values = np.where(equal, np.random.default_rng(3).integers(0, 2, PAIRS), -1)
    rows = np.array([3.0, 900.0])
    found = fit([Agreement(fields[0].levels, values), *fields[1:]],
                [Chance(chances[0].pairs, chances[0].floor, rows), *chances[1:]], PAIRS, SHARE)  # fmt: skip
    pattern = equal & (fields[1].levels == 0) & (fields[2].levels == 0) & (fields[3].levels == 0)
    rare, common = (found.log_odds[pattern & (values == value)] for value in (0, 1))
    assert rare.min() > common.max()


def test_nothing_to_learn_from() -> None:
    with pytest.raises(ValueError, match="no pairs"):
        fit([], [], 10, 0.1)
    with pytest.raises(ValueError, match="no pairs"):
        fit([Agreement(np.empty(0, np.int8), np.empty(0, np.int64))], [Chance(*[np.ones(2)] * 3)], 10, 0.1)
