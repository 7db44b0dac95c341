"""Computing a case's deadlines anew from its facts: as often as one likes, with the same result.

Whatever changes a case is noticed by itself: `DeadlinePlan` keeps what the deadlines were computed from, and a case
whose state, version or policy differs from it is computed again (`tracing.deadline_watch`, once a minute). Use cases
that want it at once call `refresh`.
"""

import uuid
from collections import defaultdict
from datetime import datetime, time

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, selectinload

from models.case import Case, CaseState, CaseTransition
from models.deadline import CancelReason, ClockNature, Deadline, DeadlinePlan
from models.followup import FollowUpEnd
from models.milestone import Milestone
from models.organisation import Organisation
from models.outcome import HOME, Outcome
from tracing.clock_policy import Clocks
from tracing.deadline_rules import Fact, Interval, Key, Planned, Timeline, admission_moment, plan
from tracing.platform.db import dialect_insert
from tracing.services import Services


def stale(clocks: Clocks) -> ColumnElement[bool]:
    """Condition on `Case` outer-joined with `DeadlinePlan`: its deadlines rest on something that has changed."""
    return or_(
        DeadlinePlan.case_id.is_(None),
        DeadlinePlan.state_since.is_distinct_from(Case.state_since),
        DeadlinePlan.case_version != Case.version,
        DeadlinePlan.policy_version != clocks.fingerprint,
    )


def refresh_if_stale(session: Session, services: Services, case_id: uuid.UUID, *, now: datetime) -> None:
    """Compute the case's deadlines anew when something they rest on has changed."""
    found = session.scalar(
        select(Case.id)
        .join(DeadlinePlan, DeadlinePlan.case_id == Case.id, isouter=True)
        .where(Case.id == case_id, stale(services.clocks))
    )
    if found is not None:
        refresh(session, services, case_id, now=now)


def refresh(session: Session, services: Services, case_id: uuid.UUID, *, now: datetime) -> None:
    """Compute the case's deadlines anew. Two at once take turns; rows are never deleted, only ended."""
    session.flush()
    # The case first, as everybody locks it: whoever holds it writes its deadlines, and new rows of them name it.
    case, division = session.execute(
        select(Case, Organisation.division)
        .join(Organisation, Organisation.id == Case.organisation_id)
        .where(Case.id == case_id)
        .with_for_update(of=Case)
    ).one()
    rows = {
        (row.kind, row.trigger_id, row.step): row
        for row in session.scalars(
            select(Deadline)
            .where(Deadline.case_id == case_id)
            .options(selectinload(Deadline.pauses))
            .execution_options(populate_existing=True)
        )
    }
    clocks, policy = services.clocks, services.clocks.policy_for(division)
    timeline = _timeline(session, clocks, case, rows)
    wanted = {one.key: one for one in plan(policy, timeline, clocks.calendar, clocks.zone)}
    for key, planned in wanted.items():
        _write(session, case_id, rows.get(key), planned, policy.version, now)
    for key, row in rows.items():
        if key not in wanted and row.cancelled_at is None:
            rule = policy.rules.get(row.kind)
            gone = CancelReason.TRIGGER_WITHDRAWN if rule and rule.enabled else CancelReason.POLICY
            _change(row, now, cancelled_at=now, cancel_reason=gone, next_escalation_at=None)
    _remember(session, clocks, case, now)
    session.flush()


def _remember(session: Session, clocks: Clocks, case: Case, now: datetime) -> None:
    values = {
        "state_since": case.state_since, "case_version": case.version, "policy_version": clocks.fingerprint,
        "computed_at": now,
    }  # fmt: skip
    session.execute(
        dialect_insert(session)(DeadlinePlan)
        .values(case_id=case.id, **values)
        .on_conflict_do_update(index_elements=[DeadlinePlan.case_id], set_=values)
    )


def _timeline(session: Session, clocks: Clocks, case: Case, rows: dict[Key, Deadline]) -> Timeline:
    return Timeline(
        case_id=case.id,
        admitted_at=admission_moment(case.admitted_on, case.created_at, clocks.zone),
        states=_states(session, case.id, case.created_at, case.state, case.state_since),
        facts=_facts(session, case.id),
        returns=_returns(session, case.id, clocks),
        pauses=_pauses(rows),
        decided=_decided(session, case.id),
        admission=case.admission_kind,
    )


