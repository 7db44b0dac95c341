"""Time: a person is found after being lost, give or take what the dates are worth."""

import numpy as np

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import UNKNOWN, Row, number, single, table
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind, GalleryKind

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
    return np.where(np.isnan(days), np.nan, parameters.curve_at("time.curve", days))
