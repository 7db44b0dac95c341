"""Deadlines (时限): due lists, ticking off, pausing and resuming."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import ColumnElement, exists, false, func, select
from sqlalchemy import case as if_
from sqlalchemy.orm import Session, joinedload, selectinload

from models.case import Case
from models.deadline import (
    ClockKind,
    ClockNature,
    ClockParty,
    Deadline,
    DeadlineEscalation,
    DeadlinePause,
    PauseReason,
)
from models.milestone import Milestone
from models.organisation import Organisation
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import load_case
from tracing.clock_policy import ClockRule, Policy
from tracing.deadline_plan import refresh, refresh_if_stale
from tracing.deadline_watch import uncertain_years
from tracing.facts import check_optional_text, check_text
from tracing.milestones import check_moment, record_milestone
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note

SOON = timedelta(days=1)
PARTIES: Mapping[Role, frozenset[ClockParty]] = MappingProxyType(
    {
        Role.STATION_STAFF: frozenset({ClockParty.STATION}),
        Role.CASEWORKER: frozenset({ClockParty.CASEWORKER}),
        Role.POLICE_EXAMINER: frozenset({ClockParty.POLICE}),
        Role.POLICE_SUPERVISOR: frozenset({ClockParty.POLICE}),
    }
)
"""Whose clocks are a role's own turn."""


class DeadlineNotRunning(errors.Conflict):
    """A tick or pause of a clock that is met or ended."""

    slug = "deadline_not_running"
    message = "This deadline is met or has ended already. Reload the page."


class NothingToDo(errors.Conflict):
    """A tick of a clock that only says how long something is kept."""

    slug = "deadline_only_keeps"
    message = "This is a time for which something must be kept: there is nothing to tick off."


class OutsideDeadline(errors.Invalid):
    """A tick with a time that belongs to another step of the same clock."""

    slug = "outside_deadline"
    message = "What happened then does not count for this deadline. Check the date, or tick off the step it belongs to."


class DeadlinePaused(errors.Conflict):
    """A pause of a clock that stands still."""

    slug = "deadline_paused"
    message = "This deadline is paused already. Resume it first."


class DeadlineNotPaused(errors.Conflict):
    """A resumption of a clock that runs."""

    slug = "deadline_not_paused"
    message = "This deadline is not paused. Reload the page."


class PauseTooLate(errors.Conflict):
    """A pause that begins when the clock has run out."""

    slug = "pause_too_late"
    message = "This was due before the pause begins, so a pause cannot move it. Do it, and tick it off with a note."


class PauseBeforeStart(errors.Invalid):
    """A pause before the clock began or before the pause ahead of it ended."""

    slug = "pause_before_start"
    message = "A pause begins after the deadline began to run, and after the pause before it ended. Check the date."


class NoteMissing(errors.Invalid):
    """A tick, or a pause for another reason, without a note."""

    slug = "note_missing"
    message = "Write a short note: how it was done, or why. It stays with the deadline."


class DueFilter(StrEnum):
    """Which deadlines a due list shows."""

    RUNNING = "running"
    OVERDUE = "overdue"
    SOON = "soon"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class DueQuery:
    """What a due list is asked for. `escalated`: only what was brought before the viewer's own organisation."""

    which: DueFilter = DueFilter.RUNNING
    kinds: frozenset[ClockKind] = frozenset()
    parties: frozenset[ClockParty] = frozenset()
    escalated: bool = False
    organisation_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class DueCounts:
    """How many running deadlines are overdue, and due within a day."""

    overdue: int
    soon: int


def list_due(
    session: Session, viewer: Viewer, query: DueQuery, *, cursor: str | None = None, limit: int = 50, now: datetime
) -> Page[Deadline]:
    """Deadlines of the viewer's cases, the longest overdue first, with their case and organisation. Logged."""
    access.require(viewer, Permission.CASE_READ)
    statement = (
        select(Deadline)
        .where(*_conditions(session, viewer, query, now))
        .options(
            joinedload(Deadline.case).joinedload(Case.organisation),
            selectinload(Deadline.pauses),
            selectinload(Deadline.escalations).joinedload(DeadlineEscalation.organisation),
        )
    )
    page = page_of(session, statement, Deadline.due_at, Deadline.id, cursor=cursor, limit=limit, oldest_first=True)
    note(session, viewer, "deadline.list", "deadline", None, at=now, which=query.which.value, count=len(page.items))
    return page


