"""Milestones (办理节点): dated facts of a case, such as a report to the police, that start and meet its clocks."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class MilestoneKind(StrEnum):
    """What was done (节点类别)."""

    POLICE_REPORTED = "police_reported"  # 已报警
    POLICE_QUERIED = "police_queried"  # 已请公安比对指纹、体貌、人像
    NOTICE_PUBLISHED = "notice_published"  # 已发布寻亲公告
    DNA_REQUESTED = "dna_requested"  # 已商请采集 DNA
    DNA_REPORTED = "dna_reported"  # 公安已反馈 DNA 比对结果
    CARE_PLANNED = "care_planned"  # 已制定滞留照料与再甄别方案
    NOTICE_REFRESHED = "notice_refreshed"  # 已更新公告照片
    SETTLEMENT_APPLIED = "settlement_applied"  # 已申请落户安置
    HOUSEHOLD_REGISTERED = "household_registered"  # 已办理户口登记
    FOLLOWED_UP = "followed_up"  # 已回访
    HOTLINE_RECORDED = "hotline_recorded"  # 有热线录音


class Milestone(HasId, Base):
    """One dated fact. A mistaken one is withdrawn with its reason, never changed or deleted."""

    __tablename__ = "milestone"
    __table_args__ = (
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name="withdrawn_whole",
        ),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    kind: Mapped[MilestoneKind] = mapped_column(enum_type(MilestoneKind))
    occurred_at: Mapped[datetime]
    reference: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(Text)
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))
