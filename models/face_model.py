"""Face models (人脸模型): which versions there are, which one the search uses, and which one is being built."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class FaceModelState(StrEnum):
    """Where a model version stands."""

    BUILDING = "building"  # 重建中
    IN_FORCE = "in_force"  # 使用中
    RETIRED = "retired"  # 已停用


_S = FaceModelState

FACE_MODEL_TRANSITIONS: Mapping[FaceModelState, frozenset[FaceModelState]] = MappingProxyType(
    {
        _S.BUILDING: frozenset({_S.IN_FORCE}),
        _S.IN_FORCE: frozenset({_S.RETIRED}),
        _S.RETIRED: frozenset({_S.IN_FORCE, _S.BUILDING}),
    }
)
"""Every legal move: a version that was built comes into force, and back; a retired one may be completed again."""


class IllegalFaceModelMove(Exception):
    """A move that the table does not have. `.current` and `.wanted` are FaceModelStates."""

    def __init__(self, current: FaceModelState, wanted: FaceModelState) -> None:
        super().__init__(f"{current} -> {wanted}")
        self.current = current
        self.wanted = wanted


class FaceModel(HasId, Base):
    """One version of the face engine whose faces are, or are to be, in the database. At most one is in force.

    `dimension` is the length of its embeddings. `state` is assigned by `move_to` alone.
    """

    __tablename__ = "face_model"
    __table_args__ = (
        Index(
            "uq_face_model_in_force",
            "state",
            unique=True,
            sqlite_where=text("state = 'in_force'"),
            postgresql_where=text("state = 'in_force'"),
        ),
        CheckConstraint("dimension > 0", name="dimension_positive"),
    )

    model_version: Mapped[str] = mapped_column(String(80), unique=True)
    state: Mapped[FaceModelState] = mapped_column(enum_type(FaceModelState), default=FaceModelState.BUILDING)
    dimension: Mapped[int]
    created_at: Mapped[datetime]
    in_force_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]

    def move_to(self, wanted: FaceModelState, *, at: datetime) -> None:
        """Move, and keep the time. Raises IllegalFaceModelMove when `FACE_MODEL_TRANSITIONS` does not have the move."""
        if wanted not in FACE_MODEL_TRANSITIONS[self.state]:
            raise IllegalFaceModelMove(self.state, wanted)
        self.state = wanted
        if wanted is FaceModelState.IN_FORCE:
            self.in_force_at = at
        elif wanted is FaceModelState.RETIRED:
            self.retired_at = at
