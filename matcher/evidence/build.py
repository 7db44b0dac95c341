"""Build: weak, because it is judged by eye and changes."""

from collections.abc import Mapping
from math import log10
from types import MappingProxyType

from matcher.evidence.base import Evidence, Parameters
from matcher.profile import Profile
from matcher.vocabulary import Build, EvidenceKind

NAMES: Mapping[Build, tuple[str, str]] = MappingProxyType(
    {Build.THIN: ("偏瘦", "thin"), Build.MEDIUM: ("中等", "medium"), Build.STOUT: ("偏胖", "stout")}
)


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement by steps between thin, medium and stout; None when either is unknown."""
    if probe.build is None or other.build is None:
        return None
    a, b = probe.build.value, other.build.value
    order = list(NAMES)
    steps = abs(order.index(a) - order.index(b))
    value = log10(parameters[f"build.same.{steps}"] / parameters[f"build.chance.{steps}"])
    zh = f"体型一致（{NAMES[a][0]}）。" if steps == 0 else f"体型描述不同（{NAMES[a][0]}、{NAMES[b][0]}），体型会变化。"
    en = (
        f"Both are described as {NAMES[a][1]}."
        if steps == 0
        else f"Described as {NAMES[a][1]} and {NAMES[b][1]}; build changes."
    )
    return Evidence(EvidenceKind.BUILD, value, NAMES[a][0], NAMES[b][0], zh, en)
