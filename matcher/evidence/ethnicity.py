"""Ethnicity: the rarer the group, the more an agreement says."""

import numpy as np

from matcher import ethnicities
from matcher.evidence.base import Evidence, Floats, Parameters, agreement_log10_lrs
from matcher.evidence.columns import UNKNOWN, Row, single, table
from matcher.profile import Profile
from matcher.vocabulary import Basis, EvidenceKind

_UNCERTAIN = frozenset({Basis.ESTIMATED, Basis.HEARD})


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement of the two codes of GB/T 3304, weighed by the group's share; None when either is unknown."""
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    if value is None or probe.ethnicity is None or other.ethnicity is None:
        return None
    names = [_name(known.value) for known in (probe.ethnicity, other.ethnicity)]
    agree = probe.ethnicity.value == other.ethnicity.value
    return Evidence(
        EvidenceKind.ETHNICITY,
        value,
        names[0],
        names[1],
        f"民族一致（{names[0]}）。" if agree else f"民族记录不同（{names[0]}、{names[1]}）。",
        f"The same ethnic group ({names[0]})." if agree else f"Different ethnic groups ({names[0]}, {names[1]}).",
    )


def encode(profile: Profile, parameters: Parameters) -> Row:
    """The two-digit code as a number, the group's share of the population, and whether it was judged or heard."""
    known = profile.ethnicity
    if known is None or not known.value.isdecimal():
        return UNKNOWN, UNKNOWN, UNKNOWN
    share = parameters.get(f"ethnicity.share.{known.value}", parameters["ethnicity.share.other"])
    return float(known.value), share, float(known.basis in _UNCERTAIN)


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where a group is unknown."""
    code, share, uncertain = ours
    by_eye = (theirs[:, 2] == 1) | (uncertain == 1)
    same = np.where(by_eye, parameters["ethnicity.same_by_eye"], parameters["ethnicity.same"])
    # Strangers of one group agree with that group's share; any two strangers disagree with nearly the rest of it.
    agree, chance = theirs[:, 0] == code, np.maximum(theirs[:, 1], share)
    values = agreement_log10_lrs(agree, same, chance, 1 - share * theirs[:, 1])
    cap = parameters["ethnicity.cap"]
    return np.where(np.isnan(theirs[:, 0] - code), np.nan, np.clip(values, -cap, cap))


def _name(code: str) -> str:
    return ethnicities.name(code) if ethnicities.exists(code) else code
