"""From clue to fact (线索入档): which clues the search can use, and the profile's facts that they become.

A clue's fact has the basis HEARD and names its interview as source. A kind that is not in `FACTS`, or a place without
a division, stays a clue: kept, shown, and not searched with.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matcher.vocabulary import AttributeKind, Basis, NameKind, PlaceKind
from models.case import Case
from models.clue import Clue, ClueKind
from models.profile import ProfileAttribute, ProfileName, ProfilePlace
from tracing.access import Viewer
from tracing.facts import AttributeFact, Facts, NameFact, PlaceFact, check_facts
from tracing.profiles import current_facts, fact_of, revise_profile

ClueFact = NameFact | PlaceFact | AttributeFact
DETAIL_LIMIT, NAME_LIMIT = 200, 120


def source_of(clue: Clue, zone: ZoneInfo) -> str:
    """What the fact names as its source: the day, and the interview's first digits if it came of one."""
    day = clue.heard_at.astimezone(zone).date()
    return f"interview {day} {str(clue.interview_id)[:8]}" if clue.interview_id else f"clue {day}"


def _name(clue: Clue, source: str) -> NameFact | None:
    return NameFact(clue.text, NameKind.HEARD, Basis.HEARD, source) if len(clue.text) <= NAME_LIMIT else None


def _place(clue: Clue, source: str) -> PlaceFact | None:
    if clue.division is None:
        return None
    return PlaceFact(clue.division, PlaceKind.MENTIONED, Basis.HEARD, source, clue.text[:DETAIL_LIMIT])


def _accent(clue: Clue, source: str) -> AttributeFact | None:
    if clue.division is None:
        return None
    return AttributeFact(AttributeKind.ACCENT, clue.division, Basis.HEARD, source)


FACTS: Mapping[ClueKind, Callable[[Clue, str], ClueFact | None]] = MappingProxyType(
    {ClueKind.NAME: _name, ClueKind.PLACE: _place, ClueKind.DIALECT: _accent}
)
"""Kinds that become facts. An accent becomes one only where none is recorded: what somebody measured stays."""


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
    return (*facts.names, *facts.places, *facts.attributes)


def _with(facts: Facts, fact: ClueFact) -> Facts:
    match fact:
        case NameFact():
            return replace(facts, names=(*facts.names, fact))
        case PlaceFact():
            return replace(facts, places=(*facts.places, fact))
        case AttributeFact():
            return replace(facts, attributes=(*facts.attributes, fact))


def _rows(case: Case) -> list[ProfileName | ProfilePlace | ProfileAttribute]:
    profile = case.profile
    rows: list[ProfileName | ProfilePlace | ProfileAttribute] = [*profile.names, *profile.places, *profile.attributes]
    return [row for row in rows if row.superseded_at is None]


def _without(session: Session, case: Case, facts: Facts, clue: Clue) -> Facts:
    ids = {clue.profile_name_id, clue.profile_place_id, clue.profile_attribute_id} - {None}
    row = next((one for one in _rows(case) if one.id in ids), None)
    if row is None or _said_by_another(session, clue):
        return facts
    fact = fact_of(row)
    return replace(
        facts,
        names=tuple(one for one in facts.names if one != fact),
        places=tuple(one for one in facts.places if one != fact),
        attributes=tuple(one for one in facts.attributes if one != fact),
    )


def _said_by_another(session: Session, clue: Clue) -> bool:
    same = or_(
        (Clue.profile_name_id == clue.profile_name_id) & Clue.profile_name_id.is_not(None),
        (Clue.profile_place_id == clue.profile_place_id) & Clue.profile_place_id.is_not(None),
        (Clue.profile_attribute_id == clue.profile_attribute_id) & Clue.profile_attribute_id.is_not(None),
    )
    other = select(Clue.id).where(Clue.id != clue.id, Clue.superseded_at.is_(None), Clue.withdrawn_at.is_(None), same)
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
