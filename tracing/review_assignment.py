"""Assignments (复核分派): two different examiners a case, of two units where there are two; a third on disagreement.

No case waits for ever: an assignment has a time, after which the case goes to whoever has let it pass least often.
`tracing.review_watch` does the rounds; an examiner may take a case from the queue, a supervisor may give it to another.
"""

import hashlib
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from models.candidate import Candidate
from models.case import Case
from models.confirmation import Confirmation
from models.notification import Notification, NotificationKind
from models.organisation import Organisation
from models.review import AGREEING_GRADE, Review
from models.review_protocol import AssignmentEnd, ReviewAssignment, ReviewSeed, SeedReview
from models.user import Role, User
from tracing import access
from tracing.access import Viewer
from tracing.notifications import notify
from tracing.review_policy import ReviewRules
from tracing.review_seeds import is_excluded
from tracing.review_states import UNDECIDED, waits_for
from tracing.trail import note

BLIND = (1, 2)
THIRD = 3


def police_of(session: Session, case: Case, roles: Collection[Role]) -> list[User]:
    """The active police accounts of these roles that see the case and did not enter it."""
    return list(
        session.scalars(
            select(User)
            .join(Organisation, Organisation.id == User.organisation_id)
            .where(access.police_serving(case.organisation), User.role.in_(roles))
            .where(User.id != case.created_by_id, User.id.is_distinct_from(case.submitted_by_id))
        )
    )


def disputed(case_id: uuid.UUID | InstrumentedAttribute[uuid.UUID]) -> tuple[ColumnElement[bool], ...]:
    """Conditions on `Candidate`: undecided ones of the case that one examiner supports and another opposes."""
    for_it, against = aliased(Review), aliased(Review)
    return (
        Candidate.case_id == case_id,
        Candidate.state.in_(UNDECIDED),
        exists().where(
            for_it.candidate_id == Candidate.id, for_it.withdrawn_at.is_(None), for_it.grade >= AGREEING_GRADE
        ),
        exists().where(
            against.candidate_id == Candidate.id, against.withdrawn_at.is_(None), against.grade <= -AGREEING_GRADE
        ),
    )


def is_disputed(session: Session, case_id: uuid.UUID) -> bool:
    """Whether examiners disagree on a candidate of the case."""
    return session.scalar(select(Candidate.id).where(*disputed(case_id)).limit(1)) is not None


def something_waits(session: Session, case_id: uuid.UUID, examiner_id: uuid.UUID, place: int) -> bool:
    """Whether the holder of a place has something left to judge: for the third, what is in dispute."""
    conditions = disputed(case_id) if place == THIRD else (Candidate.case_id == case_id,)
    if session.scalar(select(Candidate.id).where(*conditions, waits_for(examiner_id)).limit(1)) is not None:
        return True
    return place != THIRD and _seed_waits(session, case_id, examiner_id)


def _seed_waits(session: Session, case_id: uuid.UUID, examiner_id: uuid.UUID) -> bool:
    answered = exists().where(
        SeedReview.seed_id == ReviewSeed.id, SeedReview.examiner_id == examiner_id, SeedReview.withdrawn_at.is_(None)
    )
    shown = exists().where(User.id == examiner_id, User.role == Role.POLICE_EXAMINER)
    found = session.scalar(
        select(ReviewSeed.id)
        .join(Confirmation, Confirmation.id == ReviewSeed.confirmation_id)
        .where(ReviewSeed.case_id == case_id, Confirmation.recalled_at.is_(None), shown, ~answered, ~is_excluded())
        .limit(1)
    )
    return found is not None


def assignments_of(session: Session, case_id: uuid.UUID) -> list[ReviewAssignment]:
    """Every assignment of a case, oldest first."""
    return list(
        session.scalars(
            select(ReviewAssignment)
            .where(ReviewAssignment.case_id == case_id)
            .order_by(ReviewAssignment.assigned_at, ReviewAssignment.place, ReviewAssignment.id)
            .execution_options(populate_existing=True)
        )
    )


