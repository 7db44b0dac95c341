"""Figures of the joint evaluation: the face alone, everything but the face, and all together.

All worlds are pooled. A rank counts ties against the one who searches. Cllr sets all cases with their own report
(targets) against all cases with all other reports, a case with nobody in the gallery included.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.calibration_fit import fit_logistic
from matcher.evaluation.calibration_metrics import cllr, excess_if_honest, min_cllr
from matcher.evaluation.identification import miss_rate, rank_rate
from matcher.evaluation.joint import NOBODY
from matcher.evaluation.joint_fusion import FusionFit, weighed_in_hindsight
from matcher.evaluation.joint_scores import JointScores, mated_rows
from matcher.evidence.batch import KINDS

Figures = dict[str, Any]
Values = NDArray[np.float64]

SYSTEMS = ("face", "attributes", "fused")
CMC_RANKS = (1, 2, 3, 5, 10, 20, 50, 100)
LEAST_MATED = 20
"""Mated searches that a cohort needs to be told."""
RESAMPLES = 1000
BINS = np.arange(-4.0, 8.5, 0.5)


def report(worlds: Sequence[JointScores], seed: int, fit: FusionFit | None = None) -> Figures:
    """All figures of these worlds; `seed` draws the intervals. Raises ValueError without mated searches.

    `fit`, made on other worlds, tells what one more calibration of the sum would give here.
    """
    if not any(len(mated_rows(world)) for world in worlds):
        raise ValueError("no case has its report in the gallery")
    systems = {system: _system(worlds, system, seed) for system in SYSTEMS}
    best = max(systems["face"]["rank_1"], systems["attributes"]["rank_1"])
    fused = systems["fused"]
    return {
        "worlds": len(worlds),
        "gallery": round(float(np.mean([world.fused.shape[1] for world in worlds]))),
        "mated": sum(len(mated_rows(world)) for world in worlds),
        "non_mated": sum(len(world.mates) - len(mated_rows(world)) for world in worlds),
        **systems,
        "bars": {
            "rank_1_needed": best + (1 - best) / 2,
            "rank_1_met": bool(fused["rank_1"] >= best + (1 - best) / 2),
            "rank_1_in_hindsight": _rank_1_in_hindsight(worlds),
            "cllr_over_min_cllr": fused["cllr"] / fused["min_cllr"] if fused["min_cllr"] else None,
            "cllr_over_min_cllr_if_honest": _excess_if_honest(worlds, seed),
            "cllr_met": bool(fused["cllr"] <= 1.1 * fused["min_cllr"]),
        },
        "recalibrated": None if fit is None else _recalibrated(worlds, fit),
        "cohorts": _cohorts(worlds),
        "terms": _terms(worlds),
        "reliability": reliability(*_pairs(worlds, "fused")),
    }


def ranks(world: JointScores, system: str) -> NDArray[np.int64]:
    """Rank of each mated probe's mate, 1 is best, ties counted against it; beyond the gallery where it has no score."""
    return _ranks(world, _scores(world, system))


def _ranks(world: JointScores, all_scores: Values) -> NDArray[np.int64]:
    rows = mated_rows(world)
    scores = all_scores[rows]
    own = scores[np.arange(len(rows)), world.mates[rows]]
    behind = scores.shape[1] + 1
    found: NDArray[np.int64] = np.where(np.isfinite(own), (scores >= own[:, np.newaxis]).sum(axis=1), behind)
    return found


def reliability(same: Values, strangers: Values) -> list[Figures]:
    """What was said against what was so, in bins of half a decade of LR that hold both kinds or at least ten pairs.

    `observed` is the log10 of the share of same-person pairs in the bin over the share of strangers there; None where
    a kind is missing.
    """
    found = []
    edges = np.concatenate([[-np.inf], BINS, [np.inf]])
    for least, most in pairwise(edges):
        mine, theirs = ((values >= least) & (values < most) for values in (same, strangers))
        counts = int(mine.sum()), int(theirs.sum())
        if sum(counts) < 10 and not all(counts):
            continue
        said = np.concatenate([same[mine], strangers[theirs]])
        observed = None
        if all(counts):
            observed = float(np.log10(counts[0] / len(same)) - np.log10(counts[1] / len(strangers)))
        found.append({"said": float(said.mean()), "observed": observed, "same": counts[0], "strangers": counts[1]})
    return found


def calibration(same: Values, strangers: Values) -> Figures:
    """Cllr and minCllr, and how the LRs err.

    slope: of a logistic fit on the log10 LR, 1 when right, below 1 when they claim too much; None when it cannot be
    fitted. strangers_mean_lr: log10 of the strangers' mean LR, 0 when right, above it when they claim too much for.
    same_mean_inverse: log10 of the same-person pairs' mean 1/LR, above 0 when they claim too much against (an identity
    of likelihood ratios; Good, Bayesian Statistics 2, 1985).
    """
    least = min_cllr(same, strangers)
    try:
        slope, neutral = fit_logistic(same, strangers)
    except (ValueError, np.linalg.LinAlgError):
        slope, neutral = None, None
    return {
        "cllr": cllr(same, strangers),
        "min_cllr": least,
        "slope": slope,
        "neutral": neutral,
        "strangers_mean_lr": float(np.log10(np.mean(10.0**strangers))),
        "same_mean_inverse": float(np.log10(np.mean(10.0**-same))),
    }


