"""Contact (联系家属): the family's details once released, the plan, the attempts, the kin; the person's wish."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import choice, day, moment
from api.web.page import Page, PageDep, posted
from api.web.reason_page import Ask, ask_reason
from api.web.rendering import done, redirect, render, words_of
from models.case import CONTACT_OPEN, Case, CaseState
from models.contact import (
    LOCAL_CHANNELS,
    ContactChannel,
    ContactResult,
    ContactScreening,
    DangerScreen,
    PersonWish,
)
from tracing import contact, contact_plans, kin, screenings
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.facts import check_text

router = APIRouter()
LATEST = 3
"""Verifications of kin that the page of the contact shows."""


def standing_stop(page: Page, case: Case) -> ContactScreening | None:
    """The last screening, when it stops every contact."""
    last = screenings.last_screening(page.session, case.id)
    return last if last is not None and last.stops else None


def show_contact(page: Page, case_id: uuid.UUID) -> Response:
    """Sealed before the release and while contact is stopped. Each reading is on record."""
    require(page.viewer, Permission.CONTACT)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    stopped = standing_stop(page, case)
    who = (page.session, page.services, page.viewer, case_id)
    is_open = case.state in CONTACT_OPEN and stopped is None
    zone = page.services.settings.zone
    values = page.typed.values if page.problem else {"attempted_at": f"{page.now.astimezone(zone):%Y-%m-%dT%H:%M}"}
    return render(
        page,
        "contact/contact.html",
        case=case,
        stopped=stopped if case.state in CONTACT_OPEN else None,
        asked=screenings.last_screening(page.session, case.id),
        family=contact.read_family_contact(*who, now=page.now) if is_open else None,
        attempts=contact.list_attempts(*who, now=page.now) if is_open else [],
        plan=contact_plans.read_plan(*who, now=page.now) if is_open else None,
        verifications=kin.list_kin(*who, limit=LATEST, now=page.now).items if is_open else (),
        script=page.services.homeward.script,
        values=values,
        channels=list(ContactChannel),
        local_channels=[one for one in ContactChannel if one in LOCAL_CHANNELS],
        results=list(ContactResult),
    )


@router.get("/cases/{case_id}/contact")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """The caseworker's page."""
    return show_contact(page, case_id)


@router.post("/cases/{case_id}/attempts")
def record(page: Annotated[Page, posted(show_contact)], case_id: uuid.UUID) -> Response:
    """One attempt."""
    contact.record_attempt(
        page.session, page.services, page.viewer, case_id,
        choice(page.typed, "channel", ContactChannel), choice(page.typed, "result", ContactResult),
        note_text=page.typed.optional("note"),
        attempted_at=moment(page.typed, "attempted_at", page.services.settings.zone),
        now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}/contact", done(page, "The attempt is recorded."))


@router.post("/cases/{case_id}/contact-plan")
def plan(page: Annotated[Page, posted(show_contact)], case_id: uuid.UUID) -> Response:
    """The plan of the first call."""
    contact_plans.make_plan(
        page.session, page.services, page.viewer, case_id, choice(page.typed, "plan_channel", ContactChannel),
        unit=page.typed.text("unit"), call_back_number=page.typed.text("call_back_number"), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}/contact", done(page, "The plan is recorded."))


def show_exception(page: Page, case_id: uuid.UUID) -> Response:
    """The form that lets the first attempt go another way."""
    require(page.viewer, Permission.CONTACT_EXCEPTION)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    words = words_of(page)
    asked = Ask(
        title=words.text("Let the first attempt go another way"),
        about=words.text("Then the caseworkers may telephone or visit the family themselves."),
        button=words.text("Allow it"), back=f"/cases/{case.id}", crumb=case.number,
        help=words.text("Say why neither the local police nor the village committee can make the first call."),
    )  # fmt: skip
    return ask_reason(page, asked)


@router.get("/cases/{case_id}/contact-exception")
def read_exception(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page, for police supervisors."""
    return show_exception(page, case_id)


@router.post("/cases/{case_id}/contact-exception")
def allow(page: Annotated[Page, posted(show_exception)], case_id: uuid.UUID) -> Response:
    """Allow it, with the reason."""
    require(page.viewer, Permission.CONTACT_EXCEPTION)
    reason = check_text(page.typed.text("reason"), field="reason", limit=500)
    contact.allow_exception(page.session, page.viewer, case_id, reason=reason, now=page.now)
    return redirect(page, f"/cases/{case_id}", done(page, "The first attempt may go another way now."))


def show_screenings(page: Page, case_id: uuid.UUID) -> Response:
    """What was asked, and the form for asking again."""
    require(page.viewer, Permission.SCREEN)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    found = screenings.list_screenings(page.session, page.services, page.viewer, case_id, limit=200, now=page.now)
    today = page.services.local_day(page.now)
    return render(
        page, "contact/screenings.html", case=case, screenings=found.items, wishes=list(PersonWish),
        dangers=list(DangerScreen), writable=case.state is not CaseState.CLOSED,
        values=page.typed.values if page.problem else {"asked_on": today.isoformat()},
    )  # fmt: skip


@router.get("/cases/{case_id}/screenings")
def read_screenings(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_screenings(page, case_id)


@router.post("/cases/{case_id}/screenings")
def screen(page: Annotated[Page, posted(show_screenings)], case_id: uuid.UUID) -> Response:
    """Record what the person wants and whether home is safe."""
    made = screenings.record_screening(
        page.session, page.services, page.viewer, case_id, choice(page.typed, "wish", PersonWish),
        choice(page.typed, "danger", DangerScreen), asked_on=day(page.typed, "asked_on"),
        note_text=page.typed.optional("note"), now=page.now,
    )  # fmt: skip
    told = (
        done(page, "Recorded. The family’s details are sealed and nobody calls.")
        if made.stops
        else done(page, "Recorded. Nothing stands against contact.")
    )
    return redirect(page, f"/cases/{case_id}/screenings", told)
