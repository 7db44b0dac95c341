"""Replicas of the index (索引副本): each process that holds one says from time to time how far it has followed."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type
from models.index_place import Place


class IndexReplica(HasId, Base):
    """One index of one model version in one process, or (`place` MILVUS) that the process reaches the shared one.

    `mark`: every change with a lower number (transaction id on PostgreSQL, seq on SQLite) has been applied.
    `snapshot_mark`: the same of the oldest snapshot that the process's folder keeps; None when it keeps none.
    `position`, `snapshots`: exactly which changes are applied, here and in each file (`tracing.gallery_log.Seen`): on
    PostgreSQL a transaction that stays open, in whatever database of the server, holds every mark back, but not these.
    A replica that has not been seen for `index.replica_seconds` is counted as gone: if it comes back, it catches up
    before it answers anything.
    """

    __tablename__ = "index_replica"

    process: Mapped[str] = mapped_column(String(64))
    place: Mapped[Place] = mapped_column(enum_type(Place), default=Place.LOCAL, server_default=Place.LOCAL.value)
    model_version: Mapped[str] = mapped_column(String(80), index=True)
    mark: Mapped[int] = mapped_column(BigInteger)
    snapshot_mark: Mapped[int | None] = mapped_column(BigInteger)
    position: Mapped[dict[str, int]] = mapped_column(JSON)
    snapshots: Mapped[list[dict[str, int]]] = mapped_column(JSON)
    faces: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
