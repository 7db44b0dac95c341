"""The queue (复核队列): cases that wait for this examiner, the most urgent first, and taking one from it.

Urgency is a sum of coarse points: the band of the next deadline, a person who is a minor, old or ill, and a little for
a strong candidate. What the examiner is shown names the clock's band and the person's need alone; strength is worth the
least, so that it only puts in order what they leave equal.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, exists, func, or_, select, true
from sqlalchemy.orm import Session, joinedload

from matcher.fusion import SCALE, strength
from matcher.vocabulary import AttributeKind
from models.candidate import Candidate
from models.case import Case
from models.deadline import ClockNature, Deadline
from models.profile import ProfileAttribute
from models.review_protocol import AssignmentEnd, FeatureNote, ReviewAssignment, ReviewSeed
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import load_case
from tracing.paging import LIMIT_MAX, BadCursor, Page
from tracing.platform import errors
from tracing.profiles import with_profile
from tracing.review_assignment import BLIND, assignments_of, end, give, holder, settled, something_waits
from tracing.review_policy import ReviewRules
from tracing.review_seeds import waiting_seeds
from tracing.review_states import REVIEWABLE, refuse_own_case, waits_for
from tracing.services import Services
from tracing.trail import note

QUEUE_MAX = 1000
"""Cases that are put in order at once, the longest waiting ones."""


class NothingToJudge(errors.Conflict):
    """A case without a candidate that waits for this examiner is taken."""

    slug = "nothing_to_judge"
    message = "No candidate of this case waits for your opinion. Take another case from the queue."


class PlacesTaken(errors.Conflict):
    """Both places of a case are held by examiners whose time has not run out."""

    slug = "places_taken"
    message = "Two examiners have this case already. Take another one, or ask your supervisor to give it to you."


class ClockBand(StrEnum):
    """How near the case's next deadline is (时限紧急程度)."""

    OVERDUE = "overdue"  # 已超期
    SOON = "soon"  # 即将到期
    NEAR = "near"  # 临近
    LATER = "later"  # 尚早


class Need(StrEnum):
    """Why a person is in special need of haste (特殊困难)."""

    MINOR = "minor"  # 未成年人
    ELDER = "elder"  # 老年人
    ILL = "ill"  # 患病


@dataclass(frozen=True)
class QueueItem:
    """A case with candidates that wait for this examiner's opinion.

    `waiting`: how many; None to an examiner who has yet to note the person's features, for the list is made then.
    `due_at`: when the case's next deadline is that somebody has to act by; None for none. `assigned_until`: the case
    was given to this examiner, until then; None when anybody may take it.
    """

    case: Case
    waiting: int | None
    clock: ClockBand
    due_at: datetime | None
    needs: tuple[Need, ...]
    assigned_until: datetime | None


def review_queue(
    session: Session, services: Services, viewer: Viewer, *, cursor: str | None = None, limit: int = LIMIT_MAX,
    now: datetime,
) -> Page[QueueItem]:  # fmt: skip
    """Cases on which the examiner has opinions to give: those given to the examiner first, each part by urgency."""
    access.require(viewer, Permission.REVIEW)
    rules = services.review_rules
    waiting = sorted(
        _waiting(session, viewer),
        key=lambda row: (row.assigned_until is None, -_points(rules, row, now), row.state_since, row.id),
    )
    shown, next_cursor = _page(waiting, cursor, limit)
    cases = {
        case.id: case
        for case in session.scalars(
            select(Case)
            .where(Case.id.in_([row.id for row in shown]))
            .options(joinedload(Case.organisation), *with_profile(Case.profile))
        )
    }
    items = tuple(
        QueueItem(
            cases[row.id], row.candidates + row.seeds if row.open else None, clock_band(rules, row.due_at, now),
            row.due_at, needs_of(rules, row, now), row.assigned_until,
        )
        for row in shown
    )  # fmt: skip
    note(session, viewer, "review.queue", "case", None, at=now, count=len(items))
    return Page(items, next_cursor)


