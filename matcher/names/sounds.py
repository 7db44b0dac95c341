"""How names sound: pinyin without tones, syllable by syllable, and what a dialect makes of it."""

import re
import unicodedata
from functools import lru_cache

from pypinyin import Style, lazy_pinyin, pinyin
from pypinyin.pinyin_dict import pinyin_dict

from matcher.names.tables import load_tables

_INITIAL = re.compile(r"^(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)(.*)$")
_HAN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]")


def is_han(text: str) -> bool:
    """Whether the text holds a Chinese character."""
    return _HAN.search(text) is not None


@lru_cache(maxsize=20_000)
def syllables(text: str, *, surname: bool = False) -> tuple[str, ...]:
    """Toneless pinyin of Chinese characters, one syllable a character ("ü" is "v"); surnames by their own readings."""
    reading = load_tables().surname_readings.get(text) if surname else None
    return split_latin(reading) if reading else tuple(part.lower() for part in lazy_pinyin(text))


@lru_cache(maxsize=20_000)
def tonal_syllables(text: str, *, surname: bool = False) -> tuple[str, ...]:
    """Pinyin of Chinese characters with the tone as a digit, 1 to 5 (5: none): "王" is "wang2".

    Of a surname with a reading of its own the tone is taken from the character's reading that sounds so.
    """
    plain = syllables(text, surname=surname)
    if len(plain) != len(text):  # letters among the characters: pinyin keeps a run of them in one piece
        return tuple(f"{syllable}5" for syllable in plain)
    found = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False)
    return tuple(
        tone.lower() if tone[:-1].lower() == syllable else _toned(character, syllable)
        for tone, syllable, character in zip(found, plain, text, strict=True)
    )


def _toned(character: str, syllable: str) -> str:
    readings = pinyin(character, style=Style.TONE3, heteronym=True, neutral_tone_with_five=True, v_to_u=False)[0]
    return next((reading.lower() for reading in readings if reading[:-1].lower() == syllable), f"{syllable}5")


def plain_latin(text: str) -> str:
    """Lower-case ASCII letters of the text, tones and accents dropped, ü as v, everything else cut."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("ü", "v").replace("u:", "v"))
    # A tone above ü decomposes into u, diaeresis, tone: the diaeresis is what makes it v.
    decomposed = re.sub("u\u0308", "v", decomposed)
    return "".join(char for char in decomposed if "a" <= char <= "z")


@lru_cache(maxsize=20_000)
def split_latin(text: str) -> tuple[str, ...]:
    """Letters cut into pinyin syllables, as few as possible and the first as long as possible.

    Letters that are no pinyin ("john") stay one piece. "" gives ().
    """
    letters = plain_latin(text)
    if not letters:
        return ()
    known = all_syllables()
    best: list[tuple[str, ...] | None] = [None] * len(letters) + [()]
    for start in range(len(letters) - 1, -1, -1):
        for end in range(min(len(letters), start + 6), start, -1):
            rest = best[end]
            current = best[start]
            if rest is None or letters[start:end] not in known:
                continue
            if current is None or len(rest) + 1 < len(current):
                best[start] = (letters[start:end], *rest)
    spellings = load_tables().latin_spellings
    return tuple(spellings.get(part, part) for part in best[0] or (letters,))


@lru_cache(maxsize=20_000)
def fold(syllable: str) -> str:
    """The syllable with everything merged that some dialect merges: "nang" and "lan" both become "lan"."""
    match = _INITIAL.match(syllable)
    initial, final = match.groups() if match else ("", syllable)
    for part, heard, counted in load_tables().folding:
        if part == "initial" and initial == heard:
            initial = counted
        elif part == "final" and final.endswith(heard):
            final = final.removesuffix(heard) + counted
    return initial + final


@lru_cache(maxsize=1)
def all_syllables() -> frozenset[str]:
    """Every syllable of the pinyin dictionary, and the Latin spellings of the tables."""
    readings = {plain_latin(reading) for entry in pinyin_dict.values() for reading in str(entry).split(",")}
    vowels = set("aeiouv")
    # Interjections such as "ng" and "hm" would split foreign names into noise.
    return frozenset(part for part in readings if set(part) & vowels and len(part) <= 6) | frozenset(
        load_tables().latin_spellings
    )
