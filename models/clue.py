"""Clues (线索): each scrap that was heard or seen, word for word; corrected by a new row, never overwritten."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from matcher.vocabulary import ClueConfidence as ClueConfidence
from matcher.vocabulary import KinRelation
from models.base import Base, HasId, enum_type


class ClueKind(StrEnum):
    """What a clue is about (线索类别)."""

    NAME = "name"  # 听到的姓名
    PLACE = "place"  # 地名
    KIN = "kin"  # 亲属
    SCHOOL = "school"  # 学校
    WORK = "work"  # 工作
    DIALECT = "dialect"  # 方言词、口音
    FOOD = "food"  # 饮食
    SONG = "song"  # 歌曲、戏曲
    PHONE = "phone"  # 电话号码片段
    OTHER = "other"  # 其他


class Clue(HasId, Base):
    """One scrap. The row that no other supersedes and nobody withdrew is the one that stands.

    `tip_id`: the public's tip that it was taken from. One of the `profile_…_id` is the fact that the clue became, if it
    became one. `relation`: of a clue about kin, whose name it is, if that was said.
    """

    __tablename__ = "clue"
    __table_args__ = (
        Index("ix_clue_case_id_heard_at", "case_id", "heard_at"),
        CheckConstraint("supersedes_id IS NULL OR supersedes_id <> id", name="not_itself"),
        CheckConstraint("superseded_at IS NULL OR withdrawn_at IS NULL", name="one_end"),
        CheckConstraint("relation IS NULL OR kind = 'kin'", name="relation_of_kin"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name="withdrawn_whole",
        ),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    interview_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("interview.id"), index=True)
    tip_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tip.id"))
    kind: Mapped[ClueKind] = mapped_column(enum_type(ClueKind))
    text: Mapped[str] = mapped_column(Text)
    confidence: Mapped[ClueConfidence] = mapped_column(enum_type(ClueConfidence))
    division: Mapped[str | None] = mapped_column(String(6))
    relation: Mapped[KinRelation | None] = mapped_column(enum_type(KinRelation))
    heard_at: Mapped[datetime]
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    supersedes_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("clue.id"), unique=True)
    superseded_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))
    profile_name_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("profile_name.id"), index=True)
    profile_place_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("profile_place.id"), index=True)
    profile_attribute_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("profile_attribute.id"), index=True)
    profile_kin_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("profile_kin.id"), index=True)
    profile_phone_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("profile_phone.id"), index=True)

    @property
    def stands(self) -> bool:
        """Whether it is neither corrected nor withdrawn."""
        return self.superseded_at is None and self.withdrawn_at is None

    @property
    def fact_ids(self) -> frozenset[uuid.UUID]:
        """The row of the profile that it became; empty when it became none."""
        ids = (
            self.profile_name_id, self.profile_place_id, self.profile_attribute_id, self.profile_kin_id,
            self.profile_phone_id,
        )  # fmt: skip
        return frozenset(one for one in ids if one is not None)

    @property
    def in_profile(self) -> bool:
        """Whether it became a fact of the profile."""
        return bool(self.fact_ids)
