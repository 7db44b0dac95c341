"""The gallery (底库): this process's replica of every searchable face, brought up to the database before each search.

Catching up compares the ids held with the ids that should be held, so no committed face is missed and none that was
removed is shown, whatever order transactions committed in.
"""

import uuid
from threading import Lock

import numpy as np
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from matcher.index.base import IndexEntry
from matcher.index.exact import FaissExactIndex
from matcher.vocabulary import GalleryKind
from models.case import SEARCHED, Case
from models.face import Face
from models.photo import Photo
from models.profile import Profile
from models.report import Report, ReportState
from tracing.platform.crypto import Vault

FETCH = 400
"""Faces fetched a query: below the limit of bound parameters of every database."""


def searchable_case() -> ColumnElement[bool]:
    """Condition on `Case`: cases whose person is still nameless."""
    return Case.state.in_(SEARCHED)


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


class Gallery:
    """One exact index a model version. Safe to share between threads."""

    def __init__(self, vault: Vault) -> None:
        """Start empty; the first search fills it."""
        self._vault = vault
        self._lock = Lock()
        self._indexes: dict[str, FaissExactIndex] = {}

    def index(self, session: Session, model_version: str, dimension: int) -> FaissExactIndex:
        """The index of a model version, holding exactly the faces that the session sees as searchable."""
        with self._lock:
            index = self._indexes.setdefault(model_version, FaissExactIndex(model_version, dimension))
            wanted = set(session.scalars(_searchable_faces(model_version)))
            held = index.ids()
            index.remove(held - wanted)
            missing = sorted(wanted - held)
            for start in range(0, len(missing), FETCH):
                index.add(self._entries(session, missing[start : start + FETCH]))
            return index

    def _entries(self, session: Session, face_ids: list[uuid.UUID]) -> list[IndexEntry]:
        rows = session.execute(
            select(Face.id, Face.photo_id, Face.embedding_sealed, Profile.subject_id, Case.id, Report.id)
            .join(Photo, Photo.id == Face.photo_id)
            .join(Profile, Profile.id == Photo.profile_id)
            .outerjoin(Case, Case.profile_id == Profile.id)
            .outerjoin(Report, Report.profile_id == Profile.id)
            .where(Face.id.in_(face_ids))
        )
        return [
            IndexEntry(
                face_id=face_id,
                subject_id=case_id or report_id,
                kind=GalleryKind.CASE if case_id else GalleryKind.REPORT,
                embedding=unpack(self._vault.open(session, subject_id, embedding_purpose(photo_id), sealed)),
            )
            for face_id, photo_id, sealed, subject_id, case_id, report_id in rows
        ]


def _searchable_faces(model_version: str) -> Select[uuid.UUID]:
    return (
        select(Face.id)
        .join(Photo, Photo.id == Face.photo_id)
        .outerjoin(Case, Case.profile_id == Photo.profile_id)
        .outerjoin(Report, Report.profile_id == Photo.profile_id)
        .where(
            Face.model_version == model_version,
            Face.chosen,
            Photo.removed_at.is_(None),
            or_(searchable_case(), searchable_report()),
        )
    )
