"""Deadlines (时限): the clocks of a case, their pauses and their escalations.

A row is what the rules make of the case's facts (`tracing.deadline_rules`); only pauses and escalations are its own.
"""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.case import Case
from models.organisation import Organisation


class ClockKind(StrEnum):
    """What is due (时限类别)."""

    POLICE_REPORT = "police_report"  # 报警
    POLICE_QUERY = "police_query"  # 请公安比对
    TRACING_NOTICE = "tracing_notice"  # 发布寻亲公告
    DNA_REQUEST = "dna_request"  # 商请采集 DNA
    DNA_RESULT = "dna_result"  # DNA 比对结果
    LONG_STAY = "long_stay"  # 滞留人员照料
    NOTICE_REFRESH = "notice_refresh"  # 更新公告
    SETTLEMENT = "settlement"  # 落户安置
    HOUSEHOLD_REGISTRATION = "household_registration"  # 户口登记
    FOLLOW_UP = "follow_up"  # 回访
    HOTLINE_RECORDING = "hotline_recording"  # 热线录音


class ClockNature(StrEnum):
    """What the moment means (时限性质)."""

    ACT_BY = "act_by"  # 限期办理
    OPENS = "opens"  # 届时可办
    KEEP_UNTIL = "keep_until"  # 至少保存至


class ClockParty(StrEnum):
    """Whose turn it is (责任方)."""

    STATION = "station"  # 救助管理站
    POLICE = "police"  # 公安机关
    CASEWORKER = "caseworker"  # 社工


class CancelReason(StrEnum):
    """Why a clock no longer runs (终止原因)."""

    STATE = "state"  # 个案状态已不需要
    TRIGGER_WITHDRAWN = "trigger_withdrawn"  # 起算事实已撤回
    POLICY = "policy"  # 本地政策不适用
    DECISION = "decision"  # 已决定结束回访


class PauseReason(StrEnum):
    """Why a clock stands still (中止原因)."""

    HOSPITAL = "hospital"  # 住院治疗
    REFUSES = "refuses"  # 本人拒绝
    AUTHORITY = "authority"  # 公安或上级要求暂缓
    DOCUMENTS = "documents"  # 等待材料
    FORCE_MAJEURE = "force_majeure"  # 不可抗力
    OTHER = "other"  # 其他


class DeadlineStatus(StrEnum):
    """How a deadline stands at a moment (时限状态)."""

    OVERDUE = "overdue"  # 已超期
    UPCOMING = "upcoming"  # 未到期
    OPEN = "open"  # 可办理
    KEEP = "keep"  # 保存中
    PAUSED = "paused"  # 已中止
    MET = "met"  # 按期完成
    MET_LATE = "met_late"  # 超期完成
    ENDED = "ended"  # 已终止


STANDING = "met_at IS NULL AND cancelled_at IS NULL"
COUNTED = "nature = 'act_by' AND cancelled_at IS NULL AND paused_since IS NULL"


