"""Bodily marks: agreement counts by rarity, absence counts little, because records are never complete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import Items, Lists, items, listed, lists, number, own_items, single
from matcher.evidence.packing import Columns, columns
from matcher.profile import Mark, Profile
from matcher.vocabulary import BodyRegion, BodySide, EvidenceKind, GalleryKind, MarkKind

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
HEAD, _NO_SIDE, WIDTH = -1, 3, 3
ACQUIRED = frozenset(
    {
        MarkKind.SCAR,
        MarkKind.SURGICAL_SCAR,
        MarkKind.TATTOO,
        MarkKind.AMPUTATION,
        MarkKind.MISSING_TEETH,
        MarkKind.OTHER,
    }
)
"""Marks that may have come after a person was last seen; the others are there from birth."""
SIDES: Mapping[BodySide, str] = MappingProxyType({BodySide.LEFT: "左", BodySide.RIGHT: "右", BodySide.MIDDLE: "正中"})


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the permanent marks; None when a side neither has marks nor was seen to have none.

    A mark on one side says little when the other has marks but not this one, for no record is complete, and much when
    somebody looked and found none. What comes with the years (a scar, a lost tooth, an amputation) may have come after
    the person was last seen: it then says little that the report does not have it.
    """
    encoded, theirs = encode(probe, parameters), stack([encode(other, parameters)])
    value = single(score, encoded, theirs, parameters)
    if value is None:
        return None
    matched = int(_agreements(own_items(encoded, WIDTH)[1:], theirs, parameters).matched[0])
    ours, others = _permanent(probe), _permanent(other)
    return Evidence(
        EvidenceKind.MARKS,
        value,
        describe(ours),
        describe(others),
        f"体表特征有 {matched} 处相符：{describe(ours)}；{describe(others)}。",
        f"{matched} bodily marks agree; {len(ours)} and {len(others)} are recorded.",
    )


def describe(marks: Sequence[Mark]) -> str:
    """Marks in Chinese, "右前臂纹身、面部痣"; "无" when there are none."""
    words = [f"{SIDES[mark.side] if mark.side else ''}{REGIONS[mark.region]}{KINDS[mark.kind]}" for mark in marks]
    return "、".join(words) or "无"


def encode(profile: Profile, parameters: Parameters) -> Items:
    """The permanent marks as numbers, WIDTH each: kind, region, side (3: not known), as places in their enums.

    The first row is of the profile: HEAD, whether somebody saw that there are none, and what record it is (-1: none).
    """
    record = -1 if profile.kind is None else int(number(profile.kind))
    found = [(HEAD, int(profile.no_marks), record)]
    for mark in _permanent(profile):
        side = _NO_SIDE if mark.side is None else int(number(mark.side))
        found.append((int(number(mark.kind)), int(number(mark.region)), side))
    return items(found)


def stack(encoded: Sequence[Items]) -> Lists:
    """The marks of many profiles."""
    return gather(columns([listed(one) for one in encoded]))


def gather(gathered: Columns) -> Lists:
    """The same of profiles that are packed."""
    return lists(gathered, WIDTH)


def score(encoded: Items, theirs: Lists, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where a side neither has marks nor was seen to have none."""
    ours = own_items(encoded, WIDTH)
    heads = theirs.items[theirs.items[:, 0] == HEAD]
    found = _agreements(ours[1:], theirs, parameters)
    missing, denied = (_by_kind(prefix, parameters) for prefix in ("marks.missing", "marks.denied"))
    our_factor = _factors(ours[0, 2], heads[:, 2], parameters)
    their_factor = _factors(heads[:, 2], ours[0, 2], parameters)
    our_kinds, is_mark = ours[1:, 0].astype(np.int64), theirs.items[:, 0] != HEAD
    rows, their_kinds = theirs.rows[is_mark], theirs.items[is_mark, 0].astype(np.int64)
    their_costs = their_factor[rows, their_kinds]
    count = np.bincount(rows, minlength=theirs.count)

    value = found.log10_lr + (our_factor[:, our_kinds] * missing[our_kinds]).sum(axis=1)
    value = value + np.bincount(rows, their_costs * missing[their_kinds], theirs.count)
    value = value - (found.by_kind * (our_factor + their_factor) * missing).sum(axis=1)

    ours_denied = (our_factor[:, our_kinds] * denied[our_kinds]).min(axis=1, initial=0.0)
    theirs_denied = np.zeros(theirs.count)
    np.minimum.at(theirs_denied, rows, their_costs * denied[their_kinds])
    some, others = len(our_kinds) > 0, count > 0
    value = np.where(others, value if some else theirs_denied, ours_denied if some else parameters["marks.none_both"])
    comparable = (some or ours[0, 1] == 1) & (others | (heads[:, 1] == 1))
    return np.where(comparable, np.clip(value, parameters["marks.floor"], parameters["marks.cap"]), np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class _Agreements:
    """Marks that agree: how many, (n,); how many of each kind, (n, kinds); and what they are worth, (n,)."""

    matched: Floats
    by_kind: Floats
    log10_lr: Floats


def _agreements(ours: Floats, theirs: Lists, parameters: Parameters) -> _Agreements:
    """Marks of one kind and region are paired, each once: first those whose sides do not conflict, then the others."""
    worth = np.log10(parameters["marks.recorded"] / _by_kind("marks.chance", parameters))
    by_kind, total = np.zeros((theirs.count, len(MarkKind))), np.zeros(theirs.count)
    for kind, region in np.unique(ours[:, :2], axis=0):
        own = np.bincount(ours[(ours[:, 0] == kind) & (ours[:, 1] == region), 2].astype(np.int64), minlength=4)
        among = (theirs.items[:, 0] == kind) & (theirs.items[:, 1] == region)
        sides = theirs.items[among, 2].astype(np.int64)
        others = np.bincount(theirs.rows[among] * 4 + sides, minlength=4 * theirs.count).reshape(-1, 4)
        alike = np.minimum(own[:3], others[:, :3]).sum(axis=1)
        our_sided, their_sided = own[:3].sum() - alike, others[:, :3].sum(axis=1) - alike
        # A side that is not known goes with any: the most pairs that leave no two sides in conflict.
        agreeing = alike + np.minimum(np.minimum(our_sided + own[3], their_sided + others[:, 3]), own[3] + others[:, 3])
        matched = np.minimum(own.sum(), others.sum(axis=1))
        by_kind[:, int(kind)] += matched
        total += worth[int(kind)] * (agreeing + parameters["marks.other_side"] * (matched - agreeing))
    return _Agreements(by_kind.sum(axis=1), by_kind, total)


def _factors(record: Any, other: Any, parameters: Parameters) -> Floats:
    """By candidate and kind, what counts of a mark that the other record lacks: less when it may have come later."""
    later = (np.asarray(record) == number(GalleryKind.CASE)) & (np.asarray(other) == number(GalleryKind.REPORT))
    acquired = np.array([kind in ACQUIRED for kind in MarkKind])
    return np.where(np.atleast_1d(later)[:, None] & acquired, parameters["marks.later"], 1.0)


def _by_kind(prefix: str, parameters: Parameters) -> Floats:
    return np.array([parameters[f"{prefix}.{kind.value}"] for kind in MarkKind])


def _permanent(profile: Profile) -> list[Mark]:
    return [mark for mark in profile.marks if mark.permanent]
