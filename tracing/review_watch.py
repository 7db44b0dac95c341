"""Watching the reviews (复核督办), once a minute: cases are given to examiners, and on to the next in time."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session, joinedload

from models.candidate import Candidate
from models.case import Case
from models.review_protocol import AssignmentEnd, ReviewAssignment
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.jobs import ClaimedJob
from tracing.review_assignment import BLIND, THIRD, disputed, end, fill, is_disputed
from tracing.review_states import REVIEWABLE, UNDECIDED, waits_for
from tracing.services import Services

ASSIGN = "review.assign"
BATCH = 50
BATCHES_MAX = 200
"""A round that has more to do than this leaves the rest to the next minute."""
log = structlog.stdlib.get_logger(__name__)


def assign_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: one round over all cases in review."""
    assign_all(services, utc_now())
    with unit_of_work(services.db) as session:
        complete(session)


def assign_all(services: Services, now: datetime) -> int:
    """One round; in how many cases something was given, passed on or ended."""
    changed = _release(services, now)
    after: uuid.UUID | None = None
    for _ in range(BATCHES_MAX):
        with read_only(services.db) as session:
            ids = _needy(session, after, now)
        for case_id in ids:
            with unit_of_work(services.db) as session:
                changed += _assign(session, services, case_id, now)
        if len(ids) < BATCH:
            break
        after = ids[-1]
    if changed:
        log.info("reviews_assigned", cases=changed)
    return changed


def _assign(session: Session, services: Services, case_id: uuid.UUID, now: datetime) -> bool:
    case = session.scalars(
        select(Case)
        .where(Case.id == case_id, Case.state.in_(REVIEWABLE))
        .options(joinedload(Case.organisation))
        .with_for_update(of=Case)
    ).one_or_none()
    if case is None:
        return False
    places = (*BLIND, THIRD) if is_disputed(session, case.id) else BLIND
    filled = [fill(session, services.review_rules, case, place, now=now) for place in places]
    return any(filled)


def _needy(session: Session, after: uuid.UUID | None, now: datetime) -> Sequence[uuid.UUID]:
    """Cases in review of which a place is neither held in time nor done."""
    statement = (
        select(Case.id)
        .where(Case.state.in_(REVIEWABLE))
        .where(exists().where(Candidate.case_id == Case.id, Candidate.listed, Candidate.state.in_(UNDECIDED)))
        .where(
            or_(
                *(~_seen_to(place, now) for place in BLIND),
                exists().where(*disputed(Case.id)) & ~_seen_to(THIRD, now),
            )
        )
        .order_by(Case.id)
        .limit(BATCH)
    )
    return session.scalars(statement if after is None else statement.where(Case.id > after)).all()


def _seen_to(place: int, now: datetime) -> ColumnElement[bool]:
    mine = (ReviewAssignment.case_id == Case.id, ReviewAssignment.place == place)
    held = exists().where(*mine, ReviewAssignment.ended_at.is_(None), ReviewAssignment.due_at > now)
    left = [Candidate.case_id == Case.id, waits_for(ReviewAssignment.examiner_id)]
    if place == THIRD:
        left += disputed(Case.id)
    waiting = exists().where(*left).correlate_except(Candidate)
    done = exists().where(*mine, ReviewAssignment.ended_because == AssignmentEnd.DONE, ~waiting)
    return held | done


def _release(services: Services, now: datetime) -> int:
    """End the assignments of cases that are no longer in review."""
    with unit_of_work(services.db) as session:
        rows = session.scalars(
            select(ReviewAssignment)
            .join(Case, Case.id == ReviewAssignment.case_id)
            .where(ReviewAssignment.ended_at.is_(None), Case.state.not_in(REVIEWABLE))
            .order_by(ReviewAssignment.id)
            .limit(BATCH * BATCHES_MAX)
            .with_for_update(of=ReviewAssignment, skip_locked=True)
        ).all()
        for row in rows:
            end(session, row, AssignmentEnd.RELEASED, now=now)
    return len({row.case_id for row in rows})
