"""Interviews (询问、访谈): what was tried to learn from the person; each scrap that came of it is a clue."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type


class InterviewMethod(StrEnum):
    """How it was led (访谈方式)."""

    TALK = "talk"  # 面谈
    DIALECT_SPEAKER = "dialect_speaker"  # 请会方言者协助
    SIGN_LANGUAGE = "sign_language"  # 手语
    WRITING_DRAWING = "writing_drawing"  # 书写、绘画
    PICTURES_SOUNDS = "pictures_sounds"  # 看图、听音（地图、食物、方言录音）
    REMOTE = "remote"  # 电话、视频
    OBSERVATION = "observation"  # 日常观察


class AudioFormat(StrEnum):
    """What an audio file is, by its first bytes (录音格式)."""

    WAV = "wav"  # WAV
    MP3 = "mp3"  # MP3
    M4A = "m4a"  # M4A（含 3GP）
    OGG = "ogg"  # Ogg
    WEBM = "webm"  # WebM
    FLAC = "flac"  # FLAC
    AMR = "amr"  # AMR


class Interview(HasId, Base):
    """One talk. Never changed; one that belongs elsewhere is withdrawn with its reason, and its clues with it.

    The notes are sealed under the person's data key. `language` is free text, `accent` a GB/T 2260 code.
    """

    __tablename__ = "interview"
    __table_args__ = (
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name="withdrawn_whole",
        ),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    held_at: Mapped[datetime]
    method: Mapped[InterviewMethod] = mapped_column(enum_type(InterviewMethod))
    place: Mapped[str | None] = mapped_column(String(200))
    interviewers: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str | None] = mapped_column(String(80))
    accent: Mapped[str | None] = mapped_column(String(6))
    notes_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))
    recordings: Mapped[list["InterviewAudio"]] = relationship(lazy="raise", order_by="InterviewAudio.added_at")


class InterviewAudio(HasId, Base):
    """One sealed recording; the blob lies in the store under this id. `digest` as of photographs."""

    __tablename__ = "interview_audio"
    __table_args__ = (UniqueConstraint("interview_id", "digest"),)

    interview_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("interview.id"))
    digest: Mapped[str] = mapped_column(String(64))
    format: Mapped[AudioFormat] = mapped_column(enum_type(AudioFormat))
    bytes_stored: Mapped[int]
    added_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
