"""Earlier cases (再次走失): what is known of a person who was here before, linking a case with an earlier one."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.errors import NumberUnknown
from api.web.page import Page, PageDep, posted
from api.web.pages.followup import domains
from api.web.reason_page import Ask, ask_reason
from api.web.rendering import done, redirect, render, words_of
from models.followup import StabilityGrade
from tracing import wandering
from tracing.access import Permission, require
from tracing.cases import get_case, list_cases
from tracing.platform import errors

router = APIRouter()


def show_history(page: Page, case_id: uuid.UUID) -> Response:
    """Earlier cases, newest first, how each ended and went on; later ones; the form for linking."""
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    return render(
        page, "followup/earlier.html", case=case,
        history=wandering.get_history(page.session, page.viewer, case_id, now=page.now), grade=StabilityGrade,
        domains=domains(page.services.care.follow_up, page.locale), values=page.typed.values,
    )  # fmt: skip


@router.get("/cases/{case_id}/earlier-cases")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_history(page, case_id)


@router.post("/cases/{case_id}/earlier-cases")
def link(page: Annotated[Page, posted(show_history)], case_id: uuid.UUID) -> Response:
    """Link an earlier case, told by its number."""
    require(page.viewer, Permission.FOLLOW_UP)
    earlier = case_numbered(page, page.typed.text("number"), field="number")
    wandering.link_earlier(
        page.session, page.viewer, case_id, earlier, reason=page.typed.text("reason"), now=page.now
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}/earlier-cases", done(page, "The earlier case is linked."))


def case_numbered(page: Page, number: str, *, field: str) -> uuid.UUID:
    """The case of the viewer's scope that bears this number. Raises NumberUnknown."""
    found = list_cases(page.session, page.viewer, number=number, now=page.now).items if number else ()
    for one in found:
        if one.number.casefold() == number.casefold():
            return one.id
    raise NumberUnknown(field=field)


def show_withdrawal(page: Page, case_id: uuid.UUID, link_id: uuid.UUID) -> Response:
    """The form that undoes a link."""
    require(page.viewer, Permission.FOLLOW_UP)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    words = words_of(page)
    for one in wandering.get_history(page.session, page.viewer, case_id, now=page.now).earlier:
        if one.link.id == link_id:
            title, back = words.text("Undo the link of the two cases"), f"/cases/{case.id}/earlier-cases"
            return ask_reason(page, Ask(title, f"{one.case.number} → {case.number}", title, back, case.number))
    raise errors.NotFound()


@router.get("/cases/{case_id}/earlier-cases/{link_id}/withdraw")
def withdrawal(page: PageDep, case_id: uuid.UUID, link_id: uuid.UUID) -> Response:
    """The page."""
    return show_withdrawal(page, case_id, link_id)


@router.post("/cases/{case_id}/earlier-cases/{link_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_withdrawal)], case_id: uuid.UUID, link_id: uuid.UUID) -> Response:
    """Undo it, with the reason."""
    wandering.withdraw_link(page.session, page.viewer, link_id, reason=page.typed.text("reason"), now=page.now)
    return redirect(page, f"/cases/{case_id}/earlier-cases", done(page, "The link is undone; it stays on record."))
