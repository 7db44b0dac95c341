"""Contact (联系家属): releasing the family's details, reading them, recording each attempt to reach the family."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import CONTACT_OPEN, TRANSITIONS, Case, CaseState
from models.confirmation import Confirmation
from models.contact import (
    LOCAL_CHANNELS,
    ContactAttempt,
    ContactChannel,
    ContactException,
    ContactRelease,
    ContactResult,
    DangerScreen,
    PersonWish,
)
from models.profile import Profile
from models.report import Report
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import check_reason, load_case
from tracing.claim_gate import refuse_conflicting
from tracing.confirmation import standing_confirmation
from tracing.confirmation_news import tell_released
from tracing.fact_errors import DateInFuture
from tracing.facts import check_optional_text
from tracing.home_notices import route_refusal
from tracing.platform import errors
from tracing.reports import FamilyContact, contact_purpose
from tracing.screenings import DangerSuspected, PersonObjects, refuse_stopped
from tracing.services import Services
from tracing.trail import note
from tracing.transitions import illegal_move, move


class NotConfirmed(errors.Conflict):
    """A release without a confirmation."""

    slug = "not_confirmed"
    message = "The identity is not confirmed. Contact can be released only after the police have confirmed it."


class ContactSealed(errors.Forbidden):
    """Reading or using the family's details before their release."""

    slug = "contact_sealed"
    message = "The family's details are sealed until the police have confirmed the identity and released contact."


class LocalFirst(errors.Conflict):
    """A first attempt that goes neither through the local police nor through the village committee."""

    slug = "local_first"
    message = (
        "The first attempt goes through the local police or the village committee: families take a stranger's call for "
        "fraud. Otherwise ask the police supervisor for an exception."
    )


def release_contact(
    session: Session, viewer: Viewer, case_id: uuid.UUID, wish: PersonWish, danger: DangerScreen, *, now: datetime
) -> ContactRelease:
    """Open the family's details to the caseworkers of the case's station.

    Raises NotConfirmed, PersonObjects, DangerSuspected, ClaimsConflict, IllegalMove. The refusal by wish or danger is
    logged by the caller's problem handler like every refusal. The database refuses the same by triggers.
    """
    access.require(viewer, Permission.RELEASE)
    case = load_case(session, viewer, case_id, lock=True)
    confirmation = standing_confirmation(session, case.id)
    if confirmation is None:
        raise NotConfirmed()
    if CaseState.CONTACT_RELEASED not in TRANSITIONS[case.state]:
        raise illegal_move(case.state, CaseState.CONTACT_RELEASED)
    if wish is PersonWish.OBJECTS:
        raise PersonObjects(field="wish")
    if danger is DangerScreen.SUSPECTED:
        raise DangerSuspected(field="danger")
    refuse_stopped(session, case.id)
    refuse_conflicting(session, case.id, confirmation.candidate_id)
    release = ContactRelease(
        id=uuid.uuid4(),
        case_id=case.id,
        confirmation_id=confirmation.id,
        wish=wish,
        danger=danger,
        released_by_id=viewer.user_id,
        released_at=now,
    )
    session.add(release)
    session.flush()  # before the move: the trigger on the case's state looks for the release
    move(session, case, CaseState.CONTACT_RELEASED, viewer, now=now)
    session.flush()
    note(session, viewer, "contact.release", "case", case.id, at=now, confirmation=confirmation.id, wish=wish.value)
    tell_released(session, case, now=now)
    return release


def read_family_contact(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime
) -> FamilyContact:
    """The family's details, opened for a caseworker of the case's station; every reading is logged.

    Raises ContactSealed before the release, and again from the moment of a recall; PersonObjects or DangerSuspected
    from the moment at which that was recorded.
    """
    access.require(viewer, Permission.CONTACT)
    case = load_case(session, viewer, case_id)
    report, subject_id = released_report(session, case)
    refuse_stopped(session, case.id)
    note(session, viewer, "contact.read", "case", case.id, at=now, report=report.id)
    if report.family_contact_sealed is None:
        raise errors.NotFound()
    opened: dict[str, Any] = services.vault.open_json(
        session, subject_id, contact_purpose(report.id), report.family_contact_sealed
    )
    return FamilyContact(**opened)


def released_report(session: Session, case: Case) -> tuple[Report, uuid.UUID]:
    """The report behind a standing, released confirmation, and its person's id. Raises ContactSealed."""
    row = session.execute(
        select(Report, Profile.subject_id)
        .join(Profile, Profile.id == Report.profile_id)
        .join(Confirmation, Confirmation.report_id == Report.id)
        .join(ContactRelease, ContactRelease.confirmation_id == Confirmation.id)
        .where(Confirmation.case_id == case.id, Confirmation.recalled_at.is_(None))
    ).one_or_none()
    if row is None or case.state not in CONTACT_OPEN:
        raise ContactSealed()
    report, subject_id = row
    return report, subject_id


