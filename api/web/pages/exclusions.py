"""Exclusions (排除): a case's excluded candidates; bringing one back, for police supervisors."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import choice
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.exclusion import ExclusionEvidence
from tracing import exclusions
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.paging import LIMIT_MAX
from tracing.platform import errors

router = APIRouter()
SHOWN = 25


@router.get("/cases/{case_id}/exclusions")
def index(page: PageDep, case_id: uuid.UUID) -> Response:
    """Newest first, reopened ones among them."""
    cursor = page.request.query_params.get("cursor") or None
    found = exclusions.list_exclusions(page.session, page.viewer, case_id, cursor=cursor, limit=SHOWN, now=page.now)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    return render(
        page, "exclusions/list.html", case=case, exclusions=found.items, next_cursor=found.next_cursor,
        first=cursor is None,
    )  # fmt: skip


def show_reopening(page: Page, case_id: uuid.UUID, exclusion_id: uuid.UUID) -> Response:
    """The form that names the new evidence."""
    require(page.viewer, Permission.EXCLUSION_REOPEN)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    found = exclusions.list_exclusions(page.session, page.viewer, case_id, limit=LIMIT_MAX, now=page.now).items
    for one in found:
        if one.id == exclusion_id:
            return render(
                page, "exclusions/reopen.html", case=case, one=one, evidences=list(ExclusionEvidence),
                values=page.typed.values,
            )  # fmt: skip
    raise errors.NotFound()


@router.get("/cases/{case_id}/exclusions/{exclusion_id}/reopen")
def reopening(page: PageDep, case_id: uuid.UUID, exclusion_id: uuid.UUID) -> Response:
    """The page."""
    return show_reopening(page, case_id, exclusion_id)


@router.post("/cases/{case_id}/exclusions/{exclusion_id}/reopen")
def reopen(page: Annotated[Page, posted(show_reopening)], case_id: uuid.UUID, exclusion_id: uuid.UUID) -> Response:
    """Bring the candidate back, on new evidence that is named."""
    require(page.viewer, Permission.EXCLUSION_REOPEN)
    row = exclusions.reopen(
        page.session, page.viewer, exclusion_id, choice(page.typed, "evidence", ExclusionEvidence),
        reference=page.typed.optional("reference"), reason=page.typed.text("reason"), now=page.now,
    )  # fmt: skip
    told = done(page, "The candidate is listed again; the exclusion stays on record.")
    return redirect(page, f"/cases/{row.case_id}/exclusions", told)
