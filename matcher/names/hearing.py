"""How likely it is that a name was heard so: the sound channel over every way in which the name may have been said.

P(heard | name) sums over the forms of a name (whole, given name first, given name alone, nickname …) and over the
alignments of its syllables with those that were written down, some lost, some added (forward algorithm; Ristad and
Yianilos, Learning string-edit distance, 1998). The likelihood ratio sets it against P(heard) of a name drawn from the
population, so that a common name says little and a rare one much (Fellegi and Sunter, 1969).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.names.channel import TONES, Floats, SoundChannel, load_channel
from matcher.names.reading import Form, readings
from matcher.names.sounds import is_han, split_latin, tonal_syllables
from matcher.names.tables import load_tables

UNKNOWN = -1
MAX_SYLLABLES = 6
_CHUNK = 4096  # names whose sums stay in a core's cache
_PIECES = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]+|[^\W\d_㐀-鿿豈-﫿\U00020000-\U0003ffff]+")

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sound:
    """One syllable: its number in the inventory (UNKNOWN for none) and its tone, 1 to 5, 0 when it was not written."""

    syllable: int
    tone: int


@dataclass(frozen=True, slots=True, eq=False)
class EncodedNames:
    """Names as numbers, gathered by shape, so that one probe is set against all of them at once.

    Attributes:
        count: how many names there are.
        groups: (syllables of the surname, of the given name) to (rows, syllables (n, s+g), tones (n, s+g)).
    """

    count: int
    groups: Mapping[tuple[int, int], tuple[Numbers, Numbers, Numbers]]


def heard_sounds(text: str) -> tuple[Sound, ...]:
    """The syllables of what somebody wrote down, at most MAX_SYLLABLES; () when there is nothing to read.

    Characters stand for a sound, letters among them for pinyin ("pen海琴").
    """
    pieces = _PIECES.findall(text_of(text))
    mixed = len({is_han(piece) for piece in pieces}) == 2
    found = readings(pieces[0] if mixed else text)
    if not found or found[0].form is Form.WHOLE:
        return ()
    surname = found[0].surname if not found[0].swapped else ""
    called = found[0].form is Form.ADDRESS and surname != "" and _is_surname(text, surname)
    sounds: list[Sound] = []
    for piece in pieces:
        if not is_han(piece):
            sounds.extend(_sound(syllable, 0) for syllable in split_latin(piece))
            continue
        first = surname if not sounds and piece.startswith(surname) else ""
        last = surname if called and not first and piece.endswith(surname) else ""
        middle = piece.removeprefix(first).removesuffix(last)
        tonal = (
            *tonal_syllables(first, surname=True), *tonal_syllables(middle), *tonal_syllables(last, surname=True)
        )  # fmt: skip
        sounds.extend(_sound(syllable[:-1], int(syllable[-1])) for syllable in tonal if syllable)
    return tuple(sounds[:MAX_SYLLABLES])


def _is_surname(address: str, character: str) -> bool:
    """Whether the character of 老覃 or 小曾 is read as a surname: after 老 it is one, else when that is the likelier.

    小乐 is named after a given name (le), 小曾 after a surname (zeng).
    """
    own, other = (tonal_syllables(character, surname=one)[0] for one in (True, False))
    if own == other or address.startswith("老"):
        return True
    channel = load_channel()
    shares = [
        table[channel.inventory[sound[:-1]], int(sound[-1]) - 1] if sound[:-1] in channel.inventory else 0.0
        for table, sound in ((channel.surname, own), (channel.given, other))
    ]
    return bool(shares[0] >= shares[1])


def text_of(text: str) -> str:
    """The text with the characters of surnames simplified, as the tables know them."""
    return "".join(load_tables().traditional_surnames.get(char, char) for char in text)


def encode(names: Sequence[str]) -> EncodedNames:
    """Names as they are written on papers and reports. One that has no Chinese reading never matches."""
    shapes: dict[tuple[int, int], list[tuple[int, list[Sound]]]] = {}
    for row, name in enumerate(names):
        for surname, given in written_sounds(name):
            if surname + given:
                shapes.setdefault((len(surname), len(given)), []).append((row, [*surname, *given]))
    groups = {}
    for shape, entries in shapes.items():
        rows = np.array([row for row, _ in entries])
        sounds = np.array([[(one.syllable, one.tone) for one in entry] for _, entry in entries])
        groups[shape] = (rows, sounds[:, :, 0], sounds[:, :, 1])
    return EncodedNames(len(names), MappingProxyType(groups))


def log10_lrs(text: str, names: EncodedNames, region: str | None = None) -> Floats:
    """log10 likelihood ratio of each name, shape (count,), unbounded; 0 where nothing can be read.

    `region` is a dialect region of `SoundChannel.regions`, of the person who said the name; None when unknown.
    """
    sounds = heard_sounds(text)
    result = np.zeros(names.count)
    if not sounds:
        return result
    heard = Heard.of(sounds, load_channel().region_number(region))
    probability = np.zeros(names.count)
    for shape, (rows, numbers, tones) in names.groups.items():
        for start in range(0, len(rows), _CHUNK):
            part = slice(start, start + _CHUNK)
            np.maximum.at(probability, rows[part], probability_heard(heard, shape, numbers[part], tones[part]))
    read = probability > 0
    result[read] = np.log10(probability[read] / chance(sounds, region))
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Heard names of one length L: numbers and tones of their syllables (m, L), and the speakers' regions (m,)."""

    syllables: Numbers
    tones: Numbers
    regions: Numbers

    @classmethod
    def of(cls, sounds: tuple[Sound, ...], region: int) -> "Heard":
        """One heard name of at least one syllable."""
        numbers = np.array([[(sound.syllable, sound.tone) for sound in sounds]])
        return cls(numbers[:, :, 0], numbers[:, :, 1], np.array([region]))


