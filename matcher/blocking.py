"""Blocking (分块): the keys under which a person is found again without a face.

A record stores its keys; a probe asks for the same ones. Neither side knows which of its facts are right, so there are
many, and no single one has to agree: candidates are those whose shared keys are worth most together. A key's worth is
log10(share / frequency) (Fellegi and Sunter, 1969), with the share from `blocking-1.json` and the frequency counted in
the gallery itself, so that a common surname or a whole province says little and is never read out in full.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from matcher import divisions
from matcher.evidence.age import birth
from matcher.evidence.base import Parameters
from matcher.names.keys import NameKey, key_tables, name_keys
from matcher.names.search import initials_keys
from matcher.profile import Profile
from matcher.vocabulary import GalleryKind

PARAMETERS_FILE = "blocking-1.json"
UNKNOWN_YEAR: Final = 0
"""Year of birth of whom nobody knows it: within every window."""
MOST_KEYS = 120
"""Keys asked for at once, the most telling first: nobody needs more, and a profile may hold any number of names."""
HAN: Final = "01"
DIGITS: Final = 4
"""Digits of a telephone number that make a key: the fewest that anybody remembers and that few numbers share."""
_OF_KIN = frozenset({NameKey.WHOLE, NameKey.GIVEN, NameKey.PAIR})
_LOCAL = frozenset({NameKey.SYLLABLE, NameKey.SURNAME})


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """What is stored of a record: its keys, and the year of birth that narrows each of them (UNKNOWN_YEAR: unknown)."""

    born: int
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class WantedKey:
    """A key that a probe asks for.

    Attributes:
        field: what it is about; of several shared keys about one field the best alone counts.
        share: how often two records of one person agree on such a key, 0 to 1.
    """

    key: str
    field: str
    share: float


@dataclass(frozen=True, slots=True)
class WantedKeys:
    """What a probe asks for: its keys, the most telling first, and the years of birth that fit, both ends included.

    `first` and `last` are both UNKNOWN_YEAR when every year fits.
    """

    first: int
    last: int
    keys: tuple[WantedKey, ...]


@dataclass(frozen=True, slots=True)
class BlockingTables:
    """Contents of `blocking-1.json`."""

    version: str
    share: Mapping[str, float]
    deviations: float
    least: int
    most: int


@lru_cache(maxsize=1)
def load_tables() -> BlockingTables:
    """The figures that come with the package."""
    data = json.loads(files("matcher.parameters").joinpath(PARAMETERS_FILE).read_text("utf-8"))
    window = data["window"]
    return BlockingTables(
        data["version"],
        MappingProxyType(data["share"]),
        float(window["deviations"]),
        int(window["least"]),
        int(window["most"]),
    )


def keys_version() -> str:
    """Names how keys are made; stored keys of another version are made anew."""
    return f"keys-2+{key_tables()}"


def stored_keys(profile: Profile, parameters: Parameters) -> StoredKeys:
    """The keys of a record: those that a probe asks for, and those that lists alone are searched by (initials, year).

    They are as personal as the facts they are made of.
    """
    born = birth(profile, parameters)
    year = UNKNOWN_YEAR if born is None or born.year < 1 else _calendar(born.year)
    listed = {key for name in profile.names for key in initials_keys(name.text)}
    if year != UNKNOWN_YEAR:
        listed.add(year_key(year))
    return StoredKeys(year, frozenset(key for _, key in _keys(profile)) | listed)


def year_key(year: int) -> str:
    """The key of a year of birth: lists are searched by it. Keys sort as their years do, from year 0 to 9999."""
    return f"y:{year:04d}"


def wanted_keys(profile: Profile, parameters: Parameters) -> WantedKeys:
    """The keys under which records of the same person may be stored."""
    tables = load_tables()
    order = list(tables.share)
    ranked = sorted(set(_keys(profile)), key=lambda one: (order.index(one[0]), one[1]))
    kept = tuple(WantedKey(key, _FIELDS[kind[0]], tables.share[kind]) for kind, key in ranked[:MOST_KEYS])
    born = birth(profile, parameters)
    if born is None or born.year < 1:
        return WantedKeys(UNKNOWN_YEAR, UNKNOWN_YEAR, kept)
    width = min(tables.most, max(tables.least, tables.deviations * born.sd))
    return WantedKeys(_calendar(born.year - width), _calendar(born.year + width), kept)


def _calendar(year: float) -> int:
    """The calendar year of a time in years since the first day of year 1, as `matcher.evidence.age` counts."""
    return int(year) + 1


_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {kind.value: "name" for kind in NameKey}
    | {"k": "kin", "t": "phone", "l": "place", "m": "marks", "e": "ethnicity", "x": "sex"}
)


def _keys(profile: Profile) -> Iterator[tuple[str, str]]:
    """Kind (of `BlockingTables.share`) and key. A key begins with its kind's letter."""
    provinces = sorted({code[:2] for code in _origins(profile)})
    for name in profile.names:
        for kind, text in name_keys(name.text):
            yield kind.value, f"{kind.value}:{text}"
            if kind in _LOCAL:
                for province in provinces:
                    yield kind.value, f"{kind.value}:{text}@{province}"
    for relative in profile.kin:
        for kind, text in name_keys(relative.text):
            if kind in _OF_KIN:
                yield "k", f"k:{kind.value}.{text}"
    for phone in profile.phones:
        digits = "".join(char for char in phone.digits if char in "0123456789")
        for start in range(len(digits) - DIGITS + 1):
            yield "t", f"t:{digits[start : start + DIGITS]}"
    places = {*_origins(profile), *([divisions.normalise(profile.seen_at)] if profile.seen_at else ())}
    for code in places:
        for depth in range(2, len(code) + 1, 2):
            yield f"l{depth}", f"l:{code[:depth]}"
    for mark in profile.marks:
        if not mark.permanent:
            continue
        here = f"m:{mark.kind.value}.{mark.region.value}"
        yield "m", here
        if mark.side is not None:
            yield "m", f"{here}.{mark.side.value}"
        for province in provinces:
            yield "m", f"{here}@{province}"
    if profile.ethnicity is not None and profile.ethnicity.value != HAN:
        yield "e", f"e:{profile.ethnicity.value}"
    if profile.sex is not None:
        yield "x", f"x:{profile.sex.value}"


def _origins(profile: Profile) -> set[str]:
    """Divisions that the person may come from: homes, places mentioned, the accent's, and where a family lost sight."""
    found = {place.division for place in profile.places}
    if profile.accent is not None:
        found.add(profile.accent.value)
    if profile.kind is GalleryKind.REPORT and profile.seen_at:
        found.add(profile.seen_at)
    return {divisions.normalise(code) for code in found if code}
