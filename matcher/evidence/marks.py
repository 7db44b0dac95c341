"""Bodily marks: agreement counts by rarity, absence counts little, because records are never complete."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import log10
from types import MappingProxyType

from matcher.evidence.base import Evidence, Parameters, bounded
from matcher.profile import Mark, Profile
from matcher.vocabulary import BodyRegion, BodySide, EvidenceKind, MarkKind

KINDS: Mapping[MarkKind, str] = MappingProxyType(
    {
        MarkKind.SCAR: "疤痕",
        MarkKind.SURGICAL_SCAR: "手术疤痕",
        MarkKind.BIRTHMARK: "胎记",
        MarkKind.MOLE: "痣",
        MarkKind.TATTOO: "纹身",
        MarkKind.AMPUTATION: "截肢",
        MarkKind.DEFORMITY: "畸形",
        MarkKind.MISSING_TEETH: "缺牙",
        MarkKind.OTHER: "其他",
    }
)
REGIONS: Mapping[BodyRegion, str] = MappingProxyType(
    {
        BodyRegion.HEAD: "头部",
        BodyRegion.FACE: "面部",
        BodyRegion.NECK: "颈部",
        BodyRegion.CHEST: "胸部",
        BodyRegion.ABDOMEN: "腹部",
        BodyRegion.BACK: "背部",
        BodyRegion.SHOULDER: "肩",
        BodyRegion.UPPER_ARM: "上臂",
        BodyRegion.FOREARM: "前臂",
        BodyRegion.HAND: "手",
        BodyRegion.HIP: "臀",
        BodyRegion.THIGH: "大腿",
        BodyRegion.LOWER_LEG: "小腿",
        BodyRegion.FOOT: "足",
        BodyRegion.MOUTH: "口腔",
    }
)
SIDES: Mapping[BodySide, str] = MappingProxyType({BodySide.LEFT: "左", BodySide.RIGHT: "右", BodySide.MIDDLE: "正中"})


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the permanent marks; None when a side neither has marks nor was seen to have none."""
    ours, theirs = _permanent(probe), _permanent(other)
    if not (ours or probe.no_marks) or not (theirs or other.no_marks):
        return None
    matched = 0
    if ours and theirs:
        values = _matches(ours, theirs, parameters)
        matched = len(values)
        unmatched = len(ours) + len(theirs) - 2 * matched
        value = sum(values) + unmatched * parameters["marks.unmatched"]
    else:
        value = parameters["marks.none_against_some" if ours or theirs else "marks.none_both"]
    return Evidence(
        EvidenceKind.MARKS,
        bounded(value, parameters["marks.floor"], parameters["marks.cap"]),
        describe(ours),
        describe(theirs),
        f"体表特征有 {matched} 处相符：{describe(ours)}；{describe(theirs)}。",
        f"{matched} bodily marks agree; {len(ours)} and {len(theirs)} are recorded.",
    )


def describe(marks: Sequence[Mark]) -> str:
    """Marks in Chinese, "右前臂纹身、面部痣"; "无" when there are none."""
    words = [f"{SIDES[mark.side] if mark.side else ''}{REGIONS[mark.region]}{KINDS[mark.kind]}" for mark in marks]
    return "、".join(words) or "无"


def _permanent(profile: Profile) -> list[Mark]:
    return [mark for mark in profile.marks if mark.permanent]


def _matches(ours: Sequence[Mark], theirs: Sequence[Mark], parameters: Parameters) -> list[float]:
    """log10 LR of each pair of agreeing marks, strongest first, each mark used once."""
    pairs = [
        (_log10_lr(a, b, parameters), i, j)
        for (i, a), (j, b) in product(enumerate(ours), enumerate(theirs))
        if (a.kind, a.region) == (b.kind, b.region)
    ]
    used_ours: set[int] = set()
    used_theirs: set[int] = set()
    values: list[float] = []
    for value, i, j in sorted(pairs, reverse=True):
        if i not in used_ours and j not in used_theirs:
            used_ours.add(i)
            used_theirs.add(j)
            values.append(value)
    return values


def _log10_lr(a: Mark, b: Mark, parameters: Parameters) -> float:
    value = log10(parameters["marks.recorded"] / parameters[f"marks.chance.{a.kind.value}"])
    sides_differ = a.side is not None and b.side is not None and a.side is not b.side
    return value * (parameters["marks.other_side"] if sides_differ else 1.0)
