"""Lookouts (协查): a person who has gone, looked for by the liaisons around; answered with sightings."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class LookoutEnd(StrEnum):
    """Why a lookout ended (协查结束原因)."""

    FOUND = "found"  # 已找到
    CALLED_OFF = "called_off"  # 撤销
    EXPIRED = "expired"  # 到期


class RingLevel(StrEnum):
    """How far around (协查范围)."""

    COUNTY = "county"  # 本县（区）
    CITY = "city"  # 本市（周边县区）
    PROVINCE = "province"  # 本省
    NEIGHBOURS = "neighbours"  # 相邻省份


class Lookout(HasId, Base):
    """One person looked for: of a sighting, or of a case whose person went missing again. Ends once.

    `division` is where it began; `words_sealed` (what to look for) is sealed under `subject_id`, the person's data key.
    `ring` counts the rings that are open, from 1; `next_ring_at` None: it goes no wider. `found_case_id`: the case
    that the person became.
    """

    __tablename__ = "lookout"
    __table_args__ = (
        Index("ix_lookout_organisation_id_opened_at", "organisation_id", "opened_at"),
        Index("ix_lookout_next_ring_at", "next_ring_at"),
        *(
            Index(
                f"uq_lookout_open_{target}", f"{target}_id", unique=True,
                sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL"),
            )
            for target in ("sighting", "case")
        ),
        CheckConstraint("(sighting_id IS NULL) <> (case_id IS NULL)", name="of_one"),
        CheckConstraint("(ended_at IS NULL) = (end_kind IS NULL)", name="ended_whole"),
        CheckConstraint("ended_at IS NULL OR next_ring_at IS NULL", name="ended_widens_no_more"),
        CheckConstraint("found_case_id IS NULL OR end_kind = 'found'", name="found_case"),
    )  # fmt: skip

    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    opened_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    opened_at: Mapped[datetime]
    sighting_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("sighting.id"))
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("case_file.id"))
    subject_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subject.id"))
    division: Mapped[str] = mapped_column(String(6))
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    policy_version: Mapped[str] = mapped_column(String(80))
    ring: Mapped[int]
    next_ring_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    end_kind: Mapped[LookoutEnd | None] = mapped_column(enum_type(LookoutEnd))
    end_reason: Mapped[str | None] = mapped_column(String(500))
    found_case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("case_file.id"))

    @property
    def open(self) -> bool:
        """Whether it is still looked out."""
        return self.ended_at is None


class LookoutRing(HasId, Base):
    """One division to which a lookout is addressed, since when; codes of 2, 4 or 6 digits without trailing zeros."""

    __tablename__ = "lookout_ring"
    __table_args__ = (UniqueConstraint("lookout_id", "division"),)

    lookout_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lookout.id"))
    ring: Mapped[int]
    level: Mapped[RingLevel] = mapped_column(enum_type(RingLevel))
    division: Mapped[str] = mapped_column(String(6))
    opened_at: Mapped[datetime]


class LookoutAnswer(HasId, Base):
    """One answer: seen, with its sighting, or not seen here. Append-only."""

    __tablename__ = "lookout_answer"
    __table_args__ = (
        Index("ix_lookout_answer_lookout_id_at", "lookout_id", "at"),
        CheckConstraint("seen = (sighting_id IS NOT NULL)", name="seen_has_sighting"),
    )

    lookout_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lookout.id"))
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    seen: Mapped[bool]
    sighting_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("sighting.id"))
    at: Mapped[datetime]
