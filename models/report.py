"""Missing-person reports (寻人信息): whom a family is looking for, and the family's details, sealed."""

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.organisation import Organisation
from models.profile import Profile


class ReportState(StrEnum):
    """Where a report stands."""

    DRAFT = "draft"  # 草稿
    OPEN = "open"  # 寻找中
    RESOLVED = "resolved"  # 已找到
    WITHDRAWN = "withdrawn"  # 已撤销


REPORT_TRANSITIONS: dict[ReportState, frozenset[ReportState]] = {
    ReportState.DRAFT: frozenset({ReportState.OPEN, ReportState.WITHDRAWN}),
    ReportState.OPEN: frozenset({ReportState.RESOLVED, ReportState.WITHDRAWN}),
    ReportState.RESOLVED: frozenset({ReportState.OPEN}),  # a recalled confirmation
    ReportState.WITHDRAWN: frozenset({ReportState.OPEN}),
}


class Report(HasId, Base):
    """One missing-person report.

    `family_contact_sealed` (name, relation, telephone, address, note) and `identity_number_sealed` are ciphertext of
    `tracing.platform.crypto` under the subject's data key; nothing in the clear may repeat them.
    """

    __tablename__ = "report"
    __table_args__ = (
        Index("ix_report_organisation_id_created_at", "organisation_id", "created_at"),
        Index("ix_report_created_at", "created_at"),
    )

    number: Mapped[str] = mapped_column(String(24), unique=True)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    organisation: Mapped[Organisation] = relationship(lazy="raise")
    created_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    profile_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profile.id"), unique=True)
    profile: Mapped[Profile] = relationship(lazy="raise")
    state: Mapped[ReportState] = mapped_column(enum_type(ReportState), default=ReportState.DRAFT, index=True)
    last_seen_on: Mapped[date | None]
    last_seen_division: Mapped[str | None] = mapped_column(String(6))
    last_seen_place: Mapped[str | None] = mapped_column(String(200))
    family_contact_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    identity_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    # Counts edits alone: what a job does to the state must not make an editor's work stale.
    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}
