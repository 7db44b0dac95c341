"""Evidence to one judgement: log-odds, added up term by term.

log10 posterior odds = log10 prior odds + sum of weight * log10 LR. The prior odds are 1 / gallery size: before any
evidence each record is as likely as the next, and the person may well be in none of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log10
from types import MappingProxyType

from matcher.evidence.base import Evidence, Parameters
from matcher.vocabulary import EvidenceKind, Strength

# Terms of one group tell of the same fact: the strongest counts in full, the others times `fusion.correlated`.
CORRELATED: tuple[frozenset[EvidenceKind], ...] = (frozenset({EvidenceKind.PLACE, EvidenceKind.ACCENT}),)

# Upper bounds of the likelihood ratio, log10 (forensic verbal scale); at the bound the next word begins.
SCALE: Mapping[Strength, float] = MappingProxyType(
    {
        Strength.AGAINST: 0.0,
        Strength.NONE: log10(2),
        Strength.WEAK: 1.0,
        Strength.MODERATE: 2.0,
        Strength.MODERATELY_STRONG: 3.0,
        Strength.STRONG: 4.0,
        Strength.VERY_STRONG: 6.0,
        Strength.EXTREMELY_STRONG: inf,
    }
)


@dataclass(frozen=True, slots=True)
class WeightedTerm:
    """One term as it was counted: its weight (0 to 1) and what it added to the log10 odds."""

    evidence: Evidence
    weight: float
    log10_lr: float


@dataclass(frozen=True, slots=True)
class Fusion:
    """The judgement over all terms.

    Attributes:
        terms: in the order given.
        log10_lr: sum of the weighted terms.
        prior_log10_odds: from the gallery's size.
        posterior: probability 0 to 1 that it is the same person, as far as the parameters hold.
        strength: the likelihood ratio in words.
        parameters_version: which parameters said so.
    """

    terms: tuple[WeightedTerm, ...]
    log10_lr: float
    prior_log10_odds: float
    posterior: float
    strength: Strength
    parameters_version: str


def fuse(terms: Sequence[Evidence], gallery_size: int, parameters: Parameters) -> Fusion:
    """Add up the terms over a prior of 1 / gallery_size. Raises ValueError when the gallery is empty."""
    if gallery_size < 1:
        raise ValueError("a candidate comes from a gallery of at least one")
    weighted = tuple(_weighted(term, terms, parameters) for term in terms)
    total = sum((term.log10_lr for term in weighted), 0.0)
    prior = -log10(gallery_size)
    return Fusion(weighted, total, prior, probability(total + prior), strength(total), parameters.version)


def probability(log10_odds: float) -> float:
    """Probability 0 to 1 of log10 odds, without overflow for any finite value."""
    if log10_odds >= 0:
        return 1 / (1 + 10 ** -min(log10_odds, 300))
    odds: float = 10 ** max(log10_odds, -300)
    return odds / (1 + odds)


def strength(log10_lr: float) -> Strength:
    """The word of the verbal scale for a likelihood ratio."""
    return next((word for word, bound in SCALE.items() if log10_lr < bound), Strength.EXTREMELY_STRONG)


def _weighted(term: Evidence, terms: Sequence[Evidence], parameters: Parameters) -> WeightedTerm:
    weight = 1.0
    for group in CORRELATED:
        if term.kind in group:
            rivals = [other for other in terms if other.kind in group]
            strongest = max(rivals, key=lambda other: (abs(other.log10_lr), other.kind.value))
            weight = 1.0 if term is strongest else parameters["fusion.correlated"]
    return WeightedTerm(term, weight, weight * term.log10_lr)
