"""Review (复核): the queue of an examiner, and the opinion that the examiner commits alone."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, joinedload

from models.candidate import Candidate, CandidateState
from models.case import Case, CaseState
from models.confirmation import Confirmation
from models.review import Opinion, Review
from tracing import access
from tracing.access import Permission, Viewer
from tracing.candidates import load_candidate
from tracing.facts import check_optional_text
from tracing.paging import LIMIT_MAX
from tracing.platform import errors
from tracing.profiles import with_profile
from tracing.trail import note


class ConflictOfInterest(errors.Forbidden):
    """The examiner entered the case."""

    slug = "conflict_of_interest"
    message = "You entered this case, so you cannot judge or confirm it. Another examiner has to."


class AlreadyJudged(errors.Conflict):
    """A second opinion of the same examiner."""

    slug = "already_judged"
    message = "Your opinion on this candidate is committed. Withdraw it first if you want to change it."


class NotInReview(errors.Conflict):
    """The case or the candidate no longer takes opinions."""

    slug = "not_in_review"
    message = "This candidate is not under review now. Reload the page to see what has been decided."


class ReviewInUse(errors.Conflict):
    """A confirmation rests on the opinion."""

    slug = "review_in_use"
    message = "A confirmation rests on this opinion. The supervisor has to recall the confirmation first."


REVIEWABLE = frozenset({CaseState.IN_REVIEW, CaseState.UNRESOLVED, CaseState.SETTLED, CaseState.RECALLED})


@dataclass(frozen=True)
class QueueItem:
    """A case with candidates that wait for this examiner's opinion."""

    case: Case
    waiting: int


def review_queue(session: Session, viewer: Viewer, *, now: datetime) -> list[QueueItem]:
    """Cases with candidates on which the examiner has no opinion yet, the longest waiting first."""
    access.require(viewer, Permission.REVIEW)
    mine = exists().where(
        Review.candidate_id == Candidate.id, Review.examiner_id == viewer.user_id, Review.withdrawn_at.is_(None)
    )
    waiting = (
        select(Candidate.case_id, func.count().label("waiting"))
        .where(Candidate.listed, Candidate.state.in_((CandidateState.OPEN, CandidateState.JUDGED)), ~mine)
        .group_by(Candidate.case_id)
        .subquery()
    )
    rows = session.execute(
        select(Case, waiting.c.waiting)
        .join(waiting, waiting.c.case_id == Case.id)
        .where(access.case_scope(viewer), Case.state.in_(REVIEWABLE))
        .where(Case.created_by_id != viewer.user_id, Case.submitted_by_id.is_distinct_from(viewer.user_id))
        .options(joinedload(Case.organisation), *with_profile(Case.profile))
        .order_by(Case.state_since, Case.id)
        .limit(LIMIT_MAX)
    ).all()
    note(session, viewer, "review.queue", "case", None, at=now, count=len(rows))
    return [QueueItem(case, count) for case, count in rows]


def commit_review(
    session: Session, viewer: Viewer, candidate_id: uuid.UUID, opinion: Opinion, remarks: str | None, *, now: datetime
) -> Review:
    """Commit the examiner's opinion. Raises ConflictOfInterest, AlreadyJudged, NotInReview."""
    access.require(viewer, Permission.REVIEW)
    candidate = load_candidate(session, viewer, candidate_id, lock=True)
    refuse_own_case(viewer, candidate.case)
    if candidate.case.state not in REVIEWABLE or candidate.state not in (CandidateState.OPEN, CandidateState.JUDGED):
        raise NotInReview()
    if standing_review(session, viewer, candidate.id) is not None:
        raise AlreadyJudged()
    review = Review(
        id=uuid.uuid4(),
        candidate_id=candidate.id,
        examiner_id=viewer.user_id,
        opinion=opinion,
        grade=opinion.grade,
        remarks=check_optional_text(remarks, field="remarks", limit=4000),
        committed_at=now,
    )
    session.add(review)
    candidate.state = CandidateState.JUDGED
    session.flush()
    note(
        session,
        viewer,
        "review.commit",
        "candidate",
        candidate.id,
        at=now,
        case=candidate.case_id,
        opinion=opinion.value,
    )
    return review


def withdraw_review(session: Session, viewer: Viewer, candidate_id: uuid.UUID, *, now: datetime) -> None:
    """Withdraw the examiner's own opinion; the row stays. Raises ReviewInUse, NotFound."""
    access.require(viewer, Permission.REVIEW)
    candidate = load_candidate(session, viewer, candidate_id, lock=True)
    review = standing_review(session, viewer, candidate.id)
    if review is None:
        raise errors.NotFound()
    in_use = session.scalar(
        select(Confirmation.id).where(Confirmation.candidate_id == candidate.id, Confirmation.recalled_at.is_(None))
    )
    if in_use is not None:
        raise ReviewInUse()
    review.withdrawn_at = now
    session.flush()
    note(session, viewer, "review.withdraw", "candidate", candidate.id, at=now, case=candidate.case_id)


def standing_review(session: Session, viewer: Viewer, candidate_id: uuid.UUID) -> Review | None:
    """The viewer's own committed opinion on a candidate."""
    return session.scalars(
        select(Review).where(
            Review.candidate_id == candidate_id, Review.examiner_id == viewer.user_id, Review.withdrawn_at.is_(None)
        )
    ).one_or_none()


def refuse_own_case(viewer: Viewer, case: Case) -> None:
    """Raise ConflictOfInterest when the viewer entered or submitted the case."""
    if viewer.user_id in (case.submitted_by_id, case.created_by_id):
        raise ConflictOfInterest()
