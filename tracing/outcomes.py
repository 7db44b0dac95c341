"""Outcomes (救助结果): how a stay ended; most end with a move of the case. What each needs is in `outcome_rules`."""

import uuid
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import TRANSITIONS, Case, CaseState
from models.notification import NotificationKind
from models.organisation import Organisation
from models.outcome import HOME, Outcome, OutcomeKind, OutcomeRoute
from models.user import Role, User
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import CaseClosed, ReasonMissing, load_case, search_again
from tracing.confirmation import standing_confirmation
from tracing.deadline_plan import refresh as refresh_deadlines
from tracing.dossier import DossierIncomplete, missing_papers
from tracing.facts import check_day, check_optional_text, check_text
from tracing.kin import refuse_unverified
from tracing.notifications import notify, users_of
from tracing.outcome_papers import NO_PAPERS, Papers, check_papers, store_papers
from tracing.outcome_rules import RULES, Need
from tracing.outcome_withdrawal import REASON_LIMIT, state_before, take_back
from tracing.platform import errors
from tracing.screenings import refuse_stopped
from tracing.services import Services
from tracing.trail import note
from tracing.transitions import illegal_move, move


class RouteMissing(errors.Invalid):
    """A reunification without the route that led to it."""

    slug = "route_missing"
    message = "Say what found the person's name: the statistics of what works rest on it."


class BeforeAdmission(errors.Invalid):
    """An outcome's day before the stay began."""

    slug = "before_admission"
    message = "This day lies before the day of admission. Check the year, month and day."


class ReturnStands(errors.Conflict):
    """A second return home of one stay."""

    slug = "return_stands"
    message = "A return home is recorded for this case already. Withdraw that outcome first if it is wrong."


class OutcomeWithdrawn(errors.Conflict):
    """A second withdrawal."""

    slug = "outcome_withdrawn"
    message = "This outcome has been withdrawn already. Reload the page."


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
    papers: Papers = NO_PAPERS,
    now: datetime,
) -> Outcome:
    """Record how it ended and move the case accordingly.

    Raises CaseClosed, IllegalMove, BeforeAdmission, ReturnStands, RouteMissing, KinNotVerified, ClaimsConflict,
    PersonObjects, DangerSuspected, DossierIncomplete, what `outcome_papers.check_papers` raises, a date error. The
    database refuses the same of kin and dossier.
    """
    access.require(viewer, Permission.OUTCOME)
    case = load_case(session, viewer, case_id, lock=True)
    rule = RULES[kind]
    if case.state is CaseState.CLOSED:
        raise CaseClosed()
    check_day(occurred_on, today=services.local_day(now), field="occurred_on")
    if occurred_on < case.admitted_on:
        raise BeforeAdmission(field="occurred_on")
    wanted = None if rule.state is case.state else rule.state
    if wanted is not None and wanted not in TRANSITIONS[case.state]:
        raise illegal_move(case.state, wanted)
    if kind in HOME:
        _refuse_second_return(session, case)
    dossier = _required(session, services, case, rule.needs, route)
    _refuse_handover_to_kin(session, case, kind, papers)
    check_papers(kind, papers, now=now)
    outcome = Outcome(
        id=uuid.uuid4(),
        case_id=case.id,
        kind=kind,
        route=route,
        occurred_on=occurred_on,
        note=check_optional_text(note_text, field="note", limit=4000),
        dossier_version=dossier,
        recorded_by_id=viewer.user_id,
        recorded_at=now,
    )
    session.add(outcome)
    session.flush()  # before the move: the trigger on the case's state looks for a settlement's outcome
    store_papers(session, services, viewer, case, outcome, papers, now=now)
    if wanted is not None:
        move(session, case, wanted, viewer, now=now)
    session.flush()
    refresh_deadlines(session, services, case.id, now=now)
    note(
        session, viewer, "outcome.record", "case", case.id, at=now,
        kind=kind.value, route=route.value if route else None,
    )  # fmt: skip
    if kind is OutcomeKind.MISSING_AGAIN:
        told = [
            *users_of(session, case.organisation_id, (Role.STATION_STAFF, Role.CASEWORKER)),
            *_police(session, case),
        ]
        notify(session, told, NotificationKind.WANDERED_AGAIN, "case", case.id, now=now)
    return outcome


