"""Hospital handovers (绿色通道): the ill are brought to the hospital at once; admission and tracing go on meanwhile."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.admission import HospitalHandover
from models.case import Case, CaseState
from models.notification import NotificationKind
from models.organisation import Organisation, OrganisationKind
from models.profile import Profile
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import CaseClosed, check_reason, load_case
from tracing.facts import InvalidFacts, check_optional_text, check_text, collecting
from tracing.milestones import check_moment
from tracing.notifications import notify, users_of
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note

ACTING = frozenset({Role.STATION_STAFF, Role.CASEWORKER, Role.BUREAU_SUPERVISOR})
"""Who, of a case's readers, is told what ails the person: the station's people and the supervisors above them."""


class NotAHospital(errors.Invalid):
    """A handover to something else than a designated hospital."""

    slug = "not_a_hospital"
    message = "Choose an active health liaison station (designated hospital)."


class HandoverEnded(errors.Conflict):
    """A handover that was withdrawn, or received already."""

    slug = "handover_ended"
    message = "This handover has been received or withdrawn already. Reload the page."


@dataclass(frozen=True, slots=True)
class HandoverView:
    """A handover, its case's number, and the complaint, opened for those who act on it; None to others."""

    handover: HospitalHandover
    case_number: str
    complaint: str | None


def handover_purpose(handover_id: uuid.UUID) -> str:
    """Purpose under which the vault seals the complaint."""
    return f"handover:{handover_id}"


def hand_over(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    hospital_id: uuid.UUID,
    *,
    officer: str,
    complaint: str,
    handed_at: datetime,
    now: datetime,
) -> HospitalHandover:
    """Record that the person was brought to a hospital, from a draft on; its liaisons are told.

    Raises Forbidden, NotFound, CaseClosed, InvalidFacts.
    """
    access.require(viewer, Permission.CASE_WRITE)
    case = load_case(session, viewer, case_id, lock=True)
    if case.state is CaseState.CLOSED:
        raise CaseClosed()
    problems: list[errors.Invalid] = []
    with collecting(problems):
        officer = check_text(officer, limit=120, field="officer")
    with collecting(problems):
        complaint = check_text(complaint, limit=1000, field="complaint")
    with collecting(problems):
        check_moment(handed_at, now=now, field="handed_at")
    hospital = session.get(Organisation, hospital_id)
    if hospital is None or hospital.kind is not OrganisationKind.HEALTH_LIAISON or not hospital.active:
        problems.append(NotAHospital(field="hospital_id"))
    if problems:
        raise InvalidFacts(tuple(problems))
    identity = uuid.uuid4()
    purpose = handover_purpose(identity)
    handover = HospitalHandover(
        id=identity, case_id=case.id, hospital_id=hospital_id, handed_at=handed_at, officer=officer,
        complaint_sealed=services.vault.seal(session, case.profile.subject_id, purpose, complaint.encode()),
        recorded_by_id=viewer.user_id, recorded_at=now,
    )  # fmt: skip
    session.add(handover)
    session.flush()
    note(session, viewer, "handover.record", "case", case.id, at=now, handover=handover.id, hospital=hospital_id)
    told = users_of(session, hospital_id, [Role.HEALTH_LIAISON])
    notify(session, told, NotificationKind.REFERRAL_SENT, "handover", handover.id, now=now)
    return handover


def list_of_case(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime
) -> list[HandoverView]:
    """The handovers of a case, newest first; the complaint for its station and those above. Raises NotFound."""
    case = load_case(session, viewer, case_id)
    rows = session.scalars(
        select(HospitalHandover)
        .where(HospitalHandover.case_id == case.id)
        .order_by(HospitalHandover.handed_at.desc(), HospitalHandover.id)
        .execution_options(populate_existing=True)
    ).all()
    note(session, viewer, "handover.list", "case", case.id, at=now, count=len(rows))
    return [_view(session, services, row, opened=viewer.role in ACTING) for row in rows]


def list_of_hospital(
    session: Session,
    services: Services,
    viewer: Viewer,
    *,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[HandoverView]:
    """Who was brought to the viewer's hospital, newest first; of the case its number alone."""
    access.require(viewer, Permission.HANDOVER_RECEIVE)
    statement = select(HospitalHandover).where(
        HospitalHandover.hospital_id == viewer.organisation_id, HospitalHandover.withdrawn_at.is_(None)
    )
    page = page_of(
        session, statement, HospitalHandover.handed_at, HospitalHandover.id, cursor=cursor, limit=limit
    )  # fmt: skip
    note(session, viewer, "handover.list", "organisation", viewer.organisation_id, at=now, count=len(page.items))
    return Page(tuple(_view(session, services, row) for row in page.items), page.next_cursor)


def receive(
    session: Session,
    services: Services,
    viewer: Viewer,
    handover_id: uuid.UUID,
    *,
    ward: str | None,
    received_at: datetime,
    now: datetime,
) -> HandoverView:
    """The hospital's liaison says that the person arrived; who brought the person is told.

    Raises Forbidden, NotFound, HandoverEnded, InvalidFacts.
    """
    access.require(viewer, Permission.HANDOVER_RECEIVE)
    statement = select(HospitalHandover).where(
        HospitalHandover.id == handover_id, HospitalHandover.hospital_id == viewer.organisation_id
    )
    handover: HospitalHandover = access.find(session, statement.with_for_update())
    if handover.received_at is not None or handover.withdrawn_at is not None:
        raise HandoverEnded()
    check_moment(received_at, now=now, field="received_at")
    handover.ward = check_optional_text(ward, field="ward", limit=120)
    handover.received_at, handover.received_by_id = received_at, viewer.user_id
    session.flush()
    note(session, viewer, "handover.receive", "case", handover.case_id, at=now, handover=handover.id)
    told = [handover.recorded_by_id]
    notify(session, told, NotificationKind.REFERRAL_ANSWERED, "handover", handover.id, now=now)
    return _view(session, services, handover)


def withdraw_handover(
    session: Session, services: Services, viewer: Viewer, handover_id: uuid.UUID, *, reason: str, now: datetime
) -> HandoverView:
    """Take back a handover that was a mistake; it stays on record. Raises Forbidden, NotFound, ReasonMissing."""
    access.require(viewer, Permission.CASE_WRITE)
    case_id = session.scalar(select(HospitalHandover.case_id).where(HospitalHandover.id == handover_id))
    if case_id is None:
        raise errors.NotFound()
    load_case(session, viewer, case_id, lock=True)
    handover = session.get_one(HospitalHandover, handover_id, with_for_update=True, populate_existing=True)
    reason = check_reason(reason)
    if handover.withdrawn_at is not None:
        raise HandoverEnded()
    handover.withdrawn_at, handover.withdrawn_by_id = now, viewer.user_id
    handover.withdrawal_reason = reason
    session.flush()
    note(session, viewer, "handover.withdraw", "case", case_id, at=now, handover=handover.id)
    return _view(session, services, handover)


def _view(session: Session, services: Services, handover: HospitalHandover, *, opened: bool = True) -> HandoverView:
    number, subject_id = session.execute(
        select(Case.number, Profile.subject_id)
        .join(Profile, Profile.id == Case.profile_id)
        .where(Case.id == handover.case_id)
    ).one()
    if not opened:
        return HandoverView(handover, number, None)
    complaint = services.vault.open(session, subject_id, handover_purpose(handover.id), handover.complaint_sealed)
    return HandoverView(handover, number, complaint.decode())
