"""Patrols (巡查): rounds through the streets, who was met and what was given. Withdrawn, never changed."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class AidKind(StrEnum):
    """What was given or done (救助措施)."""

    FOOD = "food"  # 食品
    WATER = "water"  # 饮用水
    CLOTHING = "clothing"  # 衣被
    MEDICAL = "medical"  # 医疗处置
    ADVICE = "advice"  # 告知救助政策
    BROUGHT_TO_STATION = "brought_to_station"  # 护送入站


class Patrol(HasId, Base):
    """One round of one organisation. `route` in words; `points`, if any, as [[longitude, latitude], …] (WGS-84)."""

    __tablename__ = "patrol"
    __table_args__ = (
        Index("ix_patrol_organisation_id_started_at", "organisation_id", "started_at"),
        Index("ix_patrol_division_started_at", "division", "started_at"),
        CheckConstraint("ended_at >= started_at", name="ends_after_start"),
        CheckConstraint("members >= 1", name="somebody_went"),
        CheckConstraint("people_met >= 0", name="people_counted"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name="withdrawn_whole",
        ),
    )

    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    division: Mapped[str] = mapped_column(String(6))
    route: Mapped[str] = mapped_column(Text)
    points: Mapped[list[list[float]] | None] = mapped_column(JSON)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    members: Mapped[int]
    people_met: Mapped[int]
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))


class PatrolAid(Base):
    """How often one kind of aid was given on a patrol."""

    __tablename__ = "patrol_aid"
    __table_args__ = (CheckConstraint("times >= 1", name="given"),)

    patrol_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("patrol.id"), primary_key=True)
    kind: Mapped[AidKind] = mapped_column(enum_type(AidKind), primary_key=True)
    times: Mapped[int]
