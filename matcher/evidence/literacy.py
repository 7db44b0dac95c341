"""Literacy: weak, because illness hides what somebody once learnt, and helpers judge it by a form."""

from collections.abc import Mapping
from types import MappingProxyType

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import Row, number, single, table
from matcher.evidence.steps import step_log10_lrs
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind, Literacy

NAMES: Mapping[Literacy, tuple[str, str]] = MappingProxyType(
    {
        Literacy.NONE: ("不识字", "cannot read"),
        Literacy.SOME: ("识少量字", "reads a little"),
        Literacy.READS: ("能读写", "reads and writes"),
    }
)


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement by steps between not reading and reading; None when either is unknown."""
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    if value is None or probe.literacy is None or other.literacy is None:
        return None
    a, b = NAMES[probe.literacy.value], NAMES[other.literacy.value]
    zh = f"识字程度一致（{a[0]}）。" if a == b else f"识字程度不同（{a[0]}、{b[0]}），患病或受伤后可能改变。"
    en = f"Both: {a[1]}." if a == b else f"One {a[1]}, the other {b[1]}; illness can hide what was learnt."
    return Evidence(EvidenceKind.LITERACY, value, a[0], b[0], zh, en)


def encode(profile: Profile, parameters: Parameters) -> Row:
    """The literacy's place between none and reading."""
    return (number(profile.literacy.value if profile.literacy else None),)


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate, by the steps between the two."""
    return step_log10_lrs("literacy", theirs[:, 0] - ours[0], parameters)
