"""Kin: the names of relatives. "My son is called 小军" finds a family that no photograph finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import best, highest
from matcher.evidence.confidence import levels, reliabilities, told, weakened
from matcher.evidence.name import WORDS, likelihood_words, region_of
from matcher.evidence.packing import Columns, Parts, columns
from matcher.names.pairs import PreparedNames, StackedNames, lay_names, pair_log10_lrs, prepare_name, prepare_names
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
    """The relatives of a profile: their names, and as int16 the relations' places in their enum, `confidence.level`."""

    prepared: PreparedNames
    relations: bytes
    levels: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Relatives:
    """The relatives of many profiles: the same end to end."""

    count: int
    stacked: StackedNames
    relations: NDArray[np.int16]
    levels: NDArray[np.int16]


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
    sure = told(a.confidence, b.confidence, parameters)
    return Evidence(
        EvidenceKind.KIN, value, _shown(a), _shown(b),
        f"亲属姓名“{_shown(a)}”与“{_shown(b)}”{zh}；同一人的可能性是任意一人的 {times_zh}。{sure[0]}",
        f"The relatives {a.text} ({NAMES[a.relation][1]}) and {b.text} ({NAMES[b.relation][1]}) {en}: {times_en}."
        f"{sure[1]}",
    )  # fmt: skip


def encode(profile: Profile, parameters: Parameters) -> Encoded:
    """Every relative's name, read and sounded."""
    region = region_of(profile)
    prepared = [prepare_name(one.text, heard=one.basis is Basis.HEARD, region=region) for one in profile.kin]
    relations = np.array([_RELATIONS.index(one.relation) for one in profile.kin], np.int16).tobytes()
    return Encoded(prepare_names(prepared), relations, levels([one.confidence for one in profile.kin]))


def parts(encoded: Encoded) -> Parts:
    """The relatives of one profile, to be packed."""
    names = encoded.prepared
    return Parts((names.spoken, names.written, encoded.relations, encoded.levels), (names.chances,), (names,))


def stack(encoded: Sequence[Encoded]) -> Relatives:
    """The relatives of many profiles."""
    return gather(columns([parts(one) for one in encoded]))


def gather(gathered: Columns) -> Relatives:
    """The same of profiles that are packed."""
    spoken, written, (relations, _), (sure, _) = gathered.shorts
    ((chances, _),), (people,) = gathered.floats, gathered.others
    return Relatives(gathered.count, lay_names(people, spoken, written, chances), relations, sure)


def pair_values(ours: Encoded, theirs: Relatives, parameters: Parameters) -> list[Floats]:
    """log10 LR of each of our relatives with each of theirs, NaN where the pair says nothing."""
    found = []
    relations, own = np.frombuffer(ours.relations, np.int16), np.frombuffer(ours.levels, np.int16)
    reliable = reliabilities(theirs.levels, parameters)
    rows = zip(ours.prepared.names, relations.tolist(), reliabilities(own, parameters).tolist(), strict=True)
    for name, place, own_reliable in rows:
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
        found.append(weakened(np.clip(values, floor, parameters["kin.cap"]), reliable * own_reliable))
    return found


def score(ours: Encoded, theirs: Relatives, parameters: Parameters) -> Floats:
    """log10 LR by candidate, of the two relatives that agree best; NaN where nothing can be compared."""
    found = np.full(theirs.count, np.nan)
    for values in pair_values(ours, theirs, parameters):
        found = np.fmax(found, best(values, theirs.stacked.rows, theirs.count))
    return found


def _shown(kin: Kin) -> str:
    return f"{NAMES[kin.relation][0]} {kin.text}"
