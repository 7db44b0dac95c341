"""Kin: the names of relatives. "My son is called 小军" finds a family that no photograph finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import best, highest
from matcher.evidence.name import WORDS, likelihood_words, region_of
from matcher.names.pairs import PreparedNames, StackedNames, pair_log10_lrs, prepare_name, prepare_names, stack_names
from matcher.names.similarity import compare_names
from matcher.profile import Kin, Profile
from matcher.vocabulary import Basis, EvidenceKind, KinRelation

NAMES: Mapping[KinRelation, tuple[str, str]] = MappingProxyType(
    {
        KinRelation.FATHER: ("父亲", "father"),
        KinRelation.MOTHER: ("母亲", "mother"),
        KinRelation.SPOUSE: ("配偶", "spouse"),
        KinRelation.SON: ("儿子", "son"),
        KinRelation.DAUGHTER: ("女儿", "daughter"),
        KinRelation.BROTHER: ("兄弟", "brother"),
        KinRelation.SISTER: ("姐妹", "sister"),
        KinRelation.OTHER: ("亲属", "relative"),
    }
)
_RELATIONS = tuple(KinRelation)
_ONLY_ONE = frozenset({KinRelation.FATHER, KinRelation.MOTHER, KinRelation.SPOUSE})


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The relatives of a profile: their names, and the relations' places in their enum, one byte each."""

    prepared: PreparedNames
    relations: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Relatives:
    """The relatives of many profiles: their names, and the relations' places in their enum."""

    count: int
    stacked: StackedNames
    relations: NDArray[np.uint8]


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the two relatives that agree best.

    Names that agree weigh less under two relations (what was said of whom is often mixed up), and names that differ
    say nothing then, nor of relations of which a person can have several. None when nothing can be compared.
    """
    ours, theirs = encode(probe, parameters), stack([encode(other, parameters)])
    values = pair_values(ours, theirs, parameters)
    value = highest(values)
    if value is None:
        return None
    pairs = product(enumerate(probe.kin), enumerate(other.kin))
    a, b = max(
        ((a, b) for (i, a), (j, b) in pairs if values[i][j] == value),
        key=lambda pair: (pair[0].text, pair[1].text, pair[0].relation, pair[1].relation),
    )
    agreement = compare_names(a.text, b.text, heard=True)
    zh, en = WORDS[agreement.level] if agreement else ("无法比较", "cannot be compared")
    times_zh, times_en = likelihood_words(value)
    return Evidence(
        EvidenceKind.KIN, value, _shown(a), _shown(b),
        f"亲属姓名“{_shown(a)}”与“{_shown(b)}”{zh}；同一人的可能性是任意一人的 {times_zh}。",
        f"The relatives {a.text} ({NAMES[a.relation][1]}) and {b.text} ({NAMES[b.relation][1]}) {en}: {times_en}.",
    )  # fmt: skip


def encode(profile: Profile, parameters: Parameters) -> Encoded:
    """Every relative's name, read and sounded."""
    region = region_of(profile)
    prepared = [prepare_name(one.text, heard=one.basis is Basis.HEARD, region=region) for one in profile.kin]
    return Encoded(prepare_names(prepared), bytes(_RELATIONS.index(one.relation) for one in profile.kin))


def stack(encoded: Sequence[Encoded]) -> Relatives:
    """The relatives of many profiles."""
    relations = np.frombuffer(b"".join([one.relations for one in encoded]), np.uint8)
    return Relatives(len(encoded), stack_names([one.prepared for one in encoded]), relations)


def pair_values(ours: Encoded, theirs: Relatives, parameters: Parameters) -> list[Floats]:
    """log10 LR of each of our relatives with each of theirs, NaN where the pair says nothing."""
    found = []
    for name, place in zip(ours.prepared.names, ours.relations, strict=True):
        relation = _RELATIONS[place]
        same = theirs.relations == place
        loose = (theirs.relations == _RELATIONS.index(KinRelation.OTHER)) | (relation is KinRelation.OTHER)
        values = pair_log10_lrs(name, theirs.stacked)
        factor = np.where(
            same, 1.0, np.where(loose, parameters["kin.unnamed_relation"], parameters["kin.other_relation"])
        )
        floor = np.where(same & (relation in _ONLY_ONE), np.log10(parameters["kin.wrong"]), 0.0)
        # Two relatives whose names differ may be two people: only of a father there is one.
        values = np.where((values < 0) & (floor == 0.0), np.nan, values * np.where(values > 0, factor, 1.0))
        found.append(np.clip(values, floor, parameters["kin.cap"]))
    return found


def score(ours: Encoded, theirs: Relatives, parameters: Parameters) -> Floats:
    """log10 LR by candidate, of the two relatives that agree best; NaN where nothing can be compared."""
    found = np.full(theirs.count, np.nan)
    for values in pair_values(ours, theirs, parameters):
        found = np.fmax(found, best(values, theirs.stacked.rows, theirs.count))
    return found


def _shown(kin: Kin) -> str:
    return f"{NAMES[kin.relation][0]} {kin.text}"
