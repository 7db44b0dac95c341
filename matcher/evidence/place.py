"""Place: how deep in the hierarchy of divisions two places agree, and whether two provinces are neighbours."""

from collections.abc import Mapping, Sequence
from math import log10
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from matcher import divisions
from matcher.evidence import confidence
from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import Items, Lists, items, listed, lists, own_items
from matcher.evidence.packing import Columns, columns
from matcher.profile import Profile
from matcher.vocabulary import ClueConfidence, EvidenceKind, PlaceKind

FAR, NEIGHBOUR, PROVINCE, CITY, COUNTY = range(5)
LEVELS: tuple[str, ...] = ("0", "neighbour", "1", "2", "3")
"""How two places agree, as the keys of parameters name it; in the order of the numbers above."""
WORDS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        FAR: ("不在同一省份，也不相邻", "in provinces that are no neighbours"),
        NEIGHBOUR: ("在相邻省份", "in neighbouring provinces"),
        PROVINCE: ("同省", "in the same province"),
        CITY: ("同市", "in the same city"),
        COUNTY: ("同一区县", "in the same county"),
    }
)
WIDTH = 7
HOME, MENTIONED, SEEN = range(3)
Numbers = NDArray[np.int64]
Spot = tuple[int, str, ClueConfidence | None]
"""What a place means (`HOME`, `MENTIONED`, `SEEN`), its division code, and the confidence of the clue that named it."""
Bounds = tuple[float, float]


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the homes of both; where a home is missing, of the other's home and the place where one was seen.

    The likelihood ratios of all pairs of places are averaged: one of the pairs speaks of the same fact and nobody knows
    which, so a profile with many places gains nothing by having many. None when there is nothing to compare. The two
    places where they were seen belong to `travel`.
    """
    ours, theirs = encode(probe, parameters), stack([encode(other, parameters)])
    values, counted = pair_values(ours, theirs, parameters)
    (value,) = score(ours, theirs, parameters)
    if np.isnan(value):
        return None
    pair = best_pair(values, counted, spots(probe), spots(other))
    return told(EvidenceKind.PLACE, float(value), pair, ("地点", "The places"), parameters)


def spots(profile: Profile) -> list[Spot]:
    """The places of a profile that have a code, and the one where the person was seen."""
    found: list[Spot] = [
        (MENTIONED if place.kind is PlaceKind.MENTIONED else HOME, place.division, place.confidence)
        for place in profile.places
        if place.division
    ]
    return found + ([(SEEN, profile.seen_at, None)] if profile.seen_at else [])


def encode(profile: Profile, parameters: Parameters) -> Items:
    """The places as numbers: what each means, its code's `divisions.numbers`, and its `confidence.level`."""
    return coded(spots(profile))


def coded(found: Sequence[Spot]) -> Items:
    """Spots as numbers, WIDTH each."""
    return items([(role, *divisions.numbers(code), confidence.level(sure)) for role, code, sure in found])


def stack(encoded: Sequence[Items]) -> Lists:
    """The places of many profiles."""
    return gather(columns([listed(one) for one in encoded]))


def gather(gathered: Columns) -> Lists:
    """The same of profiles that are packed."""
    return lists(gathered, WIDTH)


