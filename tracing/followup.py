"""Follow-up (回访): visits after the return home, what they found, and the decision that ends them.

The plan is the deadlines of the clock "follow_up"; a visit that met somebody records the milestone that meets them.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, CaseState
from models.followup import (
    FollowUpEnd,
    FollowUpEndReason,
    FollowUpVisit,
    PresentParty,
    StabilityGrade,
    VisitMethod,
    VisitResult,
)
from models.milestone import Milestone, MilestoneKind
from models.notification import NotificationKind
from models.organisation import Organisation
from models.outcome import HOME, Outcome
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.care_policy import FollowUpPolicy
from tracing.cases import ReasonMissing, check_reason, load_case
from tracing.deadline_plan import refresh
from tracing.facts import InvalidFacts, check_optional_text, check_text, collecting
from tracing.milestones import check_moment, record_milestone, withdraw_milestone
from tracing.notifications import notify, users_of
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note

FOLLOWED = frozenset({CaseState.REUNIFIED, CaseState.CLOSED})
TEXT_LIMIT = 4000


class NotHome(errors.Conflict):
    """A visit of somebody who did not return home, or whose return was recalled."""

    slug = "not_home"
    message = "Follow-up begins with the return home. Record the outcome first."


class VisitBeforeReturn(errors.Invalid):
    """A visit dated before the return home."""

    slug = "visit_before_return"
    message = "This was before the return home. Check the date of the visit."


class AssessmentIncomplete(errors.Invalid):
    """A visit that met somebody without a grade for each domain, or with domains that there are not."""

    slug = "assessment_incomplete"
    message = "Grade each of: {domains}. Choose “unknown” for what was not found out."


class VisitWithdrawn(errors.Conflict):
    """A visit that was withdrawn already."""

    slug = "visit_withdrawn"
    message = "This visit has been withdrawn already. Reload the page."


class VisitInUse(errors.Conflict):
    """A visit on which a decision rests."""

    slug = "visit_in_use"
    message = "The decision to end the follow-up rests on this visit. Withdraw that decision first."


class NotStable(errors.Conflict):
    """An end because of stability that the visits do not show."""

    slug = "not_stable"
    message = (
        "The last {visits} visits do not show that life is stable: {missing}. Visit again, or end the follow-up for"
        " another reason."
    )


class FollowUpEnded(errors.Conflict):
    """A second decision to end it."""

    slug = "follow_up_ended"
    message = "Follow-up has been ended already. Reload the page."


class FollowUpRuns(errors.Conflict):
    """A withdrawal of a decision that does not stand."""

    slug = "follow_up_runs"
    message = "This decision was withdrawn already, and follow-up goes on. Reload the page."


@dataclass(frozen=True, slots=True)
class VisitReport:
    """A visit as it is given. `assessment` grades every domain of the policy, when somebody was met."""

    method: VisitMethod
    result: VisitResult
    visited_at: datetime
    visitor: str
    present: frozenset[PresentParty] = frozenset()
    assessment: Mapping[str, StabilityGrade] | None = None
    danger: bool = False
    next_step: str | None = None
    notes: str | None = None


def visit_purpose(visit_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a visit's texts."""
    return f"visit:{visit_id}"


def end_purpose(end_id: uuid.UUID) -> str:
    """Purpose under which the vault seals why follow-up was ended."""
    return f"follow-up-end:{end_id}"


def record_visit(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, given: VisitReport, *, now: datetime
) -> FollowUpVisit:
    """Record a visit or an attempt; one that met somebody meets its clock. Danger is told at once to those above.

    Raises Forbidden, NotFound, NotHome, InvalidFacts.
    """
    access.require(viewer, Permission.FOLLOW_UP)
    case = load_case(session, viewer, case_id, lock=True)
    outcome = _return_home(session, case)
    policy = services.care.follow_up
    checked = _check(services, given, outcome, policy, now)
    met = checked.result is VisitResult.MET
    identity = uuid.uuid4()
    milestone = (
        record_milestone(
            session, services, viewer, case.id, MilestoneKind.FOLLOWED_UP, occurred_at=checked.visited_at, now=now
        )
        if met
        else None
    )
    danger = checked.danger or (met and policy.shows_danger(checked.assessment or {}))
    texts = {"next_step": checked.next_step, "notes": checked.notes}
    visit = FollowUpVisit(
        id=identity,
        case_id=case.id,
        outcome_id=outcome.id,
        method=checked.method,
        result=checked.result,
        present=sorted(checked.present),
        assessment=dict(checked.assessment) if checked.assessment else None,
        danger=danger,
        policy_version=policy.version,
        visitor=checked.visitor,
        content_sealed=services.vault.seal_json(session, case.profile.subject_id, visit_purpose(identity), texts)
        if any(texts.values())
        else None,
        visited_at=checked.visited_at,
        milestone_id=milestone.id if milestone else None,
        recorded_by_id=viewer.user_id,
        recorded_at=now,
    )
    session.add(visit)
    session.flush()
    note(
        session, viewer, "followup.visit", "case", case.id, at=now,
        visit=visit.id, method=visit.method.value, result=visit.result.value, danger=danger,
    )  # fmt: skip
    if danger:
        notify(session, _supervisors(session, case), NotificationKind.FOLLOW_UP_DANGER, "case", case.id, now=now)
    return visit