def _waiting(session: Session, viewer: Viewer) -> Sequence[Row[Any]]:
    """The longest waiting cases with what their order is made of. A case of which a seed alone is left is among them:
    it must not leave the queue before the seed is judged.

    `open`: whether this viewer may see the case's list.
    """
    candidates = select(Candidate.id).where(Candidate.case_id == Case.id, waits_for(viewer.user_id)).correlate(Case)
    seeds = waiting_seeds(viewer).where(ReviewSeed.case_id == Case.id).correlate(Case)
    waiting = (
        select(Case.id, Case.state_since, Case.profile_id)
        .where(access.case_scope(viewer), Case.state.in_(REVIEWABLE), or_(candidates.exists(), seeds.exists()))
        .where(Case.created_by_id != viewer.user_id, Case.submitted_by_id.is_distinct_from(viewer.user_id))
        .order_by(Case.state_since, Case.id)
        .limit(QUEUE_MAX)
        .cte("waiting")
    )
    of = waiting.c.id
    noted = exists().where(FeatureNote.case_id == of, FeatureNote.examiner_id == viewer.user_id)
    columns: dict[str, Select[Any]] = {
        "candidates": select(func.count()).where(Candidate.case_id == of, waits_for(viewer.user_id)),
        "seeds": waiting_seeds(viewer).where(ReviewSeed.case_id == of).with_only_columns(func.count()),
        "strongest": select(func.max(Candidate.log10_lr)).where(Candidate.case_id == of, Candidate.listed),
        "due_at": select(func.min(Deadline.due_at)).where(
            Deadline.case_id == of, Deadline.nature == ClockNature.ACT_BY,
            Deadline.met_at.is_(None), Deadline.cancelled_at.is_(None), Deadline.paused_since.is_(None),
        ),
        "assigned_until": select(ReviewAssignment.due_at).where(
            ReviewAssignment.case_id == of,
            ReviewAssignment.examiner_id == viewer.user_id, ReviewAssignment.ended_at.is_(None),
        ),
    }  # fmt: skip
    for name, kind in (("age", AttributeKind.AGE), ("born", AttributeKind.BIRTH_DATE), ("ill", AttributeKind.HEALTH)):
        columns[name] = select(ProfileAttribute.value).where(
            ProfileAttribute.profile_id == waiting.c.profile_id,
            ProfileAttribute.kind == kind, ProfileAttribute.superseded_at.is_(None),
        )  # fmt: skip
    named = [column.scalar_subquery().label(name) for name, column in columns.items()]
    is_open = noted if access.examines(viewer) else true()
    return session.execute(select(of, waiting.c.state_since, is_open.label("open"), *named)).all()


def clock_band(rules: ReviewRules, due_at: datetime | None, now: datetime) -> ClockBand:
    """The band of the case's next deadline that somebody has to act by."""
    if due_at is None:
        return ClockBand.LATER
    if due_at < now:
        return ClockBand.OVERDUE
    if due_at - now <= timedelta(hours=rules.urgency.soon_hours):
        return ClockBand.SOON
    return ClockBand.NEAR if due_at - now <= timedelta(hours=rules.urgency.near_hours) else ClockBand.LATER


def needs_of(rules: ReviewRules, row: Row[Any], now: datetime) -> tuple[Need, ...]:
    """By the recorded facts alone: what is not known of a person is no need."""
    found = []
    age = _age(row, now)
    if age is not None and age < rules.urgency.minor_below:
        found.append(Need.MINOR)
    if age is not None and age >= rules.urgency.elder_from:
        found.append(Need.ELDER)
    if row.ill is not None:
        found.append(Need.ILL)
    return tuple(found)


def _age(row: Row[Any], now: datetime) -> float | None:
    if row.age is not None:
        return float(row.age)
    return None if row.born is None else now.year - int(row.born[:4])


def _points(rules: ReviewRules, row: Row[Any], now: datetime) -> int:
    points = rules.urgency.points
    clock = {ClockBand.OVERDUE: points.overdue, ClockBand.SOON: points.soon, ClockBand.NEAR: points.near}
    words = list(SCALE)
    strong = words.index(strength(row.strongest or 0.0)) >= words.index(rules.urgency.strong_from)
    return (
        clock.get(clock_band(rules, row.due_at, now), 0)
        + (points.vulnerable if needs_of(rules, row, now) else 0)
        + (points.strong if strong else 0)
    )


def _page(rows: Sequence[Row[Any]], cursor: str | None, limit: int) -> tuple[Sequence[Row[Any]], str | None]:
    """A page after the case that the cursor names; from the start when that case has left the queue since."""
    limit = max(1, min(limit, LIMIT_MAX))
    start = 0
    if cursor:
        try:
            last = uuid.UUID(cursor)
        except ValueError as error:
            raise BadCursor(field="cursor") from error
        start = next((at for at, row in enumerate(rows, start=1) if row.id == last), 0)
    shown = rows[start : start + limit]
    return shown, str(shown[-1].id) if len(rows) > start + limit else None


def take_case(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime
) -> ReviewAssignment:
    """Take a case that nobody was given, or that was left too long. Again returns the same assignment, while it runs.

    Raises ConflictOfInterest, NothingToJudge, PlacesTaken, NotFound, Forbidden.
    """
    access.require(viewer, Permission.REVIEW)
    case = load_case(session, viewer, case_id, lock=True)
    refuse_own_case(viewer, case)
    rows = assignments_of(session, case.id)
    own = next((row for row in rows if row.examiner_id == viewer.user_id and row.ended_at is None), None)
    if own is not None and own.due_at > now:
        return own
    if case.state not in REVIEWABLE or not something_waits(session, case.id, viewer.user_id, BLIND[0]):
        raise NothingToJudge()
    if own is not None:  # of whichever place: nobody holds two of a case
        end(session, own, AssignmentEnd.EXPIRED, now=now)
    for place in sorted(BLIND, key=lambda place: own is None or own.place != place):
        held = holder(rows, place)
        late = held is not None and held.due_at <= now
        if late and held is not None:
            end(session, held, AssignmentEnd.EXPIRED, now=now)
        if late or (held is None and not settled(session, rows, place)):
            return give(session, services.review_rules, case, place, viewer.user_id, by=viewer, now=now)
    raise PlacesTaken()
