"""Name: characters, sound and dialect, weighed by how common the name is."""

from collections.abc import Mapping
from itertools import product
from types import MappingProxyType

from matcher.evidence.base import Evidence, Parameters, bounded
from matcher.names.channel import load_channel
from matcher.names.hearing import heard_log10_lr
from matcher.names.similarity import NameLevel, compare_names
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


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the pair of names that agree best; None when a side has no name that can be read.

    A name that was heard is weighed by how likely its sound is, given the other name and the person's accent. A
    disagreement weighs less when a name was heard, and nothing when one is a nickname.
    """
    found = [
        evidence
        for a, b in product(probe.names, other.names)
        if (evidence := _compare(a, b, (_region(probe), _region(other)), parameters)) is not None
    ]
    # The texts make ties fall the same way whatever order the names are in.
    return max(found, key=lambda one: (one.log10_lr, one.probe_value, one.other_value), default=None)


def _compare(a: Name, b: Name, regions: tuple[str | None, str | None], parameters: Parameters) -> Evidence | None:
    agreement = compare_names(a.text, b.text, heard=_heard(a) or _heard(b))
    if agreement is None:
        return None
    zh, en = WORDS[agreement.level]
    said = [
        heard_log10_lr(heard.text, name.text, region)
        for heard, name, region in ((a, b, regions[0]), (b, a, regions[1]))
        if _heard(heard)
    ]
    ratios = [one for one in said if one is not None]
    if not ratios:
        value = bounded(agreement.log10_lr, _floor(a, b, parameters), parameters["name.cap"])
        surname, given = agreement.surname_log10_lr, agreement.given_log10_lr
        return Evidence(
            EvidenceKind.NAME, value, a.text, b.text,
            f"姓名“{a.text}”与“{b.text}”{zh}（姓 {surname:+.1f}，名 {given:+.1f}）。",
            f"The names {a.text} and {b.text} {en} (surname {surname:+.1f}, given name {given:+.1f}).",
        )  # fmt: skip
    value = bounded(sum(ratios) / len(ratios), _floor(a, b, parameters), parameters["name.cap"])
    times = f"{10 ** abs(value):,.0f}" if abs(value) >= 1 else f"{10 ** abs(value):.1f}"
    more_zh, more_en = ("倍", "times as likely") if value >= 0 else ("分之一", "times less likely")
    return Evidence(
        EvidenceKind.NAME, value, a.text, b.text,
        f"听到的姓名“{a.text}”与“{b.text}”{zh}；叫这个名字的人被这样听到的可能性，是任意一人的 {times} {more_zh}。",
        f"The heard names {a.text} and {b.text} {en}: {times} {more_en} of somebody of that name than of anybody.",
    )  # fmt: skip


def _heard(name: Name) -> bool:
    return name.kind is NameKind.HEARD or name.basis is Basis.HEARD


def _region(profile: Profile) -> str | None:
    """The dialect region of the accent, whose value begins with a province's division code; None when unknown."""
    return load_channel().provinces.get(profile.accent.value[:2]) if profile.accent else None


def _floor(a: Name, b: Name, parameters: Parameters) -> float:
    if NameKind.NICKNAME in {a.kind, b.kind}:
        return 0.0
    return parameters["name.floor_heard" if _heard(a) or _heard(b) else "name.floor"]
