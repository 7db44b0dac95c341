"""Contact (联系家属): the family's details once released, the plan, the attempts, the kin; the person's wish."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web import once
from api.web.forms import Typed, choice, day, moment, optional_choice
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.case import CONTACT_OPEN, CaseState
from models.contact import LOCAL_CHANNELS, ContactChannel, ContactResult, DangerScreen, PersonWish
from models.kin import KinDocument
from tracing import contact, contact_plans, kin, screenings
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.facts import check_text
from tracing.kin import KinEvidence, Question, SeenDocument

router = APIRouter()
QUESTIONS = 4
"""Rows of questions that the form offers; what is left empty is left out."""


def show_contact(page: Page, case_id: uuid.UUID) -> Response:
    """Sealed before the release and while contact is stopped. Each reading is on record."""
    require(page.viewer, Permission.CONTACT)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    last = screenings.last_screening(page.session, case.id)
    stopped = last is not None and last.stops
    who = (page.session, page.services, page.viewer, case_id)
    is_open = case.state in CONTACT_OPEN and not stopped
    zone = page.services.settings.zone
    values = page.typed.values if page.problem else {"attempted_at": f"{page.now.astimezone(zone):%Y-%m-%dT%H:%M}"}
    return render(
        page,
        "contact/contact.html",
        case=case,
        stopped=last if stopped and case.state in CONTACT_OPEN else None,
        family=contact.read_family_contact(*who, now=page.now) if is_open else None,
        attempts=contact.list_attempts(*who, now=page.now) if is_open else [],
        plan=contact_plans.read_plan(*who, now=page.now) if is_open else None,
        verifications=kin.list_kin(*who, limit=200, now=page.now).items if is_open else (),
        script=page.services.homeward.script,
        policy=page.services.homeward.kin,
        values=values,
        channels=list(ContactChannel),
        local_channels=[one for one in ContactChannel if one in LOCAL_CHANNELS],
        results=list(ContactResult),
        documents=list(KinDocument),
        questions=range(QUESTIONS),
        key_field=once.FIELD,
        form_key=once.key(page),
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


def _evidence(typed: Typed) -> KinEvidence:
    rows = [row for row in range(QUESTIONS) if typed.text(f"questions.{row}.question")]
    kind = optional_choice(typed, "document", KinDocument)
    return KinEvidence(
        typed.text("relative"),
        typed.text("relation"),
        tuple(
            Question(
                typed.text(f"questions.{row}.question"),
                typed.text(f"questions.{row}.answer"),
                typed.ticked(f"questions.{row}.agrees"),
            )
            for row in rows
        ),
        (SeenDocument(kind, typed.optional("document_reference")),) if kind else (),
        typed.ticked("verified"),
        typed.ticked("doubtful"),
        typed.optional("kin_note"),
    )


@router.post("/cases/{case_id}/kin")
def verify(page: Annotated[Page, posted(show_contact)], case_id: uuid.UUID) -> Response:
    """A verification of kin."""
    require(page.viewer, Permission.CONTACT)
    check_text(page.typed.text("relative"), field="relative", limit=100)
    here, given = f"/cases/{case_id}/contact", _evidence(page.typed)
    if once.earlier(page, f"kin {case_id}") is None:
        made = kin.verify_kin(page.session, page.services, page.viewer, case_id, given, now=page.now)
        once.remember(page, made.id)
    return redirect(page, here, done(page, "The verification is recorded."))


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
