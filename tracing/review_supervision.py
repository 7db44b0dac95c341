"""What a police supervisor sees and does about assignments (复核分派督导): who has a case, and giving it to another."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.case import Case
from models.review_protocol import AssignmentEnd, ReviewAssignment
from models.user import User
from tracing import access
from tracing.access import POLICE, Permission, Viewer
from tracing.cases import ReasonMissing, load_case
from tracing.facts import check_text
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.review_assignment import assignments_of, end, give, next_examiner, police_of
from tracing.review_states import REVIEWABLE
from tracing.services import Services
from tracing.trail import note


class AssignmentEnded(errors.Conflict):
    """The assignment is over."""

    slug = "assignment_ended"
    message = "This assignment is over. Reload the page to see who has the case now."


class ExaminerUnfit(errors.Invalid):
    """Somebody who cannot judge this case."""

    slug = "examiner_unfit"
    message = (
        "This person cannot judge the case: the account is closed, of another jurisdiction, has the case already, "
        "or entered it. Choose another examiner."
    )


class NobodyLeft(errors.Conflict):
    """There is no other examiner."""

    slug = "nobody_left"
    message = "There is no other examiner for this case. Name somebody, yourself for example, or let it stand."


def list_assignments(
    session: Session, viewer: Viewer, case_id: uuid.UUID, *, cursor: str | None = None, limit: int = 50, now: datetime
) -> Page[ReviewAssignment]:
    """Every assignment of a case with its examiner, newest first. For the supervisor. Raises NotFound, Forbidden."""
    access.require(viewer, Permission.REVIEW_MANAGE)
    case = load_case(session, viewer, case_id)
    page = page_of(
        session,
        select(ReviewAssignment)
        .where(ReviewAssignment.case_id == case.id)
        .options(joinedload(ReviewAssignment.examiner)),
        ReviewAssignment.assigned_at,
        ReviewAssignment.id,
        cursor=cursor,
        limit=limit,
    )
    note(session, viewer, "review.assignments", "case", case.id, at=now, count=len(page.items))
    return page


def reassign(
    session: Session,
    services: Services,
    viewer: Viewer,
    assignment_id: uuid.UUID,
    *,
    examiner_id: uuid.UUID | None,
    reason: str,
    now: datetime,
) -> ReviewAssignment:
    """Give a case to somebody else, with a reason: to the examiner named, else to the next. Both rows stay on record.

    Raises ReasonMissing, AssignmentEnded, ExaminerUnfit, NobodyLeft, NotFound, Forbidden.
    """
    access.require(viewer, Permission.REVIEW_MANAGE)
    case_id = session.scalar(select(ReviewAssignment.case_id).where(ReviewAssignment.id == assignment_id))
    if case_id is None:
        raise errors.NotFound()
    case = load_case(session, viewer, case_id, lock=True)
    if not reason.strip():
        raise ReasonMissing(field="reason")
    rows = assignments_of(session, case.id)
    row = next(one for one in rows if one.id == assignment_id)
    if row.ended_at is not None or case.state not in REVIEWABLE:
        raise AssignmentEnded()
    chosen = _chosen(session, case, rows, row, examiner_id)
    text = check_text(reason, limit=500, field="reason")
    end(session, row, AssignmentEnd.REASSIGNED, by=viewer, reason=text, now=now)
    note(session, viewer, "review.reassign", "case", case.id, at=now, examiner=row.examiner_id, place=row.place)
    return give(session, services.review_rules, case, row.place, chosen, by=viewer, now=now)


def _chosen(
    session: Session,
    case: Case,
    rows: Sequence[ReviewAssignment],
    row: ReviewAssignment,
    examiner_id: uuid.UUID | None,
) -> uuid.UUID:
    if examiner_id is None:
        found = next_examiner(session, case, rows, row.place, without={row.examiner_id})
        if found is None:
            raise NobodyLeft()
        return found
    if examiner_id not in {one.id for one in _fit(session, case, rows, row)}:
        raise ExaminerUnfit(field="examiner_id")
    return examiner_id


def _fit(session: Session, case: Case, rows: Sequence[ReviewAssignment], row: ReviewAssignment) -> list[User]:
    """The police who could have an assignment's place: of the case's jurisdiction, and in no other place of it."""
    others = {
        one.examiner_id
        for one in rows
        if one.ended_at is None or (one.place != row.place and one.ended_because is AssignmentEnd.DONE)
    }
    return [one for one in police_of(session, case, POLICE) if one.id not in others]


def could_take_over(session: Session, viewer: Viewer, case_id: uuid.UUID) -> dict[uuid.UUID, list[User]]:
    """Who could have each running assignment of a case instead, by name. Raises NotFound, Forbidden."""
    access.require(viewer, Permission.REVIEW_MANAGE)
    case = load_case(session, viewer, case_id)
    rows = assignments_of(session, case.id)
    return {
        row.id: sorted(_fit(session, case, rows, row), key=lambda one: one.display_name)
        for row in rows
        if row.ended_at is None
    }
