"""Name: characters, sound and dialect, weighed by how common the name is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import log10
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import best, highest
from matcher.evidence.confidence import levels, reliabilities, told, weakened
from matcher.evidence.packing import Columns, Parts, columns
from matcher.names.channel import load_channel
from matcher.names.pairs import PreparedNames, StackedNames, lay_names, pair_log10_lrs, prepare_name, prepare_names
from matcher.names.similarity import NameAgreement, NameLevel, compare_names
from matcher.profile import Name, Profile
from matcher.vocabulary import Basis, EvidenceKind, NameKind

WORDS: Mapping[NameLevel, tuple[str, str]] = MappingProxyType(
    {
        NameLevel.CHARACTERS: ("用字相同", "written alike"),
        NameLevel.SOUND: ("读音相同", "sound alike"),
        NameLevel.SIMILAR: ("口音相近", "sound alike in some dialect"),
        NameLevel.PARTIAL: ("部分相同", "agree in part"),
        NameLevel.DIFFERENT: ("不同", "differ"),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The names of a profile, and for each, as int16, whether it is a nickname, and its `confidence.level`."""

    prepared: PreparedNames
    nicknames: bytes
    levels: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """The names of many profiles, which are nicknames, and how sure those were who heard them."""

    count: int
    stacked: StackedNames
    nickname: NDArray[np.bool_]
    levels: NDArray[np.int16]


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the pair of names that agree best; None when a side has no name that can be read.

    A name that was heard is weighed by how likely its sound is, given the other name and the person's accent. A
    disagreement weighs no more than names are wholly wrong of one person (`name.wrong`). A nickname can only speak for:
    that it differs from another name says nothing, and hides no other pair that does.
    """
    ours, theirs = encode(probe, parameters), stack([encode(other, parameters)])
    values = pair_values(ours, theirs, parameters)
    value = highest(values)
    if value is None:
        return None
    pairs = product(enumerate(probe.names), enumerate(other.names))
    # The texts make ties fall the same way whatever order the names are in.
    a, b = max(
        ((a, b) for (i, a), (j, b) in pairs if values[i][j] == value),
        key=lambda pair: (pair[0].text, pair[1].text, is_heard(pair[0]), is_heard(pair[1])),
    )
    agreement = compare_names(a.text, b.text, heard=is_heard(a) or is_heard(b))
    return None if agreement is None else _worded(a, b, value, agreement, told(a.confidence, b.confidence, parameters))


def encode(profile: Profile, parameters: Parameters) -> Encoded:
    """Every name, read and sounded."""
    region = region_of(profile)
    prepared = [prepare_name(one.text, heard=is_heard(one), region=region) for one in profile.names]
    nicknames = np.array([one.kind is NameKind.NICKNAME for one in profile.names], np.int16).tobytes()
    return Encoded(prepare_names(prepared), nicknames, levels([one.confidence for one in profile.names]))


def parts(encoded: Encoded) -> Parts:
    """The names of one profile, to be packed."""
    names = encoded.prepared
    return Parts((names.spoken, names.written, encoded.nicknames, encoded.levels), (names.chances,), (names,))


def stack(encoded: Sequence[Encoded]) -> Names:
    """The names of many profiles."""
    return gather(columns([parts(one) for one in encoded]))


def gather(gathered: Columns) -> Names:
    """The same of profiles that are packed."""
    spoken, written, (nicknames, _), (sure, _) = gathered.shorts
    ((chances, _),), (people,) = gathered.floats, gathered.others
    return Names(gathered.count, lay_names(people, spoken, written, chances), nicknames == 1, sure)


def pair_values(ours: Encoded, theirs: Names, parameters: Parameters) -> list[Floats]:
    """log10 LR of each of our names with each of theirs, NaN where one cannot be read or a nickname differs."""
    found = []
    nicknames, own = np.frombuffer(ours.nicknames, np.int16), np.frombuffer(ours.levels, np.int16)
    reliable = reliabilities(theirs.levels, parameters)
    rows = zip(ours.prepared.names, nicknames.tolist(), reliabilities(own, parameters).tolist(), strict=True)
    for name, nickname, own_reliable in rows:
        heard = theirs.stacked.is_heard | name.heard
        floor = np.log10(np.where(heard, parameters["name.wrong_heard"], parameters["name.wrong"]))
        values = np.clip(pair_log10_lrs(name, theirs.stacked), floor, parameters["name.cap"])
        # Of all names that people say few are nicknames, so that nicknames agree by chance where the others cannot.
        spoken = values + log10(parameters["name.nickname"])
        values = np.where(theirs.nickname | bool(nickname), np.where(spoken > 0, spoken, np.nan), values)
        found.append(weakened(values, reliable * own_reliable))
    return found


def score(ours: Encoded, theirs: Names, parameters: Parameters) -> Floats:
    """log10 LR by candidate, of the pair that agrees best; NaN where no name can be read."""
    found = np.full(theirs.count, np.nan)
    for values in pair_values(ours, theirs, parameters):
        found = np.fmax(found, best(values, theirs.stacked.rows, theirs.count))
    return found


def is_heard(name: Name) -> bool:
    """Whether the characters of the name are somebody's guess at what was said."""
    return name.kind is NameKind.HEARD or name.basis is Basis.HEARD


def region_of(profile: Profile) -> str | None:
    """The dialect region of the accent, whose value begins with a province's division code; None when unknown."""
    return load_channel().provinces.get(profile.accent.value[:2]) if profile.accent else None


def likelihood_words(value: float) -> tuple[str, str]:
    """How many times as likely, in Chinese and English."""
    times = f"{10 ** abs(value):,.0f}" if abs(value) >= 1 else f"{10 ** abs(value):.1f}"
    more = ("倍", "times as likely") if value >= 0 else ("分之一", "times less likely")
    return f"{times} {more[0]}", f"{times} {more[1]}"


def _worded(a: Name, b: Name, value: float, agreement: NameAgreement, sure: tuple[str, str]) -> Evidence:
    zh, en = WORDS[agreement.level]
    if not (is_heard(a) or is_heard(b)):
        surname, given = agreement.surname_log10_lr, agreement.given_log10_lr
        return Evidence(
            EvidenceKind.NAME, value, a.text, b.text,
            f"姓名“{a.text}”与“{b.text}”{zh}（姓 {surname:+.1f}，名 {given:+.1f}）。{sure[0]}",
            f"The names {a.text} and {b.text} {en} (surname {surname:+.1f}, given name {given:+.1f}).{sure[1]}",
        )  # fmt: skip
    times_zh, times_en = likelihood_words(value)
    return Evidence(
        EvidenceKind.NAME, value, a.text, b.text,
        f"听到的姓名“{a.text}”与“{b.text}”{zh}；叫这个名字的人被这样听到的可能性，是任意一人的 {times_zh}。{sure[0]}",
        f"The heard names {a.text} and {b.text} {en}: {times_en} of somebody of that name than of anybody.{sure[1]}",
    )  # fmt: skip
