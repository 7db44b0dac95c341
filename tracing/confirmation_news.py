"""Who is told of a confirmation, a release, a recall (确认、解封与撤回的告知): ids alone, to those who act on it."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.case import Case
from models.confirmation import Confirmation
from models.contact import ContactAttempt, ContactException, ContactPlan, ContactRelease
from models.followup import FollowUpVisit
from models.kin import KinVerification
from models.notification import NotificationKind
from models.outcome import Outcome
from models.review import Review
from models.user import Role, User
from tracing.home_notices import tell_void
from tracing.notifications import notify, users_of

STATION = (Role.STATION_STAFF, Role.CASEWORKER)


def tell_identified(session: Session, case: Case, *, now: datetime) -> int:
    """The station's people, that its person has a name; how many."""
    told = users_of(session, case.organisation_id, STATION)
    return notify(session, told, NotificationKind.CASE_IDENTIFIED, "case", case.id, now=now)


def tell_released(session: Session, case: Case, *, now: datetime) -> int:
    """The station's caseworkers, that the family may be called; how many."""
    told = users_of(session, case.organisation_id, (Role.CASEWORKER,))
    return notify(session, told, NotificationKind.CONTACT_RELEASED, "case", case.id, now=now)


def tell_recalled(session: Session, case: Case, confirmation: Confirmation, *, now: datetime) -> int:
    """Everyone who acted on a confirmation that was wrong; how many.

    The examiners on whose opinions it rested, who confirmed, who released, who read the family's details or used them
    (plans, attempts, verifications of kin, outcomes, visits), and the station's people. The addressees of notices to
    the home district are told besides.
    """
    acted: list[uuid.UUID] = [confirmation.confirmed_by_id]
    for column, condition in (
        (Review.examiner_id, Review.candidate_id == confirmation.candidate_id),
        (ContactRelease.released_by_id, ContactRelease.confirmation_id == confirmation.id),
        (ContactAttempt.recorded_by_id, ContactAttempt.confirmation_id == confirmation.id),
        (ContactPlan.made_by_id, ContactPlan.confirmation_id == confirmation.id),
        (ContactException.allowed_by_id, ContactException.confirmation_id == confirmation.id),
        (KinVerification.verified_by_id, KinVerification.confirmation_id == confirmation.id),
        (
            Outcome.recorded_by_id,
            (Outcome.case_id == case.id) & (Outcome.recorded_at >= confirmation.confirmed_at),
        ),
        (
            FollowUpVisit.recorded_by_id,
            (FollowUpVisit.case_id == case.id) & (FollowUpVisit.recorded_at >= confirmation.confirmed_at),
        ),
    ):
        acted += session.scalars(select(column).where(condition))
    acted += _readers(session, case.id, confirmation.confirmed_at)
    active = session.scalars(select(User.id).where(User.id.in_(acted), User.active).order_by(User.id)).all()
    told = [*active, *users_of(session, case.organisation_id, STATION)]
    tell_void(session, confirmation, now=now)
    return notify(session, told, NotificationKind.CONFIRMATION_RECALLED, "case", case.id, now=now)


def _readers(session: Session, case_id: uuid.UUID, since: datetime) -> list[uuid.UUID]:
    found = session.scalars(
        select(AuditEvent.actor_id).where(
            AuditEvent.object_kind == "case", AuditEvent.object_id == str(case_id),
            AuditEvent.action == "contact.read", AuditEvent.at >= since,
        )
    )  # fmt: skip
    return [one for one in found if one is not None]
