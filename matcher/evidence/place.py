"""Place: how deep in the hierarchy of divisions two places agree."""

from collections.abc import Mapping, Sequence
from math import log10
from types import MappingProxyType

from matcher import divisions
from matcher.evidence.base import Evidence, Parameters, bounded
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind, PlaceKind

LEVELS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        0: ("不在同一省份", "in different provinces"),
        1: ("同省", "in the same province"),
        2: ("同市", "in the same city"),
        3: ("同一区县", "in the same county"),
    }
)

Pair = tuple[str, str, str]
"""Code of the probe, code of the other, prefix of the shares' parameters."""


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the homes of both; where a home is missing, of the places where they were seen.

    The likelihood ratios of all pairs of places are averaged: one of the pairs speaks of the same fact and nobody knows
    which, so a profile with many places gains nothing by having many. None when there is nothing to compare.
    """
    pairs = [
        (a.division, b.division, _prefix(a.kind, b.kind))
        for a in probe.places
        for b in other.places
        if a.division and b.division
    ]
    return of_pairs(
        EvidenceKind.PLACE,
        pairs or _seen_pairs(probe, other),
        parameters,
        (parameters["place.floor"], parameters["place.cap"]),
        ("地点", "The places"),
    )


def of_pairs(
    kind: EvidenceKind,
    pairs: Sequence[Pair],
    parameters: Parameters,
    bounds: tuple[float, float],
    subject: tuple[str, str],
) -> Evidence | None:
    """Mean likelihood ratio of pairs of divisions within (floor, cap), told by the best pair; None without pairs."""
    if not pairs:
        return None
    ratios = [10 ** pair_log10_lr(a, b, prefix, parameters) for a, b, prefix in pairs]
    value = bounded(log10(sum(ratios) / len(ratios)), *bounds)
    ours, theirs, _ = pairs[max(range(len(pairs)), key=ratios.__getitem__)]
    zh, en = LEVELS[divisions.shared_level(ours, theirs)]
    names = [divisions.full_name(code) if divisions.exists(code) else code for code in (ours, theirs)]
    return Evidence(
        kind,
        value,
        names[0],
        names[1],
        f"{subject[0]}{zh}：{names[0]}、{names[1]}。",
        f"{subject[1]} are {en}: {names[0]}, {names[1]}.",
    )


def pair_log10_lr(a: str, b: str, prefix: str, parameters: Parameters) -> float:
    """log10 LR of one pair of division codes.

    Where one of the codes ends at the shared level, deeper agreement is unknown, so that level and all below it count.
    """
    shared = divisions.shared_level(a, b)
    depth = min(len(divisions.normalise(a)), len(divisions.normalise(b))) // 2
    levels = range(shared, 4) if shared and shared >= depth else (shared,)
    same = sum(parameters[f"{prefix}.same.{level}"] for level in levels)
    chance = sum(parameters[f"place.chance.{level}"] for level in levels)
    return log10(same / chance)


def _prefix(a: PlaceKind, b: PlaceKind) -> str:
    return "place.mentioned" if PlaceKind.MENTIONED in {a, b} else "place.home"


def _seen_pairs(probe: Profile, other: Profile) -> list[Pair]:
    ours = [probe.seen_at, *(place.division for place in probe.places)]
    theirs = [other.seen_at, *(place.division for place in other.places)]
    return [(a, b, "place.seen") for a in ours for b in theirs if a and b]
