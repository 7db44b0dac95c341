"""Names of people in a table: given name, surname and further names; Chinese ones go through `matcher.names`."""

import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

import numpy as np

from matcher.linkage.comparison import (
    Comparator,
    Flags,
    Levels,
    alike,
    close,
    equal,
    first_of,
    flags,
    jaro_winkler,
    where_known,
)
from matcher.names.similarity import NameLevel, compare_names
from matcher.names.sounds import is_han

NICKNAMES_FILE = "nicknames-1.json"

Person = tuple[str, str, tuple[str, ...]]
"""Given name, surname, further names: "" and () where not known. A Chinese name stands whole in the first."""

# Levels of a Chinese name among those of a given name.
CHINESE = {
    NameLevel.CHARACTERS: 0,
    NameLevel.SOUND: 1,
    NameLevel.SIMILAR: 2,
    NameLevel.PARTIAL: 6,
    NameLevel.DIFFERENT: 7,
}


def given_names(a: Sequence[Person], b: Sequence[Person]) -> Levels:
    """Given names, also where somebody wrote them in the place of the surname or of a further name."""
    ours, theirs = [one[0] for one in a], [one[0] for one in b]
    steps = [
        equal(ours, theirs),
        flags(map(_short_form, ours, theirs)),
        close(ours, theirs),
        _swapped(a, b),
        _among_further(a, b, 0),
        flags(map(_initial, ours, theirs)),
        alike(ours, theirs),
    ]
    levels = first_of(steps)
    for at, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        if one != other and (is_han(one) or is_han(other)):
            agreement = compare_names(one, other)
            levels[at] = len(steps) if agreement is None else CHINESE[agreement.level]
    return where_known(ours, theirs, levels)


GIVEN_NAME = Comparator(
    ("equal", "short form", "close", "swapped", "a further name", "initial", "alike", "different"), given_names
)


def surnames(a: Sequence[Person], b: Sequence[Person]) -> Levels:
    """Surnames; a double one agrees with each of its halves.

    -1 where given name and surname are changed over: the given names' comparison has said so, and once is enough.
    """
    ours, theirs = [one[1] for one in a], [one[1] for one in b]
    steps = [
        equal(ours, theirs),
        close(ours, theirs),
        _among_further(a, b, 1),
        flags(map(_half_of, ours, theirs)),
        alike(ours, theirs),
    ]
    agree = steps[0] | steps[1]
    levels = np.where(_swapped(a, b) & ~agree, -1, first_of(steps)).astype(np.int8)
    return where_known(ours, theirs, levels)


SURNAME = Comparator(("equal", "close", "a further name", "half of it", "alike", "different"), surnames)


def further_names(a: Sequence[Person], b: Sequence[Person]) -> Levels:
    """The names between given name and surname: all equal, one of them equal, close, or its initial."""
    return np.fromiter((_further(x[2], y[2]) for x, y in zip(a, b, strict=True)), np.int8, len(a))


FURTHER_NAMES = Comparator(("equal", "one in common", "close", "initial", "different"), further_names)


def _swapped(a: Sequence[Person], b: Sequence[Person]) -> Flags:
    """Given name and surname changed over, or the only name of one of them the surname of the other.

    One name that two people happen to share in different places is not enough: half of Wales is called Thomas.
    """
    found = []
    for ours, theirs in ((a, b), (b, a)):
        given, surname = [one[0] for one in ours], [one[1] for one in theirs]
        written = flags(x != "" and y != "" for x, y in zip(given, surname, strict=True))
        found.append(written & (jaro_winkler(given, surname) >= 0.92))
    alone = [flags(one[0] != "" and one[1] == "" for one in people) for people in (a, b)]
    return (found[0] & found[1]) | (found[0] & alone[0]) | (found[1] & alone[1])


def _among_further(a: Sequence[Person], b: Sequence[Person], place: int) -> Flags:
    """The name in that place (0 given, 1 surname) of one is among the further names of the other."""
    return flags(x[place] in y[2] or y[place] in x[2] for x, y in zip(a, b, strict=True))


def _initial(a: str, b: str) -> bool:
    return bool(a and b) and min(len(a), len(b)) == 1 and a[0] == b[0]


def _short_form(a: str, b: str) -> bool:
    """A customary pet form, or the beginning of the other (Thos, Wm are not found)."""
    if len(a) >= 3 and len(b) >= 3 and (a.startswith(b) or b.startswith(a)):
        return True
    ours, theirs = _nicknames().get(a), _nicknames().get(b)
    return ours is not None and theirs is not None and not ours.isdisjoint(theirs)


def _half_of(a: str, b: str) -> bool:
    ours, theirs = set(a.replace("-", " ").split()), set(b.replace("-", " ").split())
    return bool(ours and theirs) and (ours <= theirs or theirs <= ours)


def _further(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    if not a or not b:
        return -1
    if not set(a).isdisjoint(b):
        return 0 if a == b else 1
    pairs = [(x, y) for x in a for y in b]
    if close([x for x, _ in pairs], [y for _, y in pairs]).any() or any(_short_form(x, y) for x, y in pairs):
        return 2
    return 3 if any(_initial(x, y) for x, y in pairs) else 4


@lru_cache(maxsize=1)
def _nicknames() -> dict[str, frozenset[int]]:
    """Rows of the table in which a name stands."""
    rows = json.loads(files("matcher.parameters").joinpath(NICKNAMES_FILE).read_text("utf-8"))["names"]
    return {name: frozenset(number for number, row in enumerate(rows) if name in row) for row in rows for name in row}
