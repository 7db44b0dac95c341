"""Screenings (意愿与安全复询): the person's wish and the danger at home, asked again; the last counts."""

import uuid
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import CaseState
from models.contact import ContactScreening, DangerScreen, PersonWish
from tracing import access
from tracing.access import POLICE, Permission, Viewer
from tracing.cases import CaseClosed, load_case
from tracing.facts import check_day, check_optional_text
from tracing.notice_end import withdraw_standing
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note


class PersonObjects(errors.Conflict):
    """The person does not want the family to be told."""

    slug = "person_objects"
    message = "The person does not want contact. The family's details stay sealed; talk again later."


class DangerSuspected(errors.Conflict):
    """Home may be dangerous."""

    slug = "danger_suspected"
    message = "Danger at home is suspected. The family's details stay sealed until the police have cleared it up."


class PoliceClearDanger(errors.Forbidden):
    """Somebody else than the police says that a suspected danger is none."""

    slug = "police_clear_danger"
    message = "Danger at home was suspected. Only the police can record that it has been cleared up."


def last_screening(session: Session, case_id: uuid.UUID) -> ContactScreening | None:
    """The one that counts."""
    return session.scalars(
        select(ContactScreening)
        .where(ContactScreening.case_id == case_id)
        .order_by(ContactScreening.ordinal.desc())
        .limit(1)
    ).one_or_none()


def refuse_stopped(session: Session, case_id: uuid.UUID) -> None:
    """Raise DangerSuspected or PersonObjects when the last screening stops contact."""
    last = last_screening(session, case_id)
    if last is None:
        return
    if last.danger is DangerScreen.SUSPECTED:
        raise DangerSuspected(field="danger")
    if last.wish is PersonWish.OBJECTS:
        raise PersonObjects(field="wish")


def screening_purpose(screening_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a screening's note."""
    return f"screening:{screening_id}"


def record_screening(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    wish: PersonWish,
    danger: DangerScreen,
    *,
    asked_on: date,
    note_text: str | None,
    now: datetime,
) -> ContactScreening:
    """Record what was asked. "Objects" or "suspected" seals the family's details, stops every attempt and ends a
    notice that is public or waits, at once.

    Raises Forbidden, NotFound, CaseClosed, PoliceClearDanger, a date error.
    """
    access.require(viewer, Permission.SCREEN)
    case = load_case(session, viewer, case_id, lock=True)
    if case.state is CaseState.CLOSED:
        raise CaseClosed()
    check_day(asked_on, today=services.local_day(now), field="asked_on")
    text = check_optional_text(note_text, field="note", limit=4000)
    last = last_screening(session, case.id)
    cleared = last is not None and last.danger is DangerScreen.SUSPECTED and danger is DangerScreen.NO_SIGN
    if cleared and viewer.role not in POLICE:
        raise PoliceClearDanger(field="danger")
    identity = uuid.uuid4()
    sealed = None
    if text:
        subject_id = case.profile.subject_id
        sealed = services.vault.seal(session, subject_id, screening_purpose(identity), text.encode())
    screening = ContactScreening(
        id=identity,
        case_id=case.id,
        ordinal=last.ordinal + 1 if last else 1,
        wish=wish,
        danger=danger,
        asked_on=asked_on,
        note_sealed=sealed,
        recorded_by_id=viewer.user_id,
        recorded_at=now,
    )
    session.add(screening)
    session.flush()
    note(session, viewer, "contact.screen", "case", case.id, at=now, wish=wish.value, danger=danger.value)
    if screening.stops:
        withdraw_standing(session, case, "screening", now=now)
    return screening


def list_screenings(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    *,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[tuple[ContactScreening, str | None]]:
    """What was asked, newest first, with the notes opened; logged. Raises Forbidden, NotFound."""
    access.require(viewer, Permission.SCREEN)
    case = load_case(session, viewer, case_id)
    statement = select(ContactScreening).where(ContactScreening.case_id == case.id)
    page = page_of(session, statement, ContactScreening.recorded_at, ContactScreening.id, cursor=cursor, limit=limit)
    note(session, viewer, "contact.screenings", "case", case.id, at=now, count=len(page.items))
    return Page(tuple((one, _note(session, services, case.profile.subject_id, one)) for one in page.items),
                page.next_cursor)  # fmt: skip


def _note(session: Session, services: Services, subject_id: uuid.UUID, one: ContactScreening) -> str | None:
    if one.note_sealed is None:
        return None
    return services.vault.open(session, subject_id, screening_purpose(one.id), one.note_sealed).decode()
