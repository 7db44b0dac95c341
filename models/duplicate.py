"""Duplicates (疑似重复): two cases, or two reports, that may be one person's. Linked by a human, never merged."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from matcher.vocabulary import GalleryKind
from models.base import Base, HasId, enum_type

STANDING = text("withdrawn_at IS NULL")


class DuplicateBasis(StrEnum):
    """What a pair was proposed for (推荐依据)."""

    EVIDENCE = "evidence"  # 要素与人像一致
    IDENTITY_NUMBER = "identity_number"  # 公民身份号码相同
    STAFF = "staff"  # 工作人员提出


class DuplicateVerdict(StrEnum):
    """What a human decided on a pair (处理结果)."""

    SAME = "same"  # 同一人，关联
    DIFFERENT = "different"  # 不是同一人


class DuplicatePair(HasId, Base):
    """Two records of one kind, told by their unordered `pair` key; `first` is the one whose id sorts first.

    `terms`, `log10_lr`, `posterior`: of the pass that proposed it by evidence. The row says only that the question was
    asked: the answers are `DuplicateDecision` rows.
    """

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        CheckConstraint(
            "(first_case_id IS NULL) = (second_case_id IS NULL) AND (first_report_id IS NULL) ="
            " (second_report_id IS NULL) AND (first_case_id IS NULL) <> (first_report_id IS NULL)",
            name="two_of_a_kind",
        ),
        CheckConstraint("(kind = 'case') = (first_case_id IS NOT NULL)", name="kind_of_its_records"),
        # Not OR: a CHECK passes when it comes to NULL.
        CheckConstraint(
            "coalesce(first_case_id < second_case_id, first_report_id < second_report_id)", name="in_order"
        ),
        UniqueConstraint("first_case_id", "second_case_id"),
        UniqueConstraint("first_report_id", "second_report_id"),
        CheckConstraint("(basis = 'evidence') = (log10_lr IS NOT NULL)", name="weighed"),
        CheckConstraint("(basis = 'staff') = (proposed_by_id IS NOT NULL)", name="proposed_by"),
    )

    pair: Mapped[str] = mapped_column(String(73), unique=True)
    kind: Mapped[GalleryKind] = mapped_column(enum_type(GalleryKind))
    first_case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("case_file.id"))
    second_case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("case_file.id"), index=True)
    first_report_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("report.id"))
    second_report_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("report.id"), index=True)
    basis: Mapped[DuplicateBasis] = mapped_column(enum_type(DuplicateBasis))
    log10_lr: Mapped[float | None]
    posterior: Mapped[float | None]
    terms: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    parameters_version: Mapped[str | None] = mapped_column(String(40))
    model_version: Mapped[str | None] = mapped_column(String(80))
    policy_version: Mapped[str] = mapped_column(String(120))
    proposed_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    proposed_at: Mapped[datetime]

    @property
    def first_id(self) -> uuid.UUID:
        """The record whose id sorts first."""
        return self._one(self.first_case_id or self.first_report_id)

    @property
    def second_id(self) -> uuid.UUID:
        """The other one."""
        return self._one(self.second_case_id or self.second_report_id)

    @staticmethod
    def _one(identity: uuid.UUID | None) -> uuid.UUID:
        if identity is None:
            raise ValueError("a pair without its records")
        return identity


class DuplicateDecision(HasId, Base):
    """One decision on a pair, with its reason; at most one stands a pair. Withdrawn, the pair is open again."""

    __tablename__ = "duplicate_decision"
    __table_args__ = (
        Index(
            "uq_duplicate_decision_standing", "pair_id", unique=True, sqlite_where=STANDING, postgresql_where=STANDING
        ),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name="withdrawn_whole",
        ),
    )

    pair_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("duplicate_pair.id"))
    verdict: Mapped[DuplicateVerdict] = mapped_column(enum_type(DuplicateVerdict))
    reason: Mapped[str] = mapped_column(String(500))
    decided_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))


class DuplicateClosure(HasId, Base):
    """Why a candidate was closed without being judged: its report is linked with one that was confirmed.

    It stands until the link or the confirmation is undone; then the candidate is open again.
    """

    __tablename__ = "duplicate_closure"
    __table_args__ = (
        Index(
            "uq_duplicate_closure_standing",
            "candidate_id",
            unique=True,
            sqlite_where=text("reopened_at IS NULL"),
            postgresql_where=text("reopened_at IS NULL"),
        ),
    )

    candidate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("candidate.id"))
    decision_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("duplicate_decision.id"), index=True)
    confirmation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("confirmation.id"), index=True)
    closed_at: Mapped[datetime]
    reopened_at: Mapped[datetime | None]


class IdentityDigest(Base):
    """Keyed digest of a report's identity number, so that equal numbers are told without opening any.

    Rows go with the number: a report's own is written anew when the number is given anew.
    """

    __tablename__ = "identity_digest"

    report_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("report.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
