"""How honest likelihood ratios are: Cllr, minCllr, and how far data of a given size can bear them."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def cllr(same: Values, strangers: Values) -> float:
    """Cost of log likelihood ratios in bits (Brümmer & du Preez, Computer Speech and Language 20, 2006).

    `same` and `strangers` are log10 LRs of pairs of one person and of two. 0 is perfect; a system that always says
    LR 1 costs 1; more than 1 misleads. Raises ValueError when a kind is missing.
    """
    _need(same, strangers)
    to_natural = np.log(10)
    for_same = np.logaddexp(0, -same * to_natural).mean()
    for_strangers = np.logaddexp(0, strangers * to_natural).mean()
    return float((for_same + for_strangers) / (2 * np.log(2)))


def min_cllr(same: Values, strangers: Values) -> float:
    """Cllr after the best monotone calibration of these scores (pool adjacent violators), 0 to 1.

    What is left tells how well scores tell people apart; `cllr` above it is the calibration's fault. Raises ValueError
    when a kind is missing.
    """
    _need(same, strangers)
    return cllr(*pav_log10_lr(same, strangers))


def pav_log10_lr(same: Values, strangers: Values) -> tuple[Values, Values]:
    """log10 LRs of the best monotone calibration, for both kinds, in the order given; infinite where data are pure."""
    scores = np.concatenate([same, strangers])
    values, level = np.unique(scores, return_inverse=True)
    hits = np.bincount(level[: len(same)], minlength=len(values)).astype(np.float64)
    counts = np.bincount(level, minlength=len(values)).astype(np.float64)
    share = _isotonic(hits / counts, counts)
    with np.errstate(divide="ignore"):
        ratio = np.log10(share) - np.log10(1 - share) - np.log10(len(same) / len(strangers))
    return ratio[level[: len(same)]], ratio[level[len(same) :]]


def _isotonic(values: Values, weights: Values) -> Values:
    """Nearest rising step function in weighted least squares (pool adjacent violators)."""
    # Equal neighbours end in one block in any case; of a million strangers few stand between two same-person pairs.
    starts = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
    masses, widths = np.add.reduceat(weights, starts), np.diff(starts, append=len(values))
    blocks: list[tuple[float, float, int]] = []
    for value, weight, count in zip(values[starts], masses, widths, strict=True):
        mean, mass, width = float(value), float(weight), int(count)
        while blocks and blocks[-1][0] >= mean:
            before, heavy, wide = blocks.pop()
            mean = (before * heavy + mean * mass) / (heavy + mass)
            mass, width = heavy + mass, wide + width
        blocks.append((mean, mass, width))
    return np.concatenate([np.full(width, mean) for mean, _, width in blocks])


def upper_bound(same: Values, strangers: Values) -> float:
    """Largest log10 LR that these data bear (empirical upper bound, Vergeer et al., Science & Justice 56, 2016).

    With one more pair of strangers at the top, deciding by the LR must not cost more than deciding without it, for
    every prior from even odds to the bound: t times the share of strangers at LR t and above stays at most the share
    of same-person pairs there. 0 when nothing is borne. Raises ValueError when a kind is missing.
    """
    _need(same, strangers)
    steps = np.unique(np.concatenate([same, strangers, [0.0]]))
    steps = steps[steps >= 0]
    # Between two steps the shares stay as they are, so the bound lies where t has grown to their ratio.
    hits = 1 - np.searchsorted(np.sort(same), steps, side="right") / len(same)
    false = (len(strangers) - np.searchsorted(np.sort(strangers), steps, side="right") + 1) / (len(strangers) + 1)
    with np.errstate(divide="ignore"):
        borne = np.log10(hits) - np.log10(false)
    first = int(np.argmax(borne < np.append(steps[1:], np.inf)))
    return float(max(steps[first], borne[first]))


def lower_bound(same: Values, strangers: Values) -> float:
    """Smallest log10 LR that these data bear: `upper_bound` with the two kinds changed over, at most 0."""
    return -upper_bound(-strangers, -same)


def _need(same: Values, strangers: Values) -> None:
    if not len(same) or not len(strangers):
        raise ValueError("likelihood ratios are judged on same-person pairs and on strangers")
