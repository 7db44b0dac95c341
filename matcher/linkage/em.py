"""Fellegi and Sunter's m and u by expectation-maximisation, without labels.

m is the share of pairs of one person that are on a level, u that of pairs of two people. The mixture is over all pairs
of the table: those that no key brought together count as pairs of two people. How often each level occurs over all
pairs is known beforehand (`Chance`), so what the matches do not account for is u, and need not be guessed.

A. P. Dempster, N. M. Laird, D. B. Rubin, J. R. Stat. Soc. B 39, 1977; W. E. Winkler, "Using the EM algorithm for weight
computation in the Fellegi-Sunter model", 1988; term frequencies: W. E. Winkler, "Frequency-based matching", 2000.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

PRIOR_PAIRS = 20.0
"""How many pairs the shares assumed beforehand weigh as much as: little, but enough for levels that hardly occur."""

PRIOR_EQUAL, PRIOR_DIFFERENT = 0.8, 0.05
"""Shares of one person's pairs that are assumed equal and different beforehand; the other levels have the rest."""

CLOSE_ENOUGH = 1e-5
MOST_STEPS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """What is known of a field before any matching.

    Attributes:
        pairs: (levels,) how many of all pairs of rows are on each level, matches among them.
        floor: (levels,) the least number that can be told apart from none, above 0.
        rows: (values,) how many rows have each value whose agreement is the first level.
    """

    pairs: Floats
    floor: Floats
    rows: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """A field over the candidate pairs: (n,) level, -1 not known; (n,) the value where equal, -1 elsewhere."""

    levels: NDArray[np.int8]
    value: Codes


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What was learned.

    Attributes:
        m, u: for each field (levels,), sums to 1.
        share: of all pairs of rows that are of one person.
        log_odds: (n,) natural logarithm of the posterior odds of each candidate pair.
        steps: how many were taken.
    """

    m: tuple[Floats, ...]
    u: tuple[Floats, ...]
    share: float
    log_odds: Floats
    steps: int


def fit(fields: Sequence[Agreement], chances: Sequence[Chance], all_pairs: float, share: float) -> Fit:
    """m, u and each pair's odds. `share`: of all pairs, a first guess of those of one person, 0 < share < 1.

    An equal value tells as much as it is rare among other people. Raises ValueError without candidate pairs or fields.
    """
    if not fields or not len(fields[0].levels):
        raise ValueError("there are no pairs to learn from")
    m = [_assumed(len(chance.pairs)) for chance in chances]
    u = [_normal(chance.pairs + chance.floor) for chance in chances]
    levels = [field.levels for field in fields]
    # Until the first posterior is there, frequencies are taken as if no two rows were of one person.
    weights, odds, steps = np.zeros(len(levels[0])), np.zeros(0), 0
    for _ in range(MOST_STEPS):
        steps += 1
        odds = _log_odds(levels, m, u, share)
        for field, chance, u_field in zip(fields, chances, u, strict=True):
            odds += _rarity(field, chance, float(u_field[0]), weights)
        weights, before = probability(odds), share
        share = _learn(levels, weights, chances, m, u, all_pairs)
        if abs(share - before) <= CLOSE_ENOUGH * before:
            break
    return Fit(tuple(m), tuple(u), share, odds, steps)


def _assumed(levels: int) -> Floats:
    if levels == 2:
        return np.array([1 - PRIOR_DIFFERENT * 2, PRIOR_DIFFERENT * 2])
    between = (1 - PRIOR_EQUAL - PRIOR_DIFFERENT) / (levels - 2)
    return np.array([PRIOR_EQUAL, *[between] * (levels - 2), PRIOR_DIFFERENT])


def _log_odds(columns: Sequence[NDArray[np.int8]], m: Sequence[Floats], u: Sequence[Floats], share: float) -> Floats:
    total = np.full(len(columns[0]), np.log(share) - np.log1p(-share))
    for column, one, other in zip(columns, m, u, strict=True):
        total += np.append(np.log(one) - np.log(other), 0.0)[column]  # the last stands for -1: not known says nothing
    return total


def _learn(
    columns: Sequence[NDArray[np.int8]],
    weights: Floats,
    chances: Sequence[Chance],
    m: list[Floats],
    u: list[Floats],
    all_pairs: float,
) -> float:
    """New m and u in place, from the expected number of matches among the rows of `columns`; the new share."""
    for at, (column, chance) in enumerate(zip(columns, chances, strict=True)):
        known = column >= 0
        matches = np.bincount(column[known], weights=weights[known], minlength=len(chance.pairs))
        m[at] = _normal(matches + PRIOR_PAIRS * _assumed(len(chance.pairs)))
        u[at] = _normal(np.maximum(chance.pairs - matches, 0) + chance.floor)
    return float(np.clip(weights.sum() / all_pairs, 1 / (all_pairs + 1), 0.5))


def _rarity(field: Agreement, chance: Chance, u_equal: float, weights: Floats) -> Floats:
    """What the value of an equal pair adds: log of u over the value's own share among other people's rows.

    That share is (1 + other people's rows with the value, as expected for a row that has it) / rows that are known.
    """
    equal = field.value >= 0
    values = field.value[equal]
    matches = np.bincount(values, weights=weights[equal], minlength=len(chance.rows))
    others = np.maximum(chance.rows * (chance.rows - 1) / 2 - matches, 0)
    own = (1 + 2 * others / np.maximum(chance.rows, 1)) / max(chance.rows.sum(), 1)
    added = np.zeros(len(equal))
    added[equal] = np.log(u_equal) - np.log(own[values])
    return added


def probability(log_odds: Floats) -> Floats:
    """Probabilities of natural log-odds."""
    result: Floats = 1 / (1 + np.exp(-np.clip(log_odds, -500, 500)))
    return result


def _normal(values: Floats) -> Floats:
    result: Floats = values / values.sum()
    return result
