"""Outcomes (救助结果): how a stay ended, and by which route the person's name was found."""

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class OutcomeKind(StrEnum):
    """How it ended (结果)."""

    REUNITED = "reunited"  # 家属接回
    ESCORTED_HOME = "escorted_home"  # 护送返乡
    TRANSFERRED = "transferred"  # 移送户籍地救助站
    HOSPITAL = "hospital"  # 住院治疗
    LONG_STAY = "long_stay"  # 滞留
    SETTLED = "settled"  # 落户安置
    LEFT = "left"  # 自行离站
    MISSING_AGAIN = "missing_again"  # 再次走失
    REFUSED_CONTACT = "refused_contact"  # 家属拒绝接回
    DECEASED = "deceased"  # 死亡


HOME = frozenset({OutcomeKind.REUNITED, OutcomeKind.ESCORTED_HOME})
"""Outcomes that are a return home: they say what found the name, and follow-up begins."""


RETURNS = HOME | {OutcomeKind.TRANSFERRED}
"""What the return-home ledger (返乡台账) lists."""


OF_FAMILY = RETURNS | {OutcomeKind.REFUSED_CONTACT}
"""Outcomes that say who somebody's family or home is: they fall with the confirmation that named it."""


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
    """One outcome of one case. A person who goes missing again after it has a new case, and this row stays.

    A mistaken one is withdrawn with its reason and counts nowhere; the case goes back to where it was before.
    `dossier_version`: the list of required papers that a settlement met.
    """

    __tablename__ = "outcome"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    kind: Mapped[OutcomeKind] = mapped_column(enum_type(OutcomeKind))
    route: Mapped[OutcomeRoute | None] = mapped_column(enum_type(OutcomeRoute))
    occurred_on: Mapped[date]
    note: Mapped[str | None] = mapped_column(Text)
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    dossier_version: Mapped[str | None] = mapped_column(String(40))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))


class Handover(HasId, Base):
    """Who signed for the person (交接签收): name, unit and relation sealed, under the reported person's key for family.

    `reference`: the number of the signed paper.
    """

    __tablename__ = "handover"

    outcome_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("outcome.id"), unique=True)
    receiver_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    signed_on: Mapped[date]
    reference: Mapped[str | None] = mapped_column(String(120))


class Transport(StrEnum):
    """How people travelled (交通方式)."""

    TRAIN = "train"  # 火车
    COACH = "coach"  # 长途客车
    CAR = "car"  # 公务车
    AMBULANCE = "ambulance"  # 救护车
    PLANE = "plane"  # 飞机
    SHIP = "ship"  # 轮船


class EscortTrip(HasId, Base):
    """An escort home (护送返乡): who of the staff went, how, from where to where, when. Immutable."""

    __tablename__ = "escort_trip"
    __table_args__ = (CheckConstraint("arrived_at >= departed_at", name="arrives_after_departure"),)

    outcome_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("outcome.id"), unique=True)
    escorts: Mapped[str] = mapped_column(String(200))
    transport: Mapped[Transport] = mapped_column(enum_type(Transport))
    from_division: Mapped[str] = mapped_column(String(6))
    to_division: Mapped[str] = mapped_column(String(6))
    departed_at: Mapped[datetime]
    arrived_at: Mapped[datetime]


class DossierItem(HasId, Base):
    """One paper of the settlement's dossier (落户档案材料). A mistaken tick is withdrawn with its reason."""

    __tablename__ = "dossier_item"
    __table_args__ = (
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name="withdrawn_whole",
        ),
        Index(
            "uq_dossier_item_standing",
            "case_id",
            "item",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    item: Mapped[str] = mapped_column(String(40))
    done_on: Mapped[date]
    reference: Mapped[str | None] = mapped_column(String(120))
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))
