"""Intake (接收登记): admitting a person, and changing what is known."""

import uuid
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.messages import sentence
from api.web import flash, once, record_form, uploads
from api.web.page import Page, PageDep, posted
from api.web.pages.interviews import read_clues
from api.web.rendering import done, fragment, redirect, render, warning, words_of
from matcher.vocabulary import GalleryKind
from models.clue import ClueKind
from tracing import cases
from tracing.access import Permission, require
from tracing.cases import Circumstances, NothingKnown
from tracing.clues import ClueText, add_clues
from tracing.facts import Facts, InvalidFacts, collecting
from tracing.platform import errors

router = APIRouter()
CLUE_ROWS = 3
"""Quick entries for what the person says on arrival; the interview has more."""


def show_new(page: Page) -> Response:
    """An empty intake form, or the one that was refused."""
    require(page.viewer, Permission.CASE_WRITE)
    today = page.services.local_day(page.now)
    values = page.typed.values if page.problem else {"admitted_on": today.isoformat(), "found_on": today.isoformat()}
    return render(
        page, "cases/new.html", values=values, rows=record_form.rows(values), default_basis="estimated",
        form_key=once.key(page), clue_rows=range(CLUE_ROWS), clue_kinds=list(ClueKind),
        today=today, tomorrow=today + timedelta(days=1), **record_form.choices(),
    )  # fmt: skip


@router.get("/cases/new")
def new(page: PageDep) -> Response:
    """The form."""
    return show_new(page)


@router.post("/cases/new")
def create(page: Annotated[Page, posted(show_new)]) -> Response:
    """A draft with its photographs, handed in at once if asked. What a file is refused for never loses the form."""
    circumstances, facts, heard = _read(page)
    prepared = uploads.prepare(page)
    earlier = once.earlier(page, "case")
    if earlier is not None:
        return _made(page, earlier, warning(page, "This form was sent before: here is what it made."))
    case = cases.create_case(page.session, page.services, page.viewer, circumstances, facts, now=page.now)
    once.remember(page, case.id)
    if heard:
        add_clues(page.session, page.services, page.viewer, case.id, heard, heard_at=page.now, now=page.now)
    refused = uploads.store(page, GalleryKind.CASE, case.id, prepared)
    message = done(page, "The draft {number} is saved.", number=case.number)
    if page.typed.text("action") == "submit" and not refused:
        try:
            cases.submit_case(page.session, page.services, page.viewer, case.id, now=page.now)
            message = done(page, "Case {number} is handed in. The search has begun.", number=case.number)
        except NothingKnown as error:
            refused = (flash.Message(flash.Tone.WARNING, sentence(page.locale, error)),)
    elif refused:
        message = warning(page, "The draft {number} is saved and not yet handed in.", number=case.number)
    return _made(page, case.id, message, *refused)


def _read(page: Page) -> tuple[Circumstances, Facts, list[ClueText]]:
    today, problems = page.services.local_day(page.now), list[errors.Invalid]()
    circumstances, facts, heard = Circumstances(admitted_on=today), Facts(), list[ClueText]()
    with collecting(problems):
        circumstances, facts = record_form.read_case(page.typed, today=today)
    with collecting(problems):
        heard = read_clues(page.typed)
    if problems:
        raise InvalidFacts(tuple(problems))
    return circumstances, facts, heard


def _made(page: Page, case_id: uuid.UUID, *messages: flash.Message) -> Response:
    """See the case. The script that sends what waited is told the address and goes there when it suits the user."""
    response = redirect(page, f"/cases/{case_id}", *messages)
    if page.request.headers.get("accept") == "application/json":
        response.status_code = HTTPStatus.CREATED
    return response


@router.get("/intake/outbox")
def outbox(page: PageDep) -> Response:
    """The words for what waits in the browser; the script of every page asks for them when something does."""
    require(page.viewer, Permission.CASE_WRITE)
    return fragment(page, "intake/outbox.html")


def show_edit(page: Page, case_id: uuid.UUID) -> Response:
    """What is known, to be changed; what was typed too late beside what stands now."""
    require(page.viewer, Permission.CASE_WRITE)
    case = cases.get_case(page.session, page.viewer, case_id, now=page.now)
    standing = record_form.case_values(case)
    values, changed = standing, []
    if page.problem:
        values = {**page.typed.values}
        if page.problem.slug == errors.StaleVersion.slug:
            changed = record_form.differences(words_of(page), standing, values, record_form.CIRCUMSTANCES)
            values["version"] = standing["version"]
    today = page.services.local_day(page.now)
    return render(
        page, "cases/edit.html", case=case, values=values, rows=record_form.rows(values), default_basis="estimated",
        changed=changed, today=today, tomorrow=today + timedelta(days=1), **record_form.choices(),
    )  # fmt: skip


@router.get("/cases/{case_id}/edit")
def edit(page: PageDep, case_id: uuid.UUID) -> Response:
    """The form."""
    return show_edit(page, case_id)


@router.post("/cases/{case_id}/edit")
def save(page: Annotated[Page, posted(show_edit)], case_id: uuid.UUID) -> Response:
    """Replace what is known, if nobody else has meanwhile."""
    circumstances, facts = record_form.read_case(page.typed, today=page.services.local_day(page.now))
    cases.edit_case(
        page.session, page.services, page.viewer, case_id, circumstances, facts,
        version=record_form.version(page.typed), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}", done(page, "The changes are saved."))
