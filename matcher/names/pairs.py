"""Names by the thousand: what a pair of names is worth, for a few names against all those of many people at once.

What can be known of a name by itself (readings, sounds, how likely it is to be heard of anybody) is found out once, in
`prepare_name`. A pair in which a name was heard goes through the sound channel, all pairs of one shape together; a
pair of written names through `compare_names`, once for all the names that differ in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matcher.names.channel import Floats, load_channel
from matcher.names.hearing import Heard, Numbers, chance_heard, heard_sounds, probability_heard, written_sounds
from matcher.names.reading import Form, Reading, readings
from matcher.names.similarity import compare_names
from matcher.names.sounds import fold

Shape = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PreparedName:
    """A name with all that does not depend on what it is compared with.

    Attributes:
        text: as written or heard.
        heard: whether it was heard, so that its characters are somebody's guess.
        readable: whether there is anything to read.
        region: number of the speaker's dialect region, see `SoundChannel.region_number`.
        length: syllables of what was heard; 0 when the name was not heard, or has no Chinese reading.
        sounds: their numbers and tones, as bytes of an int64 array (length, 2).
        said: each way in which the name itself is read: syllables of surname and given name, and their numbers and
            tones as bytes of an int64 array (s + g, 2).
        given: folded syllables of the given name, when there is one way to read the name and it has both parts.
        syllables: all its folded syllables; None when it is read in one piece.
        rest: everything else that a comparison with a name of wholly different syllables depends on.
    """

    text: str
    heard: bool
    readable: bool
    region: int
    length: int
    sounds: bytes
    said: tuple[tuple[Shape, bytes], ...]
    given: frozenset[str] | None
    syllables: frozenset[str] | None
    rest: tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class StackedNames:
    """Names of many people in one row, made ready for the channel.

    Attributes:
        names: all of them.
        said: shape to (place among the names (m,), numbers and tones (m, s + g, 2)).
        heard: length to (place among the names (m,), their sounds).
        chance: P(heard) of anybody's name, NaN where the name was not heard or cannot be read.
        is_heard: (n,) whether each was heard.
    """

    names: Sequence[PreparedName]
    said: dict[Shape, tuple[Numbers, Numbers]]
    heard: dict[int, tuple[Numbers, Heard]]
    chance: Floats
    is_heard: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def prepare_name(text: str, *, heard: bool, region: str | None = None) -> PreparedName:
    """A name as the matcher takes it; `region` of the person who said it, None when unknown."""
    found = readings(text)
    sounds = heard_sounds(text) if heard else ()
    said = tuple(
        ((len(surname), len(given)), _bytes([*surname, *given]))
        for surname, given in (written_sounds(text) if found else ())
        if surname + given
    )
    return PreparedName(
        text=text,
        heard=heard,
        readable=bool(found),
        region=load_channel().region_number(region),
        length=len(sounds),
        sounds=_bytes(sounds),
        said=said,
        given=_given(found),
        syllables=_syllables(found),
        rest=_rest(found),
    )


def stack_names(names: Sequence[PreparedName]) -> StackedNames:
    """Names in one row."""
    said: dict[Shape, tuple[list[int], list[bytes]]] = {}
    heard: dict[int, tuple[list[int], list[bytes]]] = {}
    for number, name in enumerate(names):
        for shape, sounds in name.said:
            entry = said.setdefault(shape, ([], []))
            entry[0].append(number)
            entry[1].append(sounds)
        if name.length:
            entry = heard.setdefault(name.length, ([], []))
            entry[0].append(number)
            entry[1].append(name.sounds)
    regions = np.array([name.region for name in names], np.int64)
    stacked = {length: _heard(places, _array(sounds, length), regions) for length, (places, sounds) in heard.items()}
    chances = np.full(len(names), np.nan)
    for places, spoken in stacked.values():
        chances[places] = chance_heard(spoken)
    return StackedNames(
        names,
        {shape: (np.array(places), _array(sounds, sum(shape))) for shape, (places, sounds) in said.items()},
        stacked,
        chances,
        np.array([name.heard for name in names], np.bool_),
    )


def pair_log10_lrs(ours: PreparedName, theirs: StackedNames) -> Floats:
    """log10 likelihood ratio of one name with each of the others, (n,); NaN where one of the two cannot be read.

    Heard names within the channel's bounds, written ones within those of `compare_names`. Where both were heard, the
    mean of both ways round.
    """
    total, ways = np.zeros(len(theirs.names)), np.zeros(len(theirs.names))
    if not ours.readable:
        return np.full(len(theirs.names), np.nan)
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
    if not ours.length:
        return np.full(len(theirs.names), np.nan)
    probability = np.zeros(len(theirs.names))
    heard = Heard(*_split(_array([ours.sounds], ours.length)), np.array([ours.region]))
    for shape, (places, sounds) in theirs.said.items():
        np.maximum.at(probability, places, probability_heard(heard, shape, *_split(sounds)))
    return _log10_ratio(probability, chance_heard(heard))


def _theirs_heard(ours: PreparedName, theirs: StackedNames) -> Floats:
    """The other way round: each of theirs that was heard, from our name."""
    probability = np.zeros(len(theirs.names))
    for shape, own in ours.said:
        numbers, tones = _split(_array([own], sum(shape)))
        for places, heard in theirs.heard.values():
            probability[places] = np.maximum(probability[places], probability_heard(heard, shape, numbers, tones))
    return _log10_ratio(probability, theirs.chance)


def _log10_ratio(probability: Floats, anybody: Floats) -> Floats:
    result = np.full(len(probability), np.nan)
    np.log10(probability / anybody, out=result, where=probability > 0)
    return result


def _written(ours: PreparedName, theirs: StackedNames, places: Numbers, result: Floats) -> None:
    """Write into `result` what no channel speaks of, at these places; each kind of difference is looked at once."""
    known: dict[object, float] = {}
    for place in places:
        name = theirs.names[place]
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


def _bytes(sounds: Sequence[object]) -> bytes:
    pairs = [(sound.syllable, sound.tone) for sound in sounds]  # type: ignore[attr-defined]
    return np.array(pairs, np.int64).tobytes()


def _array(sounds: Sequence[bytes], length: int) -> Numbers:
    return np.frombuffer(b"".join(sounds), np.int64).reshape(len(sounds), length, 2)


def _split(sounds: Numbers) -> tuple[Numbers, Numbers]:
    return sounds[:, :, 0], sounds[:, :, 1]


def _heard(places: list[int], sounds: Numbers, regions: Numbers) -> tuple[Numbers, Heard]:
    where = np.array(places)
    return where, Heard(*_split(sounds), regions[where])


def pair_log10_lr(ours: PreparedName, theirs: PreparedName) -> float | None:
    """The same of one pair; None where one of the two cannot be read."""
    (value,) = pair_log10_lrs(ours, stack_names([theirs]))
    return None if np.isnan(value) else float(value)
