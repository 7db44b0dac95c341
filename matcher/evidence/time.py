"""Time: a person is found after being lost, give or take what the dates are worth."""

from matcher.evidence.base import Evidence, Parameters
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind, GalleryKind


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the days from last seen (report) to found (case).

    None when a date is unknown, or when the two are not one report and one case: then neither has to come first.
    """
    if probe.seen_on is None or other.seen_on is None or {probe.kind, other.kind} != set(GalleryKind):
        return None
    later = (other.seen_on - probe.seen_on).days
    days = later if probe.kind is GalleryKind.REPORT else -later
    zh = f"发现日期在最后见到之后 {days} 天。" if days >= 0 else f"发现日期早于最后见到 {-days} 天，日期可能不准。"
    en = (
        f"Found {days} days after being last seen."
        if days >= 0
        else f"Found {-days} days before being last seen; one of the dates may be wrong."
    )
    value = parameters.curve("time.curve", days)
    return Evidence(EvidenceKind.TIME, value, probe.seen_on.isoformat(), other.seen_on.isoformat(), zh, en)