@lru_cache(maxsize=50_000)
def chance(sounds: tuple[Sound, ...], region: str | None = None) -> float:
    """P(heard) of a name drawn from the population: one-syllable surname, given name of one or two syllables."""
    channel = load_channel()
    one, place = channel.listener.given_one, channel.region_number(region)
    drawn = [[float(table[place, sound.tone, sound.syllable]) for sound in sounds] for table in channel.drawn]
    prefixes = [float(channel.prefixes[place, sound.tone, sound.syllable]) for sound in sounds]
    short, long = (
        _summed((1, given), [drawn[0], *[drawn[1]] * given], drawn[1], prefixes, channel) for given in (1, 2)
    )
    return float(one * short + (1 - one) * long) + _doubled(sounds, drawn[1], place, channel)


def _doubled(sounds: tuple[Sound, ...], drawn: Sequence[float], place: int, channel: SoundChannel) -> float:
    """What a doubled syllable adds to the two sounds taken as drawn apart: it is drawn once and heard twice."""
    if len(sounds) != 2 or UNKNOWN in {sound.syllable for sound in sounds}:
        return 0.0
    listener = channel.listener
    kept, other = listener.tone_kept, (1 - listener.tone_kept) / (TONES - 1)
    together = channel.given.copy()
    for sound in sounds:
        if sound.tone:
            together = together * np.where(np.arange(1, TONES + 1) == sound.tone, kept, other)
        together = together * channel.matrices[place][:, sound.syllable, None]
    keep = 1 - listener.dropped - listener.added
    return float(listener.forms["doubled"] * keep**2 * (together.sum() - drawn[0] * drawn[1]))


def probability_heard(heard: Heard, shape: tuple[int, int], numbers: Numbers, tones: Numbers) -> Floats:
    """P(heard | name) of names of one shape (n, s+g), each against its own heard name (m = n), or all against one.

    A single name (n = 1) may be set against many heard ones too.
    """
    channel = load_channel()
    rows: list[list[Any]] = _said(heard, numbers, tones, channel)
    added, prefixes = (_columns(heard, table) for table in (channel.drawn[1], channel.prefixes))
    if len(numbers) == len(heard.regions) == 1:
        # The sums of one pair are numbers, which are quicker by themselves than as arrays of one.
        rows = [[float(cell[0]) for cell in row] for row in rows]
        added, prefixes = [float(one[0]) for one in added], [float(one[0]) for one in prefixes]
    return np.atleast_1d(_summed(shape, rows, added, prefixes, channel))


def _columns(heard: Heard, table: Floats) -> list[Any]:
    """From a table by region, tone and syllable, each syllable that was heard."""
    columns = range(heard.syllables.shape[1])
    return [table[heard.regions, heard.tones[:, column], heard.syllables[:, column]] for column in columns]


def _said(heard: Heard, numbers: Numbers, tones: Numbers, channel: SoundChannel) -> list[list[Any]]:
    """P(heard syllable | syllable of the name), by place of the name and place of what was heard."""
    columns, places = range(heard.syllables.shape[1]), range(numbers.shape[1])
    if len(heard.regions) == 1:
        # One was heard: what any syllable and tone would be heard as is found out once, and then looked up.
        tables = [_listened(heard, column, channel) for column in columns]
        # UNKNOWN counts from the end, where the tables have it.
        cells = [numbers[:, place] * (TONES + 1) + tones[:, place] for place in places]
        return [[table.take(cell) for table in tables] for cell in cells]
    kept = channel.listener.tone_kept
    agreement = np.full((TONES + 1, TONES + 1), (1 - kept) / (TONES - 1))
    np.fill_diagonal(agreement, kept)
    agreement[0], agreement[:, 0] = 1 / TONES, 1.0  # the name's tone by row, the heard one by column
    rows: list[list[Any]] = []
    for place in places:
        said, tone = numbers[:, place], tones[:, place]
        one = len(said) == 1
        row = []
        for column in columns:
            syllable, pitch = heard.syllables[:, column], heard.tones[:, column]
            if one:
                found = channel.matrices[:, said[0], :][heard.regions, syllable]
                tonal = agreement[tone[0]][pitch]
            else:
                found, tonal = channel.matrices[heard.regions, said, syllable], agreement[tone, pitch]
            unknown = syllable == UNKNOWN
            found = np.where((said == UNKNOWN) | unknown, 1 / channel.size, found)
            row.append(np.where(unknown, 1.0, tonal) * found)
        rows.append(row)
    return rows


