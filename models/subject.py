"""Data keys (数据密钥), one a person: destroying a person's key erases everything sealed under it.

A backup of this table made before still opens it: keep such backups apart and short (see docs/deploy.md).
"""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId


class Subject(HasId, Base):
    """A person whose data is stored, and the person's AES-256 data key wrapped by the master key `master_key_id`."""

    __tablename__ = "subject"

    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    master_key_id: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]