def _recalibrated(worlds: Sequence[JointScores], fit: FusionFit) -> Figures:
    same, strangers = _pairs(worlds, "fused")
    return {"slope": fit.slope, "neutral": fit.neutral, "cllr": cllr(fit(same), fit(strangers))}


def _excess_if_honest(worlds: Sequence[JointScores], seed: int) -> float | None:
    """Of the fused ratios, made as honest as a line can in hindsight; None where no line can be fitted."""
    same, strangers = _pairs(worlds, "fused")
    try:
        fit = FusionFit(*fit_logistic(same, strangers))
    except (ValueError, np.linalg.LinAlgError):
        return None
    return excess_if_honest(fit(same), fit(strangers), seed)


def _rank_1_in_hindsight(worlds: Sequence[JointScores]) -> float | None:
    """Share found at first by the weights and shifts that a logistic regression finds best on these very worlds."""
    sums = weighed_in_hindsight(worlds)
    return rank_rate(np.concatenate([_ranks(world, scores) for world, scores in zip(worlds, sums, strict=True)]), 1)


def _scores(world: JointScores, system: str) -> Values:
    scores: Values = getattr(world, system)
    return scores


def _system(worlds: Sequence[JointScores], system: str, seed: int) -> Figures:
    all_ranks = np.concatenate([ranks(world, system) for world in worlds])
    people = np.concatenate([world.people[mated_rows(world)] for world in worlds])
    own = np.concatenate([_own(world, system) for world in worlds])
    alarms = np.concatenate([_scores(world, system)[world.mates == NOBODY].max(axis=1) for world in worlds])
    same, strangers = _pairs(worlds, system)
    return {
        "rank_1": rank_rate(all_ranks, 1),
        "rank_1_interval": _interval(all_ranks == 1, people, seed),
        "rank_20": rank_rate(all_ranks, 20),
        "fnir_at_fpir_1e-1": miss_rate(own, alarms, 0.1),
        "fnir_at_fpir_1e-2": miss_rate(own, alarms, 0.01),
        "cmc": {str(rank): rank_rate(all_ranks, rank) for rank in CMC_RANKS},
        **calibration(same, strangers),
    }


def _own(world: JointScores, system: str) -> Values:
    rows = mated_rows(world)
    own: Values = _scores(world, system)[rows, world.mates[rows]]
    return own


def _pairs(worlds: Sequence[JointScores], system: str) -> tuple[Values, Values]:
    """log10 LRs of same-person pairs and of strangers; a face that says nothing has LR 1."""
    same = np.concatenate([_own(world, system) for world in worlds])
    strangers = np.concatenate([_scores(world, system)[~world.is_mate] for world in worlds])
    same[np.isneginf(same)], strangers[np.isneginf(strangers)] = 0.0, 0.0
    return same, strangers


def _interval(hits: NDArray[np.bool_], people: NDArray[np.int64], seed: int) -> tuple[float, float]:
    """95 % bootstrap interval of a mean, the real people drawn with replacement: their worlds share faces."""
    rng = np.random.default_rng(seed)
    known, number = np.unique(people, return_inverse=True)
    good = np.bincount(number, weights=hits)
    all_of = np.bincount(number)
    draws = rng.integers(0, len(known), (RESAMPLES, len(known)))
    low, high = np.quantile(good[draws].sum(axis=1) / all_of[draws].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _cohorts(worlds: Sequence[JointScores]) -> list[Figures]:
    names = sorted({name for world in worlds for row in world.cohorts for name in row})
    found = []
    for name in names:
        chosen = [np.array([name in world.cohorts[row] for row in mated_rows(world)], bool) for world in worlds]
        count = int(sum(mask.sum() for mask in chosen))
        if count < LEAST_MATED:
            continue
        row: Figures = {"cohort": name, "mated": count}
        for system in SYSTEMS:
            within = np.concatenate([ranks(world, system)[mask] for world, mask in zip(worlds, chosen, strict=True)])
            row[f"{system}_rank_1"], row[f"{system}_rank_20"] = rank_rate(within, 1), rank_rate(within, 20)
        row |= _cohort_calibration(worlds, chosen)
        found.append(row)
    return found


def _cohort_calibration(worlds: Sequence[JointScores], chosen: Sequence[NDArray[np.bool_]]) -> Mapping[str, float]:
    """Cllr of the fused LRs of a cohort's own searches: their mates against everybody else they were set against."""
    same, strangers = [], []
    for world, mask in zip(worlds, chosen, strict=True):
        rows = mated_rows(world)[mask]
        same.append(world.fused[rows, world.mates[rows]])
        strangers.append(world.fused[rows][~world.is_mate[rows]])
    both = np.concatenate(same), np.concatenate(strangers)
    return {"fused_cllr": cllr(*both), "fused_min_cllr": min_cllr(*both)}


def _terms(worlds: Sequence[JointScores]) -> list[Figures]:
    """Each term where it says something."""
    found = []
    for at, kind in enumerate(KINDS):
        same, strangers = [], []
        for world in worlds:
            values = world.terms[:, :, at].astype(np.float64)
            said = ~np.isnan(values)
            same.append(values[said & world.is_mate])
            strangers.append(values[said & ~world.is_mate])
        mine, theirs = np.concatenate(same), np.concatenate(strangers)
        if len(mine) and len(theirs):
            row = {"term": kind.value, "same": len(mine), "strangers": len(theirs), **calibration(mine, theirs)}
            found.append(row | {"reliability": reliability(mine, theirs)})
    return found
