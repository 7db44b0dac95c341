"""What waits for an opinion (待复核), and who may not give one: states of cases, candidates without it, own cases."""

import uuid

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import InstrumentedAttribute

from models.candidate import Candidate, CandidateState
from models.case import Case, CaseState
from models.review import Review
from tracing.access import Viewer
from tracing.platform import errors

REVIEWABLE = frozenset({CaseState.IN_REVIEW, CaseState.UNRESOLVED, CaseState.SETTLED, CaseState.RECALLED})
UNDECIDED = (CandidateState.OPEN, CandidateState.JUDGED)


class ConflictOfInterest(errors.Forbidden):
    """The examiner entered the case."""

    slug = "conflict_of_interest"
    message = "You entered this case, so you cannot judge or confirm it. Another examiner has to."


def refuse_own_case(viewer: Viewer, case: Case) -> None:
    """Raise ConflictOfInterest when the viewer entered or submitted the case."""
    if viewer.user_id in (case.submitted_by_id, case.created_by_id):
        raise ConflictOfInterest()


def waits_for(examiner_id: uuid.UUID | InstrumentedAttribute[uuid.UUID]) -> ColumnElement[bool]:
    """Condition on `Candidate`: listed, undecided, and without a standing opinion of this examiner."""
    own = (
        exists()
        .where(Review.candidate_id == Candidate.id, Review.examiner_id == examiner_id, Review.withdrawn_at.is_(None))
        .correlate_except(Review)  # the examiner may be that of a row two levels up
    )
    return Candidate.listed & Candidate.state.in_(UNDECIDED) & ~own
