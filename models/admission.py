"""Admissions (入站登记): what is recorded when a person comes in, besides what is known of the person."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class SafetyCheck(StrEnum):
    """Whether the safety check (安全检查) was made."""

    DONE = "done"  # 已检查
    NOT_YET = "not_yet"  # 尚未检查
    REFUSED = "refused"  # 本人拒绝


class Fingerprints(StrEnum):
    """Whether fingerprints were taken (指纹采集)."""

    TAKEN = "taken"  # 已采集
    NOT_TAKEN = "not_taken"  # 未采集


class BiometricBasis(StrEnum):
    """On what ground face, fingerprints and the like are processed (生物识别信息处理依据)."""

    CONSENT = "consent"  # 本人单独同意
    GUARDIAN_CONSENT = "guardian_consent"  # 监护人同意
    STATUTORY_DUTY = "statutory_duty"  # 履行法定职责
    VITAL_INTEREST = "vital_interest"  # 紧急情况下保护生命健康
    NONE = "none"  # 不采集


class Guardianship(StrEnum):
    """Who looks after a minor's interests (未成年人监护)."""

    PARENTS = "parents"  # 父母
    OTHER_GUARDIAN = "other_guardian"  # 其他监护人
    TEMPORARY = "temporary"  # 民政部门临时监护
    UNKNOWN = "unknown"  # 监护人不明


class AdmissionRecord(HasId, Base):
    """What stands of one admission. A correction is a new row that supersedes the one before; one stands a case.

    Sealed under the person's data key: `findings_sealed` (of the safety check), `belongings_sealed` (a list of things,
    each with where it is kept), `identity_sealed` (name, identity number and home as the person states them),
    `guardian_sealed` (name and telephone). `basis_article`: the article that the basis rests on, as text.
    """

    __tablename__ = "admission_record"
    __table_args__ = (
        Index(
            "uq_admission_record_current", "case_id", unique=True,
            sqlite_where=text("superseded_at IS NULL"), postgresql_where=text("superseded_at IS NULL"),
        ),
        Index("ix_admission_record_case_id_recorded_at", "case_id", "recorded_at"),
        CheckConstraint("(safety_check = 'done') = (safety_checked_at IS NOT NULL)", name="safety_check_has_time"),
        CheckConstraint("fingerprints <> 'not_taken' OR fingerprint_reason IS NOT NULL", name="no_prints_has_reason"),
        CheckConstraint("basis IN ('none') OR basis_article IS NOT NULL", name="basis_has_article"),
        CheckConstraint("fingerprints <> 'taken' OR basis <> 'none'", name="prints_have_basis"),
        CheckConstraint("NOT minor OR guardianship IS NOT NULL", name="minor_has_guardianship"),
    )  # fmt: skip

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    medical_first: Mapped[bool] = mapped_column(default=False)
    safety_check: Mapped[SafetyCheck] = mapped_column(enum_type(SafetyCheck))
    safety_checked_at: Mapped[datetime | None]
    safety_checker: Mapped[str | None] = mapped_column(String(120))
    findings_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    belongings_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    belongings_count: Mapped[int] = mapped_column(default=0)
    fingerprints: Mapped[Fingerprints] = mapped_column(enum_type(Fingerprints))
    fingerprint_reason: Mapped[str | None] = mapped_column(String(200))
    handover_officer: Mapped[str | None] = mapped_column(String(120))
    handover_unit: Mapped[str | None] = mapped_column(String(120))
    basis: Mapped[BiometricBasis] = mapped_column(enum_type(BiometricBasis))
    basis_article: Mapped[str | None] = mapped_column(String(400))
    minor: Mapped[bool] = mapped_column(default=False)
    guardianship: Mapped[Guardianship | None] = mapped_column(enum_type(Guardianship))
    guardian_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    identity_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class IdentityDisproof(HasId, Base):
    """That a stated identity proved false (身份不实): from then on the family is traced. Never changed."""

    __tablename__ = "identity_disproof"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    reason: Mapped[str] = mapped_column(String(500))
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]


class HospitalHandover(HasId, Base):
    """A person brought to a designated hospital (绿色通道), at once and whatever stands of the admission.

    The health liaison of the hospital says when the person arrived. `complaint_sealed` is sealed under the person's
    data key. Withdrawn with a reason when it was a mistake, never changed.
    """

    __tablename__ = "hospital_handover"
    __table_args__ = (
        Index("ix_hospital_handover_hospital_id_handed_at", "hospital_id", "handed_at"),
        CheckConstraint("(received_at IS NULL) = (received_by_id IS NULL)", name="received_whole"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name="withdrawn_whole",
        ),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    hospital_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    handed_at: Mapped[datetime]
    officer: Mapped[str] = mapped_column(String(120))
    complaint_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    received_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    ward: Mapped[str | None] = mapped_column(String(120))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))
