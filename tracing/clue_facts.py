"""From clue to fact (线索入档): which clues the search can use, and the profile's facts that they become.

A clue's fact has the basis HEARD, names its interview as source, and keeps the clue's confidence, by which the search
weighs it. A kind that is not in `FACTS`, a place without a
division, a telephone without digits, or a text that is too long for a fact stays a clue: kept, shown, and not searched
with.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from matcher.vocabulary import AttributeKind, Basis, KinRelation, NameKind, PlaceKind
from models.case import Case
from models.clue import Clue, ClueKind
from models.profile import ProfileAttribute, ProfileKin, ProfileName, ProfilePhone, ProfilePlace
from tracing.access import Viewer
from tracing.facts import (
    DETAIL_LIMIT,
    FEWEST_DIGITS,
    INSTITUTION_LIMIT,
    MOST_DIGITS,
    NAME_LIMIT,
    AttributeFact,
    Facts,
    KinFact,
    NameFact,
    PhoneFact,
    PlaceFact,
    check_facts,
)
from tracing.profiles import current_facts, fact_of, revise_profile

ClueFact = NameFact | PlaceFact | AttributeFact | KinFact | PhoneFact
ClueRow = ProfileName | ProfilePlace | ProfileAttribute | ProfileKin | ProfilePhone
_RUNS = re.compile(r"\d(?:[ \-.]?\d)*", re.ASCII)
_SPOKEN = str.maketrans("〇零一幺二三四五六七八九", "001123456789")
"""Digits as they are said, 1 also as yao, as one does in telephone numbers."""


def source_of(clue: Clue, zone: ZoneInfo) -> str:
    """What the fact names as its source: the day, and the first digits of the interview or tip if it came of one."""
    day = clue.heard_at.astimezone(zone).date()
    if clue.tip_id:
        return f"public tip {day} {str(clue.tip_id)[:8]}"
    return f"interview {day} {str(clue.interview_id)[:8]}" if clue.interview_id else f"clue {day}"


def _name(clue: Clue, source: str) -> NameFact | None:
    fact = NameFact(clue.text, NameKind.HEARD, Basis.HEARD, source, clue.confidence)
    return fact if len(clue.text) <= NAME_LIMIT else None


def _place(clue: Clue, source: str) -> PlaceFact | None:
    if clue.division is None:
        return None
    return PlaceFact(clue.division, PlaceKind.MENTIONED, Basis.HEARD, source, clue.text[:DETAIL_LIMIT], clue.confidence)


def _accent(clue: Clue, source: str) -> AttributeFact | None:
    if clue.division is None:
        return None
    return AttributeFact(AttributeKind.ACCENT, clue.division, Basis.HEARD, source, confidence=clue.confidence)


def _kin(clue: Clue, source: str) -> KinFact | None:
    relation = clue.relation or KinRelation.OTHER
    fact = KinFact(clue.text, relation, Basis.HEARD, source, clue.confidence)
    return fact if len(clue.text) <= NAME_LIMIT else None


def _phone(clue: Clue, source: str) -> PhoneFact | None:
    """The longest run of digits in the words: of "138…, ends in 5678" the end tells more."""
    said = unicodedata.normalize("NFKC", clue.text).translate(_SPOKEN)
    runs = [re.sub(r"\D", "", run) for run in _RUNS.findall(said)]
    longest = max(runs, key=len, default="")
    fact = PhoneFact(longest, Basis.HEARD, source, clue.confidence)
    return fact if FEWEST_DIGITS <= len(longest) <= MOST_DIGITS else None


def _institution(kind: AttributeKind) -> Callable[[Clue, str], AttributeFact | None]:
    def fact(clue: Clue, source: str) -> AttributeFact | None:
        fact = AttributeFact(kind, clue.text, Basis.HEARD, source, confidence=clue.confidence)
        return fact if len(clue.text) <= INSTITUTION_LIMIT else None

    return fact


FACTS: Mapping[ClueKind, Callable[[Clue, str], ClueFact | None]] = MappingProxyType(
    {
        ClueKind.NAME: _name,
        ClueKind.PLACE: _place,
        ClueKind.DIALECT: _accent,
        ClueKind.KIN: _kin,
        ClueKind.PHONE: _phone,
        ClueKind.SCHOOL: _institution(AttributeKind.SCHOOL),
        ClueKind.WORK: _institution(AttributeKind.EMPLOYER),
    }
)
"""Kinds that become facts. An accent, school or workplace becomes one only where none is recorded: what was recorded
by hand stays.
"""


def exchange(
    session: Session,
    case: Case,
    viewer: Viewer,
    *,
    gone: list[Clue],
    come: list[Clue],
    zone: ZoneInfo,
    today: date,
    now: datetime,
) -> bool:
    """Take the facts of `gone` out of the profile and put those of `come` in; whether anything changed.

    `gone` are ended and flushed already, so that two of them that say the same do not keep each other's fact; `come`
    are flushed. A fact that another standing clue also says, or that was changed by hand since, stays as it is. Raises
    InvalidFacts. The case must be loaded with its profile.
    """
    facts = current_facts(case.profile)
    for clue in gone:
        facts = _without(session, case, facts, clue)
    added: list[tuple[Clue, ClueFact]] = []
    for clue in come:
        make = FACTS.get(clue.kind)
        fact = make(clue, source_of(clue, zone)) if make else None
        if fact is None:
            continue
        (fact,) = _all(check_facts(_with(Facts(), fact), today=today))
        if isinstance(fact, AttributeFact) and any(one.kind is fact.kind for one in facts.attributes):
            continue
        if fact not in _all(facts):
            facts = _with(facts, fact)
        added.append((clue, fact))
    changed = revise_profile(session, case.profile, viewer, facts, now=now)
    session.flush()
    for clue, fact in added:
        _link(case, clue, fact)
    session.flush()
    return changed


def _all(facts: Facts) -> tuple[ClueFact, ...]:
    return (*facts.names, *facts.places, *facts.attributes, *facts.kin, *facts.phones)


def _with(facts: Facts, fact: ClueFact) -> Facts:
    match fact:
        case NameFact():
            return replace(facts, names=(*facts.names, fact))
        case PlaceFact():
            return replace(facts, places=(*facts.places, fact))
        case AttributeFact():
            return replace(facts, attributes=(*facts.attributes, fact))
        case KinFact():
            return replace(facts, kin=(*facts.kin, fact))
        case PhoneFact():
            return replace(facts, phones=(*facts.phones, fact))


def _rows(case: Case) -> list[ClueRow]:
    profile = case.profile
    rows: list[ClueRow] = [*profile.names, *profile.places, *profile.attributes, *profile.kin, *profile.phones]
    return [row for row in rows if row.superseded_at is None]


def _without(session: Session, case: Case, facts: Facts, clue: Clue) -> Facts:
    row = next((one for one in _rows(case) if one.id in clue.fact_ids), None)
    if row is None or _said_by_another(session, clue):
        return facts
    fact = fact_of(row)
    return replace(
        facts,
        names=tuple(one for one in facts.names if one != fact),
        places=tuple(one for one in facts.places if one != fact),
        attributes=tuple(one for one in facts.attributes if one != fact),
        kin=tuple(one for one in facts.kin if one != fact),
        phones=tuple(one for one in facts.phones if one != fact),
    )


def _said_by_another(session: Session, clue: Clue) -> bool:
    columns = (
        Clue.profile_name_id, Clue.profile_place_id, Clue.profile_attribute_id, Clue.profile_kin_id,
        Clue.profile_phone_id,
    )  # fmt: skip
    same: list[ColumnElement[bool]] = [column.in_(clue.fact_ids) for column in columns]
    stands = (Clue.superseded_at.is_(None), Clue.withdrawn_at.is_(None))
    other = select(Clue.id).where(Clue.id != clue.id, *stands, or_(*same))
    return session.scalars(other.limit(1)).first() is not None


def _link(case: Case, clue: Clue, fact: ClueFact) -> None:
    row = next(one for one in _rows(case) if fact_of(one) == fact)
    match row:
        case ProfileName():
            clue.profile_name_id = row.id
        case ProfilePlace():
            clue.profile_place_id = row.id
        case ProfileAttribute():
            clue.profile_attribute_id = row.id
        case ProfileKin():
            clue.profile_kin_id = row.id
        case ProfilePhone():
            clue.profile_phone_id = row.id
