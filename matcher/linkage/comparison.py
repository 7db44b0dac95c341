"""How alike two values are, in a few levels: what Fellegi and Sunter call a comparison. One function a kind of column.

A level is a number: 0 when the values are equal, the last one when nothing of them agrees, -1 when one is not known.
Every function takes two lists of values, which it compares in pairs, and is symmetrical. Names of people have a module
of their own, `person_names.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.process import cpdist

from matcher.names.sounds import is_han

Levels = NDArray[np.int8]
Flags = NDArray[np.bool_]
Compare = Callable[[Sequence[Any], Sequence[Any]], Levels]


@dataclass(frozen=True, slots=True)
class Comparator:
    """A way to compare: the names of its levels, the best first, and the function that finds them."""

    levels: tuple[str, ...]
    compare: Compare


def dates(a: Sequence[str], b: Sequence[str]) -> Levels:
    """Dates as YYYYMMDD: equal, one slip, day and month changed over, two parts of three, the year."""
    parts = [(_parts(x), _parts(y)) for x, y in zip(a, b, strict=True)]
    slips = edits(a, b)
    swapped = flags(x == (y[0], y[2], y[1]) and x[1] != "" for x, y in parts)
    rough = flags(x[0] == y[0] and (_year_alone(x) or _year_alone(y)) for x, y in parts)
    two = flags(sum(one == other != "" for one, other in zip(x, y, strict=True)) >= 2 for x, y in parts)
    year = flags(x[0] == y[0] for x, y in parts)
    near = flags(_near_years(x[0], y[0]) for x, y in parts)
    return where_known(a, b, first_of([equal(a, b), (slips <= 1) | swapped, rough, two, slips == 2, year, near]))


DATE = Comparator(
    ("equal", "one slip", "a rough date's year", "two parts", "two slips", "the year", "two years", "different"), dates
)


def places(a: Sequence[str], b: Sequence[str]) -> Levels:
    """Places in words: equal, one within the other (some words; a Chinese beginning), misspelt, alike."""
    within = flags(map(_within, a, b))
    return where_known(a, b, first_of([equal(a, b), within, close(a, b), alike(a, b)]))


PLACE = Comparator(("equal", "one within the other", "close", "alike", "different"), places)


def postcodes(a: Sequence[str], b: Sequence[str]) -> Levels:
    """Postcodes: equal, one slip, then how much of their beginning they share."""
    prefix = np.fromiter(map(_shared_prefix, a, b), np.int16, len(a))
    length = np.fromiter((min(len(x), len(y)) for x, y in zip(a, b, strict=True)), np.int16, len(a))
    area = flags(_area(x) == _area(y) for x, y in zip(a, b, strict=True))
    sector, district = prefix >= np.maximum(length - 2, 3), prefix >= np.maximum(length - 3, 2)
    return where_known(a, b, first_of([equal(a, b), edits(a, b) <= 1, sector, district, area]))


POSTCODE = Comparator(("equal", "one slip", "the sector", "the district", "the area", "different"), postcodes)


def emails(a: Sequence[str], b: Sequence[str]) -> Levels:
    """Addresses: equal, misspelt, the same name before the @, the same or a misspelt host, a name alike."""
    names, other_names = [[one.partition("@")[0] for one in side] for side in (a, b)]
    hosts, other_hosts = [[one.partition("@")[2] for one in side] for side in (a, b)]
    hosted = flags(x != "" and y != "" for x, y in zip(hosts, other_hosts, strict=True))
    misspelt = (edits(a, b) <= 2) | (jaro_winkler(a, b) >= 0.95) | anagrams(a, b)
    steps = [
        equal(a, b),
        misspelt,
        equal(names, other_names),
        hosted & (edits(hosts, other_hosts) <= 2),
        jaro_winkler(names, other_names) >= 0.88,
    ]
    return where_known(a, b, first_of(steps))


EMAIL = Comparator(("equal", "close", "the name", "the host", "a name alike", "different"), emails)


def numbers(a: Sequence[str], b: Sequence[str]) -> Levels:
    """Numbers that are a person's own: equal, one or two slips, the same end."""
    slips = edits(a, b)
    tail = flags(len(x) > 4 and x[-4:] == y[-4:] for x, y in zip(a, b, strict=True))
    return where_known(a, b, first_of([equal(a, b), slips <= 1, slips <= 2, tail]))


NUMBER = Comparator(("equal", "one slip", "two slips", "the last four", "different"), numbers)


