"""Notices to the home district (致户籍地通知): after a family's refusal, and with a transfer to the home station."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, joinedload

from matcher import divisions
from matcher.vocabulary import PlaceKind
from models.case import Case
from models.confirmation import Confirmation
from models.contact import ContactAttempt
from models.home_notice import HomeAnswer, HomeNotice, HomeNoticeKind
from models.notification import NotificationKind
from models.organisation import Organisation, OrganisationKind
from models.outcome import Outcome
from models.profile import ProfilePlace
from models.report import Report
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import load_case
from tracing.notifications import notify, users_of
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note

ADDRESSEES = (OrganisationKind.STATION, OrganisationKind.REGION_CENTRE, OrganisationKind.BUREAU)
"""Who is written to, the nearest to the person first."""
_READERS = (Role.STATION_STAFF, Role.CASEWORKER, Role.BUREAU_SUPERVISOR)
_HOME = (PlaceKind.REGISTERED, PlaceKind.RESIDENCE, PlaceKind.NATIVE)


class NoticeAnswered(errors.Conflict):
    """A second answer."""

    slug = "notice_answered"
    message = "This notice has been answered already. Reload the page."


class NoticeVoid(errors.Conflict):
    """An answer to a notice of a transfer that was withdrawn, or of a family that proved to be another's."""

    slug = "notice_void"
    message = "This notice no longer holds: the transfer was withdrawn, or the confirmation recalled. Nothing is to do."


class NotAddressed(errors.Forbidden):
    """An answer by somebody to whom the notice was not written."""

    slug = "not_addressed"
    message = "Only the organisation to which the notice is addressed answers it."


def home_division(session: Session, report: Report) -> str | None:
    """Division of the reported person's home: register, residence, origin, else where last seen. None: not known."""
    places = session.execute(
        select(ProfilePlace.kind, ProfilePlace.division)
        .where(ProfilePlace.profile_id == report.profile_id, ProfilePlace.superseded_at.is_(None))
        .order_by(ProfilePlace.recorded_at.desc())
    ).all()
    for wanted in _HOME:
        for kind, division in places:
            if kind is wanted:
                return str(division)
    return report.last_seen_division


def addressee(session: Session, division: str | None) -> Organisation | None:
    """The organisation of the service that is nearest to a division: a station of its county, else its city's, else its
    province's; None when there is none.
    """
    code = divisions.normalise(division) if division else ""
    for length in range(len(code), 0, -2):
        found = session.scalars(
            select(Organisation).where(
                Organisation.active, Organisation.kind.in_(ADDRESSEES),
                Organisation.division == code[:length].ljust(6, "0"),
            )
        ).all()  # fmt: skip
        if found:
            return min(found, key=lambda one: (ADDRESSEES.index(one.kind), one.path))
    return None


def is_void() -> ColumnElement[bool]:
    """Condition on `HomeNotice`: its transfer was withdrawn, or the confirmation behind its refusal recalled."""
    withdrawn = exists().where(Outcome.id == HomeNotice.outcome_id, Outcome.withdrawn_at.is_not(None))
    recalled = exists().where(
        ContactAttempt.id == HomeNotice.attempt_id,
        Confirmation.id == ContactAttempt.confirmation_id,
        Confirmation.recalled_at.is_not(None),
    )
    return withdrawn | recalled


