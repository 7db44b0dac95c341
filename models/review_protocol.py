"""The review protocol (复核规程): features noted first, looks, assignments, requests, and seeded known non-matches.

Notes, looks, seeds and what was answered are append-only; assignments, requests and answers to seeds end once.
"""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.case import Case
from models.confirmation import Confirmation
from models.exclusion import ExclusionEvidence
from models.report import Report
from models.review import Opinion
from models.user import User


class FeatureBasis(StrEnum):
    """What an examiner described the unknown person by (特征记录依据)."""

    FACIAL = "facial"  # 面部特征
    NON_FACIAL = "non_facial"  # 非面部特征
    NOTHING = "nothing"  # 没有照片可描述


class FeatureNote(HasId, Base):
    """The unknown person's features as one examiner saw them before any candidate. An amendment is a new row.

    `noted_sealed` is sealed under the person's data key: a JSON object from the feature's key to its description, null
    where it cannot be seen. The newest row of an examiner and a case counts.
    """

    __tablename__ = "feature_note"
    __table_args__ = (
        Index("ix_feature_note_case_id_examiner_id", "case_id", "examiner_id", "noted_at"),
        CheckConstraint("count >= 0 AND (basis = 'nothing') = (count = 0)", name="count_of_basis"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    examiner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    basis: Mapped[FeatureBasis] = mapped_column(enum_type(FeatureBasis))
    list_version: Mapped[str] = mapped_column(String(40))
    count: Mapped[int]
    noted_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    noted_at: Mapped[datetime]


class ReviewSeed(HasId, Base):
    """A known non-match (已知非同一人的对照) mixed into the list that the examiners of a case see.

    Not a candidate: no review, claim or confirmation can name it. Known by `confirmation_id`, which gives the reported
    person a name that is somebody else's; when that is recalled, the seed is no longer shown and no longer counts.
    """

    __tablename__ = "review_seed"
    __table_args__ = (UniqueConstraint("case_id", "report_id"),)

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    case: Mapped[Case] = relationship(lazy="raise")
    report_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("report.id"), index=True)
    report: Mapped[Report] = relationship(lazy="raise")
    confirmation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("confirmation.id"), index=True)
    confirmation: Mapped[Confirmation] = relationship(lazy="raise")
    log10_lr: Mapped[float]
    posterior: Mapped[float]
    face_similarity: Mapped[float | None]
    terms: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    model_version: Mapped[str] = mapped_column(String(80))
    index_version: Mapped[str] = mapped_column(String(40))
    parameters_version: Mapped[str] = mapped_column(String(40))
    gallery_size: Mapped[int | None]
    proposed_at: Mapped[datetime]
    sown_at: Mapped[datetime]


class SeedReview(HasId, Base):
    """One examiner's answer to a seed. It measures the examiner, and counts for nothing else."""

    __tablename__ = "seed_review"
    __table_args__ = (
        Index(
            "uq_seed_review_standing",
            "seed_id",
            "examiner_id",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    seed_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("review_seed.id"), index=True)
    examiner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"), index=True)
    examiner: Mapped[User] = relationship(lazy="raise")
    opinion: Mapped[Opinion] = mapped_column(enum_type(Opinion))
    grade: Mapped[int | None] = mapped_column(SmallInteger)
    remarks: Mapped[str | None] = mapped_column(Text)
    features: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    opened_at: Mapped[datetime | None]
    committed_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class SeedExclusion(HasId, Base):
    """An examiner's exclusion of a seed (对照的排除): from then on nobody meets it any more. Immutable."""

    __tablename__ = "seed_exclusion"

    seed_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("review_seed.id"), unique=True)
    evidence: Mapped[ExclusionEvidence] = mapped_column(enum_type(ExclusionEvidence))
    reference: Mapped[str | None] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(500))
    excluded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    excluded_at: Mapped[datetime]


class ReviewLook(HasId, Base):
    """When an examiner opened a candidate (or a seed) on which no own opinion stood."""

    __tablename__ = "review_look"
    __table_args__ = (
        Index("ix_review_look_examiner_id", "examiner_id", "candidate_id", "seed_id"),
        CheckConstraint("(candidate_id IS NULL) <> (seed_id IS NULL)", name="one_thing"),
    )

    examiner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    candidate_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("candidate.id"))
    seed_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("review_seed.id"))
    opened_at: Mapped[datetime]


class RequestKind(StrEnum):
    """What an examiner asks for instead of guessing (补充要求)."""

    PHOTO = "photo"  # 补拍更清晰的照片
    DNA = "dna"  # 采集 DNA


class ReviewRequest(HasId, Base):
    """An examiner's request to the station that holds the case. Never an opinion; it may name what was looked at."""

    __tablename__ = "review_request"
    __table_args__ = (
        Index("ix_review_request_case_id_requested_at", "case_id", "requested_at"),
        CheckConstraint("candidate_id IS NULL OR seed_id IS NULL", name="one_thing"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)", name="withdrawn_whole"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    candidate_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("candidate.id"))
    seed_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("review_seed.id"))
    examiner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    kind: Mapped[RequestKind] = mapped_column(enum_type(RequestKind))
    requested_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))


class AssignmentEnd(StrEnum):
    """Why an assignment ended (分派结束原因)."""

    DONE = "done"  # 已完成
    EXPIRED = "expired"  # 逾期转派
    REASSIGNED = "reassigned"  # 负责人改派
    RELEASED = "released"  # 个案不再待复核


class ReviewAssignment(HasId, Base):
    """A case given to one examiner for a time. `place`: 1 and 2 judge blind, 3 settles a disagreement.

    `assigned_by_id` None: given by the service; the examiner's own id: taken from the queue.
    """

    __tablename__ = "review_assignment"
    __table_args__ = (
        Index("ix_review_assignment_case_id", "case_id", "place"),
        Index(
            "uq_review_assignment_place",
            "case_id",
            "place",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "uq_review_assignment_examiner",
            "case_id",
            "examiner_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        CheckConstraint("place BETWEEN 1 AND 3", name="place_known"),
        CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="ended_whole"),
        CheckConstraint(
            "ended_because IS NULL OR ended_because <> 'reassigned'"
            " OR (ended_by_id IS NOT NULL AND reason IS NOT NULL)",
            name="reassigned_whole",
        ),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    case: Mapped[Case] = relationship(lazy="raise")
    place: Mapped[int] = mapped_column(SmallInteger)
    examiner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"), index=True)
    examiner: Mapped[User] = relationship(lazy="raise", foreign_keys=[examiner_id])
    assigned_at: Mapped[datetime]
    assigned_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    due_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[AssignmentEnd | None] = mapped_column(enum_type(AssignmentEnd))
    ended_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_account.id"))
    reason: Mapped[str | None] = mapped_column(String(500))
