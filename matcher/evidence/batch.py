"""One probe against thousands: the same terms as `terms.compare` and the same sum as `fusion.fuse`, without the words.

Prepare each profile once (it is worth keeping), score all candidates, and put into words the few that are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matcher.evidence import likeness
from matcher.evidence.base import Floats, Parameters
from matcher.evidence.columns import end_to_end, table
from matcher.evidence.terms import TERMS
from matcher.fusion import term_weights
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind

KINDS: tuple[EvidenceKind, ...] = tuple(term.kind for term in TERMS)
"""The terms, in the order of the columns of every result."""

_SINGLE = tuple(term for term in TERMS if term.stack is table)
_LISTED = tuple(term for term in TERMS if term.stack is not table)
_FACES = [term.kind for term in _LISTED].index(EvidenceKind.FACE)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A profile as the terms read it, with these parameters.

    Attributes:
        profile: itself, to be put in words.
        parameters_version: of the parameters that it was prepared with.
        values: what terms with one value a profile read, end to end.
        lists: what each of the other terms reads, in the order of the terms.
    """

    profile: Profile
    parameters_version: str
    values: Floats
    lists: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of n candidates.

    Attributes:
        log10_lrs: (n, len(KINDS)), NaN where a term says nothing.
        weights: (n, len(KINDS)), 0 to 1, as `fusion.fuse` weighs them.
        totals: (n,), sum of the weighted terms.
    """

    log10_lrs: Floats
    weights: Floats
    totals: Floats


def prepare(profile: Profile, parameters: Parameters) -> Prepared:
    """All that does not depend on whom the profile is compared with."""
    values = [value for term in _SINGLE for value in term.encode(profile, parameters)]
    return Prepared(
        profile,
        parameters.version,
        np.array(values, np.float64),
        tuple(term.encode(profile, parameters) for term in _LISTED),
    )


def with_templates(prepared: Prepared, profile: Profile) -> Prepared:
    """The same person with the face templates of `profile`, which differs from the prepared one in nothing else."""
    lists = list(prepared.lists)
    lists[_FACES] = likeness.photographs(profile)
    return Prepared(profile, prepared.parameters_version, prepared.values, tuple(lists))


def log10_lrs(probe: Prepared, others: Sequence[Prepared], parameters: Parameters) -> Floats:
    """log10 LR of each candidate (n) and term, (n, len(KINDS)); NaN where a term says nothing.

    Raises ValueError when a profile was prepared with other parameters.
    """
    if {one.parameters_version for one in (probe, *others)} != {parameters.version}:
        raise ValueError(f"prepare the profiles with the parameters {parameters.version} first")
    found: dict[EvidenceKind, Floats] = {}
    if not others:
        return np.empty((0, len(KINDS)))
    values = end_to_end([other.values for other in others], np.float64, len(probe.values))
    start = 0
    for term, width in zip(_SINGLE, _widths(parameters), strict=True):
        part = slice(start, start + width)
        found[term.kind] = term.score(tuple(probe.values[part].tolist()), values[:, part], parameters)
        start += width
    columns = zip(*[other.lists for other in others], strict=True)
    for term, ours, theirs in zip(_LISTED, probe.lists, columns, strict=True):
        found[term.kind] = term.score(ours, term.stack(theirs), parameters)
    return np.column_stack([found[kind] for kind in KINDS])


def score(probe: Prepared, others: Sequence[Prepared], parameters: Parameters) -> Scores:
    """Terms, weights and totals of each candidate. Raises ValueError as `log10_lrs` does."""
    values = log10_lrs(probe, others, parameters)
    weights = term_weights(values, KINDS, parameters)
    return Scores(values, weights, np.nansum(values * weights, axis=1))


def _widths(parameters: Parameters) -> list[int]:
    """How many values each term with single ones reads."""
    return [len(term.encode(Profile(), parameters)) for term in _SINGLE]
