"""Likeness: the `face` term for many candidates at once, by one product of all templates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.evidence.base import Floats, Parameters
from matcher.evidence.columns import owners
from matcher.profile import Profile


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Templates of many profiles, grouped by model version: whose each is, and the templates (m, d)."""

    count: int
    by_model: dict[tuple[str, int], tuple[NDArray[np.int64], NDArray[np.float32]]]


def encode(profile: Profile, parameters: Parameters) -> Profile:
    """The profile itself: its templates are numbers already."""
    return profile


def stack(encoded: Sequence[Profile]) -> Faces:
    """The templates of many profiles."""
    models: dict[tuple[str, int], list[int]] = {}
    for row, profile in enumerate(encoded):
        shape = profile.templates.shape
        if profile.template_model is not None and len(shape) == 2 and shape[0] and shape[1]:
            models.setdefault((profile.template_model, shape[1]), []).append(row)
    return Faces(
        len(encoded),
        {
            model: (
                np.array(rows)[owners([len(encoded[row].templates) for row in rows])],
                np.concatenate([encoded[row].templates for row in rows]),
            )
            for model, rows in models.items()
        },
    )


def score(ours: Profile, theirs: Faces, parameters: Parameters) -> Floats:
    """log10 LR by candidate, as `face.compare` gives it; NaN where it says nothing."""
    result = np.full(theirs.count, np.nan)
    similarity = best_cosines(ours, theirs)
    calibration = parameters.calibrations.get(ours.template_model or "")
    if calibration is not None:
        for row in np.flatnonzero(~np.isnan(similarity)):
            result[row] = calibration.log10_lr(float(similarity[row]))
    return result


def best_cosines(ours: Profile, theirs: Faces) -> Floats:
    """Highest cosine of each candidate's templates with ours, (n,), -1 to 1; NaN where they cannot be compared."""
    result = np.full(theirs.count, np.nan)
    if ours.template_model is None or ours.templates.ndim != 2 or not len(ours.templates):
        return result
    rows, templates = theirs.by_model.get((ours.template_model, ours.templates.shape[1]), (None, None))
    if rows is None or templates is None:
        return result
    cosines = templates.astype(np.float64) @ ours.templates.astype(np.float64).T
    highest = np.full(theirs.count, -np.inf)
    np.maximum.at(highest, rows, cosines.max(axis=1))
    found = np.isfinite(highest)
    result[found] = np.clip(highest[found], -1.0, 1.0)
    return result
