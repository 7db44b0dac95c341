"""Sex: a penalty when it differs, never a filter, because records err."""

from collections.abc import Mapping
from math import log10
from types import MappingProxyType

from matcher.evidence.base import Evidence, Parameters
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind, Sex

NAMES: Mapping[Sex, tuple[str, str]] = MappingProxyType({Sex.MALE: ("男", "male"), Sex.FEMALE: ("女", "female")})


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Fellegi-Sunter agreement of the two sexes; None when either is unknown."""
    if probe.sex is None or other.sex is None:
        return None
    a, b = probe.sex.value, other.sex.value
    same, chance = parameters["sex.same"], parameters["sex.chance"]
    value = log10(same / chance) if a == b else log10((1 - same) / (1 - chance))
    zh = f"性别一致（{NAMES[a][0]}）。" if a == b else f"性别不一致（{NAMES[a][0]}、{NAMES[b][0]}），记录可能有误。"
    en = (
        f"Both are recorded as {NAMES[a][1]}."
        if a == b
        else f"Recorded as {NAMES[a][1]} and {NAMES[b][1]}; one record may be wrong."
    )
    return Evidence(EvidenceKind.SEX, value, NAMES[a][0], NAMES[b][0], zh, en)
