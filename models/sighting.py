"""Sightings (目击): somebody of the network saw a person who may need help, and the links that humans make of them."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, Float, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.profile import Profile


class SightingSource(StrEnum):
    """Who saw the person (目击来源)."""

    CITIZEN = "citizen"  # 市民来电
    COURIER = "courier"  # 快递、外卖骑手
    VOLUNTEER = "volunteer"  # 志愿者
    COMMUNITY = "community"  # 社区联络员
    PATROL = "patrol"  # 巡查
    STATION = "station"  # 救助站
    POLICE = "police"  # 公安


class Heading(StrEnum):
    """Which way the person walked (去向)."""

    NORTH = "north"  # 北
    NORTHEAST = "northeast"  # 东北
    EAST = "east"  # 东
    SOUTHEAST = "southeast"  # 东南
    SOUTH = "south"  # 南
    SOUTHWEST = "southwest"  # 西南
    WEST = "west"  # 西
    NORTHWEST = "northwest"  # 西北
    STAYED = "stayed"  # 停留原地


class Condition(StrEnum):
    """In what state the person seemed to be (状况)."""

    CALM = "calm"  # 平静
    CONFUSED = "confused"  # 神志不清
    AGITATED = "agitated"  # 情绪激动
    SPEECHLESS = "speechless"  # 不语
    INJURED = "injured"  # 受伤
    ILL = "ill"  # 患病
    DRUNK = "drunk"  # 醉酒
    POORLY_CLOTHED = "poorly_clothed"  # 衣着单薄
    HUNGRY = "hungry"  # 饥饿
    WITH_CHILD = "with_child"  # 携带儿童
    IN_DANGER = "in_danger"  # 处境危险


class PhotoBasis(StrEnum):
    """On what ground a photograph was taken in the street (拍摄依据)."""

    CONSENT = "consent"  # 本人同意
    GUARDIAN_CONSENT = "guardian_consent"  # 监护人同意
    STATUTORY_DUTY = "statutory_duty"  # 履行救助职责
    VITAL_INTEREST = "vital_interest"  # 紧急情况下保护生命健康


class Sighting(HasId, Base):
    """One person seen once. It never changes: it is withdrawn with a reason, linked, and in the end erased.

    `profile` holds its photographs and its data key; when the sighting becomes a case, that is the case's profile.
    `words_sealed` is sealed under `words_subject_id`: the sighting's own person, or, when another sighting of the same
    person became the case, that case's. `latitude` and `longitude` in degrees of WGS-84. `erased_at`: photographs and
    words cannot be opened by anybody any more.
    """

    __tablename__ = "sighting"
    __table_args__ = (
        Index("ix_sighting_organisation_id_recorded_at", "organisation_id", "recorded_at"),
        Index("ix_sighting_seen_at", "seen_at"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="point_whole"),
        CheckConstraint("latitude IS NULL OR latitude BETWEEN -90 AND 90", name="latitude_in_range"),
        CheckConstraint("longitude IS NULL OR longitude BETWEEN -180 AND 180", name="longitude_in_range"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name="withdrawn_whole",
        ),
    )

    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
    source: Mapped[SightingSource] = mapped_column(enum_type(SightingSource))
    patrol_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("patrol.id"), index=True)
    seen_at: Mapped[datetime]
    division: Mapped[str] = mapped_column(String(6))
    place: Mapped[str | None] = mapped_column(String(200))
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    heading: Mapped[Heading | None] = mapped_column(enum_type(Heading))
    road: Mapped[str | None] = mapped_column(String(120))
    conditions: Mapped[list[str]] = mapped_column(JSON)
    photo_basis: Mapped[PhotoBasis | None] = mapped_column(enum_type(PhotoBasis))
    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"), unique=True)
    profile: Mapped[Profile] = relationship(lazy="raise")
    words_subject_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subject.id"))
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))
    erased_at: Mapped[datetime | None]


class LinkState(StrEnum):
    """What humans made of a link (关联状态)."""

    PROPOSED = "proposed"  # 系统提示
    ACCEPTED = "accepted"  # 已确认关联
    REFUSED = "refused"  # 已否定
    WITHDRAWN = "withdrawn"  # 已撤销


STANDING_LINK = text("state IN ('proposed', 'accepted')")


class SightingLink(HasId, Base):
    """That a sighting shows the person of a lookout or of a case. Proposed by the engine, or made by a human.

    `similarity` and `log10_lr` are the engine's, under `model_version`; None for a human's link. Decided once;
    an accepted one can be withdrawn with a reason. `origin`: the sighting became this case.
    """

    __tablename__ = "sighting_link"
    __table_args__ = (
        Index("ix_sighting_link_lookout_id_state", "lookout_id", "state"),
        Index("ix_sighting_link_case_id_state", "case_id", "state"),
        *(
            Index(
                f"uq_sighting_link_standing_{target}", "sighting_id", f"{target}_id", unique=True,
                sqlite_where=STANDING_LINK, postgresql_where=STANDING_LINK,
            )
            for target in ("lookout", "case")
        ),
        CheckConstraint("(lookout_id IS NULL) <> (case_id IS NULL)", name="one_target"),
        CheckConstraint("(similarity IS NULL) = (model_version IS NULL)", name="engine_whole"),
        CheckConstraint("NOT origin OR case_id IS NOT NULL", name="origin_of_a_case"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided_whole"),
        CheckConstraint("(decided_at IS NULL) = (decided_by_id IS NULL)", name="decided_by_somebody"),
        CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_state"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name="withdrawn_whole",
        ),
    )  # fmt: skip

    sighting_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sighting.id"), index=True)
    lookout_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lookout.id"))
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("case_file.id"))
    state: Mapped[LinkState] = mapped_column(enum_type(LinkState))
    origin: Mapped[bool] = mapped_column(default=False)
    similarity: Mapped[float | None] = mapped_column(Float)
    log10_lr: Mapped[float | None] = mapped_column(Float)
    model_version: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    reason: Mapped[str | None] = mapped_column(String(500))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))

    @property
    def target_id(self) -> uuid.UUID | None:
        """The lookout or the case."""
        return self.lookout_id or self.case_id
