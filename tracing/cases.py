"""Cases (个案): admitting, editing, submitting, listing and moving them."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, selectinload
from sqlalchemy.orm.strategy_options import _AbstractLoad

from matcher.vocabulary import GalleryKind
from models.case import AdmissionKind, Case, CaseState
from models.profile import Profile
from tracing import access
from tracing.access import Permission, Viewer
from tracing.blocking import store_keys
from tracing.deadline_plan import refresh as refresh_deadlines
from tracing.facts import (
    Facts,
    InvalidFacts,
    check_day,
    check_division,
    check_facts,
    check_optional_text,
    check_point,
    check_text,
    collecting,
)
from tracing.matching import request_match
from tracing.numbers import next_number
from tracing.paging import Page, page_of
from tracing.photos import has_photo
from tracing.platform import errors
from tracing.profiles import (
    create_profile,
    current_facts,
    next_revision,
    revise_profile,
    with_profile,
    with_profile_on_demand,
)
from tracing.record_search import ANYBODY, Sought, conditions, exportable
from tracing.services import Services
from tracing.trail import note
from tracing.transitions import illegal_move, move


class FoundAfterAdmission(errors.Invalid):
    """Found later than admitted."""

    slug = "found_after_admission"
    message = "The person cannot have been found after the admission. Check both days."


class NothingKnown(errors.Conflict):
    """A submission with neither a photograph nor a single fact."""

    slug = "nothing_known"
    message = "There is nothing to search with yet. Add a photograph, or at least one fact, then submit."


class CaseClosed(errors.Conflict):
    """An edit of a closed case."""

    slug = "case_closed"
    message = "This case is closed and can no longer be changed. If the person is here again, admit a new case."


class ReasonMissing(errors.Invalid):
    """A move by hand without its reason."""

    slug = "reason_missing"
    message = "Give the reason: it stays in the case's history."


def check_reason(reason: str) -> str:
    """Why something is undone or decided, without outer blanks. Raises ReasonMissing, EmptyValue, TextTooLong."""
    if not reason.strip():
        raise ReasonMissing(field="reason")
    return check_text(reason, limit=500, field="reason")


class IdentityKnown(errors.Conflict):
    """A search for somebody whose identity is known."""

    slug = "identity_known"
    message = (
        "This person's identity is recorded as known, so nobody is searched for. Take the person into care; if the "
        "stated identity is false, record that first."
    )


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When and where a person was found and admitted; the point in degrees of WGS-84."""

    admitted_on: date
    found_on: date | None = None
    found_division: str | None = None
    found_place: str | None = None
    photo_refused: bool = False
    found_latitude: float | None = None
    found_longitude: float | None = None


MANUAL_MOVES: Mapping[CaseState, Permission] = MappingProxyType(
    {
        CaseState.UNRESOLVED: Permission.CASE_WRITE,
        CaseState.SEARCHING: Permission.CASE_WRITE,
        CaseState.LEFT: Permission.OUTCOME,
        CaseState.DECEASED: Permission.OUTCOME,
        CaseState.CLOSED: Permission.OUTCOME,
    }
)
"""Moves that a person makes by name; all others are the effect of a use case (review, confirmation, contact …).

Settled and transferred come with an outcome: it has the dossier or the written notice.
"""


def _check(circumstances: Circumstances, facts: Facts, today: date) -> Facts:
    problems: list[errors.Invalid] = []
    with collecting(problems):
        check_day(circumstances.admitted_on, today=today, field="admitted_on")
    with collecting(problems):
        check_day(circumstances.found_on, today=today, field="found_on")
        if circumstances.found_on and circumstances.found_on > circumstances.admitted_on:
            raise FoundAfterAdmission(field="found_on")
    with collecting(problems):
        check_division(circumstances.found_division, field="found_division")
    with collecting(problems):
        check_optional_text(circumstances.found_place, field="found_place")
    with collecting(problems):
        check_point(circumstances.found_latitude, circumstances.found_longitude, field="found_latitude")
    with collecting(problems):
        facts = check_facts(facts, today=today)
    if problems:
        raise InvalidFacts(tuple(problems))
    return facts


