"""Notices to the home district (致户籍地通知): a family refused, or a person is handed to the home station."""

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.case import Case
from models.organisation import Organisation


class HomeNoticeKind(StrEnum):
    """Why the home district is written to (通知事由)."""

    REFUSAL = "refusal"  # 家属拒绝接回
    TRANSFER = "transfer"  # 移送户籍地救助站


class HomeAnswer(StrEnum):
    """What the home district answers (回复)."""

    RECEIVED = "received"  # 已收悉
    TAKES_OVER = "takes_over"  # 同意接收
    CANNOT = "cannot"  # 不能接收


class HomeNotice(HasId, Base):
    """One notice. It names the case by its number and nobody by name. Immutable but for its one answer.

    `organisation_id` is the addressee in the service; without one `receiver` names a station outside it.
    """

    __tablename__ = "home_notice"
    __table_args__ = (
        CheckConstraint("(kind = 'refusal') = (attempt_id IS NOT NULL)", name="of_an_attempt"),
        CheckConstraint("(kind = 'transfer') = (outcome_id IS NOT NULL)", name="of_an_outcome"),
        CheckConstraint("kind = 'refusal' OR document_number IS NOT NULL", name="transfer_is_written"),
        CheckConstraint(
            "kind = 'refusal' OR organisation_id IS NOT NULL OR receiver IS NOT NULL", name="transfer_names_a_station"
        ),
        CheckConstraint(
            "(answered_at IS NULL) = (answered_by_id IS NULL) AND (answered_at IS NULL) = (answer IS NULL)",
            name="answered_whole",
        ),
        Index("ix_home_notice_organisation_id_created_at", "organisation_id", "created_at"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    case: Mapped[Case] = relationship(lazy="raise")
    kind: Mapped[HomeNoticeKind] = mapped_column(enum_type(HomeNoticeKind))
    attempt_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("contact_attempt.id"))
    outcome_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("outcome.id"))
    division: Mapped[str | None] = mapped_column(String(6))
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"))
    organisation: Mapped[Organisation | None] = relationship(lazy="raise")
    receiver: Mapped[str | None] = mapped_column(String(120))
    document_number: Mapped[str | None] = mapped_column(String(120))
    sent_on: Mapped[date]
    created_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    answer: Mapped[HomeAnswer | None] = mapped_column(enum_type(HomeAnswer))
    answered_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    answered_at: Mapped[datetime | None]
