"""Exclusions (排除): a case's person and a candidate are not the same. Reopened only by new evidence, never changed."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class ExclusionEvidence(StrEnum):
    """What excludes a pair, or reopens it (排除依据)."""

    DNA = "dna"  # DNA 比对
    FINGERPRINT = "fingerprint"  # 指纹比对
    OFFICIAL_RECORD = "official_record"  # 官方记录
    EXAMINERS_AGREED = "examiners_agreed"  # 两名比对员一致排除
    NEW_PHOTO = "new_photo"  # 新照片
    NEW_STATEMENT = "new_statement"  # 新的陈述


EXCLUDING = frozenset(ExclusionEvidence) - {ExclusionEvidence.NEW_PHOTO, ExclusionEvidence.NEW_STATEMENT}
"""Evidence that may exclude; a photograph or a statement may only reopen."""

WITH_REFERENCE = frozenset(
    {ExclusionEvidence.DNA, ExclusionEvidence.FINGERPRINT, ExclusionEvidence.OFFICIAL_RECORD}
)  # fmt: skip
"""Evidence that is a document, and names it."""

_EXCLUDING = ", ".join(f"'{one.value}'" for one in ExclusionEvidence if one in EXCLUDING)
_DOCUMENTS = ", ".join(f"'{one.value}'" for one in ExclusionEvidence if one in WITH_REFERENCE)


class Exclusion(HasId, Base):
    """One exclusion of one candidate pair; at most one stands. A later one may follow when it was reopened."""

    __tablename__ = "exclusion"
    __table_args__ = (
        CheckConstraint(f"evidence IN ({_EXCLUDING})", name="evidence_excludes"),
        CheckConstraint(f"evidence NOT IN ({_DOCUMENTS}) OR reference IS NOT NULL", name="has_reference"),
        CheckConstraint(
            f"reopen_evidence IS NULL OR reopen_evidence NOT IN ({_DOCUMENTS}) OR reopen_reference IS NOT NULL",
            name="reopened_has_reference",
        ),
        CheckConstraint(
            "(reopened_at IS NULL) = (reopened_by_id IS NULL) AND (reopened_at IS NULL) = (reopen_evidence IS NULL)"
            " AND (reopened_at IS NULL) = (reopen_reason IS NULL)",
            name="reopened_whole",
        ),
        Index(
            "uq_exclusion_standing",
            "candidate_id",
            unique=True,
            sqlite_where=text("reopened_at IS NULL"),
            postgresql_where=text("reopened_at IS NULL"),
        ),
        Index("ix_exclusion_case_id_excluded_at", "case_id", "excluded_at"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    candidate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("candidate.id"))
    evidence: Mapped[ExclusionEvidence] = mapped_column(enum_type(ExclusionEvidence))
    reference: Mapped[str | None] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(500))
    excluded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    excluded_at: Mapped[datetime]
    reopen_evidence: Mapped[ExclusionEvidence | None] = mapped_column(enum_type(ExclusionEvidence, prefix="reopen_"))
    reopen_reference: Mapped[str | None] = mapped_column(String(120))
    reopen_reason: Mapped[str | None] = mapped_column(String(500))
    reopened_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    reopened_at: Mapped[datetime | None]
