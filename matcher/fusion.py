"""Evidence to one judgement: log-odds, added up term by term.

log10 posterior odds = log10 prior odds + sum of weight * log10 LR. The prior odds are 1 / gallery size: before any
evidence each record is as likely as the next, and the person may well be in none of them.

Terms that tell in part of the same fact are not independent. Of each group in `CORRELATED` the strongest term counts in
full and the others times the figure `fusion.correlated`, whether they speak for or against.

Some fields agree between any two people, other ones each time. So agreement as a whole, the sum A of the terms that
speak for, counts A - a * (1 - exp(-A / s)), with a = `fusion.first_agreement` and s = `fusion.first_agreement_scale`:
a is the offset of a logistic calibration of the sum (logistic fusion, Brümmer & du Preez, Computer Speech and Language
20, 2006), but nothing is taken where nothing agrees, never more than `a`, and more agreement always counts more. The
terms that speak for bear it in proportion, so that each still shows what it added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log10
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from matcher.evidence.base import Evidence, Parameters
from matcher.vocabulary import EvidenceKind, Strength

_K = EvidenceKind
CORRELATED: tuple[frozenset[EvidenceKind], ...] = (
    # Where somebody comes from: heard in the accent, named as a home, a school or an employer, and not far to walk.
    frozenset({_K.PLACE, _K.ACCENT, _K.SCHOOL, _K.EMPLOYER, _K.TRAVEL}),
    # Kin share the surname, and a family's names run in one fashion.
    frozenset({_K.NAME, _K.KIN}),
    # What somebody can do and does.
    frozenset({_K.OCCUPATION, _K.LITERACY}),
    # What somebody wore and carried on one day.
    frozenset({_K.CLOTHING, _K.BELONGINGS}),
)
"""Terms of one group tell in part of the same fact; no term is in two."""

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
    values = np.array([[term.log10_lr for term in terms]], np.float64)
    weights = term_weights(values, [term.kind for term in terms], parameters)[0].tolist()
    weighted = tuple(
        WeightedTerm(term, weight, weight * term.log10_lr) for term, weight in zip(terms, weights, strict=True)
    )
    total = sum((term.log10_lr for term in weighted), 0.0)
    prior = -log10(gallery_size)
    return Fusion(weighted, total, prior, probability(total + prior), strength(total), parameters.version)


def term_weights(
    log10_lrs: NDArray[np.float64], kinds: Sequence[EvidenceKind], parameters: Parameters
) -> NDArray[np.float64]:
    """Weights 0 to 1 of the terms of n candidates, (n, t), from their log10 LR (NaN: says nothing, and weighs 1)."""
    weights = np.ones(log10_lrs.shape)
    for group in CORRELATED:
        # Of two that are equally strong the later kind by name counts in full, so that the order makes no difference.
        columns = sorted((c for c, kind in enumerate(kinds) if kind in group), key=lambda c: kinds[c].value)[::-1]
        if len(columns) < 2:
            continue
        values = log10_lrs[:, columns]
        strength_of = np.where(np.isnan(values), -1.0, np.abs(values))
        strongest = np.argmax(strength_of, axis=1)
        part = np.full(strength_of.shape, parameters["fusion.correlated"])
        part[np.arange(len(part)), strongest] = 1.0
        part[strength_of < 0] = 1.0
        weights[:, columns] = part
    gains = np.where(log10_lrs > 0, log10_lrs * weights, 0.0)
    return np.where(gains > 0, weights * _share_kept(gains.sum(axis=1), parameters)[:, np.newaxis], weights)


def _share_kept(agreement: NDArray[np.float64], parameters: Parameters) -> NDArray[np.float64]:
    """What counts of agreement of so much log10 LR, as a share of it; see the module. All where no figure is set."""
    scale = parameters.get("fusion.first_agreement_scale", 1.0)
    # An offset above its scale would let more agreement count less.
    offset = min(parameters.get("fusion.first_agreement", 0.0), scale)
    if offset <= 0:
        return np.ones_like(agreement)
    paid = -offset * np.expm1(-agreement / scale)
    return 1 - np.divide(paid, agreement, out=np.zeros_like(agreement), where=agreement > 0)


def probability(log10_odds: float) -> float:
    """Probability 0 to 1 of log10 odds, without overflow for any finite value."""
    if log10_odds >= 0:
        return 1 / (1 + 10 ** -min(log10_odds, 300))
    odds: float = 10 ** max(log10_odds, -300)
    return odds / (1 + odds)


def strength(log10_lr: float) -> Strength:
    """The word of the verbal scale for a likelihood ratio."""
    return next((word for word, bound in SCALE.items() if log10_lr < bound), Strength.EXTREMELY_STRONG)
