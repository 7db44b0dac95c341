"""Likeness: what the photographs of one person are worth beside those of many, by one product of all templates.

See `matcher.evidence.face` for what counts. Here is its arithmetic: each pair of photographs by its circumstances
(years between, ages, quality, sex), then the mean of the pairs' likelihood ratios.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.calibration import FaceCalibration
from matcher.evidence.age import DAYS_A_YEAR
from matcher.evidence.base import Floats, Parameters
from matcher.evidence.columns import UNKNOWN, end_to_end, number, owners
from matcher.evidence.packing import Columns, Parts, columns
from matcher.face_cohorts import ADULT, ELDER, AgePair, Circumstances, least_extreme_of
from matcher.profile import Profile
from matcher.vocabulary import Sex

TAKEN, QUALITY, AGE, ON, SEX = range(5)
_VALUES = 5
_BLOCK = 512
_CHILDREN, _CHILD_ADULT, _ADULTS, _ELDER = range(4)
_PAIRS = (AgePair.CHILDREN, AgePair.CHILD_ADULT, AgePair.ADULTS, AgePair.ELDER)
_UNKNOWN_PAIR = -1

Model = tuple[str, int]
"""Version of the face model, and the dimension of its templates."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Photographs of one profile.

    Attributes:
        model: of the templates; None when there are none to compare.
        templates: (p, d).
        photos: (p, 5): TAKEN, ordinal of the day; QUALITY, 0 to 100; and of the person on it: AGE in years on the day
            ON (ordinal; NaN: at any time), and SEX; NaN where unknown.
    """

    model: Model | None
    templates: NDArray[np.float32]
    photos: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Photographs of many profiles under one model: whose each is, and the rest as in `Encoded`, end to end."""

    rows: NDArray[np.int64]
    templates: NDArray[np.float32]
    photos: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Photographs of many profiles, by model."""

    count: int
    by_model: dict[Model, Gallery]


def encode(profile: Profile, parameters: Parameters) -> Encoded:
    """The templates and what is known of their photographs."""
    return photographs(profile)


def photographs(profile: Profile) -> Encoded:
    """The same, which no parameters change."""
    shape = profile.templates.shape
    usable = profile.template_model is not None and len(shape) == 2 and bool(shape[0]) and bool(shape[1])
    known = profile.template_info[: shape[0]]
    photos = np.full((shape[0], _VALUES), UNKNOWN)
    photos[:, AGE], photos[:, ON] = _age(profile)
    photos[:, SEX] = number(profile.sex.value if profile.sex else None)
    for place, info in enumerate(known):
        if info.taken_on is not None:
            photos[place, TAKEN] = info.taken_on.toordinal()
        if info.quality is not None:
            photos[place, QUALITY] = info.quality
    return Encoded(
        (profile.template_model, shape[1]) if usable and profile.template_model else None,
        np.ascontiguousarray(profile.templates, np.float32),
        photos,
    )


def parts(encoded: Encoded) -> Parts:
    """The photographs of one profile, to be packed."""
    return Parts(floats=(encoded.photos.tobytes(),), others=(encoded.model, encoded.templates.tobytes()))


def stack(encoded: Sequence[Encoded]) -> Faces:
    """The photographs of many profiles."""
    return gather(columns([parts(one) for one in encoded]))


def gather(gathered: Columns) -> Faces:
    """The same of profiles that are packed."""
    ((flat, sizes),) = gathered.floats
    versions, templates = gathered.others
    photos, rows = flat.reshape(-1, _VALUES), owners(sizes // _VALUES)
    by_model = {}
    for model in {one: None for one in versions if one is not None}:
        of_model = np.array([one == model for one in versions], np.bool_)
        every = bool(of_model.all())
        chosen = templates if every else [one for one, ours in zip(templates, of_model, strict=True) if ours]
        mask = slice(None) if every else of_model[rows]
        by_model[model] = Gallery(rows[mask], end_to_end(chosen, np.float32, model[1]), photos[mask])
    return Faces(gathered.count, by_model)


def score(ours: Encoded, theirs: Faces, parameters: Parameters) -> Floats:
    """log10 LR by candidate: of the mean of the pairs' ratios; NaN where there is nothing to compare."""
    result = np.full(theirs.count, np.nan)
    calibration = parameters.calibrations.get(ours.model[0]) if ours.model else None
    gallery = theirs.by_model.get(ours.model) if ours.model else None
    if calibration is None or gallery is None:
        return result
    cosines = _cosines(ours.templates, gallery.templates)
    total, bad = np.zeros(theirs.count), np.zeros(theirs.count, np.bool_)
    for row, photo in zip(cosines, ours.photos, strict=True):
        bad[gallery.rows[~np.isfinite(row)]] = True
        ratios = 10 ** _pair_log10_lrs(row, photo, gallery.photos, calibration)
        total += np.bincount(gallery.rows, ratios, theirs.count)
    pairs = np.bincount(gallery.rows, minlength=theirs.count) * len(cosines)
    known = (pairs > 0) & ~bad
    result[known] = np.log10(total[known] / pairs[known])
    return result


