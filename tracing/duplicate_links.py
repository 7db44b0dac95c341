"""Links of duplicates (关联) as others ask for them, and what a link does while it stands.

A confirmation on one of two linked reports closes the other's candidates for other cases, with the closure as reason:
the person is found. Cases that were admitted later stay open, for the person may have wandered again.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, aliased

from models.candidate import Candidate, CandidateState
from models.case import Case
from models.confirmation import Confirmation
from models.duplicate import DuplicateClosure, DuplicateDecision, DuplicatePair, DuplicateVerdict
from models.notification import NotificationKind
from models.report import Report, ReportState
from models.review import Review
from models.user import Role
from tracing.notifications import notify, users_of
from tracing.platform import errors
from tracing.trail import note

OPEN = (CandidateState.OPEN, CandidateState.JUDGED)
REPORTERS = frozenset({Role.STATION_STAFF, Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR})


class LinkedConfirmed(errors.Conflict):
    """A confirmation of a candidate that a link has closed."""

    slug = "linked_confirmed"
    message = (
        "This report is linked with another one of the same person, who was confirmed for another case. Unlink the two"
        " reports, or have that confirmation recalled, before confirming this one."
    )


def standing_links() -> ColumnElement[bool]:
    """Condition on `DuplicateDecision`: a human says that the two are one person."""
    return (DuplicateDecision.verdict == DuplicateVerdict.SAME) & DuplicateDecision.withdrawn_at.is_(None)


def _of_report(report_id: uuid.UUID) -> ColumnElement[bool]:
    return or_(DuplicatePair.first_report_id == report_id, DuplicatePair.second_report_id == report_id)


def linked_reports(session: Session, report_id: uuid.UUID) -> list[uuid.UUID]:
    """Reports that a human has linked with this one."""
    return list(_links_of(session, report_id))


def _links_of(session: Session, report_id: uuid.UUID) -> dict[uuid.UUID, DuplicateDecision]:
    """The other report and the decision of each standing link."""
    rows = session.execute(
        select(DuplicatePair, DuplicateDecision)
        .join(DuplicateDecision, DuplicateDecision.pair_id == DuplicatePair.id)
        .where(_of_report(report_id), standing_links())
        .order_by(DuplicatePair.id)
    )
    return {pair.second_id if pair.first_id == report_id else pair.first_id: link for pair, link in rows}


def hold_links(session: Session, report_id: uuid.UUID) -> None:
    """Hold the links of a report that the caller holds, before any candidate: two who decide on linked reports wait for
    each other, and do not deadlock.
    """
    session.scalars(
        select(DuplicatePair.id).where(_of_report(report_id)).order_by(DuplicatePair.id).with_for_update()
    ).all()


def closed_by_link(session: Session, candidate_id: uuid.UUID) -> bool:
    """Whether a link keeps the candidate closed."""
    closed = select(DuplicateClosure.id).where(
        DuplicateClosure.candidate_id == candidate_id, DuplicateClosure.reopened_at.is_(None)
    )
    return session.scalar(closed.limit(1)) is not None


def refuse_linked(session: Session, candidate_id: uuid.UUID) -> None:
    """Raise LinkedConfirmed when a link has closed the candidate."""
    if closed_by_link(session, candidate_id):
        raise LinkedConfirmed(field="candidate_id")


def close_found(session: Session, reports: Iterable[uuid.UUID], *, now: datetime) -> int:
    """Close the candidates of these reports whose person was confirmed by a linked report; how many."""
    closed = 0
    for report_id in sorted(reports):
        for other_id, link in _links_of(session, report_id).items():
            confirmation = session.scalars(
                select(Confirmation).where(Confirmation.report_id == other_id, Confirmation.recalled_at.is_(None))
            ).one_or_none()
            if confirmation is not None:
                closed += _close(session, report_id, link, confirmation, now)
    return closed


def _close(
    session: Session, report_id: uuid.UUID, link: DuplicateDecision, confirmation: Confirmation, now: datetime
) -> int:
    open_ones = (
        select(Candidate)
        .join(Case, Case.id == Candidate.case_id)
        .where(
            Candidate.report_id == report_id,
            Candidate.case_id != confirmation.case_id,
            Candidate.state.in_(OPEN),
            Case.created_at <= confirmation.confirmed_at,
        )
        .order_by(Candidate.id)
        .with_for_update(of=Candidate)
    )
    candidates = session.scalars(open_ones).all()
    for candidate in candidates:
        candidate.state = CandidateState.CLOSED
        session.add(
            DuplicateClosure(
                id=uuid.uuid4(), candidate_id=candidate.id, decision_id=link.id, confirmation_id=confirmation.id,
                closed_at=now,
            )
        )  # fmt: skip
    session.flush()
    if candidates:
        note(
            session, None, "duplicate.close", "report", report_id, at=now,
            decision=link.id, confirmation=confirmation.id, count=len(candidates),
        )  # fmt: skip
    return len(candidates)


def close_linked(session: Session, confirmation: Confirmation, *, now: datetime) -> None:
    """A report was confirmed: close what stands of those linked with it, and tell who registered them."""
    linked = linked_reports(session, confirmation.report_id)
    close_found(session, linked, now=now)
    rows = session.execute(
        select(Report.id, Report.organisation_id).where(Report.id.in_(linked), Report.state == ReportState.OPEN)
    ).all()
    for report_id, organisation_id in rows:
        recipients = users_of(session, organisation_id, REPORTERS)
        notify(session, recipients, NotificationKind.CASE_IDENTIFIED, "report", report_id, now=now)


def lift_of_confirmation(session: Session, confirmation: Confirmation, *, now: datetime) -> None:
    """A confirmation was recalled: open again what it had closed through links, and keep closed what others close."""
    _lift(session, _closures().where(DuplicateClosure.confirmation_id == confirmation.id), now)
    other = aliased(DuplicateClosure)
    reopened = session.scalars(
        select(Candidate)
        .join(other, other.candidate_id == Candidate.id)
        .where(other.reopened_at.is_(None), Candidate.state.in_(OPEN))
        .where(or_(Candidate.case_id == confirmation.case_id, Candidate.report_id == confirmation.report_id))
        .order_by(Candidate.id)
        .with_for_update(of=Candidate)
    )
    for candidate in reopened.all():
        candidate.state = CandidateState.CLOSED
    session.flush()


def lift_of_link(session: Session, link: DuplicateDecision, *, now: datetime) -> None:
    """Two reports were unlinked: open again what only the link had closed."""
    _lift(session, _closures().where(DuplicateClosure.decision_id == link.id), now)


def _closures() -> Select[DuplicateClosure]:
    return select(DuplicateClosure).where(DuplicateClosure.reopened_at.is_(None)).order_by(DuplicateClosure.id)


def _lift(session: Session, statement: Select[DuplicateClosure], now: datetime) -> None:
    closures = session.scalars(statement).all()
    for closure in closures:
        closure.reopened_at = now
    session.flush()
    candidates = session.scalars(
        select(Candidate)
        .where(Candidate.id.in_([one.candidate_id for one in closures]), Candidate.state == CandidateState.CLOSED)
        .order_by(Candidate.id)
        .with_for_update(of=Candidate)
        .execution_options(populate_existing=True)
    ).all()
    for candidate in candidates:
        if not _taken(session, candidate):
            judged = (
                select(Review.id).where(Review.candidate_id == candidate.id, Review.withdrawn_at.is_(None)).limit(1)
            )
            candidate.state = CandidateState.JUDGED if session.scalar(judged) else CandidateState.OPEN
    session.flush()
    # Another link may say the same.
    close_found(session, {one.report_id for one in candidates if one.report_id}, now=now)
    for closure in closures:
        note(session, None, "duplicate.reopen", "candidate", closure.candidate_id, at=now, decision=closure.decision_id)


def _taken(session: Session, candidate: Candidate) -> bool:
    """Whether a confirmation of its case or of its report closes the candidate anyway."""
    standing = select(Confirmation.id).where(
        Confirmation.recalled_at.is_(None),
        or_(Confirmation.case_id == candidate.case_id, Confirmation.report_id == candidate.report_id),
    )
    return session.scalar(standing.limit(1)) is not None