class Deadline(HasId, Base):
    """One clock of one case, started by one thing: the case itself, a milestone or an outcome (`trigger_id`).

    `due_at` is the last second that counts; while `paused_since` is set it is what was due when the pause began.
    `calendar_certain` is False when the moment rests on a year whose official calendar was not known.
    """

    __tablename__ = "deadline"
    __table_args__ = (
        UniqueConstraint("case_id", "kind", "trigger_id", "step"),
        # With what due lists filter by, and what statistics count: neither then reads the deadlines that it leaves out.
        Index(
            "ix_deadline_standing",
            *("due_at", "id", "case_id", "nature", "party", "kind", "paused_since"),
            sqlite_where=text(STANDING),
            postgresql_where=text(STANDING),
        ),
        Index(
            "ix_deadline_counted",
            *("due_at", "case_id", "kind", "met_at"),
            sqlite_where=text(COUNTED),
            postgresql_where=text(COUNTED),
        ),
        Index("ix_deadline_next_escalation_at", "next_escalation_at"),
        CheckConstraint("step >= 1", name="step_positive"),
        CheckConstraint("escalation_level >= 0", name="level_not_negative"),
        CheckConstraint("(cancelled_at IS NULL) = (cancel_reason IS NULL)", name="cancelled_whole"),
        CheckConstraint("(met_at IS NULL) = (milestone_id IS NULL)", name="met_whole"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    case: Mapped[Case] = relationship(lazy="raise")
    kind: Mapped[ClockKind] = mapped_column(enum_type(ClockKind))
    nature: Mapped[ClockNature] = mapped_column(enum_type(ClockNature))
    party: Mapped[ClockParty] = mapped_column(enum_type(ClockParty))
    trigger_id: Mapped[uuid.UUID]
    step: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    calendar_certain: Mapped[bool] = mapped_column(default=True)
    policy_version: Mapped[str] = mapped_column(String(120))
    met_at: Mapped[datetime | None]
    milestone_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("milestone.id"))
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[CancelReason | None] = mapped_column(enum_type(CancelReason))
    paused_since: Mapped[datetime | None]
    escalation_level: Mapped[int] = mapped_column(default=0)
    next_escalation_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    pauses: Mapped[list["DeadlinePause"]] = relationship(lazy="raise", order_by="DeadlinePause.from_at")
    escalations: Mapped[list["DeadlineEscalation"]] = relationship(lazy="raise", order_by="DeadlineEscalation.level")

    def status(self, now: datetime) -> DeadlineStatus:
        """How the deadline stands at `now`."""
        if self.met_at is not None:
            late = self.nature is ClockNature.ACT_BY and self.met_at > self.due_at
            return DeadlineStatus.MET_LATE if late else DeadlineStatus.MET
        if self.cancelled_at is not None:
            return DeadlineStatus.ENDED
        if self.paused_since is not None:
            return DeadlineStatus.PAUSED
        passed = now > self.due_at
        match self.nature:
            case ClockNature.ACT_BY:
                return DeadlineStatus.OVERDUE if passed else DeadlineStatus.UPCOMING
            case ClockNature.OPENS:
                return DeadlineStatus.OPEN if passed else DeadlineStatus.UPCOMING
            case ClockNature.KEEP_UNTIL:
                return DeadlineStatus.ENDED if passed else DeadlineStatus.KEEP


class DeadlinePause(HasId, Base):
    """One standstill of one clock, with who, why and until when. Open while `until_at` is empty; one at a time."""

    __tablename__ = "deadline_pause"
    __table_args__ = (
        Index(
            "uq_deadline_pause_open",
            "deadline_id",
            unique=True,
            sqlite_where=text("until_at IS NULL"),
            postgresql_where=text("until_at IS NULL"),
        ),
        CheckConstraint("until_at IS NULL OR until_at >= from_at", name="in_order"),
        CheckConstraint("(until_at IS NULL) = (resumed_by_id IS NULL)", name="resumed_whole"),
    )

    deadline_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("deadline.id"), index=True)
    from_at: Mapped[datetime]
    reason: Mapped[PauseReason] = mapped_column(enum_type(PauseReason))
    note: Mapped[str | None] = mapped_column(String(500))
    paused_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    until_at: Mapped[datetime | None]
    resumed_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    resume_note: Mapped[str | None] = mapped_column(String(500))


class DeadlineEscalation(HasId, Base):
    """An overdue clock was brought before the organisation `level` steps above the case's own. Once a level."""

    __tablename__ = "deadline_escalation"
    __table_args__ = (UniqueConstraint("deadline_id", "level"),)

    deadline_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("deadline.id"))
    level: Mapped[int]
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    organisation: Mapped[Organisation] = relationship(lazy="raise")
    at: Mapped[datetime]


class DeadlinePlan(Base):
    """What a case's deadlines were last computed from: where one of these differs, they are computed anew."""

    __tablename__ = "deadline_plan"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), primary_key=True)
    state_since: Mapped[datetime | None]
    case_version: Mapped[int] = mapped_column(default=0)
    policy_version: Mapped[str] = mapped_column(String(120), default="")
    computed_at: Mapped[datetime]
