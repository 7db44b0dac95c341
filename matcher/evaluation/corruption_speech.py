"""How a name that a person says ends up on a station's form: habits of speech, slips of the ear, characters by sound.

Written apart from `matcher.names.channel`, by which the matching weighs heard names: there each syllable has its
chances; here a speaker has a habit or not and then keeps it, and a listener slips between near sounds alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matcher.evaluation.population import Person, pick
from matcher.evaluation.population_names import NameSource
from matcher.evaluation.population_rates import Habit, Rates
from matcher.names.channel import parts
from matcher.names.sounds import all_syllables, tonal_syllables

PREFIXES = ("阿", "小", "老")
NICKNAME_DOUBLED = 0.4
"""Share of nicknames that double a syllable, as kin's do; the others have a prefix. Estimate."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody with the habits of a region; `overdone` are those that are turned round out of care."""

    habits: tuple[Habit, ...]
    overdone: tuple[Habit, ...]


def draw_speaker(rng: np.random.Generator, rates: Rates, province: str) -> Speaker:
    """A speaker from a province (code of 2 digits or more); one without a group has no habits."""
    names = next((group.habits for group in rates.speakers if province[:2] in group.provinces), ())
    has = [name for name in names if rng.random() < rates.error("speech.has_habit")]
    overdone = [name for name in has if rng.random() < rates.error("speech.overdone")]
    return Speaker(tuple(rates.habits[name] for name in has), tuple(rates.habits[name] for name in overdone))


def heard_name(rng: np.random.Generator, person: Person, names: NameSource, rates: Rates) -> str:
    """What the station writes of the name that the person says, in characters or in pinyin."""
    surname, given = person.surname, person.given
    if rng.random() < rates.error("case.name_invented"):
        surname, given = names.surname(rng), names.given(rng, person.sex, person.native[:2], 0.15)
    form = pick(rng, rates.shares("case.name."))
    if form == "nickname":
        doubled = rng.random() < NICKNAME_DOUBLED
        prefix = "" if doubled else PREFIXES[int(rng.integers(len(PREFIXES)))]
        heard = written_as_heard(rng, "", given[-1], person.native, names, rates)
        return heard * 2 if doubled else prefix + heard
    if form == "cut":
        at = int(rng.integers(len(surname) + len(given)))
        if at < len(surname):
            surname = surname[:at] + surname[at + 1 :]
        else:
            given = given[: at - len(surname)] + given[at - len(surname) + 1 :]
    return written_as_heard(rng, surname * (form != "given"), given * (form != "surname"), person.native, names, rates)


def written_as_heard(
    rng: np.random.Generator, surname: str, given: str, native: str, names: NameSource, rates: Rates
) -> str:
    """What a listener writes of a name that somebody from the division `native` says; either part may be empty."""
    speaker = draw_speaker(rng, rates, native)
    said = [*(tonal_syllables(surname, surname=True) if surname else ()), *(tonal_syllables(given) if given else ())]
    heard = [hear(rng, speak(rng, sound, speaker, rates), rates) for sound in said]
    if rng.random() < rates["speech.pinyin"]:
        return "".join(syllable for syllable, _ in heard)
    return "".join(names.write(rng, syllable, tone) for syllable, tone in heard)


def speak(rng: np.random.Generator, sound: str, speaker: Speaker, rates: Rates) -> str:
    """A syllable with its tone ("zhang1") as the speaker says it; only syllables that exist come out."""
    syllable, tone = sound[:-1], sound[-1]
    for habit in speaker.habits:
        if rng.random() < rates["speech.keeps_habit"]:
            syllable = _changed(syllable, habit)
    for habit in speaker.overdone:
        if rng.random() < rates["speech.keeps_habit"] and syllable == sound[:-1]:
            syllable = _changed(syllable, _turned(habit))
    return syllable + tone


def hear(rng: np.random.Generator, sound: str, rates: Rates) -> tuple[str, int]:
    """Syllable and tone (1 to 5) that the listener takes a sound for."""
    syllable, tone = sound[:-1], int(sound[-1])
    for place, part in enumerate(("initials", "finals")):
        if rng.random() < rates.error("speech.slip"):
            syllable = _near(rng, syllable, place, rates.near[part])
    if rng.random() < rates.error("speech.tone_lost"):
        tone = int(rng.integers(1, 5))
    return syllable, tone


def _changed(syllable: str, habit: Habit) -> str:
    if syllable in habit.syllables:
        return habit.syllables[syllable]
    initial, final = parts(syllable)
    changed = habit.initials.get(initial, initial) + habit.finals.get(final, final)
    return changed if changed in all_syllables() else syllable


def _turned(habit: Habit) -> Habit:
    """The habit the other way round: "z" to "zh"."""
    return Habit(
        *({after: before for before, after in rows.items()} for rows in (habit.initials, habit.finals, habit.syllables))
    )


def _near(rng: np.random.Generator, syllable: str, place: int, near: Sequence[tuple[str, str]]) -> str:
    both = parts(syllable)
    others = [b if a == both[place] else a for a, b in near if both[place] in {a, b}]
    spelled = [other + both[1] if place == 0 else both[0] + other for other in others]
    possible = [one for one in spelled if one in all_syllables()]
    return possible[int(rng.integers(len(possible)))] if possible else syllable
