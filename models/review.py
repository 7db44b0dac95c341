"""Reviews (复核意见): what one examiner, alone, thinks of one candidate. Rows are withdrawn, never changed.

The protocol around them (features first, assignments, requests, seeds) is in `models.review_protocol`.
"""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.user import User


class Opinion(StrEnum):
    """Graded scale of support for "the same person" (比对意见), and the two answers outside it."""

    STRONGLY_SUPPORTS = "strongly_supports"  # +3 强烈支持为同一人
    SUPPORTS = "supports"  # +2 支持为同一人
    SLIGHTLY_SUPPORTS = "slightly_supports"  # +1 略支持为同一人
    NEITHER = "neither"  # 0 不支持也不反对
    SLIGHTLY_OPPOSES = "slightly_opposes"  # -1 略支持非同一人
    OPPOSES = "opposes"  # -2 支持非同一人
    STRONGLY_OPPOSES = "strongly_opposes"  # -3 强烈支持非同一人
    CANNOT_TELL = "cannot_tell"  # 无法判断
    POSSIBLE_RELATIVE = "possible_relative"  # 可能是亲属或双胞胎

    @property
    def grade(self) -> int | None:
        """-3 to +3; None for the answers outside the scale."""
        return _GRADES.get(self)


_GRADES = {
    Opinion.STRONGLY_SUPPORTS: 3,
    Opinion.SUPPORTS: 2,
    Opinion.SLIGHTLY_SUPPORTS: 1,
    Opinion.NEITHER: 0,
    Opinion.SLIGHTLY_OPPOSES: -1,
    Opinion.OPPOSES: -2,
    Opinion.STRONGLY_OPPOSES: -3,
}

AGREEING_GRADE = 2
"""An opinion of this grade or above counts as agreement; the first migration's trigger holds the same figure."""


class FeatureFinding(StrEnum):
    """What comparing one feature came to (逐项比对结果)."""

    SIMILAR = "similar"  # 相似
    DIFFERENT = "different"  # 不同
    CANNOT_COMPARE = "cannot_compare"  # 无法比较


class Review(HasId, Base):
    """One committed opinion of one examiner on one candidate.

    `features` has one row a feature that was compared: its key in the feature list, the finding, a remark or None.
    `opened_at` is when the examiner first opened the candidate for this opinion; None where that was not recorded.
    """

    __tablename__ = "review"
    __table_args__ = (
        Index(
            "uq_review_standing",
            "candidate_id",
            "examiner_id",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        CheckConstraint("grade IS NULL OR grade BETWEEN -3 AND 3", name="grade_range"),
    )

    candidate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("candidate.id"), index=True)
    examiner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"), index=True)
    examiner: Mapped[User] = relationship(lazy="raise")
    opinion: Mapped[Opinion] = mapped_column(enum_type(Opinion))
    grade: Mapped[int | None] = mapped_column(SmallInteger)
    remarks: Mapped[str | None] = mapped_column(Text)
    committed_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    features: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)

    @property
    def seconds(self) -> int | None:
        """How long the examiner had the candidate open before the opinion, whole seconds."""
        return None if self.opened_at is None else int((self.committed_at - self.opened_at).total_seconds())
