"""Cases (个案): an unidentified person in a station's care, and the states the case may pass through."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.organisation import Organisation
from models.profile import Profile


class CaseState(StrEnum):
    """Where a case stands on the way home."""

    DRAFT = "draft"  # 草稿
    IN_CARE = "in_care"  # 在站照料: the identity is known, nobody is traced
    SUBMITTED = "submitted"  # 已提交
    SEARCHING = "searching"  # 比对中
    IN_REVIEW = "in_review"  # 待复核
    IDENTIFIED = "identified"  # 身份已确认
    CONTACT_RELEASED = "contact_released"  # 已解封联系方式
    FAMILY_CONTACTED = "family_contacted"  # 已联系家属
    REUNIFIED = "reunified"  # 已团聚
    UNRESOLVED = "unresolved"  # 暂未查明
    SETTLED = "settled"  # 落户安置
    LEFT = "left"  # 已离站
    TRANSFERRED = "transferred"  # 已移送
    DECEASED = "deceased"  # 已故
    RECALLED = "recalled"  # 确认撤回
    CLOSED = "closed"  # 结案


class AdmissionKind(StrEnum):
    """What is known at admission (入站类型). Medical first (先救治) goes with either: see `models.admission`."""

    UNKNOWN_IDENTITY = "unknown_identity"  # 身份不明: the family is traced
    KNOWN_IDENTITY = "known_identity"  # 身份明确: a short stay, no tracing, no face search


_S = CaseState
_ENDINGS = frozenset({_S.LEFT, _S.TRANSFERRED, _S.DECEASED})

TRANSITIONS: Mapping[CaseState, frozenset[CaseState]] = MappingProxyType(
    {
        _S.DRAFT: frozenset({_S.SUBMITTED, _S.IN_CARE, _S.CLOSED}),
        # Known identity; one that proves false makes it a case to trace.
        _S.IN_CARE: frozenset({_S.SUBMITTED, _S.CLOSED}) | _ENDINGS,
        _S.SUBMITTED: frozenset({_S.SEARCHING}) | _ENDINGS,
        _S.SEARCHING: frozenset({_S.IN_REVIEW, _S.UNRESOLVED}) | _ENDINGS,
        _S.IN_REVIEW: frozenset({_S.SEARCHING, _S.IDENTIFIED, _S.UNRESOLVED, _S.SETTLED}) | _ENDINGS,
        # New evidence reopens: an unresolved or settled person is still searched for.
        _S.UNRESOLVED: frozenset({_S.SEARCHING, _S.IN_REVIEW, _S.IDENTIFIED, _S.SETTLED, _S.CLOSED}) | _ENDINGS,
        _S.SETTLED: frozenset({_S.SEARCHING, _S.IN_REVIEW, _S.IDENTIFIED, _S.CLOSED, _S.DECEASED, _S.LEFT}),
        _S.IDENTIFIED: frozenset({_S.CONTACT_RELEASED}) | _ENDINGS,
        _S.CONTACT_RELEASED: frozenset({_S.FAMILY_CONTACTED}) | _ENDINGS,
        _S.FAMILY_CONTACTED: frozenset({_S.REUNIFIED, _S.SETTLED}) | _ENDINGS,
        _S.REUNIFIED: frozenset({_S.CLOSED}),
        # Whoever was recalled late may be gone, or dead.
        _S.RECALLED: frozenset({_S.SEARCHING, _S.UNRESOLVED}) | _ENDINGS,
        _S.LEFT: frozenset({_S.CLOSED, _S.SEARCHING}),
        _S.TRANSFERRED: frozenset({_S.CLOSED}),
        _S.DECEASED: frozenset({_S.CLOSED, _S.IDENTIFIED}),
        _S.CLOSED: frozenset(),
    }
)
"""Every legal move onwards. Whoever is listed neither here nor in `UNDOING` cannot be reached, by anyone."""

_CONFIRMED = frozenset({_S.IDENTIFIED, _S.CONTACT_RELEASED, _S.FAMILY_CONTACTED})
_RECALL = frozenset({_S.RECALLED})

UNDOING: Mapping[CaseState, frozenset[CaseState]] = MappingProxyType(
    {
        **dict.fromkeys((_S.SEARCHING, _S.IN_REVIEW, _S.UNRESOLVED, *sorted(_CONFIRMED), _S.CLOSED), _RECALL),
        _S.SETTLED: frozenset({_S.FAMILY_CONTACTED}) | _RECALL,
        _S.REUNIFIED: frozenset({_S.FAMILY_CONTACTED}) | _RECALL,
        _S.LEFT: frozenset({_S.IN_CARE, _S.SETTLED}) | _CONFIRMED | _RECALL,
        _S.TRANSFERRED: frozenset({_S.IN_CARE, _S.SEARCHING}) | _CONFIRMED | _RECALL,
        _S.DECEASED: frozenset({_S.IN_CARE, _S.SEARCHING, _S.SETTLED}) | _CONFIRMED - {_S.IDENTIFIED} | _RECALL,
    }
)
"""Moves by which a decision that was wrong is taken back, besides those of `TRANSITIONS`: to RECALLED by the recall of
a confirmation alone, to all others by the withdrawal of an outcome alone (the database holds the same).
"""

GATED = frozenset({_S.IDENTIFIED, _S.CONTACT_RELEASED, _S.FAMILY_CONTACTED, _S.REUNIFIED})
"""States that need a standing confirmation; the database refuses them without one (see the first migration)."""

CONTACT_OPEN = frozenset({_S.CONTACT_RELEASED, _S.FAMILY_CONTACTED, _S.REUNIFIED})
"""States that need a contact release besides, and in which the family's details may be read."""

