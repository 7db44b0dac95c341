"""Photographs (照片): the file is sealed in the blob store under the photo's id; here is what is known of it."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.face import Face


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


class Photo(HasId, Base):
    """One photograph of a profile's person, re-encoded. The same file given twice to one profile is one row.

    `digest` is the HMAC-SHA-256 of the uploaded bytes under the subject's data key: equal uploads are found without a
    plain hash of anybody's picture lying in the database.
    """

    __tablename__ = "photo"
    __table_args__ = (UniqueConstraint("profile_id", "digest"),)

    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    view: Mapped[PhotoView] = mapped_column(enum_type(PhotoView), default=PhotoView.FRONT)
    width: Mapped[int]
    height: Mapped[int]
    bytes_stored: Mapped[int]
    captured_at: Mapped[datetime | None]
    uploaded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    uploaded_at: Mapped[datetime]
    analysis: Mapped[AnalysisState] = mapped_column(enum_type(AnalysisState), default=AnalysisState.PENDING)
    analysed_with: Mapped[str | None] = mapped_column(String(80))
    removed_at: Mapped[datetime | None]
    faces: Mapped[list[Face]] = relationship(lazy="raise", order_by="Face.ordinal")
