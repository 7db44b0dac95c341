"""All figures of one source of templates on one set of photographs, ready for JSON."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation import identification as one_to_many
from matcher.evaluation import verification as one_to_one
from matcher.evaluation.datasets import Dataset, Labelled
from matcher.evaluation.discard import discard_curve
from matcher.evaluation.templates import Templates
from matcher.evaluation.verification import Pairs, Scores

Figures = dict[str, Any]
"""Shares are 0 to 1, None where the set is too small to tell."""

FALSE_ALARM_RATES = {"1e-1": 0.1, "1e-2": 0.01, "1e-3": 0.001}
AGE_GAPS = ((0, 3), (4, 7), (8, 12), (13, 19), (20, 120))
ADULT = 18


def evaluate(dataset: Dataset, templates: Templates, pairs: Pairs | None, seed: int) -> Figures:
    """Verification, identification, and what the labels of the set allow besides.

    Args:
        dataset: its photographs are the rows of `templates`.
        templates: of every photograph.
        pairs: for the ten folds, by position; None draws as many pairs of strangers as there are same-person pairs.
        seed: of every choice that is drawn.

    Raises ValueError when no person has two photographs, or there is one person only.
    """
    photos = dataset.photos
    people = [photo.person for photo in photos]
    same, strangers = one_to_one.same_pairs(people), one_to_one.stranger_pairs(people, seed)
    if not len(same) or not len(strangers):
        raise ValueError(f"{dataset.name} has no two photographs of one person, or one person only")
    same_scores, stranger_scores = templates.pair_scores(same), templates.pair_scores(strangers)
    return {
        "set": dataset.name,
        "model": templates.source,
        "metric": templates.metric.value,
        "seed": seed,
        "people": len(set(people)),
        "photos": len(photos),
        "failed_to_detect": int((~templates.found).sum()),
        "failed_to_detect_rate": float((~templates.found).mean()),
        **_verification(people, templates, pairs, same_scores, stranger_scores, seed),
        **_identification(people, templates, seed),
        "cohorts": _cohorts(photos, templates, same, same_scores, stranger_scores),
        "discard": _discard(templates, same, same_scores, stranger_scores),
    }


def _verification(
    people: list[str], templates: Templates, pairs: Pairs | None, same: Scores, strangers: Scores, seed: int
) -> Figures:
    result: Figures = {
        "same_pairs": len(same),
        "stranger_pairs": len(strangers),
        "equal_error_rate": one_to_one.equal_error_rate(same, strangers),
        "tar_at_far_1e-2": one_to_one.true_accept_rate(same, strangers, 1e-2),
        "tar_at_far_1e-3": one_to_one.true_accept_rate(same, strangers, 1e-3),
        "tar_at_far_1e-4": one_to_one.true_accept_rate(same, strangers, 1e-4),
    }
    if pairs is None:
        drawn = np.random.default_rng(seed).permutation(strangers)[: len(same)]
        scores, is_same = np.concatenate([same, drawn]), np.arange(len(same) + len(drawn)) < len(same)
    else:
        named = np.array(people)
        scores, is_same = templates.pair_scores(pairs), named[pairs[:, 0]] == named[pairs[:, 1]]
    try:
        accuracy, error = one_to_one.fold_accuracy(scores, is_same, seed)
    except ValueError:
        return result | {"verification_accuracy": None, "verification_pairs": len(scores)}
    return result | {
        "verification_accuracy": accuracy,
        "verification_standard_error": error,
        "verification_pairs": len(scores),
    }


def _identification(people: list[str], templates: Templates, seed: int) -> Figures:
    parts = one_to_many.split(people, seed)
    found = one_to_many.search(templates, parts, people)
    more = one_to_many.with_mates_removed(found)
    # A set whose people all have several photographs has nobody else to search for in vain.
    searches = found if len(found.alarm_scores) else more
    return {
        "gallery": len(parts.gallery),
        "mated": len(parts.mated),
        "non_mated": len(searches.alarm_scores),
        "non_mated_kind": "people not enrolled" if searches is found else "mate removed from the gallery",
        "rank_1": one_to_many.rank_rate(found.mate_ranks, 1),
        "rank_20": one_to_many.rank_rate(found.mate_ranks, 20),
        **_misses(searches, seed),
        "with_mates_removed": {"non_mated": len(more.alarm_scores), **_misses(more, seed)},
    }


def _misses(searches: one_to_many.Searches, seed: int) -> Figures:
    result: Figures = {}
    for name, rate in FALSE_ALARM_RATES.items():
        key = f"fnir_at_fpir_{name}"
        result[key] = one_to_many.miss_rate(searches.mate_scores, searches.alarm_scores, rate)
        result[f"{key}_interval"] = one_to_many.miss_rate_interval(searches, rate, seed)
    return result


def _cohorts(
    photos: Sequence[Labelled], templates: Templates, same: Pairs, scores: Scores, strangers: Scores
) -> list[Figures]:
    """True accepts by cohort, at the threshold that 1 % of all strangers of the set pass."""
    if len(strangers) < 100:
        return []
    threshold = one_to_one.strict_threshold(strangers, 0.01)
    rows: list[Figures] = []
    for name, belongs in _COHORTS.items():
        inside = np.array([belongs(photos[a], photos[b]) for a, b in same], bool)
        if inside.any():
            accepted = float((scores[inside] > threshold).mean())
            rows.append({"cohort": name, "same_pairs": int(inside.sum()), "tar_at_far_1e-2": accepted})
    for pose in sorted({photo.pose for photo in photos if photo.pose}):
        of_pose = np.array([photo.pose == pose for photo in photos])
        failed = int((of_pose & ~templates.found).sum())
        rows.append({"cohort": f"{pose} photographs", "photos": int(of_pose.sum()), "failed_to_detect": failed})
    return rows


def _poses(*wanted: str) -> Callable[[Labelled, Labelled], bool]:
    return lambda a, b: sorted((a.pose or "", b.pose or "")) == sorted(wanted)


def _years(low: int, high: int) -> Callable[[Labelled, Labelled], bool]:
    # Ages are whole years, so the gaps between them are too.
    return lambda a, b: a.age is not None and b.age is not None and low <= round(abs(a.age - b.age)) <= high


def _ages(*, adults: int) -> Callable[[Labelled, Labelled], bool]:
    return lambda a, b: a.age is not None and b.age is not None and (a.age >= ADULT) + (b.age >= ADULT) == adults


_COHORTS: dict[str, Callable[[Labelled, Labelled], bool]] = {
    "frontal to frontal": _poses("frontal", "frontal"),
    "frontal to profile": _poses("frontal", "profile"),
    "profile to profile": _poses("profile", "profile"),
    **{f"{low} to {high} years between": _years(low, high) for low, high in AGE_GAPS},
    "child to child": _ages(adults=0),
    "child to adult": _ages(adults=1),
    "adult to adult": _ages(adults=2),
}


def _discard(templates: Templates, same: Pairs, scores: Scores, strangers: Scores) -> Figures:
    """Error against discard by each measure of quality, at a threshold that 0.1 % of strangers pass (1 % if few)."""
    rate = 1e-3 if len(strangers) >= 1000 else 1e-2
    threshold = one_to_one.strict_threshold(strangers, rate)
    result: Figures = {}
    for name, values in sorted(templates.quality.items()):
        worse: NDArray[np.float64] = np.minimum(values[same[:, 0]], values[same[:, 1]]).astype(np.float64)
        told = np.isfinite(worse) & np.isfinite(scores)
        if told.any():
            curve = discard_curve(scores[told], worse[told], threshold)
            result[name] = {
                "false_match_rate": rate,
                "discarded": curve.shares,
                "false_non_match_rate": curve.errors,
                "ideal": curve.ideal,
                "gain": curve.gain,
            }
    return result