def _cosines(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> Floats:
    """Cosines of all pairs, (p, m), in double precision; so many at a time as stay in a core's cache."""
    own, found = ours.astype(np.float64), np.empty((len(ours), len(theirs)))
    for start in range(0, len(theirs), _BLOCK):
        block = theirs[start : start + _BLOCK].astype(np.float64)
        np.matmul(own, block.T, out=found[:, start : start + _BLOCK])
    return np.clip(found, -1.0, 1.0, out=found)


def _pair_log10_lrs(cosines: Floats, photo: Floats, others: Floats, calibration: FaceCalibration) -> Floats:
    """log10 LR of one of our photographs with each of the others, those of like circumstances together."""
    years = np.abs(others[:, TAKEN] - photo[TAKEN]) / DAYS_A_YEAR
    quality = np.fmin(others[:, QUALITY], photo[QUALITY])
    own = np.broadcast_to(photo, others.shape)
    ages = _age_pairs(_age_on(photo[TAKEN], own, others), _age_on(others[:, TAKEN], others, own))
    sex = np.where(others[:, SEX] == photo[SEX], photo[SEX], -1.0)
    spans, met = calibration.spans(years), calibration.limits_met(quality)
    result = np.empty(len(cosines))
    _, first, group = np.unique(
        ((spans * 64 + met) * 8 + (ages + 1)) * 4 + (sex + 1).astype(np.int64), return_index=True, return_inverse=True
    )
    for place, one in enumerate(first.tolist()):
        of = Circumstances(
            years=None if np.isnan(years[one]) else float(years[one]),
            ages=None if ages[one] == _UNKNOWN_PAIR else _PAIRS[ages[one]],
            quality=None if np.isnan(quality[one]) else float(quality[one]),
            sex=None if sex[one] < 0 else list(Sex)[int(sex[one])],
        )
        members = group == place
        result[members] = least_extreme_of(calibration.curves(of), cosines[members])
    return result


def _age_on(day: Floats, own: Floats, other: Floats) -> Floats:
    """Age in years on a day; of whom nothing is known, as old as the other would be, who may be the same."""
    person = np.where(np.isnan(own[:, AGE : AGE + 1]), other, own)
    ages = person[:, AGE] + np.where(np.isnan(person[:, ON]), 0.0, (day - person[:, ON]) / DAYS_A_YEAR)
    return np.where(np.isnan(day), np.nan, np.maximum(ages, 0.0))


def _age_pairs(a: Floats, b: Floats) -> NDArray[np.int64]:
    """Number of the kind of pair of two ages, see `face_cohorts.age_pair`; _UNKNOWN_PAIR where one is unknown."""
    younger, older = np.minimum(a, b), np.maximum(a, b)
    found = np.where(older >= ELDER, _ELDER, _ADULTS)
    found = np.where(older < ADULT, _CHILDREN, np.where(younger < ADULT, _CHILD_ADULT, found))
    return np.where(np.isnan(younger), _UNKNOWN_PAIR, found)


def _age(profile: Profile) -> tuple[float, float]:
    """Age in years, and the ordinal of the day on which it held; UNKNOWN for a day: at any time."""
    if profile.birth_date is not None:
        return 0.0, float(profile.birth_date.value.toordinal())
    if profile.age is None:
        return UNKNOWN, UNKNOWN
    when = profile.age.as_of or profile.seen_on
    return profile.age.value, UNKNOWN if when is None else float(when.toordinal())
