"""The queue (复核队列): cases that wait for this examiner, the most urgent first, and taking one from it.

Urgency is a sum of coarse points: the band of the next deadline, a person who is a minor, old or ill, and a little for
a strong candidate. What the examiner is shown names the clock's band and the person's need alone; strength is worth the
least, so that it only puts in order what they leave equal.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from matcher.fusion import SCALE, strength
from matcher.vocabulary import AttributeKind
from models.candidate import Candidate
from models.case import Case
from models.deadline import ClockNature, Deadline
from models.profile import Profile
from models.review_protocol import AssignmentEnd, FeatureNote, ReviewAssignment
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
    `assigned_until`: the case was given to this examiner, until then; None when anybody may take it.
    """

    case: Case
    waiting: int | None
    clock: ClockBand
    needs: tuple[Need, ...]
    assigned_until: datetime | None


def review_queue(
    session: Session, services: Services, viewer: Viewer, *, cursor: str | None = None, limit: int = LIMIT_MAX,
    now: datetime,
) -> Page[QueueItem]:  # fmt: skip
    """Cases on which the examiner has opinions to give: those given to the examiner first, each part by urgency."""
    access.require(viewer, Permission.REVIEW)
    waiting = _waiting(session, viewer)
    cases = session.scalars(
        select(Case).where(Case.id.in_(waiting)).options(joinedload(Case.organisation), *with_profile(Case.profile))
    ).all()
    strongest, due = _strongest(session, waiting), _due(session, waiting)
    until = _until(session, viewer)
    noted = _noted(session, viewer, waiting)
    rules = services.review_rules
    ordered = []
    for case in cases:
        item = QueueItem(
            case, waiting[case.id] if case.id in noted else None, clock_band(rules, due.get(case.id), now),
            needs_of(rules, case.profile, now), until.get(case.id),
        )  # fmt: skip
        points = _points(rules, item, strongest.get(case.id, 0.0))
        ordered.append(((item.assigned_until is None, -points, case.state_since, case.id), item))
    page = _page([item for _, item in sorted(ordered, key=lambda one: one[0])], cursor, limit)
    note(session, viewer, "review.queue", "case", None, at=now, count=len(page.items))
    return page


def _waiting(session: Session, viewer: Viewer) -> dict[uuid.UUID, int]:
    rows = session.execute(
        select(Candidate.case_id, func.count())
        .join(Case, Case.id == Candidate.case_id)
        .where(waits_for(viewer.user_id), access.case_scope(viewer), Case.state.in_(REVIEWABLE))
        .where(Case.created_by_id != viewer.user_id, Case.submitted_by_id.is_distinct_from(viewer.user_id))
        .group_by(Candidate.case_id, Case.state_since)
        .order_by(Case.state_since, Candidate.case_id)
        .limit(QUEUE_MAX)
    )
    found = dict(rows.all())
    for case_id, count in waiting_seeds(session, viewer).items():
        if case_id in found or _takes_opinions(session, viewer, case_id):
            found[case_id] = found.get(case_id, 0) + count
    return found


def _noted(session: Session, viewer: Viewer, cases: Mapping[uuid.UUID, int]) -> Collection[uuid.UUID]:
    """The cases whose list this viewer may see."""
    if not access.examines(viewer):
        return cases
    mine = select(FeatureNote.case_id).where(
        FeatureNote.case_id.in_(cases), FeatureNote.examiner_id == viewer.user_id
    )  # fmt: skip
    return frozenset(session.scalars(mine))


def _takes_opinions(session: Session, viewer: Viewer, case_id: uuid.UUID) -> bool:
    """A case of which a seed alone is left: it must not leave the queue before the seed is judged."""
    case = session.get(Case, case_id)
    own = case is not None and viewer.user_id in (case.created_by_id, case.submitted_by_id)
    return case is not None and case.state in REVIEWABLE and not own


def _strongest(session: Session, cases: Mapping[uuid.UUID, int]) -> dict[uuid.UUID, float]:
    rows = session.execute(
        select(Candidate.case_id, func.max(Candidate.log10_lr))
        .where(Candidate.case_id.in_(cases), Candidate.listed)
        .group_by(Candidate.case_id)
    )
    return dict(rows.all())


