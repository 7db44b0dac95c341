"""Where the face index in force is kept (索引所在), and the indexes that all processes share."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_type

THE_ONE = 1


class Place(StrEnum):
    """Where searches are answered."""

    LOCAL = "local"  # 各进程内: a replica in each process
    MILVUS = "milvus"  # 共用: one index that all processes share


class IndexPlace(Base):
    """The one row that every process reads before it searches: a change of `place` is the switch, for all at once.

    `location`: the Milvus that `SharedIndex` rows are about, without credentials; None while there is none. `moving_to`
    is set while a move is under way. Without the row the place is LOCAL.
    """

    __tablename__ = "index_place"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=THE_ONE)
    place: Mapped[Place] = mapped_column(enum_type(Place))
    location: Mapped[str | None] = mapped_column(String(500))
    changed_at: Mapped[datetime]
    moving_to: Mapped[Place | None] = mapped_column(enum_type(Place, prefix="moving_to_"))
    moving_since: Mapped[datetime | None]


class SharedIndex(Base):
    """What is kept of one model version in Milvus, and how far it has followed the change log.

    `position`: exactly which changes are applied (`tracing.gallery_log.Seen`); those of the beginning until `built_at`.
    `generation` and `turn` (feedings so far) stand in Milvus too, written before they are here: one that lacks them
    there is not the one that was fed. `copied_to`: up to which face id a first filling has come. `fed_by`, `fed_until`:
    the lease of whoever feeds it; nobody else may write there. `generation` 0: to be filled from the beginning.
    """

    __tablename__ = "shared_index"

    model_version: Mapped[str] = mapped_column(String(80), primary_key=True)
    dimension: Mapped[int]
    generation: Mapped[int] = mapped_column(BigInteger)
    turn: Mapped[int] = mapped_column(BigInteger, default=0)
    position: Mapped[dict[str, int]] = mapped_column(JSON)
    copied_to: Mapped[uuid.UUID | None]
    built_at: Mapped[datetime | None]
    fed_by: Mapped[str | None] = mapped_column(String(64))
    fed_until: Mapped[datetime | None]
