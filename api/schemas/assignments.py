"""Who has which case to judge, what examiners ask for, and how well they judge, over the wire."""

import uuid
from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Output
from models.review_protocol import AssignmentEnd, RequestKind, ReviewAssignment
from tracing.review_quality import Measure, Quality
from tracing.review_requests import RequestView


class TakenOut(Output):
    """One's own assignment."""

    id: uuid.UUID
    case_id: uuid.UUID
    assigned_at: datetime
    due_at: datetime


class AssignmentOut(TakenOut):
    """One assignment as the supervisor sees it."""

    place: int = Field(description="1 and 2 judge blind, 3 settles a disagreement.")
    examiner_id: uuid.UUID
    assigned_by_id: uuid.UUID | None = Field(description="null: the service; the examiner: taken from the queue.")
    ended_at: datetime | None
    ended_because: AssignmentEnd | None
    reason: str | None


class ReassignIn(Input):
    """Why, and to whom; without an examiner, to the next."""

    reason: Line
    examiner_id: uuid.UUID | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "on leave until Monday"}]})


class RequestIn(Input):
    """What is needed to judge."""

    kind: RequestKind

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "photo"}]})


class RequestOut(Output):
    """What an examiner asks of the station; not about whom."""

    id: uuid.UUID
    case_id: uuid.UUID
    kind: RequestKind
    requested_at: datetime
    met: bool = Field(description="A photograph, or the request for DNA to the police, has been recorded since.")
    mine: bool
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


class MeasureOut(Output):
    """`wrong` of `of` answers; `few`: so few that the share says little."""

    wrong: int
    of: int
    few: bool


class QualityOut(Output):
    """How well one examiner judges."""

    examiner_id: uuid.UUID
    examiner: str
    opinions: int
    known_non_matches: MeasureOut = Field(description="Wrong: supported as the same person.")
    later_confirmed: MeasureOut = Field(description="Opinions on whoever was confirmed later. Wrong: opposed.")
    later_rivals: MeasureOut = Field(description="Opinions on others in confirmed cases. Wrong: supported.")
    median_seconds: int | None
    expired: int = Field(description="Assignments that ran out of time.")


def taken_out(row: ReviewAssignment) -> TakenOut:
    """One's own assignment."""
    return TakenOut(id=row.id, case_id=row.case_id, assigned_at=row.assigned_at, due_at=row.due_at)


def assignment_out(row: ReviewAssignment) -> AssignmentOut:
    """An assignment for the supervisor."""
    return AssignmentOut(
        id=row.id,
        case_id=row.case_id,
        assigned_at=row.assigned_at,
        due_at=row.due_at,
        place=row.place,
        examiner_id=row.examiner_id,
        assigned_by_id=row.assigned_by_id,
        ended_at=row.ended_at,
        ended_because=row.ended_because,
        reason=row.reason,
    )


def request_out(view: RequestView) -> RequestOut:
    """A request."""
    row = view.row
    return RequestOut(
        id=row.id,
        case_id=row.case_id,
        kind=row.kind,
        requested_at=row.requested_at,
        met=view.met,
        mine=view.mine,
        withdrawn_at=row.withdrawn_at,
        withdrawal_reason=row.withdrawal_reason,
    )


def quality_out(one: Quality) -> QualityOut:
    """An examiner's results."""
    return QualityOut(
        examiner_id=one.examiner.id,
        examiner=one.examiner.display_name,
        opinions=one.opinions,
        known_non_matches=_measure(one.seeds),
        later_confirmed=_measure(one.misses),
        later_rivals=_measure(one.rivals),
        median_seconds=one.seconds,
        expired=one.expired,
    )


def _measure(one: Measure) -> MeasureOut:
    return MeasureOut(wrong=one.wrong, of=one.of, few=one.few)