def categories(a: Sequence[str], b: Sequence[str]) -> Levels:
    """Words of a list: equal or not."""
    return where_known(a, b, first_of([equal(a, b)]))


CATEGORY = Comparator(("equal", "different"), categories)


def texts(a: Sequence[str], b: Sequence[str]) -> Levels:
    """Several words in any order, by the share of words in common (rapidfuzz's token set and token sort ratios)."""
    shared = cpdist(a, b, scorer=fuzz.token_set_ratio, dtype=np.float32)
    ordered = cpdist(a, b, scorer=fuzz.token_sort_ratio, dtype=np.float32)
    return where_known(a, b, first_of([equal(a, b), ordered >= 90, shared >= 95, ordered >= 75]))


TEXT = Comparator(("equal", "close", "one within the other", "alike", "different"), texts)


def flags(values: Any) -> Flags:
    """The values of an iterable as an array of booleans."""
    return np.fromiter(values, np.bool_)


def first_of(steps: Sequence[Flags]) -> Levels:
    """Number of the first step that holds; the number of steps where none does."""
    found: Levels = np.vstack([*steps, np.ones(len(steps[0]), np.bool_)]).argmax(axis=0).astype(np.int8)
    return found


def where_known(a: Sequence[str], b: Sequence[str], levels: Levels) -> Levels:
    """The levels, and -1 where one of the values is not known."""
    known = flags(x != "" and y != "" for x, y in zip(a, b, strict=True))
    found: Levels = np.where(known, levels, -1).astype(np.int8)
    return found


def equal(a: Sequence[str], b: Sequence[str]) -> Flags:
    """Which pairs are equal and known."""
    return flags(x == y != "" for x, y in zip(a, b, strict=True))


def jaro_winkler(a: Sequence[str], b: Sequence[str]) -> NDArray[np.float32]:
    """Jaro-Winkler similarity of each pair, 0 to 1."""
    return np.asarray(cpdist(a, b, scorer=JaroWinkler.normalized_similarity, dtype=np.float32))


def edits(a: Sequence[str], b: Sequence[str]) -> NDArray[np.int32]:
    """Insertions, deletions, substitutions, and neighbours changed over, each counted once."""
    return np.asarray(cpdist(a, b, scorer=OSA.distance, dtype=np.int32))


def close(a: Sequence[str], b: Sequence[str]) -> Flags:
    """One slip in a word of four letters or more, a Jaro-Winkler similarity of .92, or the same letters mixed up."""
    longer = flags(max(len(x), len(y)) >= 4 for x, y in zip(a, b, strict=True))
    return (jaro_winkler(a, b) >= 0.92) | ((edits(a, b) <= 1) & longer) | anagrams(a, b)


def alike(a: Sequence[str], b: Sequence[str]) -> Flags:
    """A Jaro-Winkler similarity of .85, or no more than a third of the letters wrong."""
    ratio = np.asarray(cpdist(a, b, scorer=OSA.normalized_similarity, dtype=np.float32))
    return (jaro_winkler(a, b) >= 0.85) | (ratio >= 0.65)


def anagrams(a: Sequence[str], b: Sequence[str]) -> Flags:
    """The same letters in another order, four of them or more."""
    return flags(len(x) == len(y) > 3 and sorted(x) == sorted(y) for x, y in zip(a, b, strict=True))


def _parts(date: str) -> tuple[str, str, str]:
    return date[:4], date[4:6], date[6:8]


def _near_years(a: str, b: str) -> bool:
    return a.isdecimal() and b.isdecimal() and len(a) == len(b) == 4 and abs(int(a) - int(b)) <= 2


def _year_alone(parts: tuple[str, str, str]) -> bool:
    """A year that stands for itself: alone, or with the first of January, which registers write then."""
    return parts[1:] in {("", ""), ("01", "01")}


def _within(a: str, b: str) -> bool:
    ours, theirs = set(a.split()), set(b.split())
    if is_han(a) and is_han(b):
        return min(len(a), len(b)) >= 2 and (a.startswith(b) or b.startswith(a))
    return ours <= theirs or theirs <= ours


def _shared_prefix(a: str, b: str) -> int:
    return next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _area(code: str) -> str:
    """The letters that a British postcode begins with, or the first two digits of another."""
    letters = code[: next((at for at, char in enumerate(code) if not char.isalpha()), len(code))]
    return letters or code[:2]
