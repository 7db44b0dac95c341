"""Confirmations (身份确认): the police's decision on who a person is, what it rests on, and its recall."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class ConfirmationMethod(StrEnum):
    """What a confirmation rests on (确认依据)."""

    FINGERPRINT = "fingerprint"  # 指纹比对
    DNA = "dna"  # DNA 比对
    HOUSEHOLD_REGISTER = "household_register"  # 户籍核实
    OFFICIAL_DOCUMENT = "official_document"  # 官方证件
    AGREEING_REVIEWS = "agreeing_reviews"  # 两名比对员一致意见


DECISIVE_METHODS = frozenset(ConfirmationMethod) - {ConfirmationMethod.AGREEING_REVIEWS}
"""Methods that confirm by themselves; a face hit is a lead and never the sole ground."""


class Confirmation(HasId, Base):
    """One confirmation; at most one stands a case and a report. Everything but the recall is immutable (trigger).

    `claim_id`: the recorded result (models.claim) that a decisive method rests on, if one was recorded.
    """

    __tablename__ = "confirmation"
    __table_args__ = (
        Index(
            "uq_confirmation_standing_case",
            "case_id",
            unique=True,
            sqlite_where=text("recalled_at IS NULL"),
            postgresql_where=text("recalled_at IS NULL"),
        ),
        Index(
            "uq_confirmation_standing_report",
            "report_id",
            unique=True,
            sqlite_where=text("recalled_at IS NULL"),
            postgresql_where=text("recalled_at IS NULL"),
        ),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    candidate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("candidate.id"))
    report_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("report.id"))
    method: Mapped[ConfirmationMethod] = mapped_column(enum_type(ConfirmationMethod))
    reference: Mapped[str | None] = mapped_column(String(120))
    claim_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("identity_claim.id"))
    grounds: Mapped[str] = mapped_column(Text)
    confirmed_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    confirmed_at: Mapped[datetime]
    recalled_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    recalled_at: Mapped[datetime | None]
    recall_reason: Mapped[str | None] = mapped_column(Text)
