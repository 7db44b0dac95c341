"""Outcomes (救助结果): how a stay ended, and by which route the person's name was found."""

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class OutcomeKind(StrEnum):
    """How it ended (结果)."""

    REUNITED = "reunited"  # 家属接回
    ESCORTED_HOME = "escorted_home"  # 护送返乡
    TRANSFERRED = "transferred"  # 移送户籍地救助站
    HOSPITAL = "hospital"  # 住院治疗
    SETTLED = "settled"  # 落户安置
    LEFT = "left"  # 自行离站
    REFUSED_CONTACT = "refused_contact"  # 家属拒绝接回
    DECEASED = "deceased"  # 死亡


HOME = frozenset({OutcomeKind.REUNITED, OutcomeKind.ESCORTED_HOME})
"""Outcomes that are a return home: they say what found the name, and follow-up begins."""


class OutcomeRoute(StrEnum):
    """What found the name (身份查明途径)."""

    FACE = "face"  # 人像比对
    INTERVIEW = "interview"  # 询问甄别
    FINGERPRINT = "fingerprint"  # 指纹
    DNA = "dna"  # DNA
    NOTICE = "notice"  # 寻亲公告
    LOOKOUT = "lookout"  # 协查
    OTHER = "other"  # 其他


class Outcome(HasId, Base):
    """One outcome of one case. A person who goes missing again has a new case, and this row stays."""

    __tablename__ = "outcome"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    kind: Mapped[OutcomeKind] = mapped_column(enum_type(OutcomeKind))
    route: Mapped[OutcomeRoute | None] = mapped_column(enum_type(OutcomeRoute))
    occurred_on: Mapped[date]
    note: Mapped[str | None] = mapped_column(Text)
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
