"""Sex: a penalty when it differs, never a filter, because records err."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from matcher.evidence.base import Evidence, Floats, Parameters, agreement_log10_lrs
from matcher.evidence.columns import Row, number, single, table
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind, Sex

NAMES: Mapping[Sex, tuple[str, str]] = MappingProxyType({Sex.MALE: ("男", "male"), Sex.FEMALE: ("女", "female")})


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Fellegi-Sunter agreement of the two sexes; None when either is unknown."""
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    if value is None or probe.sex is None or other.sex is None:
        return None
    a, b = probe.sex.value, other.sex.value
    zh = f"性别一致（{NAMES[a][0]}）。" if a == b else f"性别不一致（{NAMES[a][0]}、{NAMES[b][0]}），记录可能有误。"
    en = (
        f"Both are recorded as {NAMES[a][1]}."
        if a == b
        else f"Recorded as {NAMES[a][1]} and {NAMES[b][1]}; one record may be wrong."
    )
    return Evidence(EvidenceKind.SEX, value, NAMES[a][0], NAMES[b][0], zh, en)


def encode(profile: Profile, parameters: Parameters) -> Row:
    """The sex's place in its enum."""
    return (number(profile.sex.value if profile.sex else None),)


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where a sex is unknown."""
    difference = theirs[:, 0] - ours[0]
    same, chance = parameters["sex.same"], parameters["sex.chance"]
    values = agreement_log10_lrs(difference == 0, same, chance, 1 - chance)
    return np.where(np.isnan(difference), np.nan, values)
