"""Milestones (办理节点): recording dated facts of a case's way, and withdrawing a mistaken one."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.milestone import Milestone, MilestoneKind
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import check_reason, load_case
from tracing.deadline_plan import refresh
from tracing.fact_errors import DateInFuture, DateTooEarly
from tracing.facts import LONGEST_LIFE_YEARS, check_optional_text
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note

CLOCKS_APART = timedelta(minutes=5)
"""How far the clocks of two machines may differ."""


class MilestoneWithdrawn(errors.Conflict):
    """A milestone that is withdrawn already."""

    slug = "milestone_withdrawn"
    message = "This entry has been withdrawn already. Reload the page."


def check_moment(moment: datetime, *, now: datetime, field: str) -> None:
    """Raise DateInFuture or DateTooEarly."""
    if moment > now + CLOCKS_APART:
        raise DateInFuture(field=field)
    if moment < now - timedelta(days=366 * LONGEST_LIFE_YEARS):
        raise DateTooEarly(field=field)


def record_milestone(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    kind: MilestoneKind,
    *,
    occurred_at: datetime,
    reference: str | None = None,
    note_text: str | None = None,
    now: datetime,
) -> Milestone:
    """Record what was done; the clocks that it starts and meets follow in the same transaction.

    Raises Forbidden, NotFound, DateInFuture, DateTooEarly, TextTooLong.
    """
    access.require(viewer, Permission.MILESTONE)
    case = load_case(session, viewer, case_id, lock=True)
    return add_milestone(
        session, services, viewer, case, kind,
        occurred_at=occurred_at, reference=reference, note_text=note_text, now=now,
    )  # fmt: skip


def add_milestone(
    session: Session,
    services: Services,
    viewer: Viewer,
    case: Case,
    kind: MilestoneKind,
    *,
    occurred_at: datetime,
    reference: str | None = None,
    note_text: str | None = None,
    now: datetime,
) -> Milestone:
    """`record_milestone` for a use case whose own effect the milestone is; it has locked the case and asked who may."""
    check_moment(occurred_at, now=now, field="occurred_at")
    milestone = Milestone(
        id=uuid.uuid4(),
        case_id=case.id,
        kind=kind,
        occurred_at=occurred_at,
        reference=check_optional_text(reference, field="reference"),
        note=check_optional_text(note_text, field="note", limit=4000),
        recorded_by_id=viewer.user_id,
        recorded_at=now,
    )
    session.add(milestone)
    session.flush()
    note(session, viewer, "milestone.record", "case", case.id, at=now, milestone=milestone.id, kind=kind.value)
    refresh(session, services, case.id, now=now)
    return milestone


def withdraw_milestone(
    session: Session, services: Services, viewer: Viewer, milestone_id: uuid.UUID, *, reason: str, now: datetime
) -> Milestone:
    """Take a mistaken entry back; it stays on record, and the clocks run as if it had not been made.

    Raises Forbidden, NotFound, ReasonMissing, MilestoneWithdrawn.
    """
    access.require(viewer, Permission.MILESTONE)
    milestone = session.get(Milestone, milestone_id)
    if milestone is None:
        raise errors.NotFound()
    case = load_case(session, viewer, milestone.case_id, lock=True)
    session.refresh(milestone)
    reason = check_reason(reason)
    if milestone.withdrawn_at is not None:
        raise MilestoneWithdrawn()
    milestone.withdrawal_reason = reason
    milestone.withdrawn_at, milestone.withdrawn_by_id = now, viewer.user_id
    session.flush()
    note(session, viewer, "milestone.withdraw", "case", case.id, at=now, milestone=milestone.id)
    refresh(session, services, case.id, now=now)
    return milestone


def list_milestones(session: Session, case_id: uuid.UUID) -> list[Milestone]:
    """Milestones of a case that the caller has already been allowed to see, newest first, withdrawn ones among them."""
    return list(
        session.scalars(
            select(Milestone).where(Milestone.case_id == case_id).order_by(Milestone.occurred_at.desc(), Milestone.id)
        )
    )
