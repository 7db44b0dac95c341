"""What a matching pass reads: cases and reports with their facts, and their face templates of one model version."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matcher import profile as matching
from matcher.evidence.batch import Prepared, prepare, with_templates
from matcher.vocabulary import GalleryKind
from models.case import Case
from models.face import Face
from models.photo import Photo
from models.profile import Profile
from models.report import Report
from models.subject import Subject
from tracing.face_models import analysed
from tracing.gallery import embedding_purpose, unpack
from tracing.profiles import current_facts, for_matcher, with_profile
from tracing.services import Services

FETCH = 400
"""Records read a statement: below the limit of bound parameters of every database."""

Template = tuple[NDArray[np.float32], matching.TemplateInfo]


@dataclass(frozen=True)
class Record:
    """A case or report as the pass sees it."""

    kind: GalleryKind
    id: uuid.UUID
    created_at: datetime
    profile_id: uuid.UUID
    revision: int
    prepared: Prepared

    @property
    def profile(self) -> matching.Profile:
        """What is known of its person."""
        return self.prepared.profile


def pending_photos(session: Session, profile_id: uuid.UUID, version: str) -> Sequence[uuid.UUID]:
    """Photographs of a profile that this model version has not looked at."""
    return session.scalars(
        select(Photo.id).where(
            Photo.profile_id == profile_id,
            Photo.removed_at.is_(None),
            ~analysed(version),
        )
    ).all()


def records_of(
    session: Session, services: Services, kind: GalleryKind, ids: Sequence[uuid.UUID], version: str
) -> list[Record]:
    """Cases or reports with their facts, and their templates of that model version."""
    return list(read_records(session, services, kind, ids, version).values())


def read_records(
    session: Session, services: Services, kind: GalleryKind, ids: Sequence[uuid.UUID], version: str
) -> dict[uuid.UUID, Record]:
    """The same by id, in the order asked for; facts of a revision that this process has read before are not read again.

    Records of erased people are left out.
    """
    found: dict[uuid.UUID, Record] = {}
    for start in range(0, len(ids), FETCH):
        found.update(_read(session, services, kind, ids[start : start + FETCH], version))
    return {one: found[one] for one in ids if one in found}


def _read(
    session: Session, services: Services, kind: GalleryKind, ids: Sequence[uuid.UUID], version: str
) -> Iterator[tuple[uuid.UUID, Record]]:
    table: type[Case] | type[Report] = Case if kind is GalleryKind.CASE else Report
    rows = session.execute(
        select(table.id, table.created_at, table.profile_id, Profile.revision, Subject.destroyed_at)
        .join(Profile, Profile.id == table.profile_id)
        .join(Subject, Subject.id == Profile.subject_id)
        .where(table.id.in_(ids))
    ).all()
    erased = {row.profile_id for row in rows if row.destroyed_at is not None}
    for profile_id in erased:
        services.records.drop(profile_id)
    rows = [row for row in rows if row.profile_id not in erased]
    known = {row.id: _kept(services, row.profile_id, row.revision) for row in rows}
    known.update(_described(session, services, kind, [one for one, kept in known.items() if kept is None]))
    seen = {row.profile_id: one.profile.seen_on for row in rows if (one := known[row.id]) is not None}
    templates = _templates(session, services, kind, seen, version)
    for row in rows:
        prepared = known[row.id]
        if prepared is None:
            continue
        own = templates.get(row.profile_id, ())
        profile = prepared.profile
        shown = replace(
            profile,
            template_model=version,
            templates=np.stack([vector for vector, _ in own]) if own else profile.templates,
            template_info=tuple(info for _, info in own),
        )
        yield (
            row.id,
            Record(kind, row.id, row.created_at, row.profile_id, row.revision, with_templates(prepared, shown)),
        )


def _kept(services: Services, profile_id: uuid.UUID, revision: int) -> Prepared | None:
    kept = services.records.get(profile_id, revision)
    return kept if kept is not None and kept.parameters_version == services.parameters.version else None


def _described(
    session: Session, services: Services, kind: GalleryKind, ids: Sequence[uuid.UUID]
) -> Iterator[tuple[uuid.UUID, Prepared]]:
    """Facts from the database, kept for the next pass. Templates are not among them."""
    if not ids:
        return
    owners: Sequence[Case | Report]
    if kind is GalleryKind.CASE:
        owners = session.scalars(select(Case).where(Case.id.in_(ids)).options(*with_profile(Case.profile))).all()
    else:
        owners = session.scalars(select(Report).where(Report.id.in_(ids)).options(*with_profile(Report.profile))).all()
    for owner in owners:
        prepared = prepare(described(owner), services.parameters)
        services.records.put(owner.profile_id, owner.profile.revision, prepared)
        yield owner.id, prepared


def described(owner: Case | Report) -> matching.Profile:
    """What is known of a record's person, loaded with its facts; without templates."""
    seen_on: date | None
    if isinstance(owner, Case):
        kind, seen_on, seen_at = GalleryKind.CASE, owner.found_on or owner.admitted_on, owner.found_division
    else:
        kind, seen_on, seen_at = GalleryKind.REPORT, owner.last_seen_on, owner.last_seen_division
    return for_matcher(
        current_facts(owner.profile),
        kind=kind,
        seen_on=seen_on,
        seen_at=seen_at,
        templates=(),
    )


def _templates(
    session: Session, services: Services, kind: GalleryKind, seen: Mapping[uuid.UUID, date | None], version: str
) -> dict[uuid.UUID, list[Template]]:
    """Templates of each profile by the day its person was seen, with what is known of their photographs."""
    numbered = (
        select(
            Photo.id,
            func.row_number()
            .over(partition_by=Photo.profile_id, order_by=(Photo.uploaded_at, Photo.id))
            .label("number"),
        )
        .where(Photo.profile_id.in_(seen), Photo.removed_at.is_(None))
        .subquery()
    )
    rows = session.execute(
        select(
            Profile.id,
            Profile.subject_id,
            Photo.id,
            Photo.captured_at,
            numbered.c.number,
            Face.quality_overall,
            Face.embedding_sealed,
        )
        .join(Photo, Photo.profile_id == Profile.id)
        .join(numbered, numbered.c.id == Photo.id)
        .join(Face, Face.photo_id == Photo.id)
        .where(Face.chosen, Face.model_version == version)
        .order_by(Profile.id, numbered.c.number)
    ).all()
    if not rows:
        return {}
    # Held here, so that the vault finds each person's key in the session instead of asking for it one by one.
    subjects = session.scalars(select(Subject).where(Subject.id.in_({row.subject_id for row in rows}))).all()
    found: dict[uuid.UUID, list[Template]] = {}
    for profile_id, subject_id, photo_id, captured_at, number, quality, sealed in rows:
        vector = unpack(services.vault.open(session, subject_id, embedding_purpose(photo_id), sealed))
        info = matching.TemplateInfo(_taken_on(kind, captured_at, seen[profile_id]), float(quality), number)
        found.setdefault(profile_id, []).append((vector, info))
    del subjects
    return found


def _taken_on(kind: GalleryKind, captured_at: datetime | None, seen_on: date | None) -> date | None:
    """The day that a photograph shows the person on, by the camera's clock, else the day the person was seen.

    A picture of somebody missing is no younger than the day they were last seen: a later clock is that of whoever
    photographed an old print.
    """
    if captured_at is None:
        return seen_on
    if kind is GalleryKind.REPORT and seen_on is not None:
        return min(captured_at.date(), seen_on)
    return captured_at.date()
