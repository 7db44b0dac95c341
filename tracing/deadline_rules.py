"""What the rules make of a case's facts: which clocks run, since when, until when, and whether they are met. Pure.

Days and months count as the Civil Code counts them (民法典 art. 201-203): the day of the start is left out, months end
on the same day of the month or on its last, a term ends at the last second of its last day, in the service's zone.
Hours run from moment to moment. A pause is added at the end: the remaining days, working days or hours begin anew when
it is over. A state in which a clock does not apply works like a pause, and ends the clock while it lasts.
"""

import calendar as months
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

from models.case import AdmissionKind, CaseState
from models.deadline import CancelReason, ClockKind, ClockNature, ClockParty
from models.milestone import MilestoneKind
from tracing.clock_policy import ClockRule, Policy, RestDay, StartKind, Unit
from tracing.working_days import WorkingDays

Key = tuple[ClockKind, uuid.UUID, int]
"""What a deadline is told by: its clock, what started it, which step."""
LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class Interval:
    """From `begin` until `end`; `end` None while it lasts."""

    begin: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Fact:
    """A milestone that stands."""

    id: uuid.UUID
    kind: MilestoneKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Timeline:
    """The facts of a case that clocks depend on. `states` in order, the last one open.

    `decided`: by return home, the times in which somebody had decided that no more visits are needed.
    """

    case_id: uuid.UUID
    admitted_at: datetime
    states: tuple[tuple[CaseState, Interval], ...]
    facts: tuple[Fact, ...] = ()
    returns: tuple[tuple[uuid.UUID, datetime], ...] = ()
    pauses: Mapping[Key, tuple[Interval, ...]] = field(default_factory=dict)
    decided: Mapping[uuid.UUID, tuple[Interval, ...]] = field(default_factory=dict)
    admission: AdmissionKind = AdmissionKind.UNKNOWN_IDENTITY


@dataclass(frozen=True, slots=True)
class Planned:
    """One deadline as it should be. `escalations` are the moments at which it goes to the next level if it stands."""

    kind: ClockKind
    trigger_id: uuid.UUID
    step: int
    nature: ClockNature
    party: ClockParty
    started_at: datetime
    due_at: datetime
    calendar_certain: bool
    met_at: datetime | None
    milestone_id: uuid.UUID | None
    stopped_at: datetime | None
    stop_reason: CancelReason | None
    paused_since: datetime | None
    escalations: tuple[datetime, ...]

    @property
    def key(self) -> Key:
        """What it is told by."""
        return self.kind, self.trigger_id, self.step


def admission_moment(admitted_on: date, created_at: datetime, zone: tzinfo) -> datetime:
    """T0: when the record was made if that was on the day of the admission, else that day's beginning.

    The hour of an admission that is entered on a later day is not known: the earliest one counts.
    """
    if admitted_on >= created_at.astimezone(zone).date():
        return created_at
    return datetime.combine(admitted_on, time.min, zone)


def plan(policy: Policy, timeline: Timeline, calendar: WorkingDays, zone: tzinfo) -> list[Planned]:
    """Every deadline of the case under this policy."""
    return [
        _planned(rule, timeline, trigger_id, start, step, calendar, zone)
        for rule in policy.rules.values()
        if rule.enabled and timeline.admission in rule.admissions
        for trigger_id, start in _starts(rule, timeline)
        for step in range(1, len(rule.within.counts) + 1)
    ]


def _starts(rule: ClockRule, timeline: Timeline) -> Iterator[tuple[uuid.UUID, datetime]]:
    if rule.starts is StartKind.ADMISSION:
        yield timeline.case_id, timeline.admitted_at
    elif rule.starts is StartKind.RETURN_HOME:
        yield from timeline.returns
    else:
        yield from ((fact.id, fact.at) for fact in timeline.facts if fact.kind is rule.starts)


