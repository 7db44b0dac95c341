"""Likeness: the `face` term for many candidates at once, by one product of all templates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.evidence.base import Floats, Parameters
from matcher.profile import Profile


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Templates of many profiles, grouped by model version: whose each is, and the templates (m, d)."""

    count: int
    by_model: dict[tuple[str, int], tuple[NDArray[np.int64], NDArray[np.float32]]]


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Templates (n, d) of one profile, and their model version and d; None when there are none to compare."""

    model: tuple[str, int] | None
    templates: NDArray[np.float32]


def encode(profile: Profile, parameters: Parameters) -> Encoded:
    """The templates, which are numbers already."""
    shape = profile.templates.shape
    if profile.template_model is None or len(shape) != 2 or not shape[0] or not shape[1]:
        return Encoded(None, profile.templates)
    return Encoded((profile.template_model, shape[1]), profile.templates)


def stack(encoded: Sequence[Encoded]) -> Faces:
    """The templates of many profiles."""
    models: dict[tuple[str, int], list[int]] = {}
    for row, one in enumerate(encoded):
        if one.model is not None:
            models.setdefault(one.model, []).append(row)
    by_model = {}
    for model, rows in models.items():
        templates = [encoded[row].templates for row in rows]
        owner = np.repeat(np.array(rows), np.array([len(one) for one in templates]))
        by_model[model] = owner, np.concatenate(templates)
    return Faces(len(encoded), by_model)


def score(ours: Encoded, theirs: Faces, parameters: Parameters) -> Floats:
    """log10 LR by candidate, as `face.compare` gives it; NaN where it says nothing."""
    result = np.full(theirs.count, np.nan)
    calibration = parameters.calibrations.get(ours.model[0]) if ours.model else None
    if calibration is not None:
        similarity = best_cosines(ours, theirs)
        for row in np.flatnonzero(~np.isnan(similarity)).tolist():
            result[row] = calibration.log10_lr(float(similarity[row]))
    return result


def best_cosines(ours: Encoded, theirs: Faces) -> Floats:
    """Highest cosine of each candidate's templates with ours, (n,), -1 to 1; NaN where they cannot be compared."""
    result = np.full(theirs.count, np.nan)
    if ours.model is None or ours.model not in theirs.by_model:
        return result
    rows, templates = theirs.by_model[ours.model]
    cosines = templates.astype(np.float64) @ ours.templates.astype(np.float64).T
    highest = np.full(theirs.count, -np.inf)
    np.maximum.at(highest, rows, cosines.max(axis=1))
    found = np.isfinite(highest)
    result[found] = np.clip(highest[found], -1.0, 1.0)
    return result
