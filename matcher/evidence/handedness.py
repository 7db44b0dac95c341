"""Handedness: agreeing on the right hand says nothing, on the left much; many left-handers were taught otherwise."""

from collections.abc import Mapping
from types import MappingProxyType

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import Row, number, single, table
from matcher.evidence.listed import listed_log10_lrs
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind, Handedness

NAMES: Mapping[Handedness, tuple[str, str]] = MappingProxyType(
    {
        Handedness.RIGHT: ("右手", "right-handed"),
        Handedness.LEFT: ("左手（左撇子）", "left-handed"),
        Handedness.BOTH: ("双手", "two-handed"),
    }
)


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement of the hands, weighed by how common they are; None when either is unknown."""
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    if value is None or probe.handedness is None or other.handedness is None:
        return None
    a, b = NAMES[probe.handedness.value], NAMES[other.handedness.value]
    zh = f"惯用手一致（{a[0]}）。" if a == b else f"惯用手不同（{a[0]}、{b[0]}），幼时可能被纠正过。"
    en = f"Both are {a[1]}." if a == b else f"One is {a[1]}, the other {b[1]}; some were taught to use the other hand."
    return Evidence(EvidenceKind.HANDEDNESS, value, a[0], b[0], zh, en)


def encode(profile: Profile, parameters: Parameters) -> Row:
    """The hand's place in its enum."""
    return (number(profile.handedness.value if profile.handedness else None),)


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where a hand is unknown."""
    same = parameters["handedness.same"]
    return listed_log10_lrs("handedness", Handedness, ours[0], theirs[:, 0], same, parameters)
