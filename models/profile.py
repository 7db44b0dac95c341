"""The shared profile (档案要素): what is known of one person, whoever reported it. Unknown is the absence of a row."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from matcher.vocabulary import (
    AttributeKind,
    Basis,
    BodyRegion,
    BodySide,
    ClueConfidence,
    KinRelation,
    MarkKind,
    NameKind,
    PlaceKind,
)
from models.base import Base, HasId, enum_type


class Recorded:
    """Who recorded a fact and when, and when a later fact superseded it. Facts are never overwritten."""

    basis: Mapped[Basis] = mapped_column(enum_type(Basis))
    source: Mapped[str | None] = mapped_column(String(200))
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class Heard:
    """How sure the one was who heard the clue that the fact came of; None of a fact that came of none."""

    confidence: Mapped[ClueConfidence | None] = mapped_column(enum_type(ClueConfidence))


class Profile(HasId, Base):
    """Facts of one person. `revision` grows with every change and names the state that a matching pass has seen.

    `keys_version`: how its blocking keys were made; None when they have not been made yet.
    """

    __tablename__ = "profile"

    subject_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subject.id"), unique=True)
    revision: Mapped[int] = mapped_column(default=1)
    no_marks: Mapped[bool] = mapped_column(default=False)
    keys_version: Mapped[str | None] = mapped_column(String(80))
    attributes: Mapped[list["ProfileAttribute"]] = relationship(lazy="raise", order_by="ProfileAttribute.recorded_at")
    names: Mapped[list["ProfileName"]] = relationship(lazy="raise", order_by="ProfileName.recorded_at")
    places: Mapped[list["ProfilePlace"]] = relationship(lazy="raise", order_by="ProfilePlace.recorded_at")
    marks: Mapped[list["ProfileMark"]] = relationship(lazy="raise", order_by="ProfileMark.recorded_at")
    kin: Mapped[list["ProfileKin"]] = relationship(lazy="raise", order_by="ProfileKin.recorded_at")
    phones: Mapped[list["ProfilePhone"]] = relationship(lazy="raise", order_by="ProfilePhone.recorded_at")


LISTED = "superseded_at IS NULL AND kind IN ('sex', 'build', 'ethnicity', 'accent', 'height')"


class ProfileAttribute(HasId, Recorded, Heard, Base):
    """A single-valued fact; `value` as text in the form that `AttributeKind` states. One current row a kind."""

    __tablename__ = "profile_attribute"
    __table_args__ = (
        Index(
            "uq_profile_attribute_current",
            "profile_id",
            "kind",
            unique=True,
            sqlite_where=text("superseded_at IS NULL"),
            postgresql_where=text("superseded_at IS NULL"),
        ),
        # What lists are filtered by: short values alone, for other kinds hold whole sentences.
        Index(
            "ix_profile_attribute_listed",
            "kind",
            "value",
            "profile_id",
            sqlite_where=text(LISTED),
            postgresql_where=text(LISTED),
        ),
        CheckConstraint("uncertainty IS NULL OR uncertainty >= 0", name="uncertainty_not_negative"),
    )

    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"), index=True)
    kind: Mapped[AttributeKind] = mapped_column(enum_type(AttributeKind))
    value: Mapped[str] = mapped_column(Text)
    as_of: Mapped[date | None]
    uncertainty: Mapped[float | None]


class ProfileName(HasId, Recorded, Heard, Base):
    """A name the person has, had, or was heard to say."""

    __tablename__ = "profile_name"

    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"), index=True)
    kind: Mapped[NameKind] = mapped_column(enum_type(NameKind))
    text: Mapped[str] = mapped_column(String(120))


class ProfilePlace(HasId, Recorded, Heard, Base):
    """A place that belongs to the person; `division` a GB/T 2260 code of 2, 4 or 6 digits."""

    __tablename__ = "profile_place"

    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"), index=True)
    kind: Mapped[PlaceKind] = mapped_column(enum_type(PlaceKind))
    division: Mapped[str] = mapped_column(String(6), index=True)
    detail: Mapped[str | None] = mapped_column(String(200))


class ProfileMark(HasId, Recorded, Base):
    """A bodily mark."""

    __tablename__ = "profile_mark"

    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"), index=True)
    kind: Mapped[MarkKind] = mapped_column(enum_type(MarkKind))
    region: Mapped[BodyRegion] = mapped_column(enum_type(BodyRegion))
    side: Mapped[BodySide | None] = mapped_column(enum_type(BodySide))
    detail: Mapped[str | None] = mapped_column(String(200))


class ProfileKin(HasId, Recorded, Heard, Base):
    """A relative's name, as somebody said or wrote it."""

    __tablename__ = "profile_kin"

    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"), index=True)
    relation: Mapped[KinRelation] = mapped_column(enum_type(KinRelation))
    text: Mapped[str] = mapped_column(String(120))


class ProfilePhone(HasId, Recorded, Heard, Base):
    """Digits of a telephone number that the person remembers or used. The family's own number is sealed elsewhere."""

    __tablename__ = "profile_phone"

    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"), index=True)
    digits: Mapped[str] = mapped_column(String(20))
