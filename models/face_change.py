"""The change log of the gallery (底库变更日志): which faces are to be looked at again, written by triggers alone.

A row says neither what changed nor how: a reader asks the database whether the face is searchable now. So a row that
is read twice, or that stands for nothing, does no harm.
"""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class FaceChange(Base):
    """One face that may have entered, left or changed in the searchable set.

    `seq` grows, but on PostgreSQL a lower one may be committed after a higher one; `xid` is the full (64-bit)
    transaction id there, by which a reader knows what may still come (see `tracing.gallery_log`), and 0 on SQLite,
    where writers take turns and the order of `seq` is that of the commits. No foreign key: the face may be gone.
    """

    __tablename__ = "face_change"
    __table_args__ = (Index("ix_face_change_xid_seq", "xid", "seq"), {"sqlite_autoincrement": True})

    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    xid: Mapped[int] = mapped_column(BigInteger)
    face_id: Mapped[uuid.UUID]
    model_version: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
