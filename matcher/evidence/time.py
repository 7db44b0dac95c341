"""Time: a person is found after being lost, give or take what the dates are worth.

LR = density of the days from last seen to found among same-person pairs / density among strangers. Both are mixtures of
exponentials (`KINDS`): most people are found within weeks or never, and who is found soon leaves the gallery, so open
reports are older. A stranger's days are those of an open report up to `time.period` earlier or later.
"""

import numpy as np

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import UNKNOWN, Row, number, single, table
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind, GalleryKind

KINDS = ("short", "middle", "long")
"""How long people stay lost, as the keys of parameters name it."""
_REPORT = number(GalleryKind.REPORT)


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the days from last seen (report) to found (case).

    None when a date is unknown, or when the two are not one report and one case: then neither has to come first.
    """
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    if value is None or probe.seen_on is None or other.seen_on is None:
        return None
    later = (other.seen_on - probe.seen_on).days
    days = later if probe.kind is GalleryKind.REPORT else -later
    zh = f"发现日期在最后见到之后 {days} 天。" if days >= 0 else f"发现日期早于最后见到 {-days} 天，日期可能不准。"
    en = (
        f"Found {days} days after being last seen."
        if days >= 0
        else f"Found {-days} days before being last seen; one of the dates may be wrong."
    )
    return Evidence(EvidenceKind.TIME, value, probe.seen_on.isoformat(), other.seen_on.isoformat(), zh, en)


def encode(profile: Profile, parameters: Parameters) -> Row:
    """The day seen as an ordinal, and whether it is a report's or a case's."""
    day = UNKNOWN if profile.seen_on is None else float(profile.seen_on.toordinal())
    return day, number(profile.kind)


def days_lost(ours: Row, theirs: Floats) -> Floats:
    """Days from last seen to found of each pair; NaN unless it is one report and one case, both with a date."""
    later = theirs[:, 0] - ours[0]
    days = later if ours[1] == _REPORT else -later
    return np.where(np.abs(theirs[:, 1] - ours[1]) == 1, days, np.nan)


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where the days are unknown."""
    days = days_lost(ours, theirs)
    soft, outliers = parameters["time.soft"], parameters["time.outliers"]
    # A wrong date is off by its standard deviation, evenly; a uniform density is 2 * sqrt(3) of them wide.
    off = _within(days, np.sqrt(3) * parameters["time.soft_days"], "time.same", parameters)
    same = (1 - soft) * _density(days, parameters) + soft * off
    chance = np.maximum(_within(days, parameters["time.period"], "time.chance", parameters), 1e-300)
    ratio = (1 - outliers) * same / chance + outliers
    return np.minimum(np.log10(ratio), parameters["time.cap"])


def _density(days: Floats, parameters: Parameters) -> Floats:
    """Share a day of one person's pairs of dates that are right; 0 before being lost."""
    lost = np.maximum(days, 0.0)
    total = np.zeros(len(days))
    for kind in KINDS:
        mean = parameters[f"time.days.{kind}"]
        total += parameters[f"time.same.{kind}"] * np.exp(-lost / mean) / mean
    return np.where(days < 0, 0.0, total)


def _within(days: Floats, margin: float, shares: str, parameters: Parameters) -> Floats:
    """Share a day of the mixture, evened out over `margin` days to either side."""
    total = np.zeros(len(days))
    for kind in KINDS:
        mean = parameters[f"time.days.{kind}"]
        later, earlier = (np.exp(-np.maximum(days + side, 0.0) / mean) for side in (margin, -margin))
        total += parameters[f"{shares}.{kind}"] * (earlier - later)
    return total / (2 * margin)