def holder(rows: Iterable[ReviewAssignment], place: int) -> ReviewAssignment | None:
    """The running assignment of a place."""
    return next((row for row in rows if row.place == place and row.ended_at is None), None)


def settled(session: Session, rows: Sequence[ReviewAssignment], place: int) -> bool:
    """Whether the place's last holder judged everything there is to judge."""
    done = [row for row in rows if row.place == place and row.ended_because is AssignmentEnd.DONE]
    return bool(done) and not something_waits(session, done[-1].case_id, done[-1].examiner_id, place)


def end(
    session: Session,
    row: ReviewAssignment,
    because: AssignmentEnd,
    *,
    by: Viewer | None = None,
    reason: str | None = None,
    now: datetime,
) -> None:
    """End an assignment; it stays on record."""
    row.ended_at, row.ended_because, row.reason = now, because, reason
    row.ended_by_id = by.user_id if by else None
    session.flush()


def settle_own(session: Session, viewer: Viewer, case_id: uuid.UUID, *, now: datetime) -> None:
    """End the viewer's running assignment of a case once nothing of it is left to judge."""
    row = session.scalars(
        select(ReviewAssignment)
        .where(
            ReviewAssignment.case_id == case_id,
            ReviewAssignment.examiner_id == viewer.user_id,
            ReviewAssignment.ended_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    if row is not None and not something_waits(session, case_id, viewer.user_id, row.place):
        end(session, row, AssignmentEnd.DONE, by=viewer, now=now)


def give(
    session: Session,
    rules: ReviewRules,
    case: Case,
    place: int,
    examiner_id: uuid.UUID,
    *,
    by: Viewer | None,
    now: datetime,
) -> ReviewAssignment:
    """Give a case to an examiner for the rules' time, and tell the examiner unless it was the own doing."""
    row = ReviewAssignment(
        id=uuid.uuid4(),
        case_id=case.id,
        place=place,
        examiner_id=examiner_id,
        assigned_at=now,
        assigned_by_id=by.user_id if by else None,
        due_at=now + timedelta(hours=rules.assignment_hours),
    )
    session.add(row)
    session.flush()
    if by is None or by.user_id != examiner_id:
        # Not that others disagree, to the third neither: the own opinion comes first.
        notify(session, [examiner_id], NotificationKind.REVIEW_WAITING, "case", case.id, now=now)
    note(session, by, "review.assign", "case", case.id, at=now, examiner=examiner_id, place=place)
    return row


def next_examiner(
    session: Session, case: Case, rows: Sequence[ReviewAssignment], place: int, *, without: Collection[uuid.UUID] = ()
) -> uuid.UUID | None:
    """Who is to have a place: of those who hold no other place of the case, whoever let it pass least often; then one
    of another unit than the other examiners; then whoever has least to do; then by lot, the same each time.
    """
    others = {
        row.examiner_id
        for row in rows
        if row.place != place and (row.ended_at is None or row.ended_because is AssignmentEnd.DONE)
    }
    if place == THIRD:
        others |= _judges(session, case.id)
    fit = [
        one
        for one in police_of(session, case, {Role.POLICE_EXAMINER})
        if one.id not in others and one.id not in without
    ]
    if not fit:
        return None
    units = set(session.scalars(select(User.organisation_id).where(User.id.in_(others))))
    passed = [row.examiner_id for row in rows if row.ended_because in (AssignmentEnd.EXPIRED, AssignmentEnd.REASSIGNED)]
    load = _load(session, [one.id for one in fit])
    chosen = min(
        fit,
        key=lambda one: (
            passed.count(one.id),
            one.organisation_id in units,
            load.get(one.id, 0),
            hashlib.sha256(case.id.bytes + one.id.bytes).digest(),
        ),
    )
    return chosen.id


def _judges(session: Session, case_id: uuid.UUID) -> set[uuid.UUID]:
    """Who has an opinion on what is in dispute."""
    return set(
        session.scalars(
            select(Review.examiner_id)
            .join(Candidate, Candidate.id == Review.candidate_id)
            .where(*disputed(case_id), Review.withdrawn_at.is_(None))
        )
    )


def _load(session: Session, examiner_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = session.execute(
        select(ReviewAssignment.examiner_id, func.count())
        .where(ReviewAssignment.examiner_id.in_(examiner_ids), ReviewAssignment.ended_at.is_(None))
        .group_by(ReviewAssignment.examiner_id)
    )
    return dict(rows.all())


def fill(session: Session, rules: ReviewRules, case: Case, place: int, *, now: datetime) -> bool:
    """See to it that a place of a locked case is held or done; whether anything was changed.

    Supervisors are told when there is nobody else to give it to.
    """
    rows = assignments_of(session, case.id)
    held = holder(rows, place)
    if held is not None and held.due_at > now:
        return False
    if held is not None:
        end(session, held, AssignmentEnd.EXPIRED, now=now)
        note(session, None, "review.expire", "case", case.id, at=now, examiner=held.examiner_id, place=place)
    elif settled(session, rows, place) or _volunteered(session, rules, case, rows, place, now):
        return False
    chosen = _again(session, case, rows, place) or next_examiner(session, case, rows, place)
    if chosen is None or (held is not None and chosen == held.examiner_id):
        _tell_supervisors(session, rules, case, place, now)
    if chosen is not None:
        give(session, rules, case, place, chosen, by=None, now=now)
    return chosen is not None or held is not None


def _again(session: Session, case: Case, rows: Sequence[ReviewAssignment], place: int) -> uuid.UUID | None:
    """Candidates that came later go to whoever judged the earlier ones, unless that examiner has let it pass since."""
    mine = [row for row in rows if row.place == place]
    if not mine or mine[-1].ended_because is not AssignmentEnd.DONE:
        return None
    held = {row.examiner_id for row in rows if row.ended_at is None}
    fit = {one.id for one in police_of(session, case, {Role.POLICE_EXAMINER})} - held
    return mine[-1].examiner_id if mine[-1].examiner_id in fit else None


def _volunteered(
    session: Session, rules: ReviewRules, case: Case, rows: Sequence[ReviewAssignment], place: int, now: datetime
) -> bool:
    """Whether somebody to whom the case was not given has judged all of it: then the place is theirs, and done."""
    known = {row.examiner_id for row in rows if row.ended_at is None or row.ended_because is AssignmentEnd.DONE}
    judges = session.scalars(
        select(Review.examiner_id)
        .join(Candidate, Candidate.id == Review.candidate_id)
        .where(Candidate.case_id == case.id, Candidate.state.in_(UNDECIDED), Review.withdrawn_at.is_(None))
        .order_by(Review.committed_at, Review.id)
    )
    fit = {one.id for one in police_of(session, case, access.POLICE)} - known
    for examiner_id in dict.fromkeys(judges):
        if place != THIRD and examiner_id in fit and not something_waits(session, case.id, examiner_id, place):
            row = ReviewAssignment(
                id=uuid.uuid4(), case_id=case.id, place=place, examiner_id=examiner_id, assigned_at=now,
                assigned_by_id=examiner_id, due_at=now + timedelta(hours=rules.assignment_hours),
                ended_at=now, ended_because=AssignmentEnd.DONE, ended_by_id=examiner_id,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return True
    return False


def _tell_supervisors(session: Session, rules: ReviewRules, case: Case, place: int, now: datetime) -> None:
    """Once in the time that an assignment has."""
    kind = NotificationKind.REVIEW_DISAGREEMENT if place == THIRD else NotificationKind.REVIEW_WAITING
    supervisors = {one.id for one in police_of(session, case, {Role.POLICE_SUPERVISOR})}
    told = set(
        session.scalars(
            select(Notification.recipient_id).where(
                Notification.kind == kind,
                Notification.object_id == case.id,
                Notification.created_at > now - timedelta(hours=rules.assignment_hours),
            )
        )
    )
    notify(session, sorted(supervisors - told), kind, "case", case.id, now=now)
