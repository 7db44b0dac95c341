"""Would the sum of the terms be honest if it were calibrated once more? Fitted on worlds that are not reported.

Logistic calibration of a fused score (Brümmer & du Preez, Computer Speech and Language 20, 2006; Morrison, Australian
Journal of Forensic Sciences 45, 2013): log10 LR = slope * (sum - neutral). A neutral above 0 says that the terms claim
too much for when added up, a slope below 1 that they claim too much in both directions. It is a measurement: what is to
be put right is the terms, since a shift of the sum is wrong for records of which little is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.calibration_fit import fit_logistic
from matcher.evaluation.joint_scores import JointScores
from matcher.evidence.batch import KINDS

_RIDGE = 1e-4
"""Draws the fit of single terms towards a weight of 1 and no shift, so that rare ones stay where they are."""


@dataclass(frozen=True, slots=True)
class FusionFit:
    """log10 LR = slope * (sum - neutral); see the module."""

    slope: float
    neutral: float

    def __call__(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated log10 LRs of sums, shape kept."""
        return self.slope * (sums - self.neutral)


def fit_sum(worlds: Sequence[JointScores]) -> FusionFit:
    """The calibration of the fused sum on these worlds. Raises ValueError as `fit_logistic` does."""
    same = np.concatenate([world.fused[world.is_mate] for world in worlds])
    strangers = np.concatenate([world.fused[~world.is_mate] for world in worlds])
    return FusionFit(*fit_logistic(same, strangers))


def fit_terms(worlds: Sequence[JointScores]) -> dict[str, tuple[float, float]]:
    """By term: the weight and the shift (log10 LR, added where it says something) that it needs beside all others.

    A logistic regression on all terms at once, both kinds of pairs weighing alike: a weight of 1 and a shift of 0 are
    right; a shift below 0 says that the term claims too much for. Terms without a same-person pair are left out.
    """
    terms = np.concatenate([world.terms.reshape(-1, len(KINDS)) for world in worlds]).astype(np.float64)
    same = np.concatenate([world.is_mate.ravel() for world in worlds])
    said = ~np.isnan(terms)
    used = np.flatnonzero(said[same].any(axis=0))
    if not len(used):
        return {}
    design = np.concatenate([np.nan_to_num(terms[:, used]), said[:, used]], axis=1) * np.log(10)
    pull = np.concatenate([np.ones(len(used)), np.zeros(len(used))])
    weight = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    theta = pull.copy()
    for _ in range(50):
        share = 1 / (1 + np.exp(-np.clip(design @ theta, -500, 500)))
        gradient = design.T @ (weight * (same - share)) - _RIDGE * (theta - pull)
        hessian = (design * (weight * share * (1 - share))[:, np.newaxis]).T @ design + _RIDGE * np.eye(len(theta))
        step = np.linalg.solve(hessian, gradient)
        theta = theta + step
        if float(np.abs(step).max()) < 1e-8:
            break
    return {
        KINDS[kind].value: (float(theta[at]), float(theta[len(used) + at])) for at, kind in enumerate(used.tolist())
    }


def weighed_in_hindsight(worlds: Sequence[JointScores]) -> list[NDArray[np.float64]]:
    """Sums of each world's terms by `fit_terms` of these very worlds, shape (probes, gallery).

    It sees the answers, so it flatters itself: what it does not find, a fair weighing of these terms hardly finds.
    """
    fitted = fit_terms(worlds)
    weights = np.array([fitted.get(kind.value, (1.0, 0.0)) for kind in KINDS])
    sums = []
    for world in worlds:
        said = ~np.isnan(world.terms)
        sums.append(np.nan_to_num(world.terms.astype(np.float64)) @ weights[:, 0] + said @ weights[:, 1])
    return sums
