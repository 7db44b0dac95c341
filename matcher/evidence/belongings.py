"""Belongings: the things carried that both name. Worth something for days only: things get lost."""

import numpy as np

from matcher.evidence import time
from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import Row, single, table
from matcher.evidence.wording import overlap, shared, things
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind

SUBJECT = "belongings"


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Share of the things carried of `words-1.json` named by either that both name.

    None when a side names none, when a date is unknown, when it is not one report and one case, or when they are
    so many days apart that nothing of it is left.
    """
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    if value is None or probe.belongings is None or other.belongings is None:
        return None
    zh, en = shared(probe.belongings, other.belongings, SUBJECT)
    return Evidence(
        EvidenceKind.BELONGINGS, value, probe.belongings.value, other.belongings.value,
        f"走失与发现相隔数日，随身物品相符：{zh}。" if zh else "走失与发现相隔数日，随身物品没有相符之处。",
        f"Days apart, both name: {en}." if en else "Days apart, the descriptions have nothing in common.",
    )  # fmt: skip


def encode(profile: Profile, parameters: Parameters) -> Row:
    """When and as what record the person was seen, and which of the things carried the text names."""
    return (*time.encode(profile, parameters), *things(profile.belongings, SUBJECT))


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where there is nothing to compare, or too long ago."""
    alike = overlap(ours[2:], theirs[:, 2:])
    days = np.abs(time.days_lost(ours[:2], theirs[:, :2]))
    left = parameters.curve_at("belongings.left", days)
    found = parameters.curve_at("belongings.curve", alike) * left
    return np.where(np.isnan(alike) | np.isnan(days) | (left <= 0), np.nan, found)
