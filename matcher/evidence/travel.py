"""Travel: how far the person was found from where they were last seen, against the time there was to get there."""

import numpy as np
from numpy.typing import NDArray

from matcher import divisions
from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import UNKNOWN, Row, single, table
from matcher.evidence.place import LEVELS, WIDTH, WORDS, agreement, as_numbers, spot
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind

FARTHER = len(LEVELS)
"""Two borders away or more; `place.FAR` here means one province between."""


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the two places where they were seen, and of the days between; None when a place is unknown.

    Dates are soft, so only how many days apart they are counts, not which was first. Where a day is unknown, the
    person is taken to have had a year.
    """
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    if value is None or probe.seen_at is None or other.seen_at is None:
        return None
    names = [divisions.full_name(one) if divisions.exists(one) else one for one in (probe.seen_at, other.seen_at)]
    zh, en = WORDS[int(agreement(spot(probe.seen_at), spot(other.seen_at))[0])]
    if probe.seen_on and other.seen_on:
        days = abs((other.seen_on - probe.seen_on).days)
        when = (f"相隔 {days} 天", f"{days} days apart")
    else:
        when = ("相隔时间不详", "the time between is unknown")
    return Evidence(
        EvidenceKind.TRAVEL, value, names[0], names[1],
        f"走失地与发现地{zh}（{names[0]}、{names[1]}），{when[0]}。",
        f"Lost and found {en} ({names[0]}, {names[1]}), {when[1]}.",
    )  # fmt: skip


def encode(profile: Profile, parameters: Parameters) -> Row:
    """Ordinal of the day seen, and the place as `place.spot` gives it."""
    day = float(profile.seen_on.toordinal()) if profile.seen_on else UNKNOWN
    if not profile.seen_at:
        return day, *([UNKNOWN] * WIDTH)
    return day, *spot(profile.seen_at)[0].tolist()


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where a place is unknown."""
    result = np.full(len(theirs), np.nan)
    known = ~np.isnan(theirs[:, 1])
    if np.isnan(ours[1]) or not known.any():
        return result
    own, places = np.array([ours[1:]]), theirs[known, 1:]
    days = np.abs(theirs[known, 0] - ours[0])
    days = np.where(np.isnan(days), parameters["travel.unknown_days"], days)
    level = agreement(own, places)
    borders = divisions.provinces_apart(as_numbers(own), places[:, 1:])
    level = np.where((level == 0) & (borders > 2), FARTHER, level)
    names = (*LEVELS, "farther")
    # What a code does not tell is shared out: a province alone is "the province or nearer".
    depth = np.minimum(own[0, 4], places[:, 4])
    same = np.stack([parameters.curve_at(f"travel.same.{name}", days) for name in names])
    chance = np.array([parameters[f"travel.chance.{name}"] for name in names])
    ratios = np.log10(_from(same, level, depth) / _from(np.tile(chance[:, None], len(days)), level, depth))
    result[known] = np.clip(ratios, parameters["travel.floor"], parameters["travel.cap"])
    return result


def _from(shares: Floats, level: NDArray[np.int64], depth: Floats) -> Floats:
    """Share of the level, or of it and all nearer ones where one of the codes ends there."""
    nearer = np.cumsum(shares[4:1:-1], axis=0)[::-1]
    columns = np.arange(len(level))
    ends = (level >= 2) & (level <= 4) & (level - 1 >= depth)
    return np.where(ends, nearer[np.clip(level - 2, 0, 2), columns], shares[level, columns])
