"""Blocking keys (分块键): under what a person without a face is found. Derived from the facts, not their source."""

import uuid

from sqlalchemy import ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from matcher.vocabulary import GalleryKind
from models.base import Base, enum_type

KEY_TYPE = String(80).with_variant(String(80, collation="C"), "postgresql")
"""Compared byte by byte: keys are looked up, never shown in order."""


class BlockingKey(Base):
    """One key of one record (see `matcher.blocking`), with the year of birth that narrows it, 0 when it is unknown.

    Personal data in the clear, as the names and places of the facts are that it is made of: it goes when they go, and
    with the person's data key (a trigger).
    """

    __tablename__ = "blocking_key"
    __table_args__ = (Index("ix_blocking_key_lookup", "gallery", "key", "born", "profile_id"),)

    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(KEY_TYPE, primary_key=True)
    gallery: Mapped[GalleryKind] = mapped_column(enum_type(GalleryKind))
    born: Mapped[int] = mapped_column(SmallInteger)
