"""Name: characters, sound and dialect, weighed by how common the surname is."""

from collections.abc import Mapping
from itertools import product
from types import MappingProxyType

from matcher.evidence.base import Evidence, Parameters, bounded
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


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the pair of names that agree best; None when a side has no name that can be read.

    A disagreement weighs less when a name was heard, and nothing when one is a nickname.
    """
    best: tuple[float, str, str, NameAgreement] | None = None
    for a, b in product(probe.names, other.names):
        agreement = compare_names(a.text, b.text, heard=_heard(a) or _heard(b))
        if agreement is None:
            continue
        value = bounded(agreement.log10_lr, _floor(a, b, parameters), parameters["name.cap"])
        if best is None or value > best[0]:
            best = (value, a.text, b.text, agreement)
    if best is None:
        return None
    value, ours, theirs, agreement = best
    zh, en = WORDS[agreement.level]
    surname, given = agreement.surname_log10_lr, agreement.given_log10_lr
    return Evidence(
        EvidenceKind.NAME,
        value,
        ours,
        theirs,
        f"姓名“{ours}”与“{theirs}”{zh}（姓 {surname:+.1f}，名 {given:+.1f}）。",
        f"The names {ours} and {theirs} {en} (surname {surname:+.1f}, given name {given:+.1f}).",
    )


def _heard(name: Name) -> bool:
    return name.kind is NameKind.HEARD or name.basis is Basis.HEARD


def _floor(a: Name, b: Name, parameters: Parameters) -> float:
    if NameKind.NICKNAME in {a.kind, b.kind}:
        return 0.0
    return parameters["name.floor_heard" if _heard(a) or _heard(b) else "name.floor"]