def _required(
    session: Session, services: Services, case: Case, needs: tuple[Need, ...], route: OutcomeRoute | None
) -> str | None:
    """Raise what is missing besides the papers; the version of the dossier's list when one was needed."""
    if Need.ROUTE in needs and route is None:
        raise RouteMissing(field="route")
    if Need.KIN in needs:
        refuse_unverified(session, case.id)
    if Need.DOSSIER not in needs:
        return None
    missing = missing_papers(session, services, case.id)
    if missing:
        papers = [one for one in services.homeward.dossier.items if one.key in missing]
        raise DossierIncomplete(field="kind", missing=[f"{one.zh} ({one.en})" for one in papers])
    return services.homeward.dossier.version


def _refuse_second_return(session: Session, case: Case) -> None:
    confirmation = standing_confirmation(session, case.id)
    if confirmation is None:
        return
    returned = select(Outcome.id).where(
        Outcome.case_id == case.id, Outcome.kind.in_(HOME), Outcome.withdrawn_at.is_(None),
        Outcome.recorded_at >= confirmation.confirmed_at,
    )  # fmt: skip
    if session.scalar(returned.limit(1)) is not None:
        raise ReturnStands(field="kind")


def _refuse_handover_to_kin(session: Session, case: Case, kind: OutcomeKind, papers: Papers) -> None:
    """Whatever the outcome is called, a living person who is given to a relative is given to verified kin."""
    receiver = papers.handover
    if receiver is None or not (receiver.relation or "").strip():
        return
    if Need.KIN in RULES[kind].needs or kind is OutcomeKind.DECEASED:
        return
    if case.traced:
        refuse_unverified(session, case.id)
    else:
        refuse_stopped(session, case.id)


def _police(session: Session, case: Case) -> list[uuid.UUID]:
    return list(
        session.scalars(
            select(User.id)
            .join(Organisation, Organisation.id == User.organisation_id)
            .where(access.police_serving(case.organisation))
        )
    )


def withdraw_outcome(
    session: Session, services: Services, viewer: Viewer, outcome_id: uuid.UUID, *, reason: str, now: datetime
) -> Outcome:
    """Take a mistaken outcome back: it counts nowhere and stays on record. A case that it brought to its state goes
    back to where it was before (`outcome_withdrawal.state_before`); a notice of transfer is void.

    Raises Forbidden, NotFound, ReasonMissing, OutcomeWithdrawn.
    """
    access.require(viewer, Permission.OUTCOME)
    case_id = session.scalar(select(Outcome.case_id).where(Outcome.id == outcome_id))
    if case_id is None:
        raise errors.NotFound()
    case = load_case(session, viewer, case_id, lock=True)
    outcome = session.get_one(Outcome, outcome_id, populate_existing=True)
    if not reason.strip():
        raise ReasonMissing(field="reason")
    if outcome.withdrawn_at is not None:
        raise OutcomeWithdrawn()
    text = check_text(reason, limit=REASON_LIMIT, field="reason")
    take_back(session, viewer, outcome, text, now=now)
    before = state_before(session, case)
    if before is not None:
        move(session, case, before, viewer, now=now, reason=text, undoing=True)
        session.flush()
    if before is CaseState.SEARCHING:
        search_again(session, services, case, now=now)
    refresh_deadlines(session, services, case_id, now=now)
    return outcome


def list_outcomes(session: Session, case_id: uuid.UUID) -> list[Outcome]:
    """Outcomes of a case that the caller has already been allowed to see, oldest first, withdrawn ones among them."""
    return list(
        session.scalars(
            select(Outcome)
            .where(Outcome.case_id == case_id)
            .order_by(Outcome.recorded_at)
            .execution_options(populate_existing=True)
        )
    )
