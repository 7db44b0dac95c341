"""Supervising reviews (复核督导): who has a case, giving it to another, how well examiners judge; the supervisor's."""

import uuid
from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from tracing import review_quality, review_supervision
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.platform import errors

router = APIRouter()
SHOWN = 50
YEAR = timedelta(days=365)


def show_assignments(page: Page, case_id: uuid.UUID) -> Response:
    """Everybody who had or has the case; those who have it can be relieved."""
    require(page.viewer, Permission.REVIEW_MANAGE)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    cursor = page.request.query_params.get("cursor") or None
    others = review_supervision.could_take_over(page.session, page.viewer, case_id)  # before the rows with examiners
    found = review_supervision.list_assignments(
        page.session, page.viewer, case_id, cursor=cursor, limit=SHOWN, now=page.now
    )
    return render(
        page, "review/assignments.html", case=case, rows=found.items, next_cursor=found.next_cursor,
        first=cursor is None, others=others, values=page.typed.values,
        asked=page.request.path_params.get("assignment_id"),
    )  # fmt: skip


@router.get("/cases/{case_id}/assignments")
def assignments(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_assignments(page, case_id)


@router.post("/cases/{case_id}/assignments/{assignment_id}/reassign")
def reassign(page: Annotated[Page, posted(show_assignments)], case_id: uuid.UUID, assignment_id: uuid.UUID) -> Response:
    """Give the case to the examiner who is named, else to the next."""
    require(page.viewer, Permission.REVIEW_MANAGE)
    chosen = page.typed.optional("examiner_id")
    try:
        examiner_id = uuid.UUID(chosen) if chosen else None
    except ValueError:
        raise review_supervision.ExaminerUnfit(field="examiner_id") from None
    made = review_supervision.reassign(
        page.session, page.services, page.viewer, assignment_id,
        examiner_id=examiner_id, reason=page.typed.text("reason"), now=page.now,
    )  # fmt: skip
    if made.case_id != case_id:
        raise errors.NotFound()  # the assignment of another case: undone with the transaction
    return redirect(page, f"/cases/{case_id}/assignments", done(page, "The case is given to another examiner."))


@router.get("/review/quality")
def quality(page: PageDep) -> Response:
    """Each examiner's results since a day; a year back if none is named."""
    since = _day(page.request.query_params.get("since", "")) or page.services.local_day(page.now - YEAR)
    cursor = page.request.query_params.get("cursor") or None
    found = review_quality.list_quality(
        page.session, page.services, page.viewer,
        since=datetime.combine(since, time(), page.services.settings.zone), cursor=cursor, limit=SHOWN, now=page.now,
    )  # fmt: skip
    return render(
        page, "review/quality.html", rows=found.items, next_cursor=found.next_cursor, first=cursor is None,
        since=since, least=page.services.review_rules.small_number,
    )  # fmt: skip


def _day(text: str) -> date | None:
    """A day of an address; None for what is none, as in an address that somebody edited."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
