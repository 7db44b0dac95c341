"""The follow-up of a case as its readers see it (回访档案): plan, visits, decisions, and what stability still lacks."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.deadline import ClockKind, Deadline
from models.followup import FollowUpEnd, FollowUpVisit
from tracing.access import Permission, Viewer
from tracing.care_policy import FollowUpPolicy
from tracing.cases import load_case
from tracing.deadline_plan import refresh_if_stale
from tracing.followup import end_purpose, standing_return, visit_purpose, visits_that_met, what_is_missing
from tracing.services import Services
from tracing.trail import note


@dataclass(frozen=True, slots=True)
class VisitView:
    """A visit with its texts opened."""

    visit: FollowUpVisit
    next_step: str | None
    notes: str | None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The follow-up of a case: its plan, visits and decisions, newest first; `policy` names the domains.

    `missing`: what keeps the case from counting as stable, empty when nothing does.
    """

    plan: tuple[Deadline, ...]
    visits: tuple[VisitView, ...]
    ends: tuple[tuple[FollowUpEnd, str | None], ...]
    missing: tuple[str, ...]
    policy: FollowUpPolicy


def get_follow_up(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime
) -> FollowUp:
    """Plan, visits and decisions of a case; the texts are opened for those who follow up. The look is logged."""
    case = load_case(session, viewer, case_id)
    refresh_if_stale(session, services, case.id, now=now)
    plan = session.scalars(
        select(Deadline)
        .where(Deadline.case_id == case.id, Deadline.kind == ClockKind.FOLLOW_UP)
        .order_by(Deadline.started_at.desc(), Deadline.due_at, Deadline.id)
    ).all()
    visits = session.scalars(
        select(FollowUpVisit)
        .where(FollowUpVisit.case_id == case.id)
        .order_by(FollowUpVisit.visited_at.desc(), FollowUpVisit.id)
    ).all()
    ends = session.scalars(
        select(FollowUpEnd)
        .where(FollowUpEnd.case_id == case.id)
        .order_by(FollowUpEnd.decided_at.desc(), FollowUpEnd.id)
    ).all()
    note(session, viewer, "followup.view", "case", case.id, at=now, visits=len(visits))
    reads = viewer.may(Permission.FOLLOW_UP)
    latest = standing_return(session, case.id)
    return FollowUp(
        plan=tuple(plan),
        visits=tuple(_opened(session, services, case, one) if reads else VisitView(one, None, None) for one in visits),
        ends=tuple((one, _explanation(session, services, case, one) if reads else None) for one in ends),
        missing=tuple(what_is_missing(services.care.follow_up, visits_that_met(session, latest.id) if latest else [])),
        policy=services.care.follow_up,
    )


def _opened(session: Session, services: Services, case: Case, visit: FollowUpVisit) -> VisitView:
    if visit.content_sealed is None:
        return VisitView(visit, None, None)
    texts = services.vault.open_json(session, case.profile.subject_id, visit_purpose(visit.id), visit.content_sealed)
    return VisitView(visit, texts["next_step"], texts["notes"])


def _explanation(session: Session, services: Services, case: Case, end: FollowUpEnd) -> str | None:
    if end.explanation_sealed is None:
        return None
    return services.vault.open(
        session, case.profile.subject_id, end_purpose(end.id), end.explanation_sealed
    ).decode()  # fmt: skip
