"""Notifications (通知): something waits for somebody. They name a record by its id and tell nothing of anybody."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class NotificationKind(StrEnum):
    """What happened (通知类别)."""

    DEADLINE_ESCALATED = "deadline_escalated"  # 时限升级
    LOOKOUT_OPENED = "lookout_opened"  # 协查发布
    LOOKOUT_WIDENED = "lookout_widened"  # 协查扩大范围
    LOOKOUT_ANSWERED = "lookout_answered"  # 协查有回应
    LOOKOUT_ENDED = "lookout_ended"  # 协查撤销
    REVIEW_WAITING = "review_waiting"  # 待复核
    REVIEW_DISAGREEMENT = "review_disagreement"  # 复核意见不一致
    PHOTO_WANTED = "photo_wanted"  # 请补拍照片
    DNA_WANTED = "dna_wanted"  # 请采集 DNA
    CLAIMS_CONFLICT = "claims_conflict"  # 身份结果冲突
    CASE_IDENTIFIED = "case_identified"  # 身份已确认
    CONFIRMATION_RECALLED = "confirmation_recalled"  # 确认已撤回
    CONTACT_RELEASED = "contact_released"  # 联系方式已解封
    CONTACT_REFUSED = "contact_refused"  # 家属拒绝接回
    REFERRAL_SENT = "referral_sent"  # 转介送达
    REFERRAL_ANSWERED = "referral_answered"  # 转介答复
    FOLLOW_UP_DANGER = "follow_up_danger"  # 回访发现危险
    WANDERED_AGAIN = "wandered_again"  # 再次走失
    DUPLICATE_PROPOSED = "duplicate_proposed"  # 疑似重复
    NOTICE_TO_APPROVE = "notice_to_approve"  # 公告待审
    NOTICE_DECIDED = "notice_decided"  # 公告已审
    NOTICE_WITHDRAWN = "notice_withdrawn"  # 公告已撤
    TIP_RECEIVED = "tip_received"  # 收到线索
    WEBHOOK_DISABLED = "webhook_disabled"  # 推送已停用


class MailDelivery(StrEnum):
    """When a kind of notification goes out by e-mail as well (邮件提醒)."""

    IMMEDIATE = "immediate"  # 立即
    DAILY = "daily"  # 每日汇总
    OFF = "off"  # 不发


class Notification(HasId, Base):
    """One line in one person's inbox. `object_kind` and `object_id` are what it is about; reading it is recorded.

    It goes out by e-mail from `mail_due_at` on (None: not at all), in the mail that `mail_id` names: those that share
    one were sent together, and are sent again together when it is not known whether the server took them.
    """

    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_recipient_id_created_at", "recipient_id", "created_at"),
        Index("ix_notification_recipient_id_read_at", "recipient_id", "read_at"),
        Index("ix_notification_mail_id", "mail_id"),
        Index("ix_notification_created_at", "created_at"),
    )

    recipient_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    kind: Mapped[NotificationKind] = mapped_column(enum_type(NotificationKind))
    object_kind: Mapped[str] = mapped_column(String(24))
    object_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    mail_due_at: Mapped[datetime | None]
    mail_id: Mapped[uuid.UUID | None]
    mailed_at: Mapped[datetime | None]


class NotificationPreference(HasId, Base):
    """One person's wish for one kind, where it differs from the policy's."""

    __tablename__ = "notification_preference"
    __table_args__ = (UniqueConstraint("user_id", "kind"),)

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    kind: Mapped[NotificationKind] = mapped_column(enum_type(NotificationKind))
    delivery: Mapped[MailDelivery] = mapped_column(enum_type(MailDelivery))