def _planned(
    rule: ClockRule,
    timeline: Timeline,
    trigger_id: uuid.UUID,
    start: datetime,
    step: int,
    calendar: WorkingDays,
    zone: tzinfo,
) -> Planned:
    stops = [interval for state, interval in timeline.states if state in rule.stops_in]
    own = timeline.pauses.get((rule.kind, trigger_id, step), ())
    decided = timeline.decided.get(trigger_id, ())
    merged = union([*own, *stops, *decided])
    due = due_at(rule, step, start, merged, calendar, zone)
    met = _met_by(rule, timeline, start, step, calendar, zone)
    stopped = next((one.begin for one in union(stops) if one.end is None), None)
    ended = next((one.begin for one in decided if one.end is None), None)
    by_state = stopped is not None and (ended is None or stopped < ended)
    stopped = min((one for one in (stopped, ended) if one is not None), default=None)
    return Planned(
        kind=rule.kind,
        trigger_id=trigger_id,
        step=step,
        nature=rule.nature,
        party=rule.party,
        started_at=start,
        due_at=due,
        calendar_certain=not _needs_calendar(rule)
        or calendar.certain(start.astimezone(zone).date(), due.astimezone(zone).date()),
        met_at=met.at if met else None,
        milestone_id=met.id if met else None,
        stopped_at=max(stopped, start) if stopped else None,
        stop_reason=(CancelReason.STATE if by_state else CancelReason.DECISION) if stopped else None,
        paused_since=next((max(one.begin, start) for one in own if one.end is None), None),
        escalations=tuple(due + timedelta(hours=hours) for hours in rule.escalate_after_hours),
    )


def _needs_calendar(rule: ClockRule) -> bool:
    return rule.within.unit is Unit.WORKING_DAYS or rule.rest_day is RestDay.NEXT_WORKING_DAY


def _met_by(
    rule: ClockRule, timeline: Timeline, start: datetime, step: int, calendar: WorkingDays, zone: tzinfo
) -> Fact | None:
    """The first fact that counts for this step.

    What a clock of the admission asks for may have happened before it. Of several steps, each takes what happened after
    the middle between the one before and itself: a visit after four weeks is the second, not a late first.
    """
    if step > 1:
        before, here = (due_at(rule, one, start, (), calendar, zone) for one in (step - 1, step))
        begin: datetime | None = before + (here - before) / 2
    else:
        begin = None if rule.starts is StartKind.ADMISSION else start
    fitting = (fact for fact in timeline.facts if fact.kind in rule.met_by and (begin is None or fact.at >= begin))
    return min(fitting, key=lambda fact: (fact.at, fact.id), default=None)


def union(intervals: Sequence[Interval]) -> list[Interval]:
    """The intervals in order, those that touch or overlap made one."""
    merged: list[Interval] = []
    for one in sorted(intervals, key=lambda interval: interval.begin):
        last = merged[-1] if merged else None
        if last is None or (last.end is not None and one.begin > last.end):
            merged.append(one)
        elif last.end is not None and (one.end is None or one.end > last.end):
            merged[-1] = Interval(last.begin, one.end)
    return merged


def due_at(
    rule: ClockRule, step: int, start: datetime, pauses: Sequence[Interval], calendar: WorkingDays, zone: tzinfo
) -> datetime:
    """The last second that counts. `pauses` in order and apart; one that lasts still moves nothing yet."""
    count, unit = rule.within.counts[step - 1], rule.within.unit
    over = [Interval(max(one.begin, start), one.end) for one in pauses if one.end is not None and one.end > start]
    if unit is Unit.HOURS:
        due = start + timedelta(hours=count)
        for one in over:
            if one.end is not None and one.begin <= due:
                due += one.end - one.begin
        return due
    first = start.astimezone(zone).date()
    last = _last_day(first, unit, count, calendar)
    for one in over:
        begun, ended = one.begin.astimezone(zone).date(), (one.end or one.begin).astimezone(zone).date()
        if begun > last:
            break
        if unit is Unit.WORKING_DAYS:
            last = calendar.add(ended, calendar.between(begun, last))
        else:
            last += ended - begun
    if rule.rest_day is RestDay.NEXT_WORKING_DAY:
        last = calendar.on_or_after(last)
    return datetime.combine(last, LAST_SECOND, zone)


def _last_day(first: date, unit: Unit, count: int, calendar: WorkingDays) -> date:
    if unit is Unit.WORKING_DAYS:
        return calendar.add(first, count)
    return first + timedelta(days=count) if unit is Unit.DAYS else add_months(first, count)


def add_months(day: date, count: int) -> date:
    """The same day of the month so many months later, or the month's last day when it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))