SEARCHED = frozenset({_S.SEARCHING, _S.IN_REVIEW, _S.UNRESOLVED, _S.SETTLED, _S.RECALLED}) | _ENDINGS
"""States in which a person of unknown identity stands in the gallery: not yet identified, and past the draft."""


class IllegalTransition(Exception):
    """A move that the table does not have. `.current` and `.wanted` are CaseStates."""

    def __init__(self, current: CaseState, wanted: CaseState) -> None:
        super().__init__(f"{current} -> {wanted}")
        self.current = current
        self.wanted = wanted


class Case(HasId, Base):
    """One stay of one person, unidentified unless `admission_kind` says otherwise. `move_to` alone assigns `state`.

    `found_latitude` and `found_longitude` in degrees of WGS-84.
    """

    __tablename__ = "case_file"
    __table_args__ = (
        Index("ix_case_file_organisation_id_created_at", "organisation_id", "created_at"),
        Index("ix_case_file_created_at", "created_at"),
        # All that a viewer's scope asks of a case (`tracing.access.case_scope`), so that its cases need not be read.
        Index("ix_case_file_scope", "organisation_id", "admission_kind", "state", "id"),
        CheckConstraint("(found_latitude IS NULL) = (found_longitude IS NULL)", name="point_whole"),
        CheckConstraint("found_latitude IS NULL OR found_latitude BETWEEN -90 AND 90", name="latitude_in_range"),
        CheckConstraint("found_longitude IS NULL OR found_longitude BETWEEN -180 AND 180", name="longitude_in_range"),
    )

    number: Mapped[str] = mapped_column(String(24), unique=True)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    organisation: Mapped[Organisation] = relationship(lazy="raise")
    created_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    submitted_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"), unique=True)
    profile: Mapped[Profile] = relationship(lazy="raise")
    admission_kind: Mapped[AdmissionKind] = mapped_column(
        enum_type(AdmissionKind), default=AdmissionKind.UNKNOWN_IDENTITY, server_default="unknown_identity"
    )
    state: Mapped[CaseState] = mapped_column(enum_type(CaseState), default=CaseState.DRAFT, index=True)
    state_since: Mapped[datetime]
    admitted_on: Mapped[date]
    found_on: Mapped[date | None]
    found_division: Mapped[str | None] = mapped_column(String(6))
    found_place: Mapped[str | None] = mapped_column(String(200))
    found_latitude: Mapped[float | None] = mapped_column(Float)
    found_longitude: Mapped[float | None] = mapped_column(Float)
    photo_refused: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    history: Mapped[list["CaseTransition"]] = relationship(lazy="raise", order_by="CaseTransition.at")

    @property
    def traced(self) -> bool:
        """Whether the person's family is looked for: not when the identity is known."""
        return self.admission_kind is AdmissionKind.UNKNOWN_IDENTITY

    # Counts edits alone: what a job does to the state must not make an editor's work stale.
    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}

    def move_to(
        self,
        wanted: CaseState,
        *,
        actor_id: uuid.UUID | None,
        at: datetime,
        reason: str | None = None,
        undoing: bool = False,
    ) -> "CaseTransition":
        """Move the case and return the history row to be added to the session.

        Raises IllegalTransition when `TRANSITIONS` does not have the move, nor, for one who is `undoing`, `UNDOING`.
        """
        if wanted not in TRANSITIONS[self.state] and not (undoing and wanted in UNDOING.get(self.state, ())):
            raise IllegalTransition(self.state, wanted)
        row = CaseTransition(
            case_id=self.id, from_state=self.state, to_state=wanted, actor_id=actor_id, at=at, reason=reason
        )
        self.state = wanted
        self.state_since = at
        self.updated_at = at
        return row


class CaseTransition(HasId, Base):
    """One move of one case: from, to, who, when, why. `actor_id` None = the service itself."""

    __tablename__ = "case_transition"
    __table_args__ = (Index("ix_case_transition_to_state_at", "to_state", "at", "case_id"),)

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    from_state: Mapped[CaseState] = mapped_column(enum_type(CaseState, prefix="from_"))
    to_state: Mapped[CaseState] = mapped_column(enum_type(CaseState, prefix="to_"))
    actor_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(String(500))


class NumberSequence(Base):
    """The last running number given out for a series (a division code, "R" before it for reports) and a year."""

    __tablename__ = "number_sequence"

    series: Mapped[str] = mapped_column(String(7), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