def _check(
    services: Services, given: VisitReport, outcome: Outcome, policy: FollowUpPolicy, now: datetime
) -> VisitReport:
    problems: list[errors.Invalid] = []
    texts: dict[str, str | None] = {}
    for name in ("next_step", "notes"):
        with collecting(problems):
            texts[name] = check_optional_text(getattr(given, name), field=name, limit=TEXT_LIMIT)
    visitor = given.visitor
    with collecting(problems):
        visitor = check_text(given.visitor, field="visitor", limit=120)
    with collecting(problems):
        check_moment(given.visited_at, now=now, field="visited_at")
        if services.local_day(given.visited_at) < outcome.occurred_on:
            raise VisitBeforeReturn(field="visited_at")
    met = given.result is VisitResult.MET
    if set(given.assessment or {}) != (set(policy.keys) if met else set()):
        problems.append(AssessmentIncomplete(field="assessment", domains=[policy.words(key) for key in policy.keys]))
    if problems:
        raise InvalidFacts(tuple(problems))
    return VisitReport(
        given.method, given.result, given.visited_at, visitor, given.present, given.assessment, given.danger,
        texts["next_step"], texts["notes"],
    )  # fmt: skip


def standing_return(session: Session, case_id: uuid.UUID) -> Outcome | None:
    """The latest return home that stands (as `tracing.deadline_plan` takes it); None when there is none."""
    return session.scalars(
        select(Outcome)
        .where(Outcome.case_id == case_id, Outcome.kind.in_(HOME), Outcome.withdrawn_at.is_(None))
        .order_by(Outcome.recorded_at.desc(), Outcome.id)
        .limit(1)
    ).one_or_none()


def _return_home(session: Session, case: Case) -> Outcome:
    latest = standing_return(session, case.id)
    if latest is None or case.state not in FOLLOWED:
        raise NotHome()
    return latest


def _supervisors(session: Session, case: Case) -> list[uuid.UUID]:
    """The supervisors of the case's organisation and those above, and the station's own people."""
    above = session.scalars(
        select(Organisation.id).where(Organisation.id.in_(access.chain_of(case.organisation.path)))
    ).all()
    found = users_of(session, case.organisation_id, {Role.STATION_STAFF, Role.CASEWORKER})
    for organisation_id in above:
        found += users_of(session, organisation_id, {Role.BUREAU_SUPERVISOR})
    return found


def withdraw_visit(
    session: Session, services: Services, viewer: Viewer, visit_id: uuid.UUID, *, reason: str, now: datetime
) -> FollowUpVisit:
    """Take a mistaken visit back, and the milestone with it; both stay on record.

    Raises Forbidden, NotFound, ReasonMissing, VisitWithdrawn, VisitInUse.
    """
    access.require(viewer, Permission.FOLLOW_UP)
    case_id = session.scalar(select(FollowUpVisit.case_id).where(FollowUpVisit.id == visit_id))
    if case_id is None:
        raise errors.NotFound()
    case = load_case(session, viewer, case_id, lock=True)
    visit = session.get_one(FollowUpVisit, visit_id, populate_existing=True)
    reason = check_reason(reason)
    if visit.withdrawn_at is not None:
        raise VisitWithdrawn()
    if _shows_stability(session, services.care.follow_up, visit):
        raise VisitInUse()
    visit.withdrawal_reason = reason
    visit.withdrawn_at, visit.withdrawn_by_id = now, viewer.user_id
    session.flush()
    if visit.milestone_id is not None:
        _withdraw_milestone(session, services, viewer, visit, now)
    note(session, viewer, "followup.withdraw", "case", case.id, at=now, visit=visit.id)
    return visit


def _shows_stability(session: Session, policy: FollowUpPolicy, visit: FollowUpVisit) -> bool:
    """Whether the visit is among those on which a standing decision rests that life is stable."""
    decided_at = session.scalar(
        select(FollowUpEnd.decided_at).where(
            FollowUpEnd.outcome_id == visit.outcome_id, FollowUpEnd.reason == FollowUpEndReason.STABLE,
            FollowUpEnd.withdrawn_at.is_(None),
        )
    )  # fmt: skip
    if decided_at is None:
        return False
    known = [one for one in visits_that_met(session, visit.outcome_id) if one.recorded_at <= decided_at]
    return visit.id in [one.id for one in known[: policy.stable.visits]]


