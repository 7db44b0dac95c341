"""Which faces stand in the gallery (底库), and what is stored of them: the query that the index mirrors."""

import uuid
from collections.abc import Collection, Sequence
from typing import TypeVarTuple

import numpy as np
import structlog
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from matcher.index.base import IndexEntry
from matcher.vocabulary import GalleryKind
from models.case import SEARCHED, AdmissionKind, Case
from models.face import Face
from models.photo import Photo
from models.profile import Profile
from models.report import Report, ReportState
from models.subject import Subject
from tracing.platform.crypto import SealBroken, SubjectErased, Vault

log = structlog.stdlib.get_logger(__name__)

Columns = TypeVarTuple("Columns")

FETCH = 400
"""Faces fetched a query: below the limit of bound parameters of every database."""


def searchable_case() -> ColumnElement[bool]:
    """Condition on `Case`: cases whose person is still nameless."""
    return Case.state.in_(SEARCHED) & (Case.admission_kind == AdmissionKind.UNKNOWN_IDENTITY)


def searchable_report() -> ColumnElement[bool]:
    """Condition on `Report`: reports whose person is still missing."""
    return Report.state == ReportState.OPEN


def gallery_size(session: Session) -> int:
    """How many records stand in the gallery: open reports and searchable cases."""
    reports = session.scalar(select(func.count()).select_from(Report).where(searchable_report()))
    cases = session.scalar(select(func.count()).select_from(Case).where(searchable_case()))
    return (reports or 0) + (cases or 0)


def embedding_purpose(photo_id: uuid.UUID) -> str:
    """Purpose under which the vault seals the embeddings of a photograph."""
    return f"embedding:{photo_id}"


def unpack(embedding: bytes) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """The float32 vector of an opened embedding."""
    return np.frombuffer(embedding, dtype="<f4").astype(np.float32)


def count_faces(session: Session, model_version: str) -> int:
    """Searchable faces of a model version."""
    return session.scalar(_searchable(select(func.count(Face.id)), model_version)) or 0


def searchable_faces(session: Session, model_version: str, face_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these faces that are searchable."""
    wanted, found = list(face_ids), set[uuid.UUID]()
    for start in range(0, len(wanted), FETCH):
        query = _searchable(select(Face.id), model_version).where(Face.id.in_(wanted[start : start + FETCH]))
        found.update(session.scalars(query))
    return found


def next_faces(session: Session, model_version: str, after: uuid.UUID | None, limit: int) -> Sequence[uuid.UUID]:
    """Ids of searchable faces in the order of their ids, from behind `after`: a way through all of them in pieces."""
    query = _searchable(select(Face.id), model_version).order_by(Face.id).limit(limit)
    return session.scalars(query if after is None else query.where(Face.id > after)).all()


def entries(session: Session, vault: Vault, model_version: str, face_ids: Sequence[uuid.UUID]) -> list[IndexEntry]:
    """The searchable ones of these faces (at most `FETCH`) as the index takes them.

    An embedding that does not open is left out and logged: one damaged value must not stop everybody's search;
    `tracing index verify` counts them. Raises MasterKeyUnknown, for then none would open.
    """
    rows = session.execute(
        _searchable(
            select(
                Face.id, Face.photo_id, Face.embedding_sealed, Profile.subject_id, Case.id.label("case_id"),
                func.coalesce(Case.id, Report.id).label("owner_id"),
            ),
            model_version,
        ).where(Face.id.in_(face_ids))
    ).all()  # fmt: skip
    # Held here, so that the vault finds each person's key in the session instead of asking for it one by one.
    subjects = session.scalars(select(Subject).where(Subject.id.in_({row.subject_id for row in rows}))).all()
    found = []
    for row in rows:
        try:
            opened = vault.open(session, row.subject_id, embedding_purpose(row.photo_id), row.embedding_sealed)
        except SealBroken:
            log.exception("embedding_unreadable", face_id=str(row.id))
            continue
        except SubjectErased:
            continue
        kind = GalleryKind.CASE if row.case_id else GalleryKind.REPORT
        found.append(IndexEntry(row.id, row.owner_id, kind, unpack(opened)))
    del subjects
    return found


def dimension_of(session: Session, vault: Vault, model_version: str) -> int | None:
    """Values in an embedding of this model version; None while no face of it is searchable."""
    after = None
    while ids := next_faces(session, model_version, after, FETCH):
        for entry in entries(session, vault, model_version, ids[:1]) or entries(session, vault, model_version, ids):
            return len(entry.embedding)
        after = ids[-1]
    return None


def _searchable(query: Select[*Columns], model_version: str) -> Select[*Columns]:
    return (
        query.join(Photo, Photo.id == Face.photo_id)
        .join(Profile, Profile.id == Photo.profile_id)
        .join(Subject, Subject.id == Profile.subject_id)
        .outerjoin(Case, Case.profile_id == Photo.profile_id)
        .outerjoin(Report, Report.profile_id == Photo.profile_id)
        .where(
            Face.model_version == model_version,
            Face.chosen,
            Photo.removed_at.is_(None),
            Subject.wrapped_key.is_not(None),
            or_(searchable_case(), searchable_report()),
        )
    )
