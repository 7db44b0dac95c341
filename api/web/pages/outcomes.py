"""Outcomes (救助结果): how a stay ended."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import choice, day, optional_choice
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.outcome import OutcomeKind, OutcomeRoute
from tracing import outcomes
from tracing.access import Permission, require
from tracing.cases import get_case

router = APIRouter()


def show_outcome(page: Page, case_id: uuid.UUID) -> Response:
    """The form, and what is on record."""
    require(page.viewer, Permission.OUTCOME)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    today = page.services.local_day(page.now)
    return render(
        page, "outcomes/outcome.html", case=case, outcomes=outcomes.list_outcomes(page.session, case.id),
        values=page.typed.values if page.problem else {"occurred_on": today.isoformat()},
        kinds=list(OutcomeKind), routes=list(OutcomeRoute),
    )  # fmt: skip


@router.get("/cases/{case_id}/outcome")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_outcome(page, case_id)


@router.post("/cases/{case_id}/outcome")
def record(page: Annotated[Page, posted(show_outcome)], case_id: uuid.UUID) -> Response:
    """Record how it ended; most outcomes move the case."""
    outcomes.record_outcome(
        page.session, page.services, page.viewer, case_id,
        choice(page.typed, "kind", OutcomeKind), optional_choice(page.typed, "route", OutcomeRoute),
        occurred_on=day(page.typed, "occurred_on"), note_text=page.typed.optional("note"), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}", done(page, "The outcome is recorded."))