def void_among(session: Session, notice_ids: Sequence[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Which of these notices, which the caller may see, no longer hold."""
    return frozenset(session.scalars(select(HomeNotice.id).where(HomeNotice.id.in_(notice_ids), is_void())))


def tell_void(session: Session, confirmation: Confirmation, *, now: datetime) -> None:
    """Tell the addressees of the notices that fell with a recalled confirmation."""
    fallen = select(HomeNotice).where(
        HomeNotice.case_id == confirmation.case_id,
        HomeNotice.organisation_id.is_not(None),
        HomeNotice.created_at >= confirmation.confirmed_at,
        is_void(),
    )
    for notice in session.scalars(fallen.order_by(HomeNotice.id)).all():
        if notice.organisation_id is not None:
            told = users_of(session, notice.organisation_id, _READERS)
            notify(session, told, NotificationKind.CONFIRMATION_RECALLED, "home_notice", notice.id, now=now)


def route_refusal(
    session: Session,
    services: Services,
    viewer: Viewer,
    case: Case,
    report: Report,
    attempt: ContactAttempt,
    *,
    now: datetime,
) -> HomeNotice:
    """The notice that a family refused, to the home district; both sides are told. It names no family."""
    division = home_division(session, report)
    receiver = addressee(session, division)
    notice = HomeNotice(
        id=uuid.uuid4(),
        case_id=case.id,
        kind=HomeNoticeKind.REFUSAL,
        attempt_id=attempt.id,
        division=division,
        organisation_id=receiver.id if receiver else None,
        sent_on=services.local_day(now),
        created_by_id=viewer.user_id,
        created_at=now,
    )
    _send(session, viewer, notice, case, now)
    return notice


def send_transfer(
    session: Session,
    viewer: Viewer,
    case: Case,
    outcome_id: uuid.UUID,
    *,
    organisation: Organisation | None,
    receiver: str | None,
    document_number: str,
    sent_on: date,
    now: datetime,
) -> HomeNotice:
    """The written notice of a transfer, to a station of the service or to one outside it."""
    notice = HomeNotice(
        id=uuid.uuid4(),
        case_id=case.id,
        kind=HomeNoticeKind.TRANSFER,
        outcome_id=outcome_id,
        division=organisation.division if organisation else None,
        organisation_id=organisation.id if organisation else None,
        receiver=receiver,
        document_number=document_number,
        sent_on=sent_on,
        created_by_id=viewer.user_id,
        created_at=now,
    )
    _send(session, viewer, notice, case, now)
    return notice


def _send(session: Session, viewer: Viewer, notice: HomeNotice, case: Case, now: datetime) -> None:
    session.add(notice)
    session.flush()
    told: list[uuid.UUID] = []
    if notice.organisation_id is not None:
        told += users_of(session, notice.organisation_id, _READERS)
    if notice.kind is HomeNoticeKind.TRANSFER:
        notify(session, told, NotificationKind.REFERRAL_SENT, "home_notice", notice.id, now=now)
    if notice.kind is HomeNoticeKind.REFUSAL:
        told += users_of(session, case.organisation_id, (Role.STATION_STAFF, Role.CASEWORKER))
        notify(session, told, NotificationKind.CONTACT_REFUSED, "home_notice", notice.id, now=now)
    note(
        session, viewer, "home_notice.send", "case", case.id, at=now,
        notice=notice.id, kind=notice.kind.value, addressee=notice.organisation_id,
    )  # fmt: skip


def list_home_notices(
    session: Session,
    viewer: Viewer,
    *,
    case_id: uuid.UUID | None = None,
    waiting: bool = False,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[HomeNotice]:
    """Notices to the viewer's organisations and of the viewer's cases, newest first; `waiting`: without an answer, and
    not void.

    Raises Forbidden, NotFound (for a case outside the scope).
    """
    access.require(viewer, Permission.HOME_NOTICE)
    statement = (
        select(HomeNotice)
        .where(access.home_notice_scope(viewer))
        .options(joinedload(HomeNotice.organisation), joinedload(HomeNotice.case).joinedload(Case.organisation))
        .execution_options(populate_existing=True)
    )
    if case_id is not None:
        statement = statement.where(HomeNotice.case_id == load_case(session, viewer, case_id).id)
    if waiting:
        statement = statement.where(HomeNotice.answered_at.is_(None), ~is_void())
    page = page_of(session, statement, HomeNotice.created_at, HomeNotice.id, cursor=cursor, limit=limit)
    note(session, viewer, "home_notice.list", "home_notice", None, at=now, count=len(page.items))
    return page


def answer_home_notice(
    session: Session, viewer: Viewer, notice_id: uuid.UUID, answer: HomeAnswer, *, now: datetime
) -> HomeNotice:
    """Acknowledge a notice, once. For the addressee; for a station outside the service, by the station that sent it.

    Raises Forbidden, NotFound, NotAddressed, NoticeAnswered, NoticeVoid.
    """
    access.require(viewer, Permission.HOME_NOTICE)
    notice: HomeNotice = access.find(
        session,
        select(HomeNotice)
        .where(HomeNotice.id == notice_id, access.home_notice_scope(viewer))
        .options(joinedload(HomeNotice.organisation), joinedload(HomeNotice.case).joinedload(Case.organisation))
        .with_for_update(of=HomeNotice)
        .execution_options(populate_existing=True),
    )
    mine = select(HomeNotice.id).where(HomeNotice.id == notice.id, access.addressed_to(viewer))
    if notice.organisation_id is not None and session.scalar(mine) is None:
        raise NotAddressed()
    if notice.answered_at is not None:
        raise NoticeAnswered()
    if void_among(session, [notice.id]):
        raise NoticeVoid()
    notice.answer, notice.answered_by_id, notice.answered_at = answer, viewer.user_id, now
    session.flush()
    note(session, viewer, "home_notice.answer", "home_notice", notice.id, at=now, answer=answer.value)
    return notice


def notices_of(session: Session, outcome_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, HomeNotice]:
    """The transfer notices of these outcomes, which the caller may see."""
    rows = session.scalars(
        select(HomeNotice)
        .where(HomeNotice.outcome_id.in_(outcome_ids))
        .options(joinedload(HomeNotice.organisation))
    )  # fmt: skip
    return {one.outcome_id: one for one in rows if one.outcome_id is not None}
