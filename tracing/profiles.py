"""Profiles (档案): storing and superseding the facts of a person, and handing them to the matcher."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, lazyload, selectinload
from sqlalchemy.orm.strategy_options import _AbstractLoad

from matcher import profile as matching
from matcher.vocabulary import (
    AttributeKind,
    BloodGroup,
    Build,
    ClueConfidence,
    GalleryKind,
    Glasses,
    Handedness,
    Literacy,
    Sex,
)
from models.profile import (
    Profile,
    ProfileAttribute,
    ProfileKin,
    ProfileMark,
    ProfileName,
    ProfilePhone,
    ProfilePlace,
)
from tracing.access import Viewer
from tracing.facts import AttributeFact, Facts, KinFact, MarkFact, NameFact, PhoneFact, PlaceFact
from tracing.platform.crypto import Vault

Fact = AttributeFact | NameFact | PlaceFact | MarkFact | KinFact | PhoneFact
Row = ProfileAttribute | ProfileName | ProfilePlace | ProfileMark | ProfileKin | ProfilePhone
_PARTS = (Profile.attributes, Profile.names, Profile.places, Profile.marks, Profile.kin, Profile.phones)
V = TypeVar("V")


def with_profile(owner: InstrumentedAttribute[Profile]) -> tuple[_AbstractLoad, ...]:
    """Loader options that bring a case's or report's profile with all its facts."""
    return tuple(joinedload(owner).options(selectinload(part)) for part in _PARTS)


def with_profile_on_demand(owner: InstrumentedAttribute[Profile]) -> tuple[_AbstractLoad, ...]:
    """Loader options for one case or report: most use cases never look at its facts, which are read when first asked.

    A list takes `with_profile` or `load_facts`, or every row would ask anew.
    """
    return tuple(joinedload(owner).options(lazyload(part)) for part in _PARTS)


def load_facts(session: Session, profiles: Iterable[Profile]) -> None:
    """Bring the facts of profiles that were loaded on demand, by whatever ways, in one statement a part."""
    wanted = {profile.id for profile in profiles}
    if wanted:
        parts = [selectinload(part) for part in _PARTS]
        session.scalars(select(Profile).where(Profile.id.in_(wanted)).options(*parts)).all()


def create_profile(session: Session, vault: Vault, viewer: Viewer, facts: Facts, *, now: datetime) -> Profile:
    """A new person with a data key of its own and these (checked) facts."""
    subject = vault.new_subject(session, now)
    profile = Profile(
        id=uuid.uuid4(), subject_id=subject.id, revision=1, no_marks=facts.no_marks,
        attributes=[], names=[], places=[], marks=[], kin=[], phones=[],
    )  # fmt: skip
    session.add(profile)
    for fact in dict.fromkeys(_all(facts)):
        _add(profile, fact, viewer, now)
    return profile


def revise_profile(session: Session, profile: Profile, viewer: Viewer, facts: Facts, *, now: datetime) -> bool:
    """Make these the current (checked) facts; what they replace is superseded, never overwritten.

    A clue's confidence is no part of what is typed: a fact that is given without one, and is in all else one that
    stands, is that one. Returns whether anything changed; if so the revision is one higher. The profile must be loaded
    with its facts.
    """
    wanted = set(_all(facts))
    typed = {fact for fact in wanted if not _confidence(fact)}
    current = {fact_of(row): row for row in _current_rows(profile)}
    changed = profile.no_marks != facts.no_marks
    profile.no_marks = facts.no_marks
    for fact, row in current.items():
        if fact not in wanted and _by_hand(fact) not in typed:
            row.superseded_at = now
            changed = True
    # The old row must be superseded before the new one is current: one current value a kind is a unique index.
    session.flush()
    standing = current.keys() | (typed & {_by_hand(fact) for fact in current})
    for fact in sorted(wanted - standing, key=repr):
        _add(profile, fact, viewer, now)
        changed = True
    if changed:
        next_revision(profile)
    return changed


def next_revision(profile: Profile) -> None:
    """One higher at the next flush, counted by the database: an edit and a photograph at once make two revisions."""
    profile.revision = Profile.revision + 1


def current_facts(profile: Profile) -> Facts:
    """The facts that stand, in the order in which they were recorded."""
    return Facts(
        attributes=tuple(_attribute(row) for row in profile.attributes if row.superseded_at is None),
        names=tuple(_name(row) for row in profile.names if row.superseded_at is None),
        places=tuple(_place(row) for row in profile.places if row.superseded_at is None),
        marks=tuple(_mark(row) for row in profile.marks if row.superseded_at is None),
        no_marks=profile.no_marks,
        kin=tuple(_kin(row) for row in profile.kin if row.superseded_at is None),
        phones=tuple(_phone(row) for row in profile.phones if row.superseded_at is None),
    )


def _all(facts: Facts) -> tuple[Fact, ...]:
    return (*facts.attributes, *facts.names, *facts.places, *facts.marks, *facts.kin, *facts.phones)


def _confidence(fact: Fact) -> ClueConfidence | None:
    return None if isinstance(fact, MarkFact) else fact.confidence


def _by_hand(fact: Fact) -> Fact:
    """The same as it would be typed."""
    return fact if isinstance(fact, MarkFact) else replace(fact, confidence=None)


def _current_rows(profile: Profile) -> list[Row]:
    rows: list[Row] = [
        *profile.attributes, *profile.names, *profile.places, *profile.marks, *profile.kin, *profile.phones
    ]  # fmt: skip
    return [row for row in rows if row.superseded_at is None]


def _add(profile: Profile, fact: Fact, viewer: Viewer, now: datetime) -> None:
    match fact:
        case AttributeFact():
            profile.attributes.append(
                ProfileAttribute(
                    kind=fact.kind, value=fact.value, as_of=fact.as_of, uncertainty=fact.uncertainty, basis=fact.basis,
                    source=fact.source, recorded_by_id=viewer.user_id, recorded_at=now, confidence=fact.confidence,
                )
            )  # fmt: skip
        case NameFact():
            profile.names.append(
                ProfileName(
                    kind=fact.kind, text=fact.text.strip(), basis=fact.basis, source=fact.source,
                    recorded_by_id=viewer.user_id, recorded_at=now, confidence=fact.confidence,
                )
            )  # fmt: skip
        case PlaceFact():
            profile.places.append(
                ProfilePlace(
                    kind=fact.kind, division=fact.division, detail=fact.detail, basis=fact.basis, source=fact.source,
                    recorded_by_id=viewer.user_id, recorded_at=now, confidence=fact.confidence,
                )
            )  # fmt: skip
        case MarkFact():
            profile.marks.append(
                ProfileMark(
                    kind=fact.kind, region=fact.region, side=fact.side, detail=fact.detail, basis=fact.basis,
                    source=fact.source, recorded_by_id=viewer.user_id, recorded_at=now,
                )
            )  # fmt: skip

        case KinFact():
            profile.kin.append(
                ProfileKin(
                    relation=fact.relation, text=fact.text, basis=fact.basis, source=fact.source,
                    recorded_by_id=viewer.user_id, recorded_at=now, confidence=fact.confidence,
                )
            )  # fmt: skip
        case PhoneFact():
            profile.phones.append(
                ProfilePhone(
                    digits=fact.digits, basis=fact.basis, source=fact.source,
                    recorded_by_id=viewer.user_id, recorded_at=now, confidence=fact.confidence,
                )
            )  # fmt: skip


def _attribute(row: ProfileAttribute) -> AttributeFact:
    return AttributeFact(row.kind, row.value, row.basis, row.source, row.as_of, row.uncertainty, row.confidence)


def _name(row: ProfileName) -> NameFact:
    return NameFact(row.text, row.kind, row.basis, row.source, row.confidence)


def _place(row: ProfilePlace) -> PlaceFact:
    return PlaceFact(row.division, row.kind, row.basis, row.source, row.detail, row.confidence)


def _mark(row: ProfileMark) -> MarkFact:
    return MarkFact(row.kind, row.region, row.basis, row.side, row.source, row.detail)


def _kin(row: ProfileKin) -> KinFact:
    return KinFact(row.text, row.relation, row.basis, row.source, row.confidence)


def _phone(row: ProfilePhone) -> PhoneFact:
    return PhoneFact(row.digits, row.basis, row.source, row.confidence)


def fact_of(row: Row) -> Fact:
    """The fact that a stored row holds."""
    match row:
        case ProfileAttribute():
            return _attribute(row)
        case ProfileName():
            return _name(row)
        case ProfilePlace():
            return _place(row)
        case ProfileMark():
            return _mark(row)
        case ProfileKin():
            return _kin(row)
        case ProfilePhone():
            return _phone(row)


def for_matcher(
    facts: Facts,
    *,
    kind: GalleryKind,
    seen_on: date | None,
    seen_at: str | None,
    templates: Sequence[NDArray[np.float32]],
    template_model: str | None = None,
    template_info: tuple[matching.TemplateInfo, ...] = (),
) -> matching.Profile:
    """The facts as the comparators take them; `templates` are unit-norm embeddings (d,) of that model version.

    `template_info` is of each of them, in their order; empty when nothing is known of any.
    """
    by_kind = {fact.kind: fact for fact in facts.attributes}

    def known(kind: AttributeKind, parse: Callable[[str], V]) -> matching.Known[V] | None:
        fact = by_kind.get(kind)
        return (
            None
            if fact is None
            else matching.Known(parse(fact.value), fact.basis, fact.as_of, fact.uncertainty, fact.confidence)
        )

    return matching.Profile(
        sex=known(AttributeKind.SEX, Sex),
        age=known(AttributeKind.AGE, float),
        birth_date=known(AttributeKind.BIRTH_DATE, date.fromisoformat),
        height=known(AttributeKind.HEIGHT, float),
        build=known(AttributeKind.BUILD, Build),
        ethnicity=known(AttributeKind.ETHNICITY, str),
        blood_group=known(AttributeKind.BLOOD_GROUP, BloodGroup),
        accent=known(AttributeKind.ACCENT, str),
        handedness=known(AttributeKind.HANDEDNESS, Handedness),
        glasses=known(AttributeKind.GLASSES, Glasses),
        literacy=known(AttributeKind.LITERACY, Literacy),
        occupation=known(AttributeKind.OCCUPATION, str),
        school=known(AttributeKind.SCHOOL, str),
        employer=known(AttributeKind.EMPLOYER, str),
        clothing=known(AttributeKind.CLOTHING, str),
        belongings=known(AttributeKind.BELONGINGS, str),
        names=tuple(matching.Name(name.text, name.kind, name.basis, name.confidence) for name in facts.names),
        places=tuple(
            matching.Place(place.division, place.kind, place.basis, place.confidence) for place in facts.places
        ),
        marks=tuple(matching.Mark(mark.kind, mark.region, mark.side) for mark in facts.marks),
        kin=tuple(matching.Kin(one.relation, one.text, one.basis, one.confidence) for one in facts.kin),
        phones=tuple(matching.Phone(one.digits, one.basis, one.confidence) for one in facts.phones),
        no_marks=facts.no_marks,
        kind=kind,
        seen_on=seen_on,
        seen_at=seen_at,
        templates=np.stack(list(templates)) if templates else np.empty((0, 0), np.float32),
        template_model=template_model,
        template_info=template_info,
    )
