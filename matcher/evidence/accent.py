"""Accent: its region against where the other person comes from."""

from matcher.evidence.base import Evidence, Parameters
from matcher.evidence.place import Pair, of_pairs
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind, PlaceKind

_ORIGINS = frozenset({PlaceKind.NATIVE, PlaceKind.REGISTERED, PlaceKind.RESIDENCE})


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of an accent against the other's accent and places of origin; None when there is none to compare."""
    pairs: list[Pair] = []
    for ours in _accents(probe):
        pairs += [(ours, theirs, "accent") for theirs in _accents(other) + _origins(other)]
    pairs += [(ours, theirs, "accent") for ours in _origins(probe) for theirs in _accents(other)]
    bounds = (parameters["accent.floor"], parameters["accent.cap"])
    return of_pairs(EvidenceKind.ACCENT, pairs, parameters, bounds, ("口音与来源地", "Accent and origin"))


def _accents(profile: Profile) -> list[str]:
    return [profile.accent.value] if profile.accent is not None and profile.accent.value else []


def _origins(profile: Profile) -> list[str]:
    return [place.division for place in profile.places if place.kind in _ORIGINS and place.division]
