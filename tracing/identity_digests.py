"""Digests of identity numbers (公民身份号码摘要): equal numbers of two reports are told, and none is opened for it."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.duplicate import IdentityDigest
from models.profile import Profile
from models.report import Report, ReportState
from models.subject import Subject
from tracing.platform.crypto import Vault
from tracing.platform.db import dialect_insert

PURPOSE = "identity number"


def store_digest(session: Session, vault: Vault, report_id: uuid.UUID, number: str) -> None:
    """Keep the digest of a report's number, whose row is flushed, under the active key; it replaces an earlier one."""
    digest = vault.service_digests(PURPOSE, number.encode())[0]
    session.execute(
        dialect_insert(session)(IdentityDigest)
        .values(report_id=report_id, digest=digest)
        .on_conflict_do_update(index_elements=[IdentityDigest.report_id], set_={"digest": digest})
    )


def same_number(session: Session, report_id: uuid.UUID) -> list[uuid.UUID]:
    """Other reports with the same identity number, handed in, of people who were not erased."""
    own = select(IdentityDigest.digest).where(IdentityDigest.report_id == report_id).scalar_subquery()
    return list(
        session.scalars(
            select(IdentityDigest.report_id)
            .join(Report, Report.id == IdentityDigest.report_id)
            .join(Profile, Profile.id == Report.profile_id)
            .join(Subject, Subject.id == Profile.subject_id)
            .where(
                IdentityDigest.digest == own,
                IdentityDigest.report_id != report_id,
                Report.state != ReportState.DRAFT,
                Subject.destroyed_at.is_(None),
            )
            .order_by(IdentityDigest.report_id)
        )
    )
