"""One person's values beside those of many: the layout in which a term is scored for all candidates at once.

A term has one formula, written for arrays. `encode` turns what it reads of a profile into numbers, once; `stack` lays
those of many profiles together; `score` gives one log10 likelihood ratio a candidate, NaN where the term says nothing.
A comparator is the same score against a single profile, put in words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from matcher.evidence.base import Comparator, Floats, Parameters
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind

UNKNOWN = float("nan")
Row = tuple[float, ...]
"""Values of a term that every profile has one of, NaN where unknown."""
Items = bytes
"""Things of which a profile has any number: an int16 array (m, k) as bytes, which are quickly laid end to end."""
Encoded = TypeVar("Encoded")
Stacked = TypeVar("Stacked")
N = TypeVar("N", np.float32, np.float64)


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the comparison: its kind, how it is worded, and how it is scored (see the module)."""

    kind: EvidenceKind
    compare: Comparator
    encode: Callable[[Profile, Parameters], Any]
    stack: Callable[[Sequence[Any]], Any]
    score: Callable[[Any, Any, Parameters], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Things of which each profile has any number, one after the other: `rows` (m,) says whose each item (m, k) is."""

    count: int
    rows: NDArray[np.int64]
    items: Floats


def table(rows: Sequence[Row]) -> Floats:
    """Single values of many profiles, (n, k)."""
    return np.array(rows, np.float64)


def items(values: Sequence[Sequence[int]]) -> Items:
    """Items of one profile, whole numbers all."""
    return np.array(values, np.int16).tobytes()


def lists(encoded: Sequence[Items], width: int) -> Lists:
    """Items of many profiles, `width` numbers each."""
    counts = np.array([len(one) for one in encoded], np.int64) // (2 * width)
    flat = np.frombuffer(b"".join(encoded), np.int16).reshape(-1, width)
    return Lists(len(encoded), owners(counts), flat.astype(np.float64))


def end_to_end(arrays: Sequence[NDArray[N]], kind: type[N], width: int) -> NDArray[N]:
    """Rows (m, width) of many contiguous arrays of that kind; numpy's own way costs four times that on small ones."""
    return np.frombuffer(b"".join([one.data for one in arrays]), kind).reshape(-1, width)


def owners(counts: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Whose each item is, when the n-th profile has so many."""
    return np.repeat(np.arange(len(counts)), counts)


def number(member: StrEnum | None) -> float:
    """Place of a member in its enum; UNKNOWN for none."""
    return UNKNOWN if member is None else float(list(type(member)).index(member))


def best(values: Floats, rows: NDArray[np.int64], count: int) -> Floats:
    """Highest value of each profile's items, NaN where it has none that says something."""
    result = np.full(count, -np.inf)
    known = ~np.isnan(values)
    np.maximum.at(result, rows[known], values[known])
    result[np.isneginf(result)] = np.nan
    return result


def highest(values: Sequence[Floats]) -> float | None:
    """Highest of all values; None when none of them says something."""
    known = [float(one) for row in values for one in row if not np.isnan(one)]
    return max(known, default=None)


def single(
    score: Callable[[Encoded, Stacked, Parameters], Floats],
    ours: Encoded,
    theirs: Stacked,
    parameters: Parameters,
) -> float | None:
    """The score against one profile; None when the term says nothing."""
    (value,) = score(ours, theirs, parameters)
    return None if np.isnan(value) else float(value)
