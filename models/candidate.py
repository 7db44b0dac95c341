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
    EXCLUDED = "excluded"  # 已排除


class Candidate(HasId, Base):
    """A case and one other record that could be the same person: a report, or another case.

    `pair` names the unordered pair, so that two cases that find each other share one candidate. `terms` holds every
    Evidence of the score with its values, its weight and its sentences; `log10_lr` their weighted sum. The prior odds
    are 1 / `gallery_size`; None in a candidate that was last scored before the size was kept. `closed_by_id` is the
    confirmation that closed it, while it is closed.
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
    gallery_size: Mapped[int | None]
    proposed_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    listed: Mapped[bool] = mapped_column(default=True)
    # Added after the table: confirmations name candidates, so the two cannot be created one before the other.
    closed_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("confirmation.id", use_alter=True))


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


class ListChange(StrEnum):
    """What a pass did to a place in a case's list."""

    ENTERED = "entered"  # 新进入
    LEFT = "left"  # 离开
    MOVED = "moved"  # 名次或分数变化


class CandidateChange(HasId, Base):
    """What one pass changed about one candidate of a case's list, and which terms did it.

    Ranks count from 1 among the listed candidates of the case; None where it was not, or is no longer, listed.
    `terms` has one row a term that differs: kind, weighted log10 LR before and after (None: it said nothing).
    """

    __tablename__ = "candidate_change"
    __table_args__ = (Index("ix_candidate_change_case_id_at", "case_id", "at"),)

    pass_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("match_pass.id"), index=True)
    match_pass: Mapped[MatchPass] = relationship(lazy="raise")
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    candidate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("candidate.id"), index=True)
    candidate: Mapped[Candidate] = relationship(lazy="raise")
    change: Mapped[ListChange] = mapped_column(enum_type(ListChange))
    log10_lr_before: Mapped[float | None]
    log10_lr_after: Mapped[float]
    rank_before: Mapped[int | None]
    rank_after: Mapped[int | None]
    terms: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    at: Mapped[datetime]