def count_due(session: Session, viewer: Viewer, query: DueQuery, *, now: datetime) -> DueCounts:
    """Counts over the same deadlines as `list_due`, whatever `query.which` says. Not logged: it shows nobody."""
    access.require(viewer, Permission.CASE_READ)
    running = replace(query, which=DueFilter.RUNNING)
    overdue = Deadline.due_at < now
    # A range of the index: what is due in a year need not be counted past.
    where = (*_conditions(session, viewer, running, now), Deadline.due_at <= now + SOON)
    late = func.sum(if_((overdue & (Deadline.nature == ClockNature.ACT_BY), 1), else_=0))
    row = session.execute(select(late, func.sum(if_((overdue, 0), else_=1))).where(*where)).one()
    return DueCounts(int(row[0] or 0), int(row[1] or 0))


def _conditions(session: Session, viewer: Viewer, query: DueQuery, now: datetime) -> list[ColumnElement[bool]]:
    cases = select(Case.id).where(access.case_scope(viewer))
    if query.organisation_id is not None:
        inside = session.scalar(
            select(Organisation.path).where(Organisation.id == query.organisation_id, access.organisation_scope(viewer))
        )
        if inside is None:
            return [false()]
        cases = cases.join(Organisation, Organisation.id == Case.organisation_id).where(
            Organisation.path.startswith(inside, autoescape=True)
        )
    found: list[ColumnElement[bool]] = [
        Deadline.met_at.is_(None),
        Deadline.cancelled_at.is_(None),
        Deadline.nature != ClockNature.KEEP_UNTIL,
        Deadline.case_id.in_(cases),
    ]
    paused = Deadline.paused_since.is_not(None)
    found.append(paused if query.which is DueFilter.PAUSED else ~paused)
    if query.which is DueFilter.OVERDUE:
        found.append((Deadline.due_at < now) & (Deadline.nature == ClockNature.ACT_BY))
    elif query.which is DueFilter.SOON:
        found.append((Deadline.due_at >= now) & (Deadline.due_at <= now + SOON))
    if query.kinds:
        found.append(Deadline.kind.in_(query.kinds))
    if query.parties:
        found.append(Deadline.party.in_(query.parties))
    if query.escalated:
        found.append(
            exists().where(
                DeadlineEscalation.deadline_id == Deadline.id,
                DeadlineEscalation.organisation_id == viewer.organisation_id,
            )
        )
    return found


def case_deadlines(session: Session, services: Services, case_id: uuid.UUID, *, now: datetime) -> list[Deadline]:
    """Every deadline of a case that the caller has been allowed to see, computed anew if need be, soonest first."""
    refresh_if_stale(session, services, case_id, now=now)
    return list(
        session.scalars(
            select(Deadline)
            .where(Deadline.case_id == case_id)
            .options(
                selectinload(Deadline.pauses),
                selectinload(Deadline.escalations).joinedload(DeadlineEscalation.organisation),
            )
            .order_by(Deadline.due_at, Deadline.kind, Deadline.step)
            .execution_options(populate_existing=True)
        )
    )


def rule_of(services: Services, division: str, kind: ClockKind) -> ClockRule | None:
    """The rule behind a deadline of a case of that division, with its source; None when the policy lost it."""
    return services.clocks.policy_for(division).rules.get(kind)


def policy_in_force(session: Session, services: Services, viewer: Viewer, *, now: datetime) -> tuple[Policy, list[int]]:
    """The policy of the viewer's own organisation, and the years whose official calendar is not known."""
    access.require(viewer, Permission.CASE_READ)
    division = access.own_organisation(session, viewer).division
    return services.clocks.policy_for(division), uncertain_years(services, now)


def load_deadline(
    session: Session, services: Services, viewer: Viewer, deadline_id: uuid.UUID, *, now: datetime
) -> tuple[Deadline, Case]:
    """A deadline and its case, locked, for a use case that logs its own action. Raises NotFound."""
    case_id = session.scalar(select(Deadline.case_id).where(Deadline.id == deadline_id))
    if case_id is None:
        raise errors.NotFound()
    case = load_case(session, viewer, case_id, lock=True)
    refresh_if_stale(session, services, case_id, now=now)
    return _with_pauses(session, deadline_id), case


def _with_pauses(session: Session, deadline_id: uuid.UUID) -> Deadline:
    return session.scalars(
        select(Deadline)
        .where(Deadline.id == deadline_id)
        .options(
            selectinload(Deadline.pauses),
            selectinload(Deadline.escalations).joinedload(DeadlineEscalation.organisation),
        )
        .execution_options(populate_existing=True)
    ).one()


