"""Follow-up (回访): visits after the return home, the decision that ends them, links of earlier cases."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type

STANDING = text("withdrawn_at IS NULL")


def _withdrawn_whole() -> CheckConstraint:
    return CheckConstraint(
        "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL) AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
        name="withdrawn_whole",
    )


class VisitMethod(StrEnum):
    """How somebody was followed up (回访方式)."""

    PHONE = "phone"  # 电话
    HOME = "home"  # 上门


class VisitResult(StrEnum):
    """Whether somebody was there to speak with (回访结果)."""

    MET = "met"  # 已见到或通话
    UNREACHABLE = "unreachable"  # 未联系上


class PresentParty(StrEnum):
    """Who took part (在场人员)."""

    PERSON = "person"  # 本人
    FAMILY = "family"  # 家属
    COMMITTEE = "committee"  # 村（居）委会
    POLICE = "police"  # 派出所民警
    OTHER = "other"  # 其他人员


class StabilityGrade(StrEnum):
    """How one side of somebody's life stands (稳定程度)."""

    GOOD = "good"  # 良好
    FAIR = "fair"  # 一般
    POOR = "poor"  # 较差
    UNKNOWN = "unknown"  # 不了解


class FollowUpEndReason(StrEnum):
    """Why follow-up ends (结束回访原因)."""

    STABLE = "stable"  # 生活稳定
    REFUSED = "refused"  # 本人或家属不愿回访
    HANDED_OVER = "handed_over"  # 转由当地继续跟进
    AWAY_AGAIN = "away_again"  # 再次走失
    OTHER = "other"  # 其他


class WanderingBasis(StrEnum):
    """What says that an earlier case is the same person's (关联依据)."""

    SAME_REPORT = "same_report"  # 同一走失人员信息
    LINKED_REPORT = "linked_report"  # 已关联的走失人员信息
    SAME_IDENTITY = "same_identity"  # 同一公民身份号码
    STAFF = "staff"  # 工作人员认出


class FollowUpVisit(HasId, Base):
    """One visit or attempt, withdrawn when mistaken, never changed.

    `assessment`: grade by domain of the policy, of a visit that met somebody. `content_sealed`: notes and next step,
    under the person's data key. `milestone_id`: the milestone that meets the clock.
    """

    __tablename__ = "follow_up_visit"
    __table_args__ = (
        Index("ix_follow_up_visit_case_id_visited_at", "case_id", "visited_at"),
        CheckConstraint("(result = 'met') = (milestone_id IS NOT NULL)", name="met_is_a_milestone"),
        CheckConstraint("(result = 'met') = (assessment IS NOT NULL)", name="met_is_assessed"),
        _withdrawn_whole(),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    outcome_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("outcome.id"))
    method: Mapped[VisitMethod] = mapped_column(enum_type(VisitMethod))
    result: Mapped[VisitResult] = mapped_column(enum_type(VisitResult))
    present: Mapped[list[str]] = mapped_column(JSON)
    assessment: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    danger: Mapped[bool]
    policy_version: Mapped[str] = mapped_column(String(120))
    visitor: Mapped[str] = mapped_column(String(120))
    content_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    visited_at: Mapped[datetime]
    milestone_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("milestone.id"))
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))


class FollowUpEnd(HasId, Base):
    """The decision that one return home needs no further visits; withdrawn, the rest of the time is given back."""

    __tablename__ = "follow_up_end"
    __table_args__ = (
        Index("uq_follow_up_end_standing", "outcome_id", unique=True, sqlite_where=STANDING, postgresql_where=STANDING),
        CheckConstraint("(reason = 'stable') = (visit_id IS NOT NULL)", name="stable_by_a_visit"),
        _withdrawn_whole(),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    outcome_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("outcome.id"))
    reason: Mapped[FollowUpEndReason] = mapped_column(enum_type(FollowUpEndReason))
    visit_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("follow_up_visit.id"))
    explanation_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    decided_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))


class WanderingLink(HasId, Base):
    """A case and an earlier one of the same person (再次走失), linked by the service or by staff; undone by withdrawal.

    `linked_by_id` None = the service itself, on `confirmation_id`.
    """

    __tablename__ = "wandering_link"
    __table_args__ = (
        Index(
            "uq_wandering_link_standing",
            "case_id",
            "earlier_case_id",
            unique=True,
            sqlite_where=STANDING,
            postgresql_where=STANDING,
        ),
        CheckConstraint("case_id <> earlier_case_id", name="not_itself"),
        CheckConstraint(
            "(basis = 'staff') = (linked_by_id IS NOT NULL) AND (basis = 'staff') = (reason IS NOT NULL)"
            " AND (basis = 'staff') = (confirmation_id IS NULL)",
            name="basis_whole",
        ),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)"
            " AND (withdrawn_by_id IS NULL OR withdrawn_at IS NOT NULL)",
            name="withdrawn_whole",
        ),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    earlier_case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    basis: Mapped[WanderingBasis] = mapped_column(enum_type(WanderingBasis))
    reason: Mapped[str | None] = mapped_column(String(500))
    confirmation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("confirmation.id"))
    linked_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    linked_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))
