"""Cosines of pairs of faces, and how often same people pass where strangers seldom do."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vectors = Mapping[Path, NDArray[np.float32]]
Scores = NDArray[np.float64]


def lfw_pairs(folder: Path, vectors: Vectors) -> tuple[Scores, Scores]:
    """Cosines of LFW's official pairs, same and different people, whose two photographs both gave a face."""
    same: list[float] = []
    different: list[float] = []
    for line in (folder / "pairs_fold10.txt").read_text("utf-8").splitlines():
        parts = line.split()
        if len(parts) not in (3, 4):
            continue
        first, second = (parts[0], parts[1]), (parts[0], parts[2]) if len(parts) == 3 else (parts[2], parts[3])
        a, b = (folder / name / f"{name}_{int(number):04d}.jpg" for name, number in (first, second))
        if a in vectors and b in vectors:
            (same if len(parts) == 3 else different).append(float(vectors[a] @ vectors[b]))
    return np.array(same), np.array(different)


def threshold_accuracy(same: Scores, different: Scores, folds: int = 10) -> tuple[float, int]:
    """Share of pairs told rightly, each fold with the threshold that suits the others best, and the number of pairs."""
    scores = np.concatenate([same, different])
    truth = np.concatenate([np.ones(len(same), bool), np.zeros(len(different), bool)])
    part = np.random.default_rng(1).permutation(len(scores)) % folds
    right = 0
    for fold in range(folds):
        rest, rest_truth = scores[part != fold], truth[part != fold]
        candidates = np.unique(rest)
        hits = [((rest >= threshold) == rest_truth).mean() for threshold in candidates]
        right += int(((scores >= candidates[int(np.argmax(hits))])[part == fold] == truth[part == fold]).sum())
    return right / len(scores), len(scores)


def all_pairs(vectors: Vectors) -> tuple[Scores, Scores]:
    """Cosines of every two photographs, of the same and of different people; a person is a folder."""
    people = np.array([path.parent.name for path in vectors])
    matrix = np.stack(list(vectors.values())).astype(np.float64)
    first, second = np.triu_indices(len(people), 1)
    cosines = (matrix @ matrix.T)[first, second]
    alike = people[first] == people[second]
    return cosines[alike], cosines[~alike]


def true_accept_rate(same: Scores, different: Scores, false_accept_rate: float) -> float:
    """Share of the same people's cosines above the value that this share of the strangers' exceeds."""
    return float((same > np.quantile(different, 1 - false_accept_rate, method="higher")).mean())


def true_accepts(vectors: Vectors) -> dict[str, float]:
    """True-accept rates over all pairs at false-accept rates of 1e-2, 1e-3 and 1e-4, by name."""
    same, different = all_pairs(vectors)
    rates = {f"tar_at_far_{rate:g}": round(true_accept_rate(same, different, rate), 4) for rate in (1e-2, 1e-3, 1e-4)}
    return {"same": len(same), "different": len(different), **rates}


def gain(first: Vectors, second: Vectors, false_accept_rate: float, rounds: int = 200) -> tuple[float, float, float]:
    """How much more the second vectors' true-accept rate is, and the bounds that hold 95 % of resampled people.

    Both are of the same photographs. People are drawn with replacement (seeded); a pair of people counts as often as
    both are drawn, a threshold is found anew in every round.
    """
    people, index = np.unique([path.parent.name for path in first], return_inverse=True)
    a, b = np.triu_indices(len(index), 1)
    alike = index[a] == index[b]
    ordered = []
    for vectors in (first, second):
        matrix = np.stack([vectors[path] for path in first]).astype(np.float64)
        cosines = (matrix @ matrix.T)[a, b]
        ordered.append((cosines, np.argsort(-cosines[~alike])))
    random = np.random.default_rng(1)
    differences = []
    for drawn in range(rounds + 1):
        chosen = random.integers(0, len(people), len(people)) if drawn else np.arange(len(people))
        times = np.bincount(chosen, minlength=len(people)).astype(np.float64)
        same_weights, weights = times[index[a[alike]]], (times[index[a]] * times[index[b]])[~alike]
        rates = []
        for cosines, order in ordered:
            passed = np.cumsum(weights[order])
            threshold = cosines[~alike][order][int(np.searchsorted(passed, false_accept_rate * passed[-1]))]
            rates.append(float((same_weights * (cosines[alike] > threshold)).sum() / same_weights.sum()))
        differences.append(rates[1] - rates[0])
    low, high = np.quantile(differences[1:], [0.025, 0.975])
    return differences[0], float(low), float(high)


def best_of(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """The highest cosine of any of the first vectors (n, d) with any of the second (m, d)."""
    return float((first @ second.T).max())


def people_of(vectors: Vectors, least: int) -> dict[str, list[Path]]:
    """Photographs of each person who has at least so many."""
    people: dict[str, list[Path]] = {}
    for path in sorted(vectors):
        people.setdefault(path.parent.name, []).append(path)
    return {name: paths for name, paths in people.items() if len(paths) >= least}
