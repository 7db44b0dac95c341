"""How well two names agree, and what that is worth as evidence.

A surname that agrees weighs log10(share / frequency): the share of people whose two records agree so, over the share of
strangers that do (Fellegi and Sunter, 1969), so 王 says little and a rare surname much. Figures: `names-1.json`.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import product
from math import log10

from rapidfuzz.distance import Levenshtein

from matcher.names.reading import Form, Reading, readings
from matcher.names.sounds import fold, syllables
from matcher.names.tables import load_tables


class NameLevel(StrEnum):
    """How two names, or two parts of names, agree; best first."""

    CHARACTERS = "characters"  # the same characters
    SOUND = "sound"  # the same pinyin
    SIMILAR = "similar"  # the same after dialect folding
    PARTIAL = "partial"  # some part of it
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class NameAgreement:
    """Agreement of two names.

    Attributes:
        level: of the whole: the weaker of the two parts, PARTIAL when one part disagrees.
        surname_log10_lr, given_log10_lr: log10 likelihood ratio of each part; 0 when it says nothing.
        penalty_log10: 0 or below, for names read in the other order.
        log10_lr: of both together, bounded by the cap.
    """

    level: NameLevel
    surname_log10_lr: float
    given_log10_lr: float
    penalty_log10: float
    log10_lr: float


def compare_names(a: str, b: str, *, heard: bool = False) -> NameAgreement | None:
    """Agreement of two names in characters, pinyin or another script; None when either has nothing to read.

    `heard`: one of them was heard, so that its characters are somebody's guess and only the sound counts.
    Symmetrical: the order of the two makes no difference.
    """
    pairs = list(product(readings(a), readings(b)))
    if not pairs:
        return None
    return max((_compare(*pair, heard=heard) for pair in pairs), key=_preference)


def _preference(agreement: NameAgreement) -> tuple[float, float, float, str]:
    # The further keys make ties fall the same way whichever name comes first.
    return agreement.log10_lr, agreement.surname_log10_lr, agreement.penalty_log10, agreement.level.value


def _compare(a: Reading, b: Reading, *, heard: bool) -> NameAgreement:
    figures = load_tables().agreement
    forms = {a.form, b.form}
    if Form.WHOLE in forms:
        return _compare_whole(a, b)
    penalty = figures.swapped_log10 * (a.swapped != b.swapped)
    if forms == {Form.FULL}:
        surname_level, surname = _surname(a, b, heard=heard)
        given_level, given = _given(a, b, heard=heard)
        return _agreement(_overall(surname_level, given_level), surname, given, penalty)
    if Form.FULL not in forms:
        level, given = _given(a, b, heard=True)
        return _agreement(level, 0.0, max(0.0, given) * figures.loose_weight, penalty)
    loose, full = (b, a) if a.form is Form.FULL else (a, b)
    if loose.form is Form.ADDRESS and _sounds_match(_address_sound(loose), full.surname_sound):
        _, surname = _surname(_with_surname(loose), full, heard=heard)
        if surname > 0:
            return _agreement(NameLevel.PARTIAL, surname * figures.loose_weight, 0.0, penalty)
    if _sounds_match(loose.given_sound, full.given_sound):
        level, given = _given(loose, full, heard=heard)
        if len(loose.given_sound) == 1:
            given *= figures.loose_weight
        return _agreement(NameLevel.PARTIAL if level is NameLevel.CHARACTERS else level, 0.0, max(0.0, given), penalty)
    if set(loose.given_sound) & set(full.given_sound):
        return _agreement(NameLevel.PARTIAL, 0.0, figures.nickname_partial_log10, penalty)
    # A nickname that is not in the name says nothing: most are not.
    return _agreement(NameLevel.DIFFERENT, 0.0, 0.0, 0.0)


def _agreement(level: NameLevel, surname: float, given: float, penalty: float) -> NameAgreement:
    cap = load_tables().agreement.cap_log10
    return NameAgreement(level, surname, given, penalty, max(-cap, min(cap, surname + given + penalty)))


def _overall(surname: NameLevel, given: NameLevel) -> NameLevel:
    if surname is NameLevel.DIFFERENT and given in {NameLevel.DIFFERENT, NameLevel.PARTIAL}:
        return NameLevel.DIFFERENT
    if NameLevel.DIFFERENT in {surname, given}:
        return NameLevel.PARTIAL
    order = list(NameLevel)
    return max(surname, given, key=order.index)


def _compare_whole(a: Reading, b: Reading) -> NameAgreement:
    figures = load_tables().agreement
    sounds = [
        "".join([*r.surname_sound, *r.given_sound]) if r.form is Form.FULL else "".join(r.given_sound) for r in (a, b)
    ]
    similarity = Levenshtein.normalized_similarity(*sounds)
    if similarity < figures.whole_similarity:
        # Transcriptions of one foreign name can look quite unlike, so this weighs little.
        return _agreement(NameLevel.DIFFERENT, 0.0, -figures.latin_whole_log10 / 3, 0.0)
    level = NameLevel.SOUND if similarity == 1 else NameLevel.SIMILAR
    scale = (similarity - figures.whole_similarity) / (1 - figures.whole_similarity)
    return _agreement(level, 0.0, figures.latin_whole_log10 * (0.5 + 0.5 * scale), 0.0)


def _surname(a: Reading, b: Reading, *, heard: bool) -> tuple[NameLevel, float]:
    share = load_tables().agreement.surname_share["written" if _written(a.surname, b.surname, heard) else "heard"]
    if a.surname and a.surname == b.surname and "characters" in share:
        return NameLevel.CHARACTERS, log10(share["characters"] / _frequency(a.surname))
    if a.surname_sound == b.surname_sound:
        return NameLevel.SOUND, log10(share["sound"] / _sound_frequency(a.surname_sound))
    folded = _folded(a.surname_sound)
    if folded == _folded(b.surname_sound):
        return NameLevel.SIMILAR, log10(share["similar"] / _folded_frequency(folded))
    chance = max(_folded_frequency(folded), _folded_frequency(_folded(b.surname_sound)))
    return NameLevel.DIFFERENT, log10(share["different"] / (1 - chance))


def _given(a: Reading, b: Reading, *, heard: bool) -> tuple[NameLevel, float]:
    figures = load_tables().agreement
    share = figures.given_share["written" if _written(a.given, b.given, heard) else "heard"]
    chance = figures.given_chance["one" if min(len(a.given_sound), len(b.given_sound)) <= 1 else "more"]
    if a.given and a.given == b.given and "characters" in share:
        level = NameLevel.CHARACTERS
    elif a.given_sound == b.given_sound:
        level = NameLevel.SOUND
    elif _folded(a.given_sound) == _folded(b.given_sound):
        level = NameLevel.SIMILAR
    elif set(a.given_sound) & set(b.given_sound):
        level = NameLevel.PARTIAL
    else:
        return NameLevel.DIFFERENT, log10(share["different"] / (1 - chance["partial"]))
    return level, log10(share[level.value] / chance[level.value])


def _written(a: str, b: str, heard: bool) -> bool:
    return bool(a and b) and not heard


def _sounds_match(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    return bool(a) and _folded(a) == _folded(b)


@lru_cache(maxsize=20_000)
def _folded(sound: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(fold(syllable) for syllable in sound)


def _address_sound(reading: Reading) -> tuple[str, ...]:
    return reading.surname_sound or reading.given_sound


def _with_surname(reading: Reading) -> Reading:
    return Reading(Form.FULL, reading.surname, _address_sound(reading), "", ())


def _frequency(surname: str) -> float:
    tables = load_tables()
    return tables.surname_ppm.get(surname, tables.rarest_ppm) / 1e6


def _sound_frequency(sound: tuple[str, ...]) -> float:
    return _frequencies_by_sound().get(sound, load_tables().rarest_ppm / 1e6)


def _folded_frequency(folded: tuple[str, ...]) -> float:
    return _frequencies_by_folded_sound().get(folded, load_tables().rarest_ppm / 1e6)


@lru_cache(maxsize=1)
def _frequencies_by_sound() -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for surname, ppm in load_tables().surname_ppm.items():
        sound = syllables(surname, surname=True)
        found[sound] = found.get(sound, 0.0) + ppm / 1e6
    return found


@lru_cache(maxsize=1)
def _frequencies_by_folded_sound() -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for sound, frequency in _frequencies_by_sound().items():
        found[_folded(sound)] = found.get(_folded(sound), 0.0) + frequency
    return found
