"""Ways to read what somebody wrote as a name: surname and given name, a nickname, or one piece."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from matcher.names.sounds import is_han, plain_latin, split_latin, syllables
from matcher.names.tables import load_tables

_SEPARATORS = re.compile(r"[\s,，、.．·•・'’\-_/]+")
_NOT_NAME = re.compile(r"[()（）\[\]【】?？*!！\"“”]")
MAX_LENGTH = 60  # longer text is no name; what follows is not looked at


class Form(StrEnum):
    """How a name was read."""

    FULL = "full"  # surname and given name
    LOOSE = "loose"  # a nickname or a given name alone
    ADDRESS = "address"  # 小王, 老李: the syllable may be a surname
    WHOLE = "whole"  # another script or a transcribed name: compared in one piece


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a name. Characters are "" where only the sound is known; `swapped`: given name first."""

    form: Form
    surname: str
    surname_sound: tuple[str, ...]
    given: str
    given_sound: tuple[str, ...]
    swapped: bool = False


@lru_cache(maxsize=20_000)
def readings(text: str) -> tuple[Reading, ...]:
    """Every plausible reading of a name, the likeliest first; () when there is nothing to read."""
    text = _NOT_NAME.sub("", unicodedata.normalize("NFKC", text)).strip()[:MAX_LENGTH]
    parts = [part for part in _SEPARATORS.split(text) if part]
    if not parts:
        return ()
    if is_han(text):
        # 买买提·艾力: a dot between characters marks a name that has no Chinese surname.
        if re.search(r"[·•・.．]", text) and len(parts) > 1:
            return (_whole("".join(parts)),)
        return _han("".join(parts))
    return _latin(parts)


def _han(text: str) -> tuple[Reading, ...]:
    tables = load_tables()
    if len(text) == 1:
        return (_loose(text, Form.ADDRESS),)
    if len(text) > 4:
        return (_whole(text),)
    found: list[Reading] = []
    if len(text) <= 3 and text[0] in tables.nickname_prefixes:
        found.append(_loose(text[1:], Form.ADDRESS if len(text) == 2 else Form.LOOSE))
    if len(text) == 2 and text[-1] in tables.nickname_suffixes:
        found.append(_loose(text[0], Form.ADDRESS))
    if len(text) == 2 and text[0] == text[1]:
        found.append(_loose(text[0], Form.LOOSE))
    width = 2 if len(text) > 2 and _simplified(text[:2]) in tables.compound_surnames else 1
    full = _full(text[:width], text[width:])
    # 大为 is a given name, 小明 a nickname, 老舍 neither: a prefix that is no known surname is not one.
    if not found or _simplified(text[:width]) in tables.surname_ppm:
        found.append(full)
    if (
        len(text) == 2
        and _simplified(text[0]) not in tables.surname_ppm
        and _simplified(text[:2]) not in (tables.compound_surnames)
    ):
        found.append(_loose(text, Form.LOOSE))
    if _simplified(text[-1]) in tables.surname_ppm and _simplified(text[:width]) not in tables.surname_ppm:
        found.append(_full(text[-1], text[:-1], swapped=True))
    return tuple(dict.fromkeys(found))


def _latin(parts: list[str]) -> tuple[Reading, ...]:
    sounds = [split_latin(part) for part in parts]
    sounds = [sound for sound in sounds if sound]
    if not sounds:
        # A script with neither Chinese characters nor Latin letters: its own letters are all there is.
        whole = "".join(parts).lower()
        return (Reading(Form.WHOLE, "", (), whole, (whole,)),)
    joined = tuple(syllable for sound in sounds for syllable in sound)
    if len(joined) == 1:
        return (Reading(Form.WHOLE if len(plain_latin(joined[0])) > 6 else Form.ADDRESS, "", (), "", joined),)
    if len(sounds) == 1 and len(joined) > 4:
        return (Reading(Form.WHOLE, "", (), "", joined),)
    compound = len(joined) > 2 and len(sounds[0]) <= 2 and "".join(joined[:2]) in _compound_sounds()
    first = joined[:2] if compound else sounds[0] if len(sounds) > 1 else joined[:1]
    last = sounds[-1] if len(sounds) > 1 else joined[-1:]
    found = [Reading(Form.FULL, "", first, "", joined[len(first) :])] if len(joined) > len(first) else []
    if len(joined) > len(last):
        found.append(Reading(Form.FULL, "", last, "", joined[: -len(last)], swapped=True))
    return tuple(found)


def _full(surname: str, given: str, *, swapped: bool = False) -> Reading:
    simple = _simplified(surname)
    return Reading(Form.FULL, simple, syllables(simple, surname=True), given, syllables(given), swapped)


def _loose(text: str, form: Form) -> Reading:
    surname = _simplified(text) if form is Form.ADDRESS else ""
    return Reading(form, surname, syllables(surname, surname=True) if surname else (), text, syllables(text))


def _whole(text: str) -> Reading:
    return Reading(Form.WHOLE, "", (), text, syllables(text))


def _simplified(surname: str) -> str:
    return load_tables().traditional_surnames.get(surname, surname)


@lru_cache(maxsize=1)
def _compound_sounds() -> frozenset[str]:
    return frozenset("".join(syllables(surname, surname=True)) for surname in load_tables().compound_surnames)