def score(ours: Items, theirs: Lists, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where there is nothing to compare."""
    values, counted = pair_values(ours, theirs, parameters)
    bounds = parameters["place.floor"], parameters["place.cap"]
    return mean_log10_lrs(values, counted, theirs, bounds, reliability(ours, theirs, parameters))


def pair_values(places: Items, theirs: Lists, parameters: Parameters) -> tuple[Floats, Floats]:
    """log10 LR of each of our places with each of theirs, (a, m), and which of these pairs count (1) or not (0)."""
    ours = own_items(places, WIDTH)
    roles = theirs.items[:, 0]
    mentioned = (ours[:, :1] == MENTIONED) | (roles == MENTIONED)
    homes = (ours[:, :1] != SEEN) & (roles != SEEN)
    wandered = (ours[:, :1] == SEEN) != (roles == SEEN)
    found = levels(ours, theirs.items)
    home, talk, seen = (level_log10_lrs(f"place.{one}", *found, parameters) for one in ("home", "mentioned", "seen"))
    with_homes = np.bincount(theirs.rows, homes.sum(axis=0), theirs.count)[theirs.rows] > 0
    values = np.where(wandered, seen, np.where(mentioned, talk, home))
    return values, np.where(with_homes, homes, wandered).astype(np.float64)


def levels(ours: Floats, theirs: Floats) -> tuple[Numbers, Numbers]:
    """Of each of our places with each of theirs, (a, m): the level of the shallower code, and that of agreement."""
    depth = np.minimum(ours[:, 4:5], theirs[:, 4]).astype(np.int64)
    agreed = [agreement(ours[row : row + 1], theirs) for row in range(len(ours))]
    return depth, np.array(agreed, np.int64).reshape(depth.shape)


def level_log10_lrs(prefix: str, depth: Numbers, agreed: Numbers, parameters: Parameters) -> Floats:
    """log10 LR of such pairs, with `PREFIX.same.*` and `place.chance.*`.

    Where one of the codes ends at the shared level, deeper agreement is unknown, so that level and all below it count.
    """
    same = [parameters[f"{prefix}.same.{level}"] for level in LEVELS]
    chance = [parameters[f"place.chance.{level}"] for level in LEVELS]
    ratios = np.empty((4, len(LEVELS)))
    for shallower in range(4):
        for level in range(len(LEVELS)):
            ends = level >= PROVINCE and level - NEIGHBOUR >= shallower
            last = len(LEVELS) if ends else level + 1
            ratios[shallower, level] = log10(sum(same[level:last]) / sum(chance[level:last]))
    found: Floats = ratios[depth, agreed]
    return found


def spot(code: str) -> Floats:
    """One place as numbers, (1, WIDTH)."""
    return own_items(coded([(HOME, code, None)]), WIDTH)


def agreement(ours: Floats, theirs: Floats) -> Numbers:
    """Level of agreement (FAR to COUNTY) of one place, (1, WIDTH), with each of many, (m,)."""
    own = as_numbers(ours)
    shared = divisions.shared_levels(own, theirs[:, 1:])
    return np.where(shared > 0, shared + 1, divisions.provinces_apart(own, theirs[:, 1:]) == 1)


def as_numbers(place: Floats) -> divisions.Numbers:
    """The code of one place, (1, WIDTH)."""
    return divisions.Numbers(*(int(one) for one in place[0, 1:6]))


def reliability(ours: Items, theirs: Lists, parameters: Parameters) -> Floats:
    """How likely both places of each pair are right as far as clues named them, (a, m), 0 to 1."""
    own = confidence.reliabilities(own_items(ours, WIDTH)[:, WIDTH - 1 :], parameters)
    return own * confidence.reliabilities(theirs.items[:, WIDTH - 1], parameters)


def mean_log10_lrs(values: Floats, counted: Floats, theirs: Lists, bounds: Bounds, reliable: Floats) -> Floats:
    """log10 of the mean likelihood ratio of each candidate's pairs that count, within bounds; NaN where none does.

    Pairs weigh by how likely they are right, and their mean counts as a statement that is right as often as they are
    on average.
    """
    weights = counted * reliable
    total = np.bincount(theirs.rows, (10**values * weights).sum(axis=0), theirs.count)
    right = np.bincount(theirs.rows, weights.sum(axis=0), theirs.count)
    pairs = np.bincount(theirs.rows, counted.sum(axis=0), theirs.count)
    known = pairs > 0
    result = np.full(theirs.count, np.nan)
    means = np.clip(np.log10(total[known] / right[known]), *bounds)
    result[known] = confidence.weakened(means, right[known] / pairs[known])
    return result


def best_pair(values: Floats, counted: Floats, ours: Sequence[Spot], theirs: Sequence[Spot]) -> tuple[Spot, Spot]:
    """The pair that agrees best."""
    place, other = np.unravel_index(np.argmax(np.where(counted > 0, values, -np.inf)), values.shape)
    return ours[int(place)], theirs[int(other)]


def told(
    kind: EvidenceKind, value: float, pair: tuple[Spot, Spot], subject: tuple[str, str], parameters: Parameters
) -> Evidence:
    """Evidence in words, by the pair that agrees best."""
    codes = pair[0][1], pair[1][1]
    zh, en = WORDS[int(agreement(*(spot(code) for code in codes))[0])]
    names = [divisions.full_name(code) if divisions.exists(code) else code for code in codes]
    sure = confidence.told(pair[0][2], pair[1][2], parameters)
    return Evidence(
        kind, value, names[0], names[1],
        f"{subject[0]}{zh}：{names[0]}、{names[1]}。{sure[0]}",
        f"{subject[1]} are {en}: {names[0]}, {names[1]}.{sure[1]}",
    )  # fmt: skip
