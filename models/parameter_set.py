"""Parameter sets (参数版本): the figures that evidence is weighed by, of which one is in force in every process."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type

PACKAGED = "packaged"
"""The version of the row that stands for the figures that come with the software, whichever they are."""


class ParameterSetState(StrEnum):
    """Where a parameter set stands."""

    IN_FORCE = "in_force"  # 使用中
    RETIRED = "retired"  # 已停用


class ParameterSet(HasId, Base):
    """One set of evidence figures that is or was in force. Always exactly one is, since the migration.

    `content` is the parameter file's JSON; None in the row of the packaged figures alone. `reason` is why a set came
    into force although its back-test was worse.
    """

    __tablename__ = "parameter_set"
    __table_args__ = (
        Index(
            "uq_parameter_set_in_force",
            "state",
            unique=True,
            sqlite_where=text("state = 'in_force'"),
            postgresql_where=text("state = 'in_force'"),
        ),
        CheckConstraint("(content IS NULL) = (version = 'packaged')", name="packaged_without_content"),
    )

    version: Mapped[str] = mapped_column(String(31), unique=True)
    state: Mapped[ParameterSetState] = mapped_column(enum_type(ParameterSetState))
    content: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    in_force_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
