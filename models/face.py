"""Faces (人脸): where a photograph shows one, how good it is, and its embedding, sealed."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId


class Face(HasId, Base):
    """One detected face under one model version.

    box: {"top", "right", "bottom", "left"} in pixels of the stored photograph; landmarks: list of [x, y];
    embedding_sealed: float32 little-endian unit vector, sealed under the subject's data key (GB/T 35273: biometrics
    apart from identity data). `chosen` marks the face that belongs to the person; one a photograph and model.
    """

    __tablename__ = "face"
    __table_args__ = (
        UniqueConstraint("photo_id", "model_version", "ordinal"),
        Index("ix_face_model_version_chosen", "model_version", "chosen"),
    )

    photo_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("photo.id"), index=True)
    model_version: Mapped[str] = mapped_column(String(80))
    ordinal: Mapped[int]
    box: Mapped[dict[str, int]] = mapped_column(JSON)
    landmarks: Mapped[list[list[int]]] = mapped_column(JSON)
    quality: Mapped[dict[str, Any]] = mapped_column(JSON)
    quality_overall: Mapped[int]
    embedding_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    chosen: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