def create_case(
    session: Session,
    services: Services,
    viewer: Viewer,
    circumstances: Circumstances,
    facts: Facts,
    *,
    profile: Profile | None = None,
    now: datetime,
) -> Case:
    """A draft case of the viewer's organisation. Raises Forbidden, InvalidFacts.

    `profile`: that of a person who is there already (a sighting's), loaded with its facts, which these replace.
    """
    access.require(viewer, Permission.CASE_WRITE)
    today = services.local_day(now)
    facts = _check(circumstances, facts, today)
    organisation = access.own_organisation(session, viewer)
    if profile is None:
        profile = create_profile(session, services.vault, viewer, facts, now=now)
    else:
        revise_profile(session, profile, viewer, facts, now=now)
    session.flush()
    case = Case(
        id=uuid.uuid4(),
        number=next_number(session, division=organisation.division, year=today.year),
        organisation_id=organisation.id,
        organisation=organisation,
        created_by_id=viewer.user_id,
        profile_id=profile.id,
        profile=profile,
        admission_kind=AdmissionKind.UNKNOWN_IDENTITY,
        state=CaseState.DRAFT,
        state_since=now,
        created_at=now,
        updated_at=now,
        history=[],
    )
    _set_circumstances(case, circumstances)
    session.add(case)
    session.flush()
    store_keys(session, services.parameters, case)
    note(session, viewer, "case.create", "case", case.id, at=now)
    refresh_deadlines(session, services, case.id, now=now)
    return case


def _set_circumstances(case: Case, circumstances: Circumstances) -> None:
    case.admitted_on = circumstances.admitted_on
    case.found_on = circumstances.found_on
    case.found_division = circumstances.found_division
    case.found_place = check_optional_text(circumstances.found_place, field="found_place")
    case.photo_refused = circumstances.photo_refused
    case.found_latitude = circumstances.found_latitude
    case.found_longitude = circumstances.found_longitude


def _seen(case: Case) -> tuple[date | None, str | None]:
    """When and where the person was seen, as the matcher is told (`tracing.matching_records.described`)."""
    return case.found_on or case.admitted_on, case.found_division


def get_case(session: Session, viewer: Viewer, case_id: uuid.UUID, *, now: datetime) -> Case:
    """A case with its organisation, profile and history; the view is logged. Raises NotFound outside the scope."""
    case = load_case(session, viewer, case_id)
    note(session, viewer, "case.view", "case", case.id, at=now)
    return case


def seen_case(session: Session, viewer: Viewer, case: uuid.UUID | Case) -> Case:
    """The case, unless the caller has it already: loaded in this transaction, and known to exist for this viewer."""
    return case if isinstance(case, Case) else load_case(session, viewer, case)


def load_case(session: Session, viewer: Viewer, case_id: uuid.UUID, *, lock: bool = False) -> Case:
    """A case for a use case that logs its own action. `lock` holds the row until the end of the transaction."""
    statement = (
        select(Case)
        .where(Case.id == case_id, access.case_scope(viewer))
        .options(joinedload(Case.organisation), selectinload(Case.history), *with_profile_on_demand(Case.profile))
        .execution_options(populate_existing=True)
    )
    if lock:
        statement = statement.with_for_update(of=Case)
    case: Case = access.find(session, statement)
    return case


def _listed(
    viewer: Viewer,
    states: frozenset[CaseState],
    sought: Sought,
    now: datetime,
    profile: Callable[[InstrumentedAttribute[Profile]], tuple[_AbstractLoad, ...]] = with_profile,
) -> Select[Case]:
    statement = (
        select(Case)
        .where(access.case_scope(viewer), *conditions(Case, sought, now.date()))
        .options(joinedload(Case.organisation), *profile(Case.profile))
    )
    return statement.where(Case.state.in_(states)) if states else statement


