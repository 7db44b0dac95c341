"""What a matching pass reads: cases and reports with their facts, and their face templates of one model version."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher import profile as matching
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
    templates = _templates(session, services, [owner.profile_id for owner in owners], version)
    return [
        Record(
            kind=kind,
            id=owner.id,
            created_at=owner.created_at,
            profile_id=owner.profile_id,
            revision=owner.profile.revision,
            profile=described(owner, templates.get(owner.profile_id, ()), version),
        )
        for owner in owners
    ]


def described(
    owner: Case | Report, templates: Sequence[NDArray[np.float32]] = (), version: str | None = None
) -> matching.Profile:
    """What is known of a record's person, loaded with its facts, and the templates of that model version."""
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
        templates=templates,
        template_model=version,
    )


def _templates(
    session: Session, services: Services, profile_ids: Sequence[uuid.UUID], version: str
) -> dict[uuid.UUID, list[NDArray[np.float32]]]:
    rows = session.execute(
        select(Profile.id, Profile.subject_id, Photo.id, Face.embedding_sealed)
        .join(Photo, Photo.profile_id == Profile.id)
        .join(Face, Face.photo_id == Photo.id)
        .where(
            Profile.id.in_(profile_ids),
            Photo.removed_at.is_(None),
            Face.chosen,
            Face.model_version == version,
        )
        .order_by(Face.id)
    ).all()
    # Held here, so that the vault finds each person's key in the session instead of asking for it one by one.
    subjects = session.scalars(select(Subject).where(Subject.id.in_({row.subject_id for row in rows}))).all()
    found: dict[uuid.UUID, list[NDArray[np.float32]]] = {}
    for profile_id, subject_id, photo_id, sealed in rows:
        vector = unpack(services.vault.open(session, subject_id, embedding_purpose(photo_id), sealed))
        found.setdefault(profile_id, []).append(vector)
    del subjects
    return found
