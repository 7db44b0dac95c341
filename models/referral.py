"""Referrals (转介): somebody in care is referred to another service, which answers under its own login.

A referral says what its sender wrote and the facts that the sender named, sealed; nothing else of the case is shown.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.organisation import Organisation


class ReferralKind(StrEnum):
    """What the person needs (转介类别)."""

    MEDICAL = "medical"  # 医疗救治
    LOW_INCOME = "low_income"  # 低保与社会救助
    DISABILITY = "disability"  # 残疾人服务
    SCHOOLING = "schooling"  # 就学
    LEGAL_AID = "legal_aid"  # 法律援助
    JOB = "job"  # 就业


class ReferralState(StrEnum):
    """Where a referral stands (转介状态)."""

    DRAFT = "draft"  # 草稿
    SENT = "sent"  # 已送达
    ACCEPTED = "accepted"  # 已受理
    REJECTED = "rejected"  # 不予受理
    DONE = "done"  # 已办结
    WITHDRAWN = "withdrawn"  # 已撤回


class ReferralFact(StrEnum):
    """A fact of the case that a sender may attach by name (随附信息)."""

    NAME = "name"  # 姓名
    SEX = "sex"  # 性别
    AGE = "age"  # 年龄
    BIRTH_DATE = "birth_date"  # 出生日期
    ETHNICITY = "ethnicity"  # 民族
    HOME = "home"  # 籍贯与住址
    HEALTH = "health"  # 健康状况


_S = ReferralState
REFERRAL_TRANSITIONS: Mapping[ReferralState, frozenset[ReferralState]] = MappingProxyType(
    {
        _S.DRAFT: frozenset({_S.SENT, _S.WITHDRAWN}),
        _S.SENT: frozenset({_S.ACCEPTED, _S.REJECTED, _S.WITHDRAWN}),
        # Accepted by mistake, or found impossible later: refused after all, with the reason.
        _S.ACCEPTED: frozenset({_S.DONE, _S.REJECTED, _S.WITHDRAWN}),
        _S.REJECTED: frozenset(),
        _S.DONE: frozenset(),
        _S.WITHDRAWN: frozenset(),
    }
)
"""Every legal move; the database holds the same. A refused referral is followed by a new one, to somebody else."""

ANSWERS = frozenset({_S.ACCEPTED, _S.REJECTED, _S.DONE})
"""States that only the receiving organisation brings about."""

READABLE = frozenset({_S.SENT, _S.ACCEPTED, _S.DONE})
"""States in which the receiving organisation may open what the referral says."""


class Referral(HasId, Base):
    """One referral. Its content is immutable once it was sent (trigger); its state follows the table.

    `content_sealed`: the summary and the attached facts as they were when it was sent, under the person's data key.
    `visit_id`: the follow-up visit that it arose from, if any.
    """

    __tablename__ = "referral"
    __table_args__ = (
        Index("ix_referral_receiver_id_created_at", "receiver_id", "created_at"),
        Index("ix_referral_case_id_created_at", "case_id", "created_at"),
        CheckConstraint("(sent_at IS NULL) = (sent_by_id IS NULL)", name="sent_whole"),
        CheckConstraint("(sent_at IS NULL) = (answer_due_at IS NULL)", name="due_when_sent"),
        CheckConstraint("state IN ('draft', 'withdrawn') OR sent_at IS NOT NULL", name="sent_before_answered"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    kind: Mapped[ReferralKind] = mapped_column(enum_type(ReferralKind))
    state: Mapped[ReferralState] = mapped_column(enum_type(ReferralState), default=ReferralState.DRAFT)
    sender_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    sender: Mapped[Organisation] = relationship(lazy="raise", foreign_keys=[sender_id])
    receiver_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    receiver: Mapped[Organisation] = relationship(lazy="raise", foreign_keys=[receiver_id])
    visit_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("follow_up_visit.id"))
    content_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    policy_version: Mapped[str] = mapped_column(String(120))
    created_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    sent_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    sent_at: Mapped[datetime | None]
    answer_due_at: Mapped[datetime | None]
    moves: Mapped[list["ReferralMove"]] = relationship(lazy="raise", order_by="ReferralMove.at")

    def overdue(self, now: datetime) -> bool:
        """Whether an answer is still waited for after its time."""
        return self.state is ReferralState.SENT and self.answer_due_at is not None and now > self.answer_due_at


class ReferralMove(HasId, Base):
    """One move of one referral, append-only. `text_sealed`: the reason or the result, under the person's data key."""

    __tablename__ = "referral_move"

    referral_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("referral.id"), index=True)
    from_state: Mapped[ReferralState] = mapped_column(enum_type(ReferralState, prefix="from_"))
    to_state: Mapped[ReferralState] = mapped_column(enum_type(ReferralState, prefix="to_"))
    actor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    at: Mapped[datetime]
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
