"""Missing-person reports (寻人信息): registering them, publishing them to the search, sealing the family's details."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from matcher.vocabulary import GalleryKind
from models.report import REPORT_TRANSITIONS, Report, ReportState
from tracing import access
from tracing.access import Permission, Viewer
from tracing.blocking import store_keys
from tracing.facts import Facts, InvalidFacts, check_day, check_division, check_facts, check_optional_text, collecting
from tracing.gallery_erasure import request_leaving
from tracing.identity_digests import store_digest
from tracing.matching import request_match
from tracing.numbers import check_digit, next_number
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.profiles import create_profile, next_revision, revise_profile, with_profile
from tracing.record_search import ANYBODY, Sought, conditions, exportable
from tracing.services import Services
from tracing.trail import note


class IllegalReportMove(errors.Conflict):
    """A move that the report's table does not have."""

    slug = "illegal_report_transition"
    message = "A report in the state “{current}” cannot become “{wanted}”."


class ContactIncomplete(errors.Invalid):
    """A family contact that nobody could be reached by."""

    slug = "contact_incomplete"
    message = "Give the family member's name and a telephone number or address: without them nobody can be told."


class BadIdentityNumber(errors.Invalid):
    """An identity number whose check digit is wrong."""

    slug = "bad_identity_number"
    message = "This is not a valid identity number: 18 characters, the last one checks the others. Compare it again."


@dataclass(frozen=True, slots=True)
class FamilyContact:
    """Whom to tell (家属联系方式). Sealed from the moment it is given until the police release it."""

    name: str
    relation: str | None = None
    telephone: str | None = None
    address: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class LastSeen:
    """When and where the person was last seen. A soft date."""

    last_seen_on: date | None = None
    last_seen_division: str | None = None
    last_seen_place: str | None = None


CONTACT_TEXT_LIMIT = 1000


