"""Keys under which a name is found again (姓名分块键), whoever heard it and however it was written down.

Blocking after Fellegi and Sunter (1969) and Hernández and Stolfo (1995): several keys a name, each surviving other
errors. All of them are made of syllables after dialect folding, so that 宁 and 林, 张 and 臧 meet; two names that could
be the same person's share at least one. How much a shared key is worth depends on how rare it is, and is not said here.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from matcher.names.reading import Form, Reading, readings
from matcher.names.sounds import fold
from matcher.names.tables import load_tables

VERSION = "name-keys-1"
SHINGLED_FROM = 4
LONGEST = 60


class NameKey(StrEnum):
    """What a key is made of, the most telling first."""

    WHOLE = "n"  # every syllable, in no order: survives an order swap and a wrongly cut compound surname
    PAIR = "p"  # the surname and one syllable of the given name: survives a lost, added or misheard syllable
    GIVEN = "g"  # the given name alone: survives a misheard or missing surname
    SHINGLE = "q"  # two neighbouring syllables of a long name: transcriptions of one name differ somewhere
    SYLLABLE = "h"  # one syllable of the given name or nickname: 阿国
    SURNAME = "s"  # the surname alone: 老李


@lru_cache(maxsize=50_000)
def name_keys(text: str) -> frozenset[tuple[NameKey, str]]:
    """The keys of every plausible reading of a name; none when there is nothing to read.

    The same for whoever is stored and whoever is looked for.
    """
    return frozenset((kind, key[:LONGEST]) for reading in readings(text) for kind, key in _keys(reading))


def key_tables() -> str:
    """Versions of everything that the keys are made by: when it changes, stored keys are made anew."""
    return f"{VERSION}+{load_tables().version}"


def _keys(reading: Reading) -> Iterator[tuple[NameKey, str]]:
    surname = _folded(reading.surname_sound)
    given = _folded(reading.given_sound)
    if reading.form is not Form.WHOLE:
        if surname:
            yield NameKey.SURNAME, ".".join(surname)
        if given:
            yield NameKey.GIVEN, ".".join(given)
        for syllable in given:
            yield NameKey.SYLLABLE, syllable
    if reading.form is Form.FULL:
        for syllable in given:
            yield NameKey.PAIR, ".".join((*surname, syllable))
    syllables = (*surname, *given)
    if reading.form is Form.WHOLE or reading.form is Form.FULL:
        yield NameKey.WHOLE, ".".join(sorted(syllables))
    if reading.form is Form.WHOLE or len(syllables) >= SHINGLED_FROM:
        for first, second in pairwise(syllables):
            yield NameKey.SHINGLE, f"{first}.{second}"


def _folded(sound: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(fold(syllable) for syllable in sound)
