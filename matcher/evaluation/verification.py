"""One to one: are these two photographs of one person?

Terms of ISO/IEC 19795-1. A pair scores higher the more alike it is; -inf where a face is missing, so that such a pair
is never accepted: it counts against a same-person pair and not against strangers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Pairs = NDArray[np.int64]
"""Positions of photographs, shape (m, 2)."""

FOLDS = 10
STRANGERS = 2_000_000
"""Most pairs of strangers that are compared; of more, as many are drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """Receiver operating characteristic: at each threshold, both rates when scores of at least it are accepted."""

    thresholds: Scores
    false_accepts: Scores
    true_accepts: Scores


def same_pairs(people: list[str]) -> Pairs:
    """Every pair of photographs of one person, by position; shape (m, 2)."""
    by_person: dict[str, list[int]] = {}
    for at, person in enumerate(people):
        by_person.setdefault(person, []).append(at)
    pairs = [(a, b) for held in by_person.values() for i, a in enumerate(held) for b in held[i + 1 :]]
    return np.array(pairs, np.int64).reshape(-1, 2)


def stranger_pairs(people: list[str], seed: int, most: int = STRANGERS) -> Pairs:
    """Every pair of photographs of two people, or `most` pairs drawn without order; shape (m, 2)."""
    _, of = np.unique(np.array(people), return_inverse=True)
    if len(people) * (len(people) - 1) // 2 <= most:
        first, second = np.triu_indices(len(people), k=1)
    else:
        rng = np.random.default_rng(seed)
        drawn = np.sort(rng.integers(0, len(people), size=(most, 2)), axis=1)
        first, second = np.unique(drawn, axis=0).T
    different = of[first] != of[second]
    return np.stack([first[different], second[different]], axis=1).astype(np.int64)


def true_accept_rate(same: Scores, strangers: Scores, false_accept_rate: float) -> float | None:
    """TAR at the FAR, 0 to 1: the threshold is the lowest at which no more strangers than that are accepted.

    None when there are too few strangers to tell (fewer than 1 / FAR) or no same-person pairs.
    """
    if not len(same) or len(strangers) * false_accept_rate < 1:
        return None
    return float((same > strict_threshold(strangers, false_accept_rate)).mean())


def strict_threshold(strangers: Scores, rate: float) -> float:
    """Score that at most that share of strangers, of 1 or more, lies above."""
    allowed = int(np.floor(len(strangers) * rate + 1e-9))
    descending = np.sort(strangers)[::-1]
    return float(descending[allowed]) if allowed < len(descending) else -np.inf


def roc(same: Scores, strangers: Scores) -> Roc:
    """Both rates at every score that occurs, strictest first, after a threshold that accepts nothing.

    Raises ValueError when there are no pairs of a kind.
    """
    if not len(same) or not len(strangers):
        raise ValueError("a curve needs same-person pairs and strangers")
    at = np.unique(np.concatenate([same, strangers]))[::-1]
    at = at[np.isfinite(at)]
    thresholds = np.concatenate([[np.inf], at])
    accepted = [
        1 - np.searchsorted(np.sort(scores), thresholds, side="left") / len(scores) for scores in (strangers, same)
    ]
    return Roc(thresholds, accepted[0], accepted[1])


def equal_error_rate(same: Scores, strangers: Scores) -> float:
    """EER, 0 to 1: where false rejects and false accepts are as frequent, the mean of both at the nearest threshold."""
    curve = roc(same, strangers)
    misses = 1 - curve.true_accepts
    at = int(np.argmin(np.abs(misses - curve.false_accepts)))
    return float((misses[at] + curve.false_accepts[at]) / 2)


def fold_accuracy(scores: Scores, is_same: NDArray[np.bool_], seed: int, folds: int = FOLDS) -> tuple[float, float]:
    """Mean accuracy and its standard error over folds, the threshold of each chosen on the others (LFW's protocol).

    Pairs of each kind are dealt to the folds by the seed. Raises ValueError with fewer pairs of a kind than folds.
    """
    if min(int(is_same.sum()), int((~is_same).sum())) < folds:
        raise ValueError(f"{folds} folds need at least {folds} pairs of each kind")
    rng = np.random.default_rng(seed)
    fold = np.empty(len(scores), np.int64)
    for kind in (True, False):
        at = rng.permutation(np.flatnonzero(is_same == kind))
        fold[at] = np.arange(len(at)) % folds
    found = []
    for held_out in range(folds):
        rest, test = fold != held_out, fold == held_out
        threshold = _best_threshold(scores[rest], is_same[rest])
        found.append(float(((scores[test] >= threshold) == is_same[test]).mean()))
    return float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(folds))


def _best_threshold(scores: Scores, is_same: NDArray[np.bool_]) -> float:
    """Threshold with the most right answers when at least it is accepted, halfway to the next score below."""
    order = np.argsort(-scores, kind="stable")
    ranked, same = scores[order], is_same[order]
    gain = np.cumsum(np.where(same, 1, -1))
    last_of_score = np.append(ranked[1:] != ranked[:-1], True) & np.isfinite(ranked)
    if not last_of_score.any() or gain[last_of_score].max() <= 0:
        return np.inf
    at = int(np.flatnonzero(last_of_score)[np.argmax(gain[last_of_score])])
    below = ranked[at + 1] if at + 1 < len(ranked) else -np.inf
    return float((ranked[at] + below) / 2) if np.isfinite(below) else float(ranked[at])
