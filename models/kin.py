"""Verification of kin (亲属核实): that those who come are the family, before anybody is handed over."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class KinResult(StrEnum):
    """What the verification came to (核实结论)."""

    VERIFIED = "verified"  # 核实为亲属
    NOT_VERIFIED = "not_verified"  # 未能核实


class KinDocument(StrEnum):
    """Papers that show kinship or identity (证明材料)."""

    IDENTITY_CARD = "identity_card"  # 居民身份证
    HOUSEHOLD_BOOKLET = "household_booklet"  # 户口簿
    BIRTH_CERTIFICATE = "birth_certificate"  # 出生医学证明
    MARRIAGE_CERTIFICATE = "marriage_certificate"  # 结婚证
    VILLAGE_LETTER = "village_letter"  # 村（居）委会证明
    POLICE_LETTER = "police_letter"  # 派出所证明


class DnaReason(StrEnum):
    """Why DNA has to show the kinship (须做 DNA 的情形)."""

    MINOR = "minor"  # 未成年人
    CANNOT_CONSENT = "cannot_consent"  # 无法表达意愿
    LONG_ABSENCE = "long_absence"  # 失散多年
    DOUBTFUL_KINSHIP = "doubtful_kinship"  # 亲属关系存疑


class KinVerification(HasId, Base):
    """One verification. Who the relative is, the questions and the answers are sealed under the reported person's key.

    It counts for the confirmation that it names, while that stands; a wrong one is withdrawn with its reason.
    """

    __tablename__ = "kin_verification"
    __table_args__ = (
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name="withdrawn_whole",
        ),
        CheckConstraint("questions_agreeing >= 0 AND questions_agreeing <= questions_asked", name="questions"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    confirmation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("confirmation.id"))
    result: Mapped[KinResult] = mapped_column(enum_type(KinResult))
    evidence_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    questions_asked: Mapped[int]
    questions_agreeing: Mapped[int]
    documents: Mapped[list[str]] = mapped_column(JSON)
    dna_required: Mapped[bool]
    dna_reasons: Mapped[list[str]] = mapped_column(JSON)
    policy_version: Mapped[str] = mapped_column(String(40))
    verified_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    verified_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))
