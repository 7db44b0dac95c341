"""Requests (补充要求): "a better photograph", "a DNA sample", as an examiner's answer instead of a guess.

Not an opinion: the candidate stays as it is. The station that holds the case is told what is wanted, not about whom.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.case import Case
from models.milestone import Milestone, MilestoneKind
from models.notification import NotificationKind
from models.photo import Photo
from models.review_protocol import RequestKind, ReviewRequest
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.candidates import load_candidate, seen_side
from tracing.cases import ReasonMissing, load_case, seen_case
from tracing.facts import check_text
from tracing.features import require_noted
from tracing.notifications import notify, users_of
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.review import NotInReview
from tracing.review_seeds import find_seed
from tracing.review_states import REVIEWABLE, refuse_own_case
from tracing.trail import note

KINDS: Mapping[RequestKind, NotificationKind] = MappingProxyType(
    {RequestKind.PHOTO: NotificationKind.PHOTO_WANTED, RequestKind.DNA: NotificationKind.DNA_WANTED}
)
TOLD = frozenset({Role.STATION_STAFF, Role.CASEWORKER})


class RequestEnded(errors.Conflict):
    """The request was withdrawn already."""

    slug = "request_ended"
    message = "This request has been withdrawn already. Reload the page."


@dataclass(frozen=True)
class RequestView:
    """A request and whether what it asks for has come since: a photograph, or the request for DNA to the police.

    Whom the examiner was looking at is nobody else's to know.
    """

    row: ReviewRequest
    met: bool
    mine: bool


def ask_for(
    session: Session, viewer: Viewer, candidate_id: uuid.UUID, kind: RequestKind, *, now: datetime
) -> ReviewRequest:
    """Ask the station for a better photograph or a DNA sample. Asked again while it stands, it is the same request.

    Raises ConflictOfInterest, FeaturesMissing, NotInReview, NotFound, Forbidden.
    """
    access.require(viewer, Permission.REVIEW)
    seed = find_seed(session, viewer, candidate_id)
    candidate = None
    if seed is None:
        candidate = load_candidate(session, viewer, candidate_id)
        case_id = seen_side(session, viewer, candidate).id
    else:
        case_id = seed.case_id
    case = load_case(session, viewer, case_id, lock=True)
    refuse_own_case(viewer, case)
    if case.state not in REVIEWABLE:
        raise NotInReview()
    require_noted(session, viewer, case, candidate.other_case if candidate else None)
    standing = _standing(session, case, kind)
    own = next((row for row in standing if row.examiner_id == viewer.user_id), None)
    if own is not None:
        return own
    row = ReviewRequest(
        id=uuid.uuid4(),
        case_id=case.id,
        candidate_id=candidate.id if candidate else None,
        seed_id=seed.id if seed else None,
        examiner_id=viewer.user_id,
        kind=kind,
        requested_at=now,
    )
    session.add(row)
    session.flush()
    if not standing:  # a colleague's request has told them already
        notify(session, users_of(session, case.organisation_id, TOLD), KINDS[kind], "case", case.id, now=now)
    note(session, viewer, "review.request", "candidate", candidate_id, at=now, case=case.id, kind=kind.value)
    return row


def _standing(session: Session, case: Case, kind: RequestKind) -> list[ReviewRequest]:
    rows = session.scalars(
        select(ReviewRequest).where(
            ReviewRequest.case_id == case.id, ReviewRequest.kind == kind, ReviewRequest.withdrawn_at.is_(None)
        )
    )
    answered = _answered_at(session, case, kind)
    return [row for row in rows if answered is None or answered < row.requested_at]


def _answered_at(session: Session, case: Case, kind: RequestKind) -> datetime | None:
    """When what is asked for last came."""
    if kind is RequestKind.PHOTO:
        statement = select(func.max(Photo.uploaded_at)).where(Photo.profile_id == case.profile_id)
    else:
        statement = select(func.max(Milestone.recorded_at)).where(
            Milestone.case_id == case.id,
            Milestone.kind == MilestoneKind.DNA_REQUESTED,
            Milestone.withdrawn_at.is_(None),
        )
    return session.scalar(statement)


def list_requests(
    session: Session,
    viewer: Viewer,
    case: uuid.UUID | Case,
    *,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[RequestView]:
    """What examiners asked of the case's station, newest first; withdrawn requests among them. Raises NotFound."""
    case = seen_case(session, viewer, case)
    page = page_of(
        session,
        select(ReviewRequest).where(ReviewRequest.case_id == case.id),
        ReviewRequest.requested_at,
        ReviewRequest.id,
        cursor=cursor,
        limit=limit,
    )
    answered = {kind: _answered_at(session, case, kind) for kind in RequestKind}
    note(session, viewer, "review.requests", "case", case.id, at=now, count=len(page.items))
    views = []
    for row in page.items:
        came = answered[row.kind]
        views.append(RequestView(row, came is not None and came >= row.requested_at, row.examiner_id == viewer.user_id))
    return Page(tuple(views), page.next_cursor)


def withdraw_request(
    session: Session, viewer: Viewer, request_id: uuid.UUID, *, reason: str, now: datetime
) -> ReviewRequest:
    """Take the own request back, with a reason; it stays on record. Raises ReasonMissing, RequestEnded, NotFound."""
    access.require(viewer, Permission.REVIEW)
    row: ReviewRequest = access.find(
        session,
        select(ReviewRequest)
        .where(ReviewRequest.id == request_id, ReviewRequest.examiner_id == viewer.user_id)
        .with_for_update()
        .execution_options(populate_existing=True),
    )
    load_case(session, viewer, row.case_id)
    if not reason.strip():
        raise ReasonMissing(field="reason")
    if row.withdrawn_at is not None:
        raise RequestEnded()
    row.withdrawn_at, row.withdrawal_reason = now, check_text(reason, limit=500, field="reason")
    session.flush()
    note(session, viewer, "review.request_withdraw", "case", row.case_id, at=now, request=row.id)
    return row
