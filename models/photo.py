"""Photographs (照片): the file is sealed in the blob store under the photo's id; here is what is known of it."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    ScalarSelect,
    SQLColumnExpression,
    String,
    UniqueConstraint,
    func,
    literal,
    select,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.face import Face
from models.face_model import FaceModel, FaceModelState

T = TypeVar("T")
NO_MODEL = "none"
"""Stands for a model version where there is no face engine."""


class PhotoView(StrEnum):
    """Which side a photograph shows (拍摄角度)."""

    FRONT = "front"  # 正面
    LEFT = "left"  # 左侧
    RIGHT = "right"  # 右侧
    OTHER = "other"  # 其他


class AnalysisState(StrEnum):
    """What the face engine made of a photograph."""

    PENDING = "pending"  # 等待分析
    READY = "ready"  # 有一张人脸，或已选定
    NO_FACE = "no_face"  # 未检出人脸
    SEVERAL_FACES = "several_faces"  # 多张人脸，待选择
    UNAVAILABLE = "unavailable"  # 没有人脸引擎


class PhotoAnalysis(HasId, Base):
    """What one model version made of one photograph; no row: it has not been looked at under that version."""

    __tablename__ = "photo_analysis"
    __table_args__ = (UniqueConstraint("photo_id", "model_version"),)

    photo_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("photo.id"))
    model_version: Mapped[str] = mapped_column(String(80), index=True)
    state: Mapped[AnalysisState] = mapped_column(enum_type(AnalysisState))
    analysed_at: Mapped[datetime]


def _under_version_in_force(column: SQLColumnExpression[T], photo_id: Mapped[uuid.UUID]) -> ScalarSelect[T]:
    return (
        select(column)
        .join(FaceModel, FaceModel.model_version == PhotoAnalysis.model_version)
        .where(PhotoAnalysis.photo_id == photo_id, FaceModel.state == FaceModelState.IN_FORCE)
        .correlate_except(PhotoAnalysis, FaceModel)
        .scalar_subquery()
    )


def _analysis(photo_id: Mapped[uuid.UUID]) -> ColumnElement[AnalysisState]:
    without_engine = (
        select(PhotoAnalysis.state)
        .where(PhotoAnalysis.photo_id == photo_id, PhotoAnalysis.model_version == NO_MODEL)
        .correlate_except(PhotoAnalysis)
        .scalar_subquery()
    )
    kind = enum_type(AnalysisState)
    pending = literal(AnalysisState.PENDING, kind)
    return func.coalesce(_under_version_in_force(PhotoAnalysis.state, photo_id), without_engine, pending, type_=kind)


class Photo(Base):
    """One photograph of a profile's person, re-encoded. The same file given twice to one profile is one row.

    `digest` is the HMAC-SHA-256 of the uploaded bytes under the subject's data key: equal uploads are found without a
    plain hash of anybody's picture lying in the database.

    `pointed_at`: the box of the person's face among several, in pixels of the stored photograph, where somebody pointed
    at it before the analysis.

    `analysis` and `analysed_with` are read with the row, from the analysis under the model version in force then; a
    photograph that only a service without an engine has looked at is UNAVAILABLE, any other one PENDING.
    """

    __tablename__ = "photo"
    __table_args__ = (UniqueConstraint("profile_id", "digest"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    view: Mapped[PhotoView] = mapped_column(enum_type(PhotoView), default=PhotoView.FRONT)
    width: Mapped[int]
    height: Mapped[int]
    bytes_stored: Mapped[int]
    captured_at: Mapped[datetime | None]
    pointed_at: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))
    uploaded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    uploaded_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    faces: Mapped[list[Face]] = relationship(lazy="raise", order_by="Face.ordinal")
    analysed_with: Mapped[str | None] = column_property(_under_version_in_force(PhotoAnalysis.model_version, id))
    analysis: Mapped[AnalysisState] = column_property(_analysis(id))

    @property
    def shown_faces(self) -> list[Face]:
        """The faces under the model version in force when the row was read; they must have been loaded with it."""
        return [face for face in self.faces if face.model_version == self.analysed_with]