def contact_purpose(report_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a family's details."""
    return f"contact:{report_id}"


def identity_purpose(report_id: uuid.UUID) -> str:
    """Purpose under which the vault seals the missing person's identity number."""
    return f"identity:{report_id}"


def is_identity_number(text: str) -> bool:
    """Whether the text is a Chinese citizen identity number (GB 11643): 17 digits and an ISO 7064 MOD 11-2 check."""
    return len(text) == 18 and text[:17].isdecimal() and text.isascii() and check_digit(text[:17]) == text[17]


def create_report(
    session: Session,
    services: Services,
    viewer: Viewer,
    last_seen: LastSeen,
    facts: Facts,
    contact: FamilyContact | None,
    identity_number: str | None = None,
    *,
    now: datetime,
) -> Report:
    """A draft report of the viewer's organisation. Raises Forbidden, InvalidFacts."""
    access.require(viewer, Permission.REPORT_WRITE)
    today = services.local_day(now)
    facts = _check(last_seen, facts, contact, identity_number, today)
    organisation = access.own_organisation(session, viewer)
    profile = create_profile(session, services.vault, viewer, facts, now=now)
    session.flush()
    report = Report(
        id=uuid.uuid4(),
        number=next_number(session, division=organisation.division, year=today.year, report=True),
        organisation_id=organisation.id,
        organisation=organisation,
        created_by_id=viewer.user_id,
        profile_id=profile.id,
        profile=profile,
        state=ReportState.DRAFT,
        created_at=now,
        updated_at=now,
    )
    _set_last_seen(report, last_seen)
    _seal(session, services, report, contact, identity_number)
    session.add(report)
    session.flush()
    if identity_number:
        store_digest(session, services.vault, report.id, identity_number)
    store_keys(session, services.parameters, report)
    note(session, viewer, "report.create", "report", report.id, at=now)
    return report


def _check(
    last_seen: LastSeen, facts: Facts, contact: FamilyContact | None, identity_number: str | None, today: date
) -> Facts:
    problems: list[errors.Invalid] = []
    with collecting(problems):
        check_day(last_seen.last_seen_on, today=today, field="last_seen_on")
    with collecting(problems):
        check_division(last_seen.last_seen_division, field="last_seen_division")
    with collecting(problems):
        check_optional_text(last_seen.last_seen_place, field="last_seen_place")
    with collecting(problems):
        ways = ((contact.telephone or "") + (contact.address or "")).strip() if contact else ""
        if contact is not None and not (contact.name.strip() and ways):
            raise ContactIncomplete(field="contact")
    for name, value in (asdict(contact) if contact else {}).items():
        with collecting(problems):
            check_optional_text(value, field=f"contact.{name}", limit=CONTACT_TEXT_LIMIT)
    with collecting(problems):
        if identity_number and not is_identity_number(identity_number):
            raise BadIdentityNumber(field="identity_number")
    with collecting(problems):
        facts = check_facts(facts, today=today)
    if problems:
        raise InvalidFacts(tuple(problems))
    return facts


def _set_last_seen(report: Report, last_seen: LastSeen) -> None:
    report.last_seen_on = last_seen.last_seen_on
    report.last_seen_division = last_seen.last_seen_division
    report.last_seen_place = check_optional_text(last_seen.last_seen_place, field="last_seen_place")


def _seal(
    session: Session, services: Services, report: Report, contact: FamilyContact | None, identity_number: str | None
) -> None:
    """Seal what is given; what is not given stays as it was (nobody can read it back to send it again)."""
    subject_id = report.profile.subject_id
    if contact is not None:
        report.family_contact_sealed = services.vault.seal_json(
            session, subject_id, contact_purpose(report.id), asdict(contact)
        )
    if identity_number:
        report.identity_number_sealed = services.vault.seal(
            session, subject_id, identity_purpose(report.id), identity_number.encode()
        )


def load_report(session: Session, viewer: Viewer, report_id: uuid.UUID, *, lock: bool = False) -> Report:
    """A report for a use case that logs its own action. Raises NotFound outside the scope."""
    statement = (
        select(Report)
        .where(Report.id == report_id, access.report_scope(viewer))
        .options(joinedload(Report.organisation), *with_profile(Report.profile))
        .execution_options(populate_existing=True)
    )
    if lock:
        statement = statement.with_for_update(of=Report)
    report: Report = access.find(session, statement)
    return report


def get_report(session: Session, viewer: Viewer, report_id: uuid.UUID, *, now: datetime) -> Report:
    """A report with its profile; the view is logged. The family's details stay sealed."""
    report = load_report(session, viewer, report_id)
    note(session, viewer, "report.view", "report", report.id, at=now)
    return report


def _listed(viewer: Viewer, states: frozenset[ReportState], sought: Sought, now: datetime) -> Select[Report]:
    statement = (
        select(Report)
        .where(access.report_scope(viewer), *conditions(Report, sought, now.date()))
        .options(joinedload(Report.organisation), *with_profile(Report.profile))
    )
    return statement.where(Report.state.in_(states)) if states else statement


def list_reports(
    session: Session,
    viewer: Viewer,
    *,
    states: frozenset[ReportState] = frozenset(),
    number: str | None = None,
    sought: Sought = ANYBODY,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[Report]:
    """Reports of the viewer's scope, newest first."""
    access.require(viewer, Permission.REPORT_READ)
    statement = _listed(viewer, states, sought, now)
    if number:
        statement = statement.where(Report.number.contains(number.strip(), autoescape=True))
    page = page_of(session, statement, Report.created_at, Report.id, cursor=cursor, limit=limit)
    note(session, viewer, "report.list", "report", None, at=now, count=len(page.items))
    return page


def export_reports(
    session: Session, viewer: Viewer, *, states: frozenset[ReportState] = frozenset(), sought: Sought, now: datetime
) -> Sequence[Report]:
    """The whole list for a file, newest first; the export is logged. Raises Forbidden, TooManyToExport."""
    access.require(viewer, Permission.REPORT_READ)
    access.require(viewer, Permission.EXPORT)
    statement = _listed(viewer, states, sought, now).order_by(Report.created_at.desc(), Report.id.desc())
    rows = exportable(session, statement)
    note(session, viewer, "report.export", "report", None, at=now, count=len(rows))
    return rows


def edit_report(
    session: Session,
    services: Services,
    viewer: Viewer,
    report_id: uuid.UUID,
    last_seen: LastSeen,
    facts: Facts,
    contact: FamilyContact | None,
    identity_number: str | None = None,
    *,
    version: int | None,
    now: datetime,
) -> Report:
    """Replace what is known; an open report is matched again when it changed. Raises StaleVersion, InvalidFacts."""
    access.require(viewer, Permission.REPORT_WRITE)
    report = load_report(session, viewer, report_id, lock=True)
    if version is not None and version != report.version:
        raise errors.StaleVersion(field="version")
    facts = _check(last_seen, facts, contact, identity_number, services.local_day(now))
    before = (report.last_seen_on, report.last_seen_division)
    _set_last_seen(report, last_seen)
    _seal(session, services, report, contact, identity_number)
    changed = revise_profile(session, report.profile, viewer, facts, now=now)
    if not changed and before != (report.last_seen_on, report.last_seen_division):
        next_revision(report.profile)
        changed = True
    elif not changed and identity_number:
        next_revision(report.profile)  # other reports may have the same number
        changed = True
    report.updated_at = now
    report.version += 1
    session.flush()
    if changed:
        store_keys(session, services.parameters, report)
    note(session, viewer, "report.edit", "report", report.id, at=now, revision=report.profile.revision)
    if identity_number:
        store_digest(session, services.vault, report.id, identity_number)
    if changed:
        request_match(session, services, GalleryKind.REPORT, report.id, now=now)
    return report


def publish_report(
    session: Session, services: Services, viewer: Viewer, report_id: uuid.UUID, *, now: datetime
) -> Report:
    """Put a draft into the search; publishing again is harmless. Raises ContactIncomplete when nobody could be told."""
    access.require(viewer, Permission.REPORT_WRITE)
    report = load_report(session, viewer, report_id, lock=True)
    if report.state is ReportState.OPEN:
        return report
    if report.family_contact_sealed is None:
        raise ContactIncomplete(field="contact")
    if report.state is ReportState.WITHDRAWN:
        next_revision(report.profile)  # whoever came in the meantime has not been compared with it
    move_report(session, report, ReportState.OPEN, viewer, now=now)
    session.flush()
    request_match(session, services, GalleryKind.REPORT, report.id, now=now)
    return report


def withdraw_report(
    session: Session, services: Services, viewer: Viewer, report_id: uuid.UUID, *, now: datetime
) -> Report:
    """Take a report out of the search: the person was found otherwise, or the family wants it so."""
    access.require(viewer, Permission.REPORT_WRITE)
    report = load_report(session, viewer, report_id, lock=True)
    move_report(session, report, ReportState.WITHDRAWN, viewer, now=now)
    session.flush()
    return report


def move_report(session: Session, report: Report, wanted: ReportState, viewer: Viewer | None, *, now: datetime) -> None:
    """Move a report, with its audit event; one that leaves the gallery asks for the proof of it.

    Raises IllegalReportMove.
    """
    previous = report.state
    if wanted not in REPORT_TRANSITIONS[previous]:
        raise IllegalReportMove(current=previous.value, wanted=wanted.value)
    report.state = wanted
    report.updated_at = now
    note(session, viewer, "report.move", "report", report.id, at=now, previous=previous.value, state=wanted.value)
    if previous is ReportState.OPEN:
        request_leaving(session, GalleryKind.REPORT, report.id, report.profile_id, now=now)
