"""Contact (联系家属): the family's details once released, and the attempts to reach them."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import choice, moment
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.case import CONTACT_OPEN
from models.contact import ContactChannel, ContactResult
from tracing import contact
from tracing.access import Permission, require
from tracing.cases import get_case

router = APIRouter()


def show_contact(page: Page, case_id: uuid.UUID) -> Response:
    """Sealed before the release; the details and the attempts after it. Each reading is on record."""
    require(page.viewer, Permission.CONTACT)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    is_open = case.state in CONTACT_OPEN
    zone = page.services.settings.zone
    values = page.typed.values if page.problem else {"attempted_at": f"{page.now.astimezone(zone):%Y-%m-%dT%H:%M}"}
    return render(
        page,
        "contact/contact.html",
        case=case,
        family=contact.read_family_contact(page.session, page.services, page.viewer, case_id, now=page.now)
        if is_open
        else None,
        attempts=contact.list_attempts(page.session, page.services, page.viewer, case_id, now=page.now)
        if is_open
        else [],
        values=values,
        channels=list(ContactChannel),
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
