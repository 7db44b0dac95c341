"""Occupation: the trade that both name, in whatever words; people change it, so a difference weighs little."""

import numpy as np

from matcher.evidence.base import Evidence, Floats, Parameters, agreement_log10_lrs
from matcher.evidence.columns import Row, single, table
from matcher.evidence.wording import overlap, shared, things
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind

SUBJECT = "occupation"


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement when both texts name one trade of `words-1.json`; None when a side names none."""
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    if value is None or probe.occupation is None or other.occupation is None:
        return None
    zh, en = shared(probe.occupation, other.occupation, SUBJECT)
    return Evidence(
        EvidenceKind.OCCUPATION, value, probe.occupation.value, other.occupation.value,
        f"职业相符（{zh}）。" if zh else "职业描述不同，职业可能变动。",
        f"The same trade ({en})." if en else "Different trades; people change theirs.",
    )  # fmt: skip


def encode(profile: Profile, parameters: Parameters) -> Row:
    """Which trades the text names."""
    return things(profile.occupation, SUBJECT)


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where a side names no trade."""
    alike = overlap(ours, theirs)
    same, chance = parameters["occupation.same"], parameters["occupation.chance"]
    return np.where(np.isnan(alike), np.nan, agreement_log10_lrs(alike > 0, same, chance, 1 - chance))
