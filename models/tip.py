"""Tips (公众线索): what somebody of the public wrote on a notice's page, and what the station made of it."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.case import Case


class TipState(StrEnum):
    """What became of it (处理状态)."""

    RECEIVED = "received"  # 待处理
    ACCEPTED = "accepted"  # 已采纳
    REJECTED = "rejected"  # 未采纳


class Tip(HasId, Base):
    """One tip, words and contact sealed under the person's key; a photograph lies sealed in the store under this id.

    Nothing deletes one: what is rejected stays, and may be accepted later. The same words on the same case are one row
    (`digest` as of photographs). Clues that came of it name it (`Clue.tip_id`).
    """

    __tablename__ = "tip"
    __table_args__ = (
        UniqueConstraint("case_id", "digest"),
        Index("ix_tip_received_at", "received_at"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    case: Mapped[Case] = relationship(lazy="raise")
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("notice_version.id"))
    digest: Mapped[str] = mapped_column(String(64))
    content_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    has_contact: Mapped[bool]
    has_photo: Mapped[bool]
    state: Mapped[TipState] = mapped_column(enum_type(TipState), default=TipState.RECEIVED)
    received_at: Mapped[datetime]
    decisions: Mapped[list["TipDecision"]] = relationship(lazy="raise", order_by="TipDecision.decided_at")


class TipDecision(HasId, Base):
    """One judgement on a tip. Rows are added, never changed: a tip that was rejected and is accepted later has two."""

    __tablename__ = "tip_decision"
    __table_args__ = (CheckConstraint("accepted OR reason IS NOT NULL", name="rejected_with_reason"),)

    tip_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tip.id"), index=True)
    accepted: Mapped[bool]
    reason: Mapped[str | None] = mapped_column(String(500))
    decided_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime]
