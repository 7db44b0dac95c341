"""Finding a name in a list (姓名检索): typed in characters, in pinyin, or as initials (wjg for 韦建国).

A list is searched by the keys of `matcher.names.keys`, which survive dialects and other characters of the same sound,
and by initials, which are stored for this alone.
"""

from dataclasses import dataclass
from functools import lru_cache

from matcher.names.keys import NameKey
from matcher.names.reading import Form, Reading, readings
from matcher.names.sounds import fold, is_han

INITIALS = "i"
"""The letter with which a key of initials begins; no other kind of key begins with it."""
INITIALS_MOST = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """Stored keys, of which one is enough, and the beginning of a key of initials, None when none can be meant."""

    keys: frozenset[str]
    initials: str | None


@lru_cache(maxsize=50_000)
def initials_keys(text: str) -> frozenset[str]:
    """The keys of a name's initials, of every plausible reading in the order in which it was written."""
    found = ("".join(part[0] for part in _sound(one)) for one in readings(text) if not one.swapped)
    return frozenset(f"{INITIALS}:{one[:INITIALS_MOST]}" for one in found if one.isascii() and one)


def asked_keys(text: str) -> Asked:
    """What a list is searched for when somebody types this, a name or a part of one. Nothing for what is no name."""
    keys = frozenset(key for one in readings(text) for key in _keys(one))
    letters = text.strip().lower()
    meant = letters.isascii() and letters.isalpha() and len(letters) <= INITIALS_MOST and not is_han(letters)
    return Asked(keys, f"{INITIALS}:{letters}" if meant else None)


def _sound(reading: Reading) -> tuple[str, ...]:
    # An address (老李) gives its one syllable twice: it may be the surname or not.
    if reading.form is Form.ADDRESS:
        return reading.given_sound
    return (*reading.surname_sound, *reading.given_sound)


def _keys(reading: Reading) -> list[str]:
    sound = tuple(map(fold, _sound(reading)))
    row, beginning = ".".join(sound), ".".join(sound[:2])
    found = [(NameKey.WHOLE, ".".join(sorted(sound))), (NameKey.GIVEN, row)]
    if len(sound) == 1:
        found.append((NameKey.SYLLABLE, row))
    if len(sound) <= 2:
        found.append((NameKey.SURNAME, row))  # of two syllables: 欧阳
    if len(sound) == 2:
        found.append((NameKey.PAIR, row))  # the surname and a part of the given name
    if 2 <= len(sound) <= 3:
        found.append((NameKey.SHINGLE, beginning))  # a long transcribed name is found by how it begins
    return [f"{kind.value}:{key}" for kind, key in found]
