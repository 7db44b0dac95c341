"""A table and its mapping → how likely each pair of rows is one person, learned from the table alone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.linkage.blocking import candidate_pairs
from matcher.linkage.em import Agreement, Chance, Fit, Floats, fit, probability
from matcher.linkage.mapping import LinkageMapping, MappingInvalid
from matcher.linkage.table import Codes, Field, Rows, fields

RANDOM_PAIRS = 300_000
"""Pairs drawn to see how often each level occurs; all pairs where there are fewer."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Linkage:
    """What was found.

    Attributes:
        fields: what was compared.
        pairs: (n, 2) rows of each pair that was compared, the smaller first.
        probability: (n,) posterior that the pair is one person; every other pair counts 0.
        log_odds: (n,) its natural log-odds, which still tell pairs apart where the probability is 1.
        learned: m, u and the share of matches.
    """

    fields: tuple[Field, ...]
    pairs: Codes
    probability: Floats
    log_odds: Floats
    learned: Fit


def link(rows: Rows, mapping: LinkageMapping, seed: int, progress: Progress = lambda _: None) -> Linkage:
    """Compare the rows and learn what agreement is worth. `progress` is told each step's name.

    Raises MappingInvalid when nothing can be compared.
    """
    if len(rows) < 2:
        raise MappingInvalid("the table has fewer than two rows; there is nothing to compare")
    found = fields(rows, mapping)
    if not found:
        raise MappingInvalid("mapping, columns: no two rows have a value in any of them; name other columns")
    progress("pairs")
    pairs = candidate_pairs(rows, mapping)
    if not len(pairs):
        raise MappingInvalid("mapping, blocking: no two rows agree on any rule; loosen the rules or leave them out")
    drawn = _random_pairs(len(rows), seed)
    all_pairs = len(rows) * (len(rows) - 1) / 2
    agreements, chances = [], []
    for field in found:
        progress(field.name)
        agreements.append(_agreement(field, pairs))
        chances.append(_chance(field, drawn, all_pairs))
    progress("learning")
    # About one other record of the same person for each: the fit moves on from there.
    learned = fit(agreements, chances, all_pairs, min(0.5, len(rows) / 2 / all_pairs))
    return Linkage(found, pairs, probability(learned.log_odds), learned.log_odds, learned)


def _agreement(field: Field, pairs: Codes) -> Agreement:
    levels = field.levels(pairs)
    text = field.text_codes()
    return Agreement(levels, np.where(levels == 0, _shared(text[pairs]), -1))


def _shared(texts: Codes) -> NDArray[np.int64]:
    """(n,) the text of both, -1 where they differ (equal by another way than letter for letter)."""
    return np.where(texts[:, 0] == texts[:, 1], texts[:, 0], -1)


def _chance(field: Field, drawn: Codes, all_pairs: float) -> Chance:
    """Levels over all pairs: the equal ones are counted, the others drawn."""
    levels = field.levels(drawn)
    counts = np.bincount(levels[levels >= 0], minlength=len(field.comparator.levels)).astype(np.float64)
    both, same = field.equal_share()
    floor = np.full(len(counts), all_pairs / len(drawn))
    if counts[1:].sum() > 0:
        counts[1:] *= (both - same) * all_pairs / counts[1:].sum()
        counts[0] = same * all_pairs
        floor[0] = 1.0
    texts = field.text_codes()
    return Chance(counts, floor, np.bincount(texts[texts >= 0]).astype(np.float64))


def _random_pairs(count: int, seed: int) -> Codes:
    if count * (count - 1) // 2 <= RANDOM_PAIRS:
        return np.column_stack(np.triu_indices(count, 1)).astype(np.int64)
    drawn = np.random.default_rng(seed).integers(0, count, (RANDOM_PAIRS, 2))
    others: Codes = drawn[drawn[:, 0] != drawn[:, 1]]
    return others
