"""Blood group: it never changes, but what people remember of it is often wrong."""

import numpy as np

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import Row, number, single, table
from matcher.evidence.listed import listed_log10_lrs
from matcher.profile import Profile
from matcher.vocabulary import Basis, BloodGroup, EvidenceKind

_CERTAIN = frozenset({Basis.MEASURED, Basis.DOCUMENTED})


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement of the two ABO groups, weighed by how common the group is; None when either is unknown."""
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    if value is None or probe.blood_group is None or other.blood_group is None:
        return None
    names = [known.value.value.upper() for known in (probe.blood_group, other.blood_group)]
    agree = names[0] == names[1]
    return Evidence(
        EvidenceKind.BLOOD_GROUP,
        value,
        names[0],
        names[1],
        f"血型一致（{names[0]} 型）。" if agree else f"血型不一致（{names[0]} 型、{names[1]} 型），记录可能有误。",
        f"The same blood group ({names[0]})."
        if agree
        else f"Different blood groups ({names[0]}, {names[1]}); one record may be wrong.",
    )


def encode(profile: Profile, parameters: Parameters) -> Row:
    """The group's place in its enum, and whether a laboratory or a paper says so."""
    known = profile.blood_group
    return (number(known.value if known else None), float(known is not None and known.basis in _CERTAIN))


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where a group is unknown."""
    certain = (theirs[:, 1] == 1) & (ours[1] == 1)
    same = np.where(certain, parameters["blood_group.same"], parameters["blood_group.same_said"])
    return listed_log10_lrs("blood_group", BloodGroup, ours[0], theirs[:, 0], same, parameters)
