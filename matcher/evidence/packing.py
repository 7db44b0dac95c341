"""Profiles laid side by side: a profile's numbers in two pieces of memory, so that thousands are gathered in one go.

What the terms read of a profile is many small lists. Kept one by one, gathering them costs more than scoring them, for
each is somewhere else in memory. So a profile keeps all its whole numbers in one piece and all its fractions in
another, each with how long its parts are in front; the pieces of many profiles are joined, and each part is cut out of
all of them at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.evidence.base import Floats

Shorts = NDArray[np.int16]


class Parts(NamedTuple):
    """What one term reads of one profile.

    Attributes:
        shorts: int16 arrays as bytes, always as many.
        floats: float64 arrays as bytes, always as many.
        others: anything else, always as many.
    """

    shorts: tuple[bytes, ...] = ()
    floats: tuple[bytes, ...] = ()
    others: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The same of many profiles: each part end to end, and how many numbers of it each profile has, (n,)."""

    count: int
    shorts: tuple[tuple[Shorts, NDArray[np.int64]], ...]
    floats: tuple[tuple[Floats, NDArray[np.int64]], ...]
    others: tuple[Sequence[Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """All that the terms read of one profile: the parts of all terms, in their order, in two pieces."""

    shorts: bytes
    floats: bytes
    others: tuple[Any, ...]


def pack(parts: Sequence[Parts]) -> Packed:
    """The parts of all terms in two pieces, the lengths of the parts (int32) in front of each."""
    return Packed(
        _joined([one for part in parts for one in part.shorts], np.int16),
        _joined([one for part in parts for one in part.floats], np.float64),
        tuple(one for part in parts for one in part.others),
    )


def unpack(packed: Sequence[Packed], like: Sequence[Parts]) -> list[Columns]:
    """The columns of each term; `like`: the parts of any profile, which say how many each term has."""
    shorts = _cut([one.shorts for one in packed], np.int16, sum(len(one.shorts) for one in like))
    floats = _cut([one.floats for one in packed], np.float64, sum(len(one.floats) for one in like))
    rests = [one.others for one in packed]
    others = [[rest[place] for rest in rests] for place in range(sum(len(one.others) for one in like))]
    found = []
    at = [0, 0, 0]
    for one in like:
        ends = [start + len(kind) for start, kind in zip(at, one, strict=True)]
        found.append(
            Columns(
                len(packed),
                tuple(shorts[at[0] : ends[0]]),
                tuple(floats[at[1] : ends[1]]),
                tuple(others[at[2] : ends[2]]),
            )
        )
        at = ends
    return found


def columns(parts: Sequence[Parts]) -> Columns:
    """The columns of one term."""
    return unpack([pack([one]) for one in parts], parts[:1] or [Parts()])[0]


def _joined(pieces: Sequence[bytes], kind: type[np.int16] | type[np.float64]) -> bytes:
    size = np.dtype(kind).itemsize
    lengths = np.array([len(piece) // size for piece in pieces], np.int32)
    # Whole float64 must follow: an odd number of lengths is filled up.
    head = lengths.tobytes()
    return b"".join([head, bytes(-len(head) % size), *pieces])


def _cut(pieces: Sequence[bytes], kind: Any, parts: int) -> list[tuple[Any, NDArray[np.int64]]]:
    """Each part of all pieces, end to end, with the number of values by piece."""
    if not parts:
        return []
    size = np.dtype(kind).itemsize
    flat = np.frombuffer(b"".join(pieces), kind)
    sizes = np.array([len(piece) for piece in pieces], np.int64) // size
    starts = np.cumsum(sizes) - sizes
    head = -(-4 * parts // size)
    lengths = flat[starts[:, None] + np.arange(head)].view(np.int32)[:, :parts].astype(np.int64)
    starts = starts + head
    found = []
    for part in range(parts):
        counts = lengths[:, part]
        found.append((flat.take(_places(starts, counts)), counts))
        starts = starts + counts
    return found


def _places(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of the values of which each piece has so many, from so far."""
    if len(counts) and (counts == counts[0]).all():
        return (starts[:, None] + np.arange(counts[0])).ravel()
    ends = np.cumsum(counts)
    return np.repeat(starts - (ends - counts), counts) + np.arange(ends[-1] if len(ends) else 0)
