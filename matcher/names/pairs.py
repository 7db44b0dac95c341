"""Names by the thousand: what a pair of names is worth, for a few names against all those of many people at once.

What can be known of a name by itself (readings, sounds, how likely it is to be heard of anybody) is found out once, in
`prepare_name`. A pair in which a name was heard goes through the sound channel, all pairs of one shape together; a
pair of written names through `compare_names`, once for all the names that differ in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.names.channel import Floats, load_channel
from matcher.names.hearing import (
    MAX_SYLLABLES,
    Heard,
    Numbers,
    Sound,
    chance,
    heard_sounds,
    probability_heard,
    written_sounds,
)
from matcher.names.reading import Form, Reading, readings
from matcher.names.similarity import compare_names
from matcher.names.sounds import fold

Shape = tuple[int, int]
EndToEnd = tuple[NDArray[np.int16], Numbers]
"""int16 rows of many people, and how many numbers of them each person has."""
MAX_SAID = 8
"""Syllables of a written name that the channel looks at; no Chinese name has more."""
_SPOKEN = 3 + MAX_SYLLABLES  # whether heard, region, length, sounds
_WRITTEN = 3 + MAX_SAID  # place of the name, syllables of its surname and given name, sounds
_TONE_BITS = 3  # of a sound in one number: its tone, below its syllable


@dataclass(frozen=True, slots=True)
class PreparedName:
    """A name with all that does not depend on what it is compared with.

    Attributes:
        text: as written or heard.
        heard: whether it was heard, so that its characters are somebody's guess.
        readable: whether there is anything to read.
        region: number of the speaker's dialect region, see `SoundChannel.region_number`.
        sounds: what was heard; () when the name was not heard, or has no Chinese reading.
        chance: P(heard) of anybody's name; NaN when there is nothing heard to read.
        said: surname and given name of each way to read the name, at most MAX_SAID syllables together.
        given: folded syllables of the given name, when there is one way to read the name and it has both parts.
        syllables: all its folded syllables; None when it is read in one piece.
        rest: everything else that a comparison with a name of wholly different syllables depends on.
    """

    text: str
    heard: bool
    readable: bool
    region: int
    sounds: tuple[Sound, ...]
    chance: float
    said: tuple[tuple[Shape, tuple[Sound, ...]], ...]
    given: frozenset[str] | None
    syllables: frozenset[str] | None
    rest: tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedNames:
    """The names of one person, and the same as rows of numbers, whose bytes are quickly laid end to end.

    Attributes:
        names: the names.
        spoken: int16 (names, _SPOKEN).
        written: int16 (ways to read them, _WRITTEN).
        chances: float64 (names,).
    """

    names: tuple[PreparedName, ...]
    spoken: bytes
    written: bytes
    chances: bytes


@dataclass(frozen=True, slots=True, eq=False)
class StackedNames:
    """Names of many people in one row, made ready for the channel.

    Attributes:
        rows: (n,) whose each name is.
        people: the names themselves, by person.
        said: shape to (place among the names (m,), syllables (m, s + g), tones (m, s + g)).
        heard: length to (place among the names (m,), their sounds).
        chance: (n,) P(heard) of anybody's name, NaN where the name was not heard or cannot be read.
        is_heard: (n,) whether each was heard.
    """

    rows: Numbers
    people: Sequence[PreparedNames]
    said: dict[Shape, tuple[Numbers, Numbers, Numbers]]
    heard: dict[int, tuple[Numbers, Heard]]
    chance: Floats
    is_heard: NDArray[np.bool_]


def prepare_name(text: str, *, heard: bool, region: str | None = None) -> PreparedName:
    """A name as the matcher takes it; `region` of the person who said it, None when unknown."""
    found = readings(text)
    sounds = heard_sounds(text) if heard else ()
    return PreparedName(
        text=text,
        heard=heard,
        readable=bool(found),
        region=load_channel().region_number(region),
        sounds=sounds,
        chance=chance(sounds, region) if sounds else np.nan,
        said=tuple(_cut(*parts) for parts in (written_sounds(text) if found else ()) if parts[0] + parts[1]),
        given=_given(found),
        syllables=_syllables(found),
        rest=_rest(found),
    )


def prepare_names(names: Sequence[PreparedName]) -> PreparedNames:
    """The names of one person, ready to be stacked."""
    spoken = [[one.heard, one.region, len(one.sounds), *_padded(one.sounds, MAX_SYLLABLES)] for one in names]
    written = [
        [place, *shape, *_padded(sounds, MAX_SAID)] for place, one in enumerate(names) for shape, sounds in one.said
    ]
    chances = np.array([one.chance for one in names], np.float64)
    rows = [np.array(one, np.int16).tobytes() for one in (spoken, written)]
    return PreparedNames(tuple(names), rows[0], rows[1], chances.tobytes())


def lay_names(people: Sequence[PreparedNames], spoken: EndToEnd, written: EndToEnd, chances: Floats) -> StackedNames:
    """The names of many people in one row, from their rows end to end and how many numbers of these each person has."""
    counts = spoken[1] // _SPOKEN
    rows = spoken[0].reshape(-1, _SPOKEN)
    readings = written[0].reshape(-1, _WRITTEN).astype(np.int64)
    readings[:, 0] += np.repeat(np.cumsum(counts) - counts, written[1] // _WRITTEN)
    return StackedNames(
        np.repeat(np.arange(len(people)), counts), people, _by_shape(readings), _by_length(rows), chances,
        rows[:, 0] == 1,
    )  # fmt: skip


def _by_shape(written: Numbers) -> dict[Shape, tuple[Numbers, Numbers, Numbers]]:
    found: dict[Shape, tuple[Numbers, Numbers, Numbers]] = {}
    codes = written[:, 1] * (MAX_SAID + 1) + written[:, 2]
    for code in np.unique(codes).tolist():
        shape = divmod(code, MAX_SAID + 1)
        rows = written[codes == code]
        found[shape] = rows[:, 0], *_apart_sounds(rows[:, 3 : 3 + sum(shape)])
    return found


def _by_length(spoken: NDArray[np.int16]) -> dict[int, tuple[Numbers, Heard]]:
    found: dict[int, tuple[Numbers, Heard]] = {}
    for length in np.unique(spoken[:, 2]).tolist():
        if length:
            places = np.flatnonzero(spoken[:, 2] == length)
            rows = spoken[places].astype(np.int64)
            found[length] = places, Heard(*_apart_sounds(rows[:, 3 : 3 + length]), rows[:, 1])
    return found


def _apart_sounds(sounds: Numbers) -> tuple[Numbers, Numbers]:
    """Syllables and tones."""
    return sounds >> _TONE_BITS, sounds & ((1 << _TONE_BITS) - 1)


def pair_log10_lrs(ours: PreparedName, theirs: StackedNames) -> Floats:
    """log10 likelihood ratio of one name with each of the others, (n,); NaN where one of the two cannot be read.

    Heard names within the channel's bounds, written ones within those of `compare_names`. Where both were heard, the
    mean of both ways round.
    """
    total, ways = np.zeros(len(theirs.rows)), np.zeros(len(theirs.rows))
    if not ours.readable:
        return np.full(len(theirs.rows), np.nan)
    listener = load_channel().listener
    for found in (_ours_heard(ours, theirs), _theirs_heard(ours, theirs)):
        known = ~np.isnan(found)
        total[known] += np.clip(found[known], listener.floor_log10, listener.cap_log10)
        ways += known
    result = np.full(len(total), np.nan)
    np.divide(total, ways, out=result, where=ways > 0)
    _written(ours, theirs, np.flatnonzero(ways == 0), result)
    return result


def _ours_heard(ours: PreparedName, theirs: StackedNames) -> Floats:
    """Our name was heard: how likely from each of theirs. NaN where that cannot be said."""
    if not ours.sounds:
        return np.full(len(theirs.rows), np.nan)
    probability = np.zeros(len(theirs.rows))
    heard = Heard.of(ours.sounds, ours.region)
    for shape, (places, syllables, tones) in theirs.said.items():
        np.maximum.at(probability, places, probability_heard(heard, shape, syllables, tones))
    return _log10_ratio(probability, ours.chance)


def _theirs_heard(ours: PreparedName, theirs: StackedNames) -> Floats:
    """The other way round: each of theirs that was heard, from our name."""
    probability = np.zeros(len(theirs.rows))
    for shape, sounds in ours.said:
        own = Heard.of(sounds, ours.region)
        for places, heard in theirs.heard.values():
            found = probability_heard(heard, shape, own.syllables, own.tones)
            probability[places] = np.maximum(probability[places], found)
    return _log10_ratio(probability, theirs.chance)


def _log10_ratio(probability: Floats, anybody: Floats | float) -> Floats:
    result = np.full(len(probability), np.nan)
    np.log10(probability / anybody, out=result, where=probability > 0)
    return result


def _written(ours: PreparedName, theirs: StackedNames, places: Numbers, result: Floats) -> None:
    """Write into `result` what no channel speaks of, at these places; each kind of difference is looked at once."""
    if not len(places):
        return
    known: dict[object, float] = {}
    names = [name for one in theirs.people for name in one.names]
    for place in places.tolist():
        name = names[place]
        key: object = name.rest if _apart(ours, name) else name.text
        either = ours.heard or name.heard
        if (key, either) not in known:
            agreement = compare_names(ours.text, name.text, heard=either)
            known[key, either] = np.nan if agreement is None else agreement.log10_lr
        result[place] = known[key, either]


def _apart(ours: PreparedName, theirs: PreparedName) -> bool:
    """Whether no syllable agrees that could matter, so that only their `rest` does."""
    if ours.given is not None and theirs.given is not None:
        return ours.given.isdisjoint(theirs.given)
    return ours.syllables is not None and theirs.syllables is not None and ours.syllables.isdisjoint(theirs.syllables)


def _given(found: Sequence[Reading]) -> frozenset[str] | None:
    if len(found) != 1 or found[0].form is not Form.FULL:
        return None
    return frozenset(fold(syllable) for syllable in found[0].given_sound)


def _syllables(found: Sequence[Reading]) -> frozenset[str] | None:
    if any(one.form is Form.WHOLE for one in found):
        return None
    return frozenset(fold(syllable) for one in found for syllable in (*one.surname_sound, *one.given_sound))


def _rest(found: Sequence[Reading]) -> tuple[object, ...]:
    # Of a name that is not whole the surname counts by its sound alone, which does not agree.
    return tuple(
        (one.form, bool(one.given), min(len(one.given_sound), 2), one.swapped)
        + ((one.surname, one.surname_sound) if one.form is Form.FULL else ())
        for one in found
    )


def _cut(surname: Sequence[Sound], given: Sequence[Sound]) -> tuple[Shape, tuple[Sound, ...]]:
    first = surname[:MAX_SAID]
    rest = given[: MAX_SAID - len(first)]
    return (len(first), len(rest)), (*first, *rest)


def _padded(sounds: Sequence[Sound], width: int) -> list[int]:
    # UNKNOWN, a syllable below 0, comes back as it was: the shift keeps the sign.
    numbers = [(sound.syllable << _TONE_BITS) + sound.tone for sound in sounds]
    return numbers + [0] * (width - len(numbers))
