"""Blood group: it never changes, but what people remember of it is often wrong."""

from math import log10

from matcher.evidence.base import Evidence, Parameters
from matcher.profile import Profile
from matcher.vocabulary import Basis, BloodGroup, EvidenceKind

_CERTAIN = frozenset({Basis.MEASURED, Basis.DOCUMENTED})


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement of the two ABO groups, weighed by how common the group is; None when either is unknown."""
    if probe.blood_group is None or other.blood_group is None:
        return None
    a, b = probe.blood_group, other.blood_group
    certain = a.basis in _CERTAIN and b.basis in _CERTAIN
    same = parameters["blood_group.same" if certain else "blood_group.same_said"]
    agree = a.value == b.value
    if agree:
        value = log10(same / parameters[f"blood_group.share.{a.value.value}"])
    else:
        disagree = 1 - sum(parameters[f"blood_group.share.{group.value}"] ** 2 for group in BloodGroup)
        value = log10((1 - same) / disagree)
    names = [known.value.value.upper() for known in (a, b)]
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
