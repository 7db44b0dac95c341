"""Accent: its region against where the other person comes from."""

import numpy as np

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import Items, Lists, own_items
from matcher.evidence.place import (
    WIDTH,
    Spot,
    best_pair,
    coded,
    level_log10_lrs,
    levels,
    mean_log10_lrs,
    reliability,
    stack,
    told,
)
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind, PlaceKind

_ORIGINS = frozenset({PlaceKind.NATIVE, PlaceKind.REGISTERED, PlaceKind.RESIDENCE})
SPOKEN, ORIGIN = range(2)


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of an accent against the other's accent and places of origin; None when there is none to compare."""
    ours, theirs = encode(probe, parameters), stack([encode(other, parameters)])
    (value,) = score(ours, theirs, parameters)
    if np.isnan(value):
        return None
    pair = best_pair(*_pairs(ours, theirs, parameters), spots(probe), spots(other))
    return told(EvidenceKind.ACCENT, float(value), pair, ("口音与来源地", "Accent and origin"), parameters)


def spots(profile: Profile) -> list[Spot]:
    """The region of the accent (`SPOKEN`) and the places of origin (`ORIGIN`)."""
    found: list[Spot] = []
    if profile.accent is not None and profile.accent.value:
        found.append((SPOKEN, profile.accent.value, profile.accent.confidence))
    origins = (place for place in profile.places if place.kind in _ORIGINS and place.division)
    return found + [(ORIGIN, place.division, place.confidence) for place in origins]


def encode(profile: Profile, parameters: Parameters) -> Items:
    """Accent and origins as numbers, as `place.coded` gives them."""
    return coded(spots(profile))


def score(ours: Items, theirs: Lists, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where there is nothing to compare."""
    bounds = parameters["accent.floor"], parameters["accent.cap"]
    reliable = reliability(ours, theirs, parameters)
    return mean_log10_lrs(*_pairs(ours, theirs, parameters), theirs, bounds, reliable)


def _pairs(spoken: Items, theirs: Lists, parameters: Parameters) -> tuple[Floats, Floats]:
    ours = own_items(spoken, WIDTH)
    counted = (ours[:, :1] == SPOKEN) | (theirs.items[:, 0] == SPOKEN)
    return level_log10_lrs("accent", *levels(ours, theirs.items), parameters), counted.astype(np.float64)
