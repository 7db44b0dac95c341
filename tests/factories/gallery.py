"""Searchable faces by raw rows: many, quickly, with embeddings that a test chooses."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from matcher.vocabulary import GalleryKind
from models.base import Base
from models.case import Case, CaseState
from models.face import Face
from models.organisation import OrganisationKind
from models.photo import AnalysisState, Photo, PhotoView
from models.profile import Profile
from models.report import Report, ReportState
from models.user import Role, User
from tracing.gallery_faces import embedding_purpose
from tracing.organisations import place
from tracing.platform.crypto import Vault

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
VERSION = "synthetic-1"


@dataclass(frozen=True)
class Ground:
    """The organisation and the user to whom every synthetic record belongs."""

    organisation_id: uuid.UUID
    user_id: uuid.UUID


@dataclass(frozen=True)
class Person:
    """A synthetic record with one photograph and one face."""

    kind: GalleryKind
    owner_id: uuid.UUID
    profile_id: uuid.UUID
    subject_id: uuid.UUID
    photo_id: uuid.UUID
    face_id: uuid.UUID


def make_ground(session: Session) -> Ground:
    """One station and one user."""
    organisation = place(
        None,
        kind=OrganisationKind.STATION,
        name_zh="钦州市救助管理站",
        name_en="Qinzhou station",
        division="450702",
        now=AT,
    )
    session.add(organisation)
    session.flush()
    user = User(
        id=uuid.uuid4(),
        username=f"synthetic-{uuid.uuid4().hex[:8]}",
        display_name="合成数据",
        role=Role.STATION_STAFF,
        organisation_id=organisation.id,
        password_hash="!",
        created_at=AT,
    )
    session.add(user)
    session.flush()
    return Ground(organisation.id, user.id)


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vector with length 1."""
    found: NDArray[np.float32] = (vector / np.linalg.norm(vector)).astype(np.float32)
    return found


def make_person(
    session: Session,
    vault: Vault,
    ground: Ground,
    embedding: NDArray[np.float32],
    kind: GalleryKind = GalleryKind.REPORT,
    *,
    version: str = VERSION,
    chosen: bool = True,
) -> Person:
    """An open report, or an unresolved case, with one face; flushed."""
    subject = vault.new_subject(session, AT)
    profile = Profile(id=uuid.uuid4(), subject_id=subject.id)
    session.add(profile)
    session.flush()
    owner: Base
    owner_id = uuid.uuid4()
    number = f"T-{owner_id.hex[:16]}"
    if kind is GalleryKind.REPORT:
        owner = Report(
            id=owner_id,
            number=number,
            organisation_id=ground.organisation_id,
            created_by_id=ground.user_id,
            profile_id=profile.id,
            state=ReportState.OPEN,
            created_at=AT,
            updated_at=AT,
        )
    else:
        owner = Case(
            id=owner_id,
            number=number,
            organisation_id=ground.organisation_id,
            created_by_id=ground.user_id,
            profile_id=profile.id,
            state=CaseState.UNRESOLVED,
            state_since=AT,
            admitted_on=date(2026, 3, 1),
            created_at=AT,
            updated_at=AT,
        )
    photo = Photo(
        id=uuid.uuid4(),
        profile_id=profile.id,
        digest=uuid.uuid4().hex,
        view=PhotoView.FRONT,
        width=200,
        height=200,
        bytes_stored=1,
        uploaded_by_id=ground.user_id,
        uploaded_at=AT,
        analysis=AnalysisState.READY,
        analysed_with=version,
    )
    session.add_all([owner, photo])
    session.flush()
    face = make_face(session, vault, subject.id, photo.id, embedding, version=version, chosen=chosen)
    return Person(kind, owner_id, profile.id, subject.id, photo.id, face)


def make_face(
    session: Session,
    vault: Vault,
    subject_id: uuid.UUID,
    photo_id: uuid.UUID,
    embedding: NDArray[np.float32],
    *,
    version: str = VERSION,
    ordinal: int = 0,
    chosen: bool = True,
) -> uuid.UUID:
    """A face on a photograph, flushed; its id."""
    face = Face(
        id=uuid.uuid4(),
        photo_id=photo_id,
        model_version=version,
        ordinal=ordinal,
        box={"top": 0, "right": 100, "bottom": 100, "left": 0},
        landmarks=[],
        quality={},
        quality_overall=80,
        embedding_sealed=vault.seal(
            session, subject_id, embedding_purpose(photo_id), embedding.astype("<f4").tobytes()
        ),
        chosen=chosen,
        created_at=AT,
    )
    session.add(face)
    session.flush()
    return face.id
