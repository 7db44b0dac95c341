"""Build: weak, because it is judged by eye and changes."""

from collections.abc import Mapping
from types import MappingProxyType

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import Row, number, single, table
from matcher.evidence.steps import step_log10_lrs
from matcher.profile import Profile
from matcher.vocabulary import Build, EvidenceKind

NAMES: Mapping[Build, tuple[str, str]] = MappingProxyType(
    {Build.THIN: ("偏瘦", "thin"), Build.MEDIUM: ("中等", "medium"), Build.STOUT: ("偏胖", "stout")}
)


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement by steps between thin, medium and stout; None when either is unknown."""
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    if value is None or probe.build is None or other.build is None:
        return None
    a, b = probe.build.value, other.build.value
    zh = f"体型一致（{NAMES[a][0]}）。" if a == b else f"体型描述不同（{NAMES[a][0]}、{NAMES[b][0]}），体型会变化。"
    en = (
        f"Both are described as {NAMES[a][1]}."
        if a == b
        else f"Described as {NAMES[a][1]} and {NAMES[b][1]}; build changes."
    )
    return Evidence(EvidenceKind.BUILD, value, NAMES[a][0], NAMES[b][0], zh, en)


def encode(profile: Profile, parameters: Parameters) -> Row:
    """The build's place between thin and stout."""
    return (number(profile.build.value if profile.build else None),)


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate, by the steps between the two."""
    return step_log10_lrs("build", theirs[:, 0] - ours[0], parameters)
