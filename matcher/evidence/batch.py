"""One probe against thousands: the same terms as `terms.compare` and the same sum as `fusion.fuse`, without the words.

Prepare each profile once (it is worth keeping), score all candidates, and put into words the few that are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matcher.evidence import likeness
from matcher.evidence.base import Floats, Parameters
from matcher.evidence.columns import end_to_end
from matcher.evidence.packing import Packed, Parts, pack, unpack
from matcher.evidence.terms import TERMS
from matcher.fusion import term_weights
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind

KINDS: tuple[EvidenceKind, ...] = tuple(term.kind for term in TERMS)
"""The terms, in the order of the columns of every result."""

_SINGLE = tuple(term for term in TERMS if term.parts is None)
_LISTED = tuple(term for term in TERMS if term.parts is not None)
_FACES = [term.kind for term in _LISTED].index(EvidenceKind.FACE)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A profile as the terms read it, with these parameters.

    Attributes:
        profile: itself, to be put in words.
        parameters_version: of the parameters that it was prepared with.
        values: what terms with one value a profile read, end to end, as the bytes of float64.
        widths: how many values each of these terms reads.
        lists: what each of the other terms reads, in the order of the terms.
        packed: the same as it is laid beside others.
    """

    profile: Profile
    parameters_version: str
    values: bytes
    widths: tuple[int, ...]
    lists: tuple[Any, ...]
    packed: Packed


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
    rows = [term.encode(profile, parameters) for term in _SINGLE]
    lists = tuple(term.encode(profile, parameters) for term in _LISTED)
    values = np.array([value for row in rows for value in row], np.float64).tobytes()
    widths = tuple(len(row) for row in rows)
    return Prepared(profile, parameters.version, values, widths, lists, pack(_parts(lists)))


def with_templates(prepared: Prepared, profile: Profile) -> Prepared:
    """The same person with the face templates of `profile`, which differs from the prepared one in nothing else."""
    lists = list(prepared.lists)
    lists[_FACES] = likeness.photographs(profile)
    return Prepared(
        profile, prepared.parameters_version, prepared.values, prepared.widths, tuple(lists), pack(_parts(lists))
    )


def log10_lrs(probe: Prepared, others: Sequence[Prepared], parameters: Parameters) -> Floats:
    """log10 LR of each candidate (n) and term, (n, len(KINDS)); NaN where a term says nothing.

    Raises ValueError when a profile was prepared with other parameters.
    """
    if {one.parameters_version for one in (probe, *others)} != {parameters.version}:
        raise ValueError(f"prepare the profiles with the parameters {parameters.version} first")
    found: dict[EvidenceKind, Floats] = {}
    if not others:
        return np.empty((0, len(KINDS)))
    own = np.frombuffer(probe.values, np.float64)
    values = end_to_end([other.values for other in others], np.float64, len(own))
    start = 0
    for term, width in zip(_SINGLE, probe.widths, strict=True):
        part = slice(start, start + width)
        found[term.kind] = term.score(tuple(own[part].tolist()), values[:, part], parameters)
        start += width
    columns = unpack([other.packed for other in others], _parts(probe.lists))
    for term, ours, theirs in zip(_LISTED, probe.lists, columns, strict=True):
        if term.gather is not None:
            found[term.kind] = term.score(ours, term.gather(theirs), parameters)
    return np.column_stack([found[kind] for kind in KINDS])


def score(probe: Prepared, others: Sequence[Prepared], parameters: Parameters) -> Scores:
    """Terms, weights and totals of each candidate. Raises ValueError as `log10_lrs` does."""
    values = log10_lrs(probe, others, parameters)
    weights = term_weights(values, KINDS, parameters)
    return Scores(values, weights, np.nansum(values * weights, axis=1))


def _parts(lists: Sequence[Any]) -> list[Parts]:
    """What each term keeps, of what it reads of a profile."""
    return [term.parts(one) for term, one in zip(_LISTED, lists, strict=True) if term.parts is not None]