def _running(deadline: Deadline) -> None:
    if deadline.met_at is not None or deadline.cancelled_at is not None:
        raise DeadlineNotRunning()


def meet_deadline(
    session: Session,
    services: Services,
    viewer: Viewer,
    deadline_id: uuid.UUID,
    *,
    occurred_at: datetime,
    reference: str | None = None,
    note_text: str,
    now: datetime,
) -> tuple[Deadline, Milestone]:
    """Tick a deadline off: the fact that meets it is recorded, with a note of how it was done.

    Raises Forbidden, NotFound, DeadlineNotRunning, NothingToDo, NoteMissing, OutsideDeadline, a date error.
    """
    access.require(viewer, Permission.MILESTONE)
    deadline, case = load_deadline(session, services, viewer, deadline_id, now=now)
    _running(deadline)
    rule = rule_of(services, case.organisation.division, deadline.kind)
    if rule is None or not rule.met_by:
        raise NothingToDo()
    if not note_text.strip():
        raise NoteMissing(field="note")
    milestone = record_milestone(
        session, services, viewer, case.id, rule.met_by[0],
        occurred_at=occurred_at, reference=reference, note_text=note_text, now=now,
    )  # fmt: skip
    deadline = _with_pauses(session, deadline_id)
    if deadline.met_at is None:
        raise OutsideDeadline(field="occurred_at")
    note(session, viewer, "deadline.meet", "case", case.id, at=now, deadline=deadline.id, clock=deadline.kind.value)
    return deadline, milestone


def _pausable(deadline: Deadline, begin: datetime) -> None:
    _running(deadline)
    if deadline.paused_since is not None:
        raise DeadlinePaused()
    if begin > deadline.due_at:
        raise PauseTooLate()
    if begin < max([deadline.started_at, *(one.until_at for one in deadline.pauses if one.until_at)]):
        raise PauseBeforeStart(field="from_at")


def pause_deadline(
    session: Session,
    services: Services,
    viewer: Viewer,
    deadline_id: uuid.UUID,
    reason: PauseReason,
    *,
    note_text: str | None = None,
    from_at: datetime | None = None,
    now: datetime,
) -> Deadline:
    """Let a clock stand still, from now or from a time that has passed; it is not escalated meanwhile.

    Raises Forbidden, NotFound, DeadlineNotRunning, DeadlinePaused, PauseTooLate, PauseBeforeStart, NoteMissing.
    """
    access.require(viewer, Permission.PAUSE)
    deadline, case = load_deadline(session, services, viewer, deadline_id, now=now)
    begin = from_at or now
    check_moment(begin, now=now, field="from_at")
    _pausable(deadline, begin)
    text = check_optional_text(note_text, field="note", limit=500)
    if reason is PauseReason.OTHER and text is None:
        raise NoteMissing(field="note")
    session.add(
        DeadlinePause(
            id=uuid.uuid4(), deadline_id=deadline.id, from_at=begin, reason=reason, note=text,
            paused_by_id=viewer.user_id,
        )
    )  # fmt: skip
    note(
        session, viewer, "deadline.pause", "case", case.id, at=now,
        deadline=deadline.id, clock=deadline.kind.value, reason=reason.value, since=begin,
    )  # fmt: skip
    refresh(session, services, case.id, now=now)
    return _with_pauses(session, deadline_id)


def resume_deadline(
    session: Session, services: Services, viewer: Viewer, deadline_id: uuid.UUID, *, note_text: str, now: datetime
) -> Deadline:
    """Let a clock run on; what was left of its time begins now. Raises DeadlineNotPaused, NoteMissing."""
    access.require(viewer, Permission.PAUSE)
    deadline, case = load_deadline(session, services, viewer, deadline_id, now=now)
    pause = next((one for one in deadline.pauses if one.until_at is None), None)
    if pause is None:
        raise DeadlineNotPaused()
    if not note_text.strip():
        raise NoteMissing(field="note")
    pause.resume_note = check_text(note_text, field="note", limit=500)
    # A pause that was dated by a machine whose clock is a little ahead ends no earlier than it began.
    pause.until_at, pause.resumed_by_id = max(now, pause.from_at), viewer.user_id
    note(session, viewer, "deadline.resume", "case", case.id, at=now, deadline=deadline.id, clock=deadline.kind.value)
    refresh(session, services, case.id, now=now)
    return _with_pauses(session, deadline_id)
