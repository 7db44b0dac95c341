"""Family-tracing notices (寻亲公告): one public page a case, its versions, and who let each be published."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.case import Case, CaseState
from models.contact import DangerScreen, PersonWish

PUBLIC_STATES = frozenset(
    {CaseState.SUBMITTED, CaseState.SEARCHING, CaseState.IN_REVIEW, CaseState.UNRESOLVED, CaseState.SETTLED}
)
"""States in which a notice may be seen by the public: still searched for, and in care. In all others there is none."""


class NoticeState(StrEnum):
    """Where a version of a notice stands (公告状态)."""

    PROPOSED = "proposed"  # 待审
    PUBLISHED = "published"  # 已发布
    REJECTED = "rejected"  # 已退回
    REPLACED = "replaced"  # 已由新版替换
    WITHDRAWN = "withdrawn"  # 已撤回


class NoticeFact(StrEnum):
    """What a notice may tell (公告内容); which of them of whom, a policy says (`tracing/policies/notices-CN.json`)."""

    PHOTO = "photo"  # 照片
    SEX = "sex"  # 性别
    AGE = "age"  # 年龄
    HEIGHT = "height"  # 身高
    BUILD = "build"  # 体型
    ETHNICITY = "ethnicity"  # 民族
    ACCENT = "accent"  # 口音
    GLASSES = "glasses"  # 眼镜
    CLOTHING = "clothing"  # 衣着
    BELONGINGS = "belongings"  # 随身物品
    MARKS = "marks"  # 体表特征
    NAME_HEARD = "name_heard"  # 自述姓名
    PLACE_MENTIONED = "place_mentioned"  # 提到的地名
    HEALTH = "health"  # 健康状况
    MENTAL_STATE = "mental_state"  # 智力、精神状态
    FOUND_ON = "found_on"  # 发现日期
    FOUND_DIVISION = "found_division"  # 发现地区
    FOUND_PLACE = "found_place"  # 发现地点
    STATEMENT = "statement"  # 补充说明


class Notice(HasId, Base):
    """The page of a case: its address stays through all versions, because it is printed. Immutable (trigger)."""

    __tablename__ = "notice"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), unique=True)
    case: Mapped[Case] = relationship(lazy="raise")
    token: Mapped[str] = mapped_column(String(43), unique=True)
    created_at: Mapped[datetime]


class NoticeVersion(HasId, Base):
    """One version: sealed content, drafted by one, let through by another. Ended, never changed or deleted (trigger).

    The photograph, re-encoded, lies sealed in the blob store under this id; `photo_id` is the one it was made from.
    `withdrawn_by_id` is None when the service withdrew it; the reason is then the case's state, or "screening".
    """

    __tablename__ = "notice_version"
    __table_args__ = (
        UniqueConstraint("notice_id", "number"),
        Index("ix_notice_version_drafted_at", "drafted_at"),
        *(
            Index(
                f"uq_notice_version_{state}",
                "notice_id",
                unique=True,
                sqlite_where=text(f"state = '{state}'"),
                postgresql_where=text(f"state = '{state}'"),
            )
            for state in ("proposed", "published")
        ),
        CheckConstraint("number >= 1", name="number_positive"),
        CheckConstraint("wish <> 'objects' AND danger = 'no_sign'", name="wanted_and_safe"),
        CheckConstraint("(decided_at IS NULL) = (decided_by_id IS NULL)", name="decided_whole"),
        CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name="withdrawn_whole",
        ),
        CheckConstraint("(state = 'rejected') = (rejection_reason IS NOT NULL)", name="rejected_whole"),
        CheckConstraint("(state = 'replaced') = (replaced_at IS NOT NULL)", name="replaced_whole"),
        CheckConstraint(
            "state NOT IN ('published', 'rejected', 'replaced') OR decided_by_id IS NOT NULL",
            name="decided_by_somebody",
        ),
    )

    notice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("notice.id"))
    notice: Mapped[Notice] = relationship(lazy="raise")
    number: Mapped[int]
    state: Mapped[NoticeState] = mapped_column(enum_type(NoticeState), default=NoticeState.PROPOSED)
    policy_version: Mapped[str] = mapped_column(String(40))
    content_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    photo_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("photo.id"))
    wish: Mapped[PersonWish] = mapped_column(enum_type(PersonWish))
    danger: Mapped[DangerScreen] = mapped_column(enum_type(DangerScreen))
    drafted_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    drafted_at: Mapped[datetime]
    decided_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None]
    rejection_reason: Mapped[str | None] = mapped_column(String(500))
    replaced_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))
