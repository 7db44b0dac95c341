"""Identity claims (身份核查结果): what systems outside say of who a person is. Withdrawn or settled, never changed.

Grades after the rule of the field: a face hit, a name, an interview or what the person says is a lead, never the sole
ground; a fingerprint, DNA, a visit to the household register, papers or a verified official record confirm.
"""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type
from models.confirmation import ConfirmationMethod


class ClaimMethod(StrEnum):
    """How the result was obtained (核查方式)."""

    FACE = "face"  # 人像比对（人口库）
    NAME = "name"  # 姓名查询
    INTERVIEW = "interview"  # 询问
    SELF_STATEMENT = "self_statement"  # 本人自述
    FINGERPRINT = "fingerprint"  # 指纹比对
    DNA = "dna"  # DNA 比对
    HOUSEHOLD_REGISTER = "household_register"  # 户籍走访核实
    PAPERS = "papers"  # 身份证件
    OFFICIAL_RECORD = "official_record"  # 经核实的官方记录


class ClaimGrade(StrEnum):
    """What a claim is worth (结果等级)."""

    LEAD = "lead"  # 线索
    CONFIRMED = "confirmed"  # 确认


_M = ClaimMethod
GRADES: Mapping[ClaimMethod, ClaimGrade] = MappingProxyType(
    {
        _M.FACE: ClaimGrade.LEAD,
        _M.NAME: ClaimGrade.LEAD,
        _M.INTERVIEW: ClaimGrade.LEAD,
        _M.SELF_STATEMENT: ClaimGrade.LEAD,
        _M.FINGERPRINT: ClaimGrade.CONFIRMED,
        _M.DNA: ClaimGrade.CONFIRMED,
        _M.HOUSEHOLD_REGISTER: ClaimGrade.CONFIRMED,
        _M.PAPERS: ClaimGrade.CONFIRMED,
        _M.OFFICIAL_RECORD: ClaimGrade.CONFIRMED,
    }
)
"""The grade follows from the method; the database holds the same (CHECK)."""

SHOWN_BY: Mapping[ConfirmationMethod, frozenset[ClaimMethod]] = MappingProxyType(
    {
        ConfirmationMethod.FINGERPRINT: frozenset({_M.FINGERPRINT}),
        ConfirmationMethod.DNA: frozenset({_M.DNA}),
        ConfirmationMethod.HOUSEHOLD_REGISTER: frozenset({_M.HOUSEHOLD_REGISTER}),
        ConfirmationMethod.OFFICIAL_DOCUMENT: frozenset({_M.PAPERS, _M.OFFICIAL_RECORD}),
    }
)
"""The claims that a decisive method of a confirmation may rest on."""

_CONFIRMING = ", ".join(f"'{method.value}'" for method, grade in GRADES.items() if grade is ClaimGrade.CONFIRMED)


def _ended_whole(*columns: str) -> str:
    first, *others = columns
    return " AND ".join(f"({first} IS NULL) = ({other} IS NULL)" for other in others)


class IdentityClaim(HasId, Base):
    """One result. It names one of the case's candidates, or somebody outside the service, whose name and identity
    number are sealed under the unknown person's data key.

    `person_digest`: keyed digest of the identity number, so that two results can be told to name one person without
    opening it. A settled claim is one that a supervisor has set aside: like a withdrawn one it neither blocks nor
    supports a confirmation. `custody` is the DNA sample's chain of custody.
    """

    __tablename__ = "identity_claim"
    __table_args__ = (
        Index("ix_identity_claim_case_id_recorded_at", "case_id", "recorded_at"),
        CheckConstraint(f"(grade = 'confirmed') = (method IN ({_CONFIRMING}))", name="grade_of_method"),
        CheckConstraint("(candidate_id IS NULL) = (identity_sealed IS NOT NULL)", name="names_one"),
        CheckConstraint(
            "grade = 'lead' OR candidate_id IS NOT NULL OR person_digest IS NOT NULL", name="confirmed_names_a_number"
        ),
        CheckConstraint("grade = 'lead' OR reference IS NOT NULL", name="confirmed_has_reference"),
        CheckConstraint("method <> 'dna' OR custody IS NOT NULL", name="dna_has_custody"),
        CheckConstraint(_ended_whole("withdrawn_at", "withdrawn_by_id", "withdrawal_reason"), name="withdrawn_whole"),
        CheckConstraint(_ended_whole("settled_at", "settled_by_id", "settlement_reason"), name="settled_whole"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    method: Mapped[ClaimMethod] = mapped_column(enum_type(ClaimMethod))
    grade: Mapped[ClaimGrade] = mapped_column(enum_type(ClaimGrade))
    candidate_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("candidate.id"), index=True)
    identity_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    person_digest: Mapped[str | None] = mapped_column(String(64))
    reference: Mapped[str | None] = mapped_column(String(120))
    custody: Mapped[str | None] = mapped_column(String(1000))
    officer: Mapped[str] = mapped_column(String(120))
    obtained_on: Mapped[date]
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    settlement_reason: Mapped[str | None] = mapped_column(String(500))

    @property
    def stands(self) -> bool:
        """Whether it is neither withdrawn nor set aside."""
        return self.withdrawn_at is None and self.settled_at is None

    def names_the_same(self, other: "IdentityClaim") -> bool:
        """Whether two claims are known to name one person; without a common candidate or number they are not."""
        if self.candidate_id is not None and self.candidate_id == other.candidate_id:
            return True
        return self.person_digest is not None and self.person_digest == other.person_digest