def _states(
    session: Session, case_id: uuid.UUID, created_at: datetime, state: CaseState, state_since: datetime
) -> tuple[tuple[CaseState, Interval], ...]:
    moves = session.execute(
        select(CaseTransition.from_state, CaseTransition.at)
        .where(CaseTransition.case_id == case_id)
        .order_by(CaseTransition.at)
    ).all()
    found: list[tuple[CaseState, Interval]] = []
    begin = created_at
    for from_state, at in moves:
        found.append((from_state, Interval(min(begin, at), at)))
        begin = at
    return (*found, (state, Interval(state_since, None)))


def _facts(session: Session, case_id: uuid.UUID) -> tuple[Fact, ...]:
    standing = select(Milestone.id, Milestone.kind, Milestone.occurred_at).where(
        Milestone.case_id == case_id, Milestone.withdrawn_at.is_(None)
    )
    return tuple(Fact(*row) for row in session.execute(standing.order_by(Milestone.occurred_at, Milestone.id)))


def _returns(session: Session, case_id: uuid.UUID, clocks: Clocks) -> tuple[tuple[uuid.UUID, datetime], ...]:
    """The latest return home, if there was one: a case that was searched again begins its follow-up anew."""
    latest = session.execute(
        select(Outcome.id, Outcome.occurred_on)
        .where(Outcome.case_id == case_id, Outcome.kind.in_(HOME), Outcome.withdrawn_at.is_(None))
        .order_by(Outcome.recorded_at.desc(), Outcome.id)
        .limit(1)
    ).all()
    return tuple((identity, datetime.combine(day, time.min, clocks.zone)) for identity, day in latest)


def _decided(session: Session, case_id: uuid.UUID) -> dict[uuid.UUID, tuple[Interval, ...]]:
    """By return home, the times in which its follow-up was ended by a decision."""
    found: defaultdict[uuid.UUID, tuple[Interval, ...]] = defaultdict(tuple)
    ends = select(FollowUpEnd).where(FollowUpEnd.case_id == case_id).order_by(FollowUpEnd.decided_at, FollowUpEnd.id)
    for end in session.scalars(ends.execution_options(populate_existing=True)):
        found[end.outcome_id] += (Interval(end.decided_at, end.withdrawn_at),)
    return dict(found)


def _pauses(rows: dict[Key, Deadline]) -> dict[Key, tuple[Interval, ...]]:
    found: defaultdict[Key, tuple[Interval, ...]] = defaultdict(tuple)
    for key, row in rows.items():
        found[key] = tuple(Interval(pause.from_at, pause.until_at) for pause in row.pauses)
    return found


def _write(
    session: Session, case_id: uuid.UUID, row: Deadline | None, planned: Planned, policy_version: str, now: datetime
) -> None:
    if row is None:
        row = Deadline(
            id=uuid.uuid4(), case_id=case_id, kind=planned.kind, trigger_id=planned.trigger_id, step=planned.step,
            escalation_level=0, created_at=now, updated_at=now, pauses=[], escalations=[],
        )  # fmt: skip
        session.add(row)
    met = planned.met_at is not None
    stopped = None if met else planned.stopped_at
    runs = not met and stopped is None and planned.paused_since is None and planned.nature is ClockNature.ACT_BY
    ahead = planned.escalations[row.escalation_level :] if runs else ()
    _change(
        row, now,
        nature=planned.nature, party=planned.party, started_at=planned.started_at, due_at=planned.due_at,
        calendar_certain=planned.calendar_certain, policy_version=policy_version,
        met_at=planned.met_at, milestone_id=planned.milestone_id,
        cancelled_at=stopped, cancel_reason=planned.stop_reason if stopped else None,
        paused_since=planned.paused_since, next_escalation_at=ahead[0] if ahead else None,
    )  # fmt: skip


def _change(row: Deadline, now: datetime, **values: object) -> None:
    """Write what differs, so that computing again writes nothing."""
    differing = {name: value for name, value in values.items() if getattr(row, name, None) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    if differing:
        row.updated_at = now