def _due(session: Session, cases: Mapping[uuid.UUID, int]) -> dict[uuid.UUID, datetime]:
    rows = session.execute(
        select(Deadline.case_id, func.min(Deadline.due_at))
        .where(Deadline.case_id.in_(cases), Deadline.nature == ClockNature.ACT_BY)
        .where(Deadline.met_at.is_(None), Deadline.cancelled_at.is_(None), Deadline.paused_since.is_(None))
        .group_by(Deadline.case_id)
    )
    return dict(rows.all())


def _until(session: Session, viewer: Viewer) -> dict[uuid.UUID, datetime]:
    rows = session.execute(
        select(ReviewAssignment.case_id, ReviewAssignment.due_at).where(
            ReviewAssignment.examiner_id == viewer.user_id, ReviewAssignment.ended_at.is_(None)
        )
    )
    return dict(rows.all())


def clock_band(rules: ReviewRules, due_at: datetime | None, now: datetime) -> ClockBand:
    """The band of the case's next deadline that somebody has to act by."""
    if due_at is None:
        return ClockBand.LATER
    if due_at < now:
        return ClockBand.OVERDUE
    if due_at - now <= timedelta(hours=rules.urgency.soon_hours):
        return ClockBand.SOON
    return ClockBand.NEAR if due_at - now <= timedelta(hours=rules.urgency.near_hours) else ClockBand.LATER


def needs_of(rules: ReviewRules, profile: Profile, now: datetime) -> tuple[Need, ...]:
    """By the recorded facts alone: what is not known of a person is no need."""
    values = {row.kind: row.value for row in profile.attributes if row.superseded_at is None}
    found = []
    age = _age(values, now)
    if age is not None and age < rules.urgency.minor_below:
        found.append(Need.MINOR)
    if age is not None and age >= rules.urgency.elder_from:
        found.append(Need.ELDER)
    if AttributeKind.HEALTH in values:
        found.append(Need.ILL)
    return tuple(found)


def _age(values: Mapping[AttributeKind, str], now: datetime) -> float | None:
    if AttributeKind.AGE in values:
        return float(values[AttributeKind.AGE])
    born = values.get(AttributeKind.BIRTH_DATE)
    return None if born is None else now.year - int(born[:4])


def _points(rules: ReviewRules, item: QueueItem, log10_lr: float) -> int:
    points = rules.urgency.points
    clock = {ClockBand.OVERDUE: points.overdue, ClockBand.SOON: points.soon, ClockBand.NEAR: points.near}
    words = list(SCALE)
    strong = words.index(strength(log10_lr)) >= words.index(rules.urgency.strong_from)
    return clock.get(item.clock, 0) + (points.vulnerable if item.needs else 0) + (points.strong if strong else 0)


def _page(items: Sequence[QueueItem], cursor: str | None, limit: int) -> Page[QueueItem]:
    """A page after the case that the cursor names; from the start when that case has left the queue since."""
    limit = max(1, min(limit, LIMIT_MAX))
    start = 0
    if cursor:
        try:
            last = uuid.UUID(cursor)
        except ValueError as error:
            raise BadCursor(field="cursor") from error
        start = next((at for at, item in enumerate(items, start=1) if item.case.id == last), 0)
    shown = tuple(items[start : start + limit])
    return Page(shown, str(shown[-1].case.id) if len(items) > start + limit else None)


def take_case(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime
) -> ReviewAssignment:
    """Take a case that nobody was given, or that was left too long. Again returns the same assignment.

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
    for place in BLIND:
        held = holder(rows, place)
        late = held is not None and held.due_at <= now
        if late and held is not None:
            end(session, held, AssignmentEnd.EXPIRED, now=now)
        if late or (held is None and not settled(session, rows, place)):
            return give(session, services.review_rules, case, place, viewer.user_id, by=viewer, now=now)
    raise PlacesTaken()
