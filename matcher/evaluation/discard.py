"""Does the quality measure say which photographs will fail? Error against discard.

Grother & Tabassi, "Performance of Biometric Quality Measures", IEEE TPAMI 29 (2007); ISO/IEC 29794-1. The threshold is
fixed, same-person pairs are taken away in the order of their quality (the lower of a pair's two), the worst first, and
the share of misses among those that remain is drawn. A useful measure falls faster than chance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True, slots=True)
class DiscardCurve:
    """Misses among what remains when the worst share is discarded.

    Attributes:
        shares: discarded, 0 to 1.
        errors: false non-match rate of the rest, 0 to 1.
        ideal: the same for a measure that discards every miss first.
        gain: area between chance (a level line) and `errors`, as a share of that between chance and `ideal`: 1 is
            perfect, 0 chance, below 0 harmful; None when there are no misses at all.
    """

    shares: tuple[float, ...]
    errors: tuple[float, ...]
    ideal: tuple[float, ...]
    gain: float | None


def discard_curve(
    scores: NDArray[np.float64],
    qualities: NDArray[np.float64],
    threshold: float,
    shares: tuple[float, ...] = SHARES,
) -> DiscardCurve:
    """The curve of same-person pairs: `scores` (m,) miss at `threshold` and below; `qualities` (m,) is of the pairs.

    Pairs of equal quality share their misses evenly, so that their order means nothing. Raises ValueError when there
    are no pairs or a quality is not a number.
    """
    if not len(scores) or not np.isfinite(qualities).all():
        raise ValueError("a curve needs pairs, and a quality for each")
    missed = scores <= threshold
    _, level, counts = np.unique(qualities, return_inverse=True, return_counts=True)
    # Best first, so that what remains is the beginning; each pair carries its level's share of misses.
    even = np.bincount(level, weights=missed) / counts
    remaining = np.concatenate([[0.0], np.cumsum(even[np.sort(level)[::-1]])])
    total = int(missed.sum())
    left = [max(1, round(len(scores) * (1 - share))) for share in shares]
    errors = tuple(float(remaining[count] / count) for count in left)
    ideal = tuple(max(0.0, total - (len(scores) - count)) / count for count in left)
    start = total / len(scores)
    best, ours = (float(np.trapezoid([start - value for value in line], shares)) for line in (ideal, errors))
    return DiscardCurve(shares, errors, ideal, ours / best if best > 0 else None)
