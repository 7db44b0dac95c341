"""Idempotency keys (幂等键): what a POST once created, shown again when the POST is repeated."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class IdempotencyRecord(Base):
    """Written in the transaction of the work it answers for; names the created resource, never repeats its content."""

    __tablename__ = "idempotency_record"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    request_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    resource_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime]
