"""Glasses: weak; they are lost on the road, and eyes get worse with the years."""

from collections.abc import Mapping
from types import MappingProxyType

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import Row, number, single, table
from matcher.evidence.listed import listed_log10_lrs
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind, Glasses

NAMES: Mapping[Glasses, tuple[str, str]] = MappingProxyType(
    {Glasses.WORN: ("戴眼镜", "wears glasses"), Glasses.NOT_WORN: ("不戴眼镜", "wears no glasses")}
)


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement on glasses, weighed by how common they are; None when either is unknown."""
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    if value is None or probe.glasses is None or other.glasses is None:
        return None
    a, b = NAMES[probe.glasses.value], NAMES[other.glasses.value]
    zh = f"双方都{a[0]}。" if a == b else f"一方{a[0]}，另一方{b[0]}；眼镜可能遗失，视力也会变化。"
    en = f"Each {a[1]}." if a == b else f"One {a[1]}, the other {b[1]}; glasses get lost and eyes change."
    return Evidence(EvidenceKind.GLASSES, value, a[0], b[0], zh, en)


def encode(profile: Profile, parameters: Parameters) -> Row:
    """Whether glasses are worn, as a place in the enum."""
    return (number(profile.glasses.value if profile.glasses else None),)


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where it is unknown."""
    return listed_log10_lrs("glasses", Glasses, ours[0], theirs[:, 0], parameters["glasses.same"], parameters)
