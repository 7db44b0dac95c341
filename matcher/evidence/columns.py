"""One person's values beside those of many: the layout in which a term is scored for all candidates at once.

A term has one formula, written for arrays. `encode` turns what it reads of a profile into numbers, once; those of many
profiles are laid together (`packing`); `score` gives one log10 likelihood ratio a candidate, NaN where the term says
nothing. A comparator is the same score against a single profile, put in words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from matcher.evidence.base import Comparator, Floats, Parameters
from matcher.evidence.packing import Columns, Parts
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
    """A term of the comparison: its kind, how it is worded, and how it is scored (see the module).

    `parts` and `gather` of terms that read any number of things: what is kept of a profile, and how it is laid
    together; None for those that read single values, which `table` lays together.
    """

    kind: EvidenceKind
    compare: Comparator
    encode: Callable[[Profile, Parameters], Any]
    score: Callable[[Any, Any, Parameters], Floats]
    parts: Callable[[Any], Parts] | None = None
    gather: Callable[[Columns], Any] | None = None


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


def own_items(encoded: Items, width: int) -> Floats:
    """Items of one profile, (m, width)."""
    return np.frombuffer(encoded, np.int16).reshape(-1, width).astype(np.float64)


def listed(encoded: Items) -> Parts:
    """Items of one profile, to be packed."""
    return Parts(shorts=(encoded,))


def lists(gathered: Columns, width: int) -> Lists:
    """Items of many profiles, `width` numbers each."""
    ((flat, sizes),) = gathered.shorts
    # By column: terms read one column of all items after the other.
    return Lists(gathered.count, owners(sizes // width), flat.reshape(-1, width).astype(np.float64, order="F"))


def end_to_end(arrays: Sequence[bytes], kind: type[N], width: int) -> NDArray[N]:
    """Rows (m, width) of many arrays of that kind, each as bytes."""
    return np.frombuffer(b"".join(arrays), kind).reshape(-1, width)


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
