"""Outcomes (救助结果): how a stay ended; most end with a move of the case."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import CaseState
from models.outcome import HOME, Outcome, OutcomeKind, OutcomeRoute
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import load_case
from tracing.deadline_plan import refresh as refresh_deadlines
from tracing.facts import check_day, check_optional_text
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note
from tracing.transitions import move


class RouteMissing(errors.Invalid):
    """A reunification without the route that led to it."""

    slug = "route_missing"
    message = "Say what found the person's name: the statistics of what works rest on it."


STATE_AFTER: Mapping[OutcomeKind, CaseState] = MappingProxyType(
    {
        OutcomeKind.REUNITED: CaseState.REUNIFIED,
        OutcomeKind.ESCORTED_HOME: CaseState.REUNIFIED,
        OutcomeKind.TRANSFERRED: CaseState.TRANSFERRED,
        OutcomeKind.SETTLED: CaseState.SETTLED,
        OutcomeKind.LEFT: CaseState.LEFT,
        OutcomeKind.DECEASED: CaseState.DECEASED,
    }
)
"""The state that an outcome brings; the others (hospital, refused contact) leave the case where it is."""


def record_outcome(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    kind: OutcomeKind,
    route: OutcomeRoute | None,
    *,
    occurred_on: date,
    note_text: str | None,
    now: datetime,
) -> Outcome:
    """Record how it ended and move the case accordingly. Raises IllegalMove, RouteMissing, a date error."""
    access.require(viewer, Permission.OUTCOME)
    case = load_case(session, viewer, case_id, lock=True)
    check_day(occurred_on, today=services.local_day(now), field="occurred_on")
    if kind in HOME and route is None:
        raise RouteMissing(field="route")
    outcome = Outcome(
        id=uuid.uuid4(),
        case_id=case.id,
        kind=kind,
        route=route,
        occurred_on=occurred_on,
        note=check_optional_text(note_text, field="note", limit=4000),
        recorded_by_id=viewer.user_id,
        recorded_at=now,
    )
    session.add(outcome)
    if kind in STATE_AFTER and STATE_AFTER[kind] is not case.state:
        move(session, case, STATE_AFTER[kind], viewer, now=now)
    session.flush()
    refresh_deadlines(session, services, case.id, now=now)
    note(
        session, viewer, "outcome.record", "case", case.id, at=now,
        kind=kind.value, route=route.value if route else None,
    )  # fmt: skip
    return outcome


def list_outcomes(session: Session, case_id: uuid.UUID) -> list[Outcome]:
    """Outcomes of a case that the caller has already been allowed to see, oldest first."""
    return list(session.scalars(select(Outcome).where(Outcome.case_id == case_id).order_by(Outcome.recorded_at)))
