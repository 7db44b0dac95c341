"""How honest a face calibration is, by cohort: Cllr, minCllr, reliability, cross-entropy, ready for JSON and plots."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from matcher.calibration import FaceCalibration
from matcher.evaluation.calibration_fit import POOR, YEARS, CohortsTooSmall, fit_calibration, fit_logistic
from matcher.evaluation.calibration_metrics import cllr, min_cllr, pav_log10_lr
from matcher.evaluation.calibration_pairs import AGES, Flags, Kind, PairSet, folds_of, weigh
from matcher.evaluation.templates import Metric
from matcher.evaluation.verification import Scores, equal_error_rate
from matcher.face_cohorts import AgePair

Figures = dict[str, Any]
"""None where a cohort is too small to tell."""

FOLDS = 5
SMALL_SET = 12
"""People up to whom each person is a fold of their own, ten at most: a fifth of nine people would leave too few."""
MOST_STRANGERS = 20_000
LEAST_PAIRS = 5
RELIABILITY_BINS = 15
PRIOR_LOG10_ODDS = tuple(round(-3 + 0.25 * step, 2) for step in range(25))


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """log10 LRs of pairs of both kinds beside their cosines."""

    same: Kind
    strangers: Kind
    same_lr: Scores
    stranger_lr: Scores


def report(
    sets: Sequence[PairSet], calibration: FaceCalibration | None, seed: int, population: str | None = None
) -> Figures:
    """Figures of a calibration on these sets, and of the fit's rules with the judged people held out.

    Args:
        sets: pairs with what is known of each.
        calibration: judged as it is; None when the model has none.
        seed: deals people to folds and draws of more strangers than `MOST_STRANGERS`.
        population: as in `fit_calibration`.

    Keys: `sets` (each with `cohorts`), `model_version`. Each cohort has `shipped` and `held_out`, with `cllr` and
    `min_cllr` of the log10 LRs, `reliability` and `cross_entropy`; `blind_cllr`, as if nothing were known of its pairs;
    and `least_cllr`, of the best monotone calibration of its cosines.
    """
    drawn = [_fewer(one, seed) for one in sets]
    rows = []
    for one in drawn:
        shipped = None if calibration is None else _judge(one, calibration)
        blind = None if calibration is None else _judge(one, calibration, blind=True)
        held_out = _held_out(drawn, one, seed, population)
        cohorts = [_cohort(name, chosen, one, shipped, blind, held_out) for name, chosen in COHORTS.items()]
        rows.append({"set": one.name, "cohorts": [row for row in cohorts if row is not None]})
    return {"model_version": None if calibration is None else calibration.model_version, "seed": seed, "sets": rows}


def reliability(same: Scores, strangers: Scores, bins: int = RELIABILITY_BINS) -> list[dict[str, float]]:
    """Reliability diagram at even prior odds: in each bin of log10 LR, what was said and what held.

    `said` is the mean probability that the LRs give, `held` the share of same-person pairs when both kinds weigh alike,
    `pairs` how many there are. Bins hold the same weight each; lowest first.
    """
    values = np.concatenate([same, strangers])
    weights = np.concatenate([np.full(len(same), 0.5 / len(same)), np.full(len(strangers), 0.5 / len(strangers))])
    is_same = np.arange(len(values)) < len(same)
    order = np.argsort(values, kind="stable")
    bin_of = np.empty(len(values), np.int64)
    bin_of[order] = np.minimum((np.cumsum(weights[order]) * bins).astype(np.int64), bins - 1)
    said = 1 / (1 + 10 ** -np.clip(values, -300, 300))
    rows = []
    for number in range(bins):
        here = bin_of == number
        weight = float(weights[here].sum())
        if weight > 0:
            rows.append(
                {
                    "log10_lr": float(np.average(values[here], weights=weights[here])),
                    "said": float(np.average(said[here], weights=weights[here])),
                    "held": float(weights[here & is_same].sum() / weight),
                    "pairs": int(here.sum()),
                }
            )
    return rows


def cross_entropy(same: Scores, strangers: Scores) -> Figures:
    """Empirical cross-entropy in bits over prior odds (Ramos et al., Journal of Forensic Sciences 58, 2013).

    `system` as the LRs say, `calibrated` with their best monotone calibration, `reference` without evidence (LR 1).
    """
    best = pav_log10_lr(same, strangers)
    nothing = np.zeros(len(same)), np.zeros(len(strangers))
    lines = {"system": (same, strangers), "calibrated": best, "reference": nothing}
    return {"prior_log10_odds": list(PRIOR_LOG10_ODDS)} | {
        name: [_entropy(*values, prior) for prior in PRIOR_LOG10_ODDS] for name, values in lines.items()
    }


def _entropy(same: Scores, strangers: Scores, prior_log10_odds: float) -> float:
    odds, to_natural = 10**prior_log10_odds, np.log(10)
    prior = odds / (1 + odds)
    for_same = np.logaddexp(0, -(same + prior_log10_odds) * to_natural).mean()
    for_strangers = np.logaddexp(0, (strangers + prior_log10_odds) * to_natural).mean()
    return float((prior * for_same + (1 - prior) * for_strangers) / np.log(2))


def _everything(kind: Kind) -> Flags:
    return np.ones(len(kind.cosines), bool)


def _years(low: float, high: float) -> Callable[[Kind], Flags]:
    return lambda kind: (kind.years >= low) & (kind.years < high)


def _ages(ages: AgePair) -> Callable[[Kind], Flags]:
    return lambda kind: kind.ages == AGES.index(ages)


COHORTS: dict[str, Callable[[Kind], Flags]] = {
    "all": _everything,
    **{f"{low:.0f} to {high - 1:.0f} years" if high < np.inf else f"{low:.0f} years and more": _years(low, high)
       for low, high in YEARS},
    **{ages.value: _ages(ages) for ages in AgePair},
    f"quality below {POOR:.0f}": lambda kind: kind.quality < POOR,
    f"quality {POOR:.0f} and more": lambda kind: kind.quality >= POOR,
    "frontal": lambda kind: kind.frontal,
    "profile": lambda kind: ~kind.frontal,
}  # fmt: skip


def _fewer(one: PairSet, seed: int) -> PairSet:
    count = len(one.strangers.cosines)
    kept = np.zeros(count, bool)
    kept[np.random.default_rng(seed).permutation(count)[:MOST_STRANGERS]] = True
    return replace(one, strangers=one.strangers.where(kept))


def _judge(one: PairSet, calibration: FaceCalibration, *, blind: bool = False) -> Judged:
    same, strangers = (weigh(calibration, kind, blind=blind) for kind in (one.same, one.strangers))
    return Judged(one.same, one.strangers, same, strangers)


def _held_out(sets: Sequence[PairSet], judged: PairSet, seed: int, population: str | None) -> Judged | None:
    """The set's pairs, each judged by the fit on everybody but its two people's folds; None when none can be fitted."""
    people = judged.people
    others = [one for one in sets if one is not judged]
    parts = []
    for (rest,), (part,) in folds_of([judged], seed, min(10, people) if people <= SMALL_SET else FOLDS):
        try:
            fitted = fit_calibration([*others, rest], Metric.COSINE, "held-out", "Held out.", population)
        except CohortsTooSmall:
            return None
        parts.append(_judge(part, fitted.calibration))
    return Judged(
        _joined([part.same for part in parts]),
        _joined([part.strangers for part in parts]),
        np.concatenate([part.same_lr for part in parts]),
        np.concatenate([part.stranger_lr for part in parts]),
    )


def _joined(kinds: Sequence[Kind]) -> Kind:
    names = ("cosines", "people", "years", "ages", "quality", "sex", "frontal")
    return replace(kinds[0], **{name: np.concatenate([getattr(one, name) for one in kinds]) for name in names})


def _cohort(
    name: str,
    chosen: Callable[[Kind], Flags],
    one: PairSet,
    shipped: Judged | None,
    blind: Judged | None,
    held_out: Judged | None,
) -> Figures | None:
    part = one.where(chosen)
    same, strangers = part.same.cosines, part.strangers.cosines
    if min(len(same), len(strangers)) < LEAST_PAIRS or (name != "all" and len(same) == len(one.same.cosines)):
        return None
    try:
        own = fit_logistic(same, strangers)
    except ValueError:
        own = None
    return {
        "cohort": name,
        "people": part.mated,
        "same_pairs": len(same),
        "stranger_pairs": len(strangers),
        "equal_error_rate": equal_error_rate(same, strangers),
        "own_slope": None if own is None else own[0],
        "own_neutral": None if own is None else own[1],
        "least_cllr": min_cllr(same, strangers),
        "blind_cllr": None if blind is None else _within(blind, chosen)["cllr"],
        "shipped": None if shipped is None else _within(shipped, chosen),
        "held_out": None if held_out is None else _within(held_out, chosen),
    }


def _within(judged: Judged, chosen: Callable[[Kind], Flags]) -> Figures:
    same, strangers = judged.same_lr[chosen(judged.same)], judged.stranger_lr[chosen(judged.strangers)]
    return {
        "cllr": cllr(same, strangers),
        "min_cllr": min_cllr(same, strangers),
        "stranger_log10_lr_99.9": float(np.quantile(strangers, 0.999)),
        "reliability": reliability(same, strangers),
        "cross_entropy": cross_entropy(same, strangers),
    }