def list_cases(
    session: Session,
    viewer: Viewer,
    *,
    states: frozenset[CaseState] = frozenset(),
    number: str | None = None,
    sought: Sought = ANYBODY,
    facts: bool = True,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[Case]:
    """Cases of the viewer's scope, newest first. `number` filters by a part of the case number.

    `facts`: with what is known of the persons; without, `profiles.load_facts` brings it for several lists at once.
    """
    access.require(viewer, Permission.CASE_READ)
    statement = _listed(viewer, states, sought, now, with_profile if facts else with_profile_on_demand)
    if number:
        statement = statement.where(Case.number.contains(number.strip(), autoescape=True))
    page = page_of(session, statement, Case.created_at, Case.id, cursor=cursor, limit=limit)
    note(session, viewer, "case.list", "case", None, at=now, count=len(page.items))
    return page


def export_cases(
    session: Session, viewer: Viewer, *, states: frozenset[CaseState] = frozenset(), sought: Sought, now: datetime
) -> Sequence[Case]:
    """The whole list for a file, newest first; the export is logged. Raises Forbidden, TooManyToExport."""
    access.require(viewer, Permission.CASE_READ)
    access.require(viewer, Permission.EXPORT)
    statement = _listed(viewer, states, sought, now).order_by(Case.created_at.desc(), Case.id.desc())
    rows = exportable(session, statement)
    note(session, viewer, "case.export", "case", None, at=now, count=len(rows))
    return rows


def count_cases(session: Session, viewer: Viewer) -> Mapping[CaseState, int]:
    """How many cases of the viewer's scope stand in each state; states without any are left out."""
    access.require(viewer, Permission.CASE_READ)
    counted = select(Case.state, func.count().label("cases")).where(access.case_scope(viewer)).group_by(Case.state)
    return {row.state: row.cases for row in session.execute(counted)}


def edit_case(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    circumstances: Circumstances,
    facts: Facts,
    *,
    version: int | None,
    now: datetime,
) -> Case:
    """Replace what is known. A submitted case is matched again when it changed.

    `version` is the one the editor saw; raises StaleVersion when another has saved since, InvalidFacts, Conflict when
    the case is closed.
    """
    access.require(viewer, Permission.CASE_WRITE)
    case = load_case(session, viewer, case_id, lock=True)
    if version is not None and version != case.version:
        raise errors.StaleVersion(field="version")
    if case.state is CaseState.CLOSED:
        raise CaseClosed()
    facts = _check(circumstances, facts, services.local_day(now))
    before = _seen(case)
    _set_circumstances(case, circumstances)
    changed = revise_profile(session, case.profile, viewer, facts, now=now)
    if not changed and before != _seen(case):
        next_revision(case.profile)
        changed = True
    case.updated_at = now
    case.version += 1
    session.flush()
    if changed:
        store_keys(session, services.parameters, case)
    note(session, viewer, "case.edit", "case", case.id, at=now, revision=case.profile.revision)
    refresh_deadlines(session, services, case.id, now=now)
    if changed:
        request_match(session, services, GalleryKind.CASE, case.id, now=now)
    return case


def submit_case(session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime) -> Case:
    """Hand a draft in: from here on the police see it and the matching pass is asked for in the same transaction.

    Submitting again is harmless. Raises NothingKnown for an empty draft.
    """
    access.require(viewer, Permission.CASE_WRITE)
    case = load_case(session, viewer, case_id, lock=True)
    if case.state is not CaseState.DRAFT and case.submitted_by_id is not None:
        return case
    if not case.traced:
        raise IdentityKnown()
    known = current_facts(case.profile)
    if not (known or has_photo(session, case.profile_id)):
        raise NothingKnown()
    case.submitted_by_id = viewer.user_id
    move(session, case, CaseState.SUBMITTED, viewer, now=now)
    note(session, viewer, "case.submit", "case", case.id, at=now)
    session.flush()
    request_match(session, services, GalleryKind.CASE, case.id, now=now)
    return case


def move_case(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    wanted: CaseState,
    *,
    reason: str,
    now: datetime,
) -> Case:
    """A move made by name (left, deceased, unresolved, searched again, closed …), with its reason.

    Raises IllegalMove, ReasonMissing, IdentityKnown, and Forbidden for states that only another use case reaches.
    """
    case = load_case(session, viewer, case_id, lock=True)
    if wanted not in MANUAL_MOVES:
        raise illegal_move(case.state, wanted)
    access.require(viewer, MANUAL_MOVES[wanted])
    if wanted is CaseState.SEARCHING and not case.traced:
        raise IdentityKnown()
    move(session, case, wanted, viewer, now=now, reason=check_reason(reason))
    session.flush()
    refresh_deadlines(session, services, case.id, now=now)
    if wanted is CaseState.SEARCHING:
        search_again(session, services, case, now=now)
    return case


def search_again(session: Session, services: Services, case: Case, *, now: datetime) -> None:
    """Ask for a new pass over a locked case that has just come back to the search, whatever was asked for before."""
    next_revision(case.profile)
    session.flush()
    request_match(session, services, GalleryKind.CASE, case.id, now=now)
