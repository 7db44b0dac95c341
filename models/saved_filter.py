"""Saved filters (常用筛选): how somebody likes to look at a list. A convenience of one user: it may be deleted."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from matcher.vocabulary import GalleryKind
from models.base import Base, HasId, enum_type


class SavedFilter(HasId, Base):
    """A named filter of the cases' or the reports' list.

    `query` is the part of the list's address after "?": states, ranges, codes, columns, never the name of a person.
    """

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("user_id", "gallery", "name"),)

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    gallery: Mapped[GalleryKind] = mapped_column(enum_type(GalleryKind))
    name: Mapped[str] = mapped_column(String(40))
    query: Mapped[str] = mapped_column(String(1000))
    created_at: Mapped[datetime]
