"""Candidates (候选): whom a case's person could be, proposed by a matching pass; and the passes themselves."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from matcher.vocabulary import GalleryKind
from models.base import Base, HasId, enum_type
from models.case import Case
from models.report import Report


class CandidateState(StrEnum):
    """Where a candidate stands. Only an open one follows new passes."""

    OPEN = "open"  # 待复核
    JUDGED = "judged"  # 已有复核意见
    CONFIRMED = "confirmed"  # 已确认
    CLOSED = "closed"  # 因他人确认而关闭


class Candidate(HasId, Base):
    """A case and one other record that could be the same person: a report, or another case.

    `pair` names the unordered pair, so that two cases that find each other share one candidate. `terms` holds every
    Evidence of the score with its values and sentences; `log10_lr` their fused sum.
    """

    __tablename__ = "candidate"
    __table_args__ = (
        CheckConstraint("(report_id IS NULL) <> (other_case_id IS NULL)", name="one_other"),
        CheckConstraint("other_case_id IS NULL OR other_case_id <> case_id", name="not_itself"),
        Index("ix_candidate_case_id_log10_lr", "case_id", "log10_lr"),
    )

    pair: Mapped[str] = mapped_column(String(73), unique=True)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    case: Mapped[Case] = relationship(lazy="raise", foreign_keys=[case_id])
    report_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("report.id"), index=True)
    report: Mapped[Report | None] = relationship(lazy="raise")
    other_case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("case_file.id"), index=True)
    other_case: Mapped[Case | None] = relationship(lazy="raise", foreign_keys=[other_case_id])
    state: Mapped[CandidateState] = mapped_column(enum_type(CandidateState), default=CandidateState.OPEN)
    log10_lr: Mapped[float]
    posterior: Mapped[float]
    face_similarity: Mapped[float | None]
    terms: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    model_version: Mapped[str] = mapped_column(String(80))
    index_version: Mapped[str] = mapped_column(String(40))
    parameters_version: Mapped[str] = mapped_column(String(40))
    proposed_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    listed: Mapped[bool] = mapped_column(default=True)


class MatchPass(HasId, Base):
    """One finished matching pass: a profile's revision against the gallery, exactly once a model and index version."""

    __tablename__ = "match_pass"
    __table_args__ = (
        UniqueConstraint("profile_id", "revision", "model_version", "index_version", "parameters_version"),
    )

    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"))
    kind: Mapped[GalleryKind] = mapped_column(enum_type(GalleryKind))
    revision: Mapped[int]
    model_version: Mapped[str] = mapped_column(String(80))
    index_version: Mapped[str] = mapped_column(String(40))
    parameters_version: Mapped[str] = mapped_column(String(40))
    gallery_size: Mapped[int]
    candidates: Mapped[int]
    finished_at: Mapped[datetime]