def _listened(heard: Heard, column: int, channel: SoundChannel) -> Floats:
    """Of one heard syllable, its probability by the name's syllable, UNKNOWN last, and each of its tones (0 to 5)."""
    kept, unknown = channel.listener.tone_kept, 1 / channel.size
    syllable, pitch = int(heard.syllables[0, column]), int(heard.tones[0, column])
    if syllable == UNKNOWN:
        return np.full((channel.size + 1) * (TONES + 1), unknown)
    tonal = np.full(TONES + 1, (1 - kept) / (TONES - 1) if pitch else 1.0)
    if pitch:
        tonal[0], tonal[pitch] = 1 / TONES, kept
    spoken = np.append(channel.matrices[int(heard.regions[0]), :, syllable], unknown)
    return np.asarray(spoken[:, None] * tonal, np.float64).ravel()


# A place of a form: a syllable of the name by its position, or None for the prefix of a nickname.
_Place = int | None


def _forms(shape: tuple[int, int]) -> Iterator[tuple[str, tuple[_Place, ...]]]:
    """Every way to say a name of this shape."""
    surname, given = tuple(range(shape[0])), tuple(range(shape[0], sum(shape)))
    yield "full", (*surname, *given)
    if surname and given:
        yield "swapped", (*given, *surname)
        yield "given", given
        yield "surname", surname
    last = (*surname, *given)[-1]
    yield "nickname", (None, last)
    if surname and given:
        yield "nickname_surname", (None, surname[0])
    yield "doubled", (last, last)


def _summed(
    shape: tuple[int, int],
    emissions: Sequence[Sequence[Any]],
    added: Sequence[Any],
    prefixes: Sequence[Any],
    channel: SoundChannel,
) -> Any:
    """Over the forms in which a name of this shape may have been said; of numbers, or of arrays of one length."""
    drop, add = channel.listener.dropped, channel.listener.added
    keep = 1 - drop - add
    inserted = [add * one for one in added]
    heard = {place: [keep * one for one in row] for place, row in enumerate(emissions)}
    prefix = [keep * one for one in prefixes]
    start: list[Any] = [1.0]
    for one in inserted:
        start.append(start[-1] * one)
    # Forms that begin alike (surname; surname and given name) have the beginning of the sum in common.
    lines: dict[tuple[_Place, ...], list[Any]] = {(): start}
    total: Any = 0.0
    for form, places in _forms(shape):
        for end in range(1, len(places) + 1):
            if places[:end] not in lines:
                place = places[end - 1]
                row = prefix if place is None else heard[place]
                lines[places[:end]] = _next_line(lines[places[: end - 1]], row, inserted, drop)
        total = total + channel.listener.forms[form] * lines[places][-1]
    return total


def _next_line(line: Sequence[Any], row: Sequence[Any], inserted: Sequence[Any], drop: float) -> list[Any]:
    """Forward algorithm: sums over the alignments of one place more of a form with the heard syllables (columns).

    `row`: the probability of saying the syllable of that place, kept, and of its being heard so, by column.
    """
    below = [line[0] * drop]
    for column, emission in enumerate(row, start=1):
        below.append(line[column - 1] * emission + line[column] * drop + below[-1] * inserted[column - 1])
    return below


def _sound(syllable: str, tone: int) -> Sound:
    return Sound(load_channel().inventory.get(syllable, UNKNOWN), tone)


def written_sounds(name: str) -> Iterator[tuple[list[Sound], list[Sound]]]:
    """Surname and given name of each way to read a written name; readings in one piece are left out."""
    for reading in readings(name):
        if reading.form is Form.WHOLE:
            continue
        if is_han(name):
            surname = [*tonal_syllables(reading.surname, surname=True)] if reading.surname else []
            given = [*tonal_syllables(reading.given)] if reading.given else []
            if reading.form is Form.ADDRESS:
                given = []
            yield (
                [_sound(sound[:-1], int(sound[-1])) for sound in surname],
                [_sound(sound[:-1], int(sound[-1])) for sound in given],
            )
        else:
            yield [_sound(sound, 0) for sound in reading.surname_sound], [_sound(s, 0) for s in reading.given_sound]
