"""Watching the deadlines (时限督办), once a minute: computing anew what has changed, escalating what is overdue."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.case import Case, CaseState
from models.deadline import Deadline, DeadlineEscalation, DeadlinePlan
from models.notification import NotificationKind
from models.organisation import Organisation
from models.user import Role
from tracing.access import MATRIX, Permission
from tracing.deadline_plan import refresh, stale
from tracing.notifications import notify, users_of
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.jobs import ClaimedJob
from tracing.services import Services
from tracing.trail import note

WATCH = "deadlines.watch"
BATCH = 50
BATCHES_MAX = 200
"""A run that has more to do than this leaves the rest to the next minute."""
SUPERVISING = frozenset(role for role in Role if Permission.CASE_READ in MATRIX[role])
"""Whom it reaches in the organisation above: whoever can look at the case."""
log = structlog.stdlib.get_logger(__name__)


def watch_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: one round over all cases."""
    watch(services, utc_now())
    with unit_of_work(services.db) as session:
        complete(session)


def watch(services: Services, now: datetime) -> tuple[int, int]:
    """One round; how many cases were computed anew, and how many deadlines went up a level."""
    computed = escalated = 0
    for _ in range(BATCHES_MAX):
        done = _refresh_batch(services, now)
        computed += done
        if done < BATCH:
            break
    for _ in range(BATCHES_MAX):
        with unit_of_work(services.db) as session:
            done = escalate_due(session, services, now=now, limit=BATCH)
        escalated += done
        if done < BATCH:
            break
    if computed or escalated:
        log.info("deadlines_watched", cases=computed, escalated=escalated)
    return computed, escalated


def _refresh_batch(services: Services, now: datetime) -> int:
    # Read outside the transaction that writes: on SQLite a look every minute must not hold up the writers.
    with read_only(services.db) as session:
        ids = session.scalars(
            select(Case.id)
            .join(DeadlinePlan, DeadlinePlan.case_id == Case.id, isouter=True)
            .where(stale(services.clocks))
            .order_by(Case.id)
            .limit(BATCH)
        ).all()
    if ids:
        with unit_of_work(services.db) as session:
            for case_id in ids:
                refresh(session, services, case_id, now=now)
    return len(ids)


def escalate_due(session: Session, services: Services, *, now: datetime, limit: int) -> int:
    """Bring overdue deadlines before the next organisation up the path; how many were looked at.

    A draft is its own organisation's business: its deadlines go up once it is handed in.
    """
    overdue = session.scalars(
        select(Deadline)
        .join(Case, Case.id == Deadline.case_id)
        .where(Deadline.next_escalation_at <= now, Case.state != CaseState.DRAFT)
        .options(joinedload(Deadline.case).joinedload(Case.organisation))
        .order_by(Deadline.next_escalation_at, Deadline.id)
        .limit(limit)
        .with_for_update(of=Deadline, skip_locked=True)
    ).all()
    for deadline in overdue:
        _escalate(session, services, deadline, now)
    session.flush()
    return len(overdue)


def _escalate(session: Session, services: Services, deadline: Deadline, now: datetime) -> None:
    """Up as many levels as the delays say by now, as far as there are organisations above."""
    rule = services.clocks.policy_for(deadline.case.organisation.division).rules.get(deadline.kind)
    moments = [deadline.due_at + timedelta(hours=hours) for hours in (rule.escalate_after_hours if rule else ())]
    above = ancestors(session, deadline.case.organisation)
    while deadline.escalation_level < min(len(moments), len(above)) and moments[deadline.escalation_level] <= now:
        organisation = above[deadline.escalation_level]
        deadline.escalation_level += 1
        session.add(
            DeadlineEscalation(
                deadline_id=deadline.id, level=deadline.escalation_level, organisation_id=organisation.id, at=now
            )
        )
        above_it = users_of(session, organisation.id, SUPERVISING)
        notify(session, above_it, NotificationKind.DEADLINE_ESCALATED, "case", deadline.case_id, now=now)
        note(
            session, None, "deadline.escalate", "case", deadline.case_id, at=now,
            deadline=deadline.id, clock=deadline.kind.value, level=deadline.escalation_level, to=organisation.id,
        )  # fmt: skip
    more = deadline.escalation_level < min(len(moments), len(above))
    deadline.next_escalation_at = moments[deadline.escalation_level] if more else None
    deadline.updated_at = now


def ancestors(session: Session, organisation: Organisation) -> list[Organisation]:
    """The organisations above, nearest first."""
    found: list[Organisation] = []
    parent_id = organisation.parent_id
    while parent_id is not None:
        parent = session.get_one(Organisation, parent_id)
        found.append(parent)
        parent_id = parent.parent_id
    return found


def uncertain_years(services: Services, now: datetime) -> list[int]:
    """This year, and from December on the next, if its official calendar is not known here."""
    day = services.local_day(now)
    years = [day.year] if day.month < 12 else [day.year, day.year + 1]
    return [year for year in years if not services.clocks.calendar.year(year).certain]
