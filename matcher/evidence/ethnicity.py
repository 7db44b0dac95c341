"""Ethnicity: the rarer the group, the more an agreement says."""

from math import log10

from matcher import ethnicities
from matcher.evidence.base import Evidence, Parameters, bounded
from matcher.profile import Known, Profile
from matcher.vocabulary import Basis, EvidenceKind

_UNCERTAIN = frozenset({Basis.ESTIMATED, Basis.HEARD})


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement of the two codes of GB/T 3304, weighed by the group's share; None when either is unknown."""
    if probe.ethnicity is None or other.ethnicity is None:
        return None
    a, b = probe.ethnicity, other.ethnicity
    same = parameters["ethnicity.same_by_eye" if _UNCERTAIN & {a.basis, b.basis} else "ethnicity.same"]
    chance = max(_share(a, parameters), _share(b, parameters))
    agree = a.value == b.value
    # Strangers of one group agree with that group's share; any two strangers disagree with nearly the rest of it.
    value = log10(same / chance) if agree else log10((1 - same) / (1 - _share(a, parameters) * _share(b, parameters)))
    names = [_name(known.value) for known in (a, b)]
    cap = parameters["ethnicity.cap"]
    return Evidence(
        EvidenceKind.ETHNICITY,
        bounded(value, -cap, cap),
        names[0],
        names[1],
        f"民族一致（{names[0]}）。" if agree else f"民族记录不同（{names[0]}、{names[1]}）。",
        f"The same ethnic group ({names[0]})." if agree else f"Different ethnic groups ({names[0]}, {names[1]}).",
    )


def _share(known: Known[str], parameters: Parameters) -> float:
    return parameters.get(f"ethnicity.share.{known.value}", parameters["ethnicity.share.other"])


def _name(code: str) -> str:
    return ethnicities.name(code) if ethnicities.exists(code) else code
