"""Faces (人脸): what the engine finds in a photograph, stored once a photograph and model version."""

import uuid
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from matcher.faces.engine import DetectedFace
from matcher.faces.intake import IntakeLimits, decode
from models.face import Face
from models.photo import AnalysisState, Photo
from models.profile import Profile
from tracing.gallery import embedding_purpose
from tracing.platform.clock import utc_now
from tracing.platform.db import dialect_insert, unit_of_work
from tracing.platform.jobs import ClaimedJob
from tracing.platform.settings import PhotoSettings
from tracing.services import Services
from tracing.trail import note

ANALYSE = "photo.analyse"


def photo_purpose(photo_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a photograph's file."""
    return f"photo:{photo_id}"


def intake_limits(settings: PhotoSettings) -> IntakeLimits:
    """The settings as the matcher's intake takes them."""
    return IntakeLimits(max_bytes=settings.max_bytes, max_pixels=settings.max_pixels, min_side=settings.min_side)


def analyse_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: find the faces of one photograph."""
    analyse_photo(services, uuid.UUID(job.payload["photo_id"]), complete)


def analyse_photo(services: Services, photo_id: uuid.UUID, complete: Callable[[Session], None]) -> None:
    """Detect and embed the faces of a photograph, unless this model version has done so; safe to run twice at once.

    `complete` is called in the transaction that stores the faces.
    """
    version = services.faces.model_version
    engine = services.faces.load()
    with unit_of_work(services.db) as session:
        photo = session.get(Photo, photo_id)
        if photo is None or photo.removed_at is not None or photo.analysed_with == version or engine is None:
            if photo is not None and engine is None:
                photo.analysis, photo.analysed_with = AnalysisState.UNAVAILABLE, version
            complete(session)
            return
        subject_id = session.scalars(select(Profile.subject_id).where(Profile.id == photo.profile_id)).one()
        sealed = services.store.get(str(photo_id))
        data = services.vault.open(session, subject_id, photo_purpose(photo_id), sealed)
    found = engine.detect(decode(data, intake_limits(services.settings.photos)).pixels)
    now = utc_now()
    with unit_of_work(services.db) as session:
        for ordinal, face in enumerate(found):
            _store(session, services, photo_id, subject_id, version, ordinal, face, chosen=len(found) == 1, now=now)
        state = (AnalysisState.NO_FACE, AnalysisState.READY)[len(found)] if len(found) < 2 else None
        session.execute(
            update(Photo)
            .where(Photo.id == photo_id)
            .values(analysis=state or AnalysisState.SEVERAL_FACES, analysed_with=version)
        )
        note(session, None, "photo.analyse", "photo", photo_id, at=now, faces=len(found), model=version)
        complete(session)


def _store(
    session: Session,
    services: Services,
    photo_id: uuid.UUID,
    subject_id: uuid.UUID,
    version: str,
    ordinal: int,
    face: DetectedFace,
    *,
    chosen: bool,
    now: datetime,
) -> None:
    vector = face.embedding.astype("<f4").tobytes()
    session.execute(
        dialect_insert(session)(Face)
        .values(
            id=uuid.uuid4(),
            photo_id=photo_id,
            model_version=version,
            ordinal=ordinal,
            box=face.box._asdict(),
            landmarks=[[round(x), round(y)] for x, y in face.landmarks],
            quality={
                "overall": face.quality.overall,
                "components": dict(face.quality.components),
                "advice": list(face.quality.advice),
            },
            quality_overall=face.quality.overall,
            embedding_sealed=services.vault.seal(session, subject_id, embedding_purpose(photo_id), vector),
            chosen=chosen,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Face.photo_id, Face.model_version, Face.ordinal])
    )
