"""What a matching pass reads: cases and reports with their facts, and their face templates of one model version."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matcher import profile as matching
from matcher.vocabulary import GalleryKind
from models.case import Case
from models.face import Face
from models.photo import Photo
from models.profile import Profile
from models.report import Report
from tracing.face_models import analysed
from tracing.gallery import embedding_purpose, unpack
from tracing.profiles import current_facts, for_matcher, with_profile
from tracing.services import Services

Template = tuple[NDArray[np.float32], matching.TemplateInfo]


@dataclass(frozen=True)
class Record:
    """A case or report as the pass sees it."""

    kind: GalleryKind
    id: uuid.UUID
    created_at: datetime
    profile_id: uuid.UUID
    revision: int
    profile: matching.Profile


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
    owners: Sequence[Case | Report]
    if kind is GalleryKind.CASE:
        owners = session.scalars(select(Case).where(Case.id.in_(ids)).options(*with_profile(Case.profile))).all()
    else:
        owners = session.scalars(select(Report).where(Report.id.in_(ids)).options(*with_profile(Report.profile))).all()
    seen = {owner.profile_id: _seen_on(owner) for owner in owners}
    templates = _templates(session, services, kind, seen, version)
    return [
        Record(
            kind=kind,
            id=owner.id,
            created_at=owner.created_at,
            profile_id=owner.profile_id,
            revision=owner.profile.revision,
            profile=for_matcher(
                current_facts(owner.profile),
                kind=kind,
                seen_on=seen[owner.profile_id],
                seen_at=owner.found_division if isinstance(owner, Case) else owner.last_seen_division,
                templates=[vector for vector, _ in templates.get(owner.profile_id, ())],
                template_info=tuple(info for _, info in templates.get(owner.profile_id, ())),
                template_model=version,
            ),
        )
        for owner in owners
    ]


def _seen_on(owner: Case | Report) -> date | None:
    return (owner.found_on or owner.admitted_on) if isinstance(owner, Case) else owner.last_seen_on


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
    )
    found: dict[uuid.UUID, list[Template]] = {}
    for profile_id, subject_id, photo_id, captured_at, number, quality, sealed in rows:
        vector = unpack(services.vault.open(session, subject_id, embedding_purpose(photo_id), sealed))
        info = matching.TemplateInfo(_taken_on(kind, captured_at, seen[profile_id]), float(quality), number)
        found.setdefault(profile_id, []).append((vector, info))
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
