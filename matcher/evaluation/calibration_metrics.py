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


def excess_if_honest(same: Values, strangers: Values, seed: int, draws: int = 3) -> float | None:
    """Cllr over minCllr that exactly honest likelihood ratios of this spread would show, mean of seeded draws.

    `same` and `strangers`: log10 LRs, honest but for chance. As many pairs of each kind are drawn anew from all of them
    by the posterior that the ratio itself gives: for these the ratios are right. What is above 1 is how far minCllr
    flatters itself with so few same-person pairs. None when those drawn are told apart entirely.
    """
    _need(same, strangers)
    ratios = np.concatenate([same, strangers])
    weight = np.concatenate([np.full(len(part), 0.5 / len(part)) for part in (same, strangers)])
    posterior = 1 / (1 + 10.0 ** -np.clip(ratios, -300, 300))
    chances = [part / part.sum() for part in (weight * posterior, weight * (1 - posterior))]
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = [rng.choice(ratios, len(kind), p=p) for kind, p in zip((same, strangers), chances, strict=True)]
        least = min_cllr(drawn[0], drawn[1])
        if least == 0:
            return None
        found.append(cllr(drawn[0], drawn[1]) / least)
    return float(np.mean(found))


def _need(same: Values, strangers: Values) -> None:
    if not len(same) or not len(strangers):
        raise ValueError("likelihood ratios are judged on same-person pairs and on strangers")