def record_attempt(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    channel: ContactChannel,
    result: ContactResult,
    *,
    note_text: str | None,
    attempted_at: datetime,
    now: datetime,
) -> ContactAttempt:
    """Record one attempt; the first that reaches the family moves the case on, a refusal is told to the home district.

    Raises ContactSealed, PersonObjects, DangerSuspected, ClaimsConflict, LocalFirst, DateInFuture.
    """
    access.require(viewer, Permission.CONTACT)
    case = load_case(session, viewer, case_id, lock=True)
    report, subject_id = released_report(session, case)
    refuse_stopped(session, case.id)
    confirmation = _released_confirmation(session, case)
    refuse_conflicting(session, case.id, confirmation.candidate_id)
    _refuse_stranger(session, confirmation.id, channel)
    if attempted_at > now + timedelta(minutes=5):  # clocks of two machines may differ a little
        raise DateInFuture(field="attempted_at")
    identity = uuid.uuid4()
    text = check_optional_text(note_text, field="note", limit=4000)
    attempt = ContactAttempt(
        id=identity,
        case_id=case.id,
        confirmation_id=confirmation.id,
        channel=channel,
        result=result,
        note_sealed=services.vault.seal(session, subject_id, f"attempt:{identity}", text.encode()) if text else None,
        attempted_at=attempted_at,
        recorded_by_id=viewer.user_id,
        recorded_at=now,
    )
    session.add(attempt)
    if result is ContactResult.REACHED and case.state is CaseState.CONTACT_RELEASED:
        move(session, case, CaseState.FAMILY_CONTACTED, viewer, now=now)
    session.flush()
    note(
        session, viewer, "contact.attempt", "case", case.id, at=now,
        report=report.id, channel=channel.value, result=result.value,
    )  # fmt: skip
    if result is ContactResult.REFUSED:
        route_refusal(session, services, viewer, case, report, attempt, now=now)
    return attempt


def _released_confirmation(session: Session, case: Case) -> Confirmation:
    confirmation = standing_confirmation(session, case.id)
    if confirmation is None:
        raise ContactSealed()
    return confirmation


def _refuse_stranger(session: Session, confirmation_id: uuid.UUID, channel: ContactChannel) -> None:
    """Raise LocalFirst unless the channel is local, a local one was tried before, or an exception is allowed."""
    if channel in LOCAL_CHANNELS:
        return
    tried = select(ContactAttempt.id).where(
        ContactAttempt.confirmation_id == confirmation_id, ContactAttempt.channel.in_(LOCAL_CHANNELS)
    )
    allowed = select(ContactException.id).where(ContactException.confirmation_id == confirmation_id)
    if session.scalar(tried.limit(1)) is None and session.scalar(allowed.limit(1)) is None:
        raise LocalFirst(field="channel")


def allow_exception(
    session: Session, viewer: Viewer, case_id: uuid.UUID, *, reason: str, now: datetime
) -> ContactException:
    """Let the first attempt go another way, with the reason; for police supervisors, while contact is released.

    Raises Forbidden, NotFound, ContactSealed, ReasonMissing.
    """
    access.require(viewer, Permission.CONTACT_EXCEPTION)
    case = load_case(session, viewer, case_id, lock=True)
    released_report(session, case)
    reason = check_reason(reason)
    exception = ContactException(
        id=uuid.uuid4(),
        case_id=case.id,
        confirmation_id=_released_confirmation(session, case).id,
        reason=reason,
        allowed_by_id=viewer.user_id,
        allowed_at=now,
    )
    session.add(exception)
    session.flush()
    note(session, viewer, "contact.except", "case", case.id, at=now, exception=exception.id)
    return exception


def list_attempts(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime
) -> list[tuple[ContactAttempt, str | None]]:
    """Attempts with their notes opened, oldest first, while contact is released; nothing before. Logged."""
    access.require(viewer, Permission.CONTACT)
    case = load_case(session, viewer, case_id)
    if case.state not in CONTACT_OPEN:
        return []
    _report, subject_id = released_report(session, case)
    attempts = session.scalars(
        select(ContactAttempt).where(ContactAttempt.case_id == case.id).order_by(ContactAttempt.attempted_at)
    ).all()
    note(session, viewer, "contact.list", "case", case.id, at=now, count=len(attempts))
    return [
        (
            attempt,
            services.vault.open(session, subject_id, f"attempt:{attempt.id}", attempt.note_sealed).decode()
            if attempt.note_sealed
            else None,
        )
        for attempt in attempts
    ]