def _withdraw_milestone(
    session: Session, services: Services, viewer: Viewer, visit: FollowUpVisit, now: datetime
) -> None:
    milestone = session.get_one(Milestone, visit.milestone_id, populate_existing=True)
    if milestone.withdrawn_at is None:
        withdraw_milestone(
            session, services, viewer, milestone.id, reason=visit.withdrawal_reason or "", now=now
        )  # fmt: skip


def end_follow_up(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    reason: FollowUpEndReason,
    *,
    explanation: str | None = None,
    now: datetime,
) -> FollowUpEnd:
    """Decide that no more visits are needed; the clocks that have not been met end.

    "Stable" rests on the visits, as the policy says; any other reason is explained. Raises Forbidden, NotFound,
    NotHome, FollowUpEnded, NotStable, ReasonMissing.
    """
    access.require(viewer, Permission.FOLLOW_UP)
    case = load_case(session, viewer, case_id, lock=True)
    outcome = _return_home(session, case)
    standing = select(FollowUpEnd.id).where(FollowUpEnd.outcome_id == outcome.id, FollowUpEnd.withdrawn_at.is_(None))
    if session.scalar(standing) is not None:
        raise FollowUpEnded()
    policy = services.care.follow_up
    text = check_optional_text(explanation, field="explanation", limit=TEXT_LIMIT)
    visits = visits_that_met(session, outcome.id)
    if reason is FollowUpEndReason.STABLE:
        missing = what_is_missing(policy, visits)
        if missing:
            raise NotStable(visits=policy.stable.visits, missing=[policy.words(key) for key in missing])
    elif text is None:
        raise ReasonMissing(field="explanation")
    identity = uuid.uuid4()
    end = FollowUpEnd(
        id=identity,
        case_id=case.id,
        outcome_id=outcome.id,
        reason=reason,
        visit_id=visits[0].id if reason is FollowUpEndReason.STABLE else None,
        explanation_sealed=services.vault.seal(session, case.profile.subject_id, end_purpose(identity), text.encode())
        if text
        else None,
        decided_by_id=viewer.user_id,
        decided_at=now,
    )
    session.add(end)
    session.flush()
    note(session, viewer, "followup.end", "case", case.id, at=now, end=end.id, reason=reason.value)
    refresh(session, services, case.id, now=now)
    return end


def resume_follow_up(
    session: Session, services: Services, viewer: Viewer, end_id: uuid.UUID, *, reason: str, now: datetime
) -> FollowUpEnd:
    """Withdraw the decision: what was left of the time begins anew, as after a pause.

    Raises Forbidden, NotFound, ReasonMissing, FollowUpRuns.
    """
    access.require(viewer, Permission.FOLLOW_UP)
    case_id = session.scalar(select(FollowUpEnd.case_id).where(FollowUpEnd.id == end_id))
    if case_id is None:
        raise errors.NotFound()
    case = load_case(session, viewer, case_id, lock=True)
    end = session.get_one(FollowUpEnd, end_id, populate_existing=True)
    reason = check_reason(reason)
    if end.withdrawn_at is not None:
        raise FollowUpRuns()
    end.withdrawal_reason = reason
    end.withdrawn_at, end.withdrawn_by_id = now, viewer.user_id
    session.flush()
    note(session, viewer, "followup.resume", "case", case.id, at=now, end=end.id)
    refresh(session, services, case.id, now=now)
    return end


def what_is_missing(policy: FollowUpPolicy, visits: list[FollowUpVisit]) -> list[str]:
    """What keeps these visits (that met somebody, newest first) from showing that life is stable: domains, "visits"
    when there are too few, "danger" when the last one found any.
    """
    rule = policy.stable
    last = visits[: rule.visits]
    missing = ["visits"] if len(last) < rule.visits else []
    if last and last[0].danger:
        missing.append("danger")
    grades = [one.assessment or {} for one in last]
    for key in policy.keys:
        bad = any(one.get(key) in rule.none_of for one in grades)
        wanted = rule.required.get(key)
        if bad or (grades and wanted is not None and grades[0].get(key) not in wanted):
            missing.append(key)
    return missing


def visits_that_met(session: Session, outcome_id: uuid.UUID) -> list[FollowUpVisit]:
    """The standing visits after one return home that met somebody, newest first."""
    return list(
        session.scalars(
            select(FollowUpVisit)
            .where(
                FollowUpVisit.outcome_id == outcome_id,
                FollowUpVisit.result == VisitResult.MET,
                FollowUpVisit.withdrawn_at.is_(None),
            )
            .order_by(FollowUpVisit.visited_at.desc(), FollowUpVisit.recorded_at.desc(), FollowUpVisit.id)
        )
    )
