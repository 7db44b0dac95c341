"""Confirmation (身份确认), release of contact (解封) and recall (撤回): the police's three decisions."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.candidate_rows import best_first, candidate_rows
from api.web.errors import ChoiceMissing
from api.web.forms import choice
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from matcher.vocabulary import GalleryKind
from models.confirmation import ConfirmationMethod
from models.contact import DangerScreen, PersonWish
from models.review import AGREEING_GRADE
from tracing import confirmation as decisions
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.contact import release_contact
from tracing.features import FeaturesMissing
from tracing.photos import list_photos
from tracing.review_states import UNDECIDED

router = APIRouter()


def show_confirmation(page: Page, case_id: uuid.UUID) -> Response:
    """Whom to confirm, on what grounds, and what it opens."""
    require(page.viewer, Permission.CONFIRM)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    # A colleague's opinion is a verdict that examiners must not see before their own; candidates sealed for this
    # viewer can be confirmed all the same: the use case counts the opinions itself.
    try:
        listed = candidate_rows(page, case)
    except FeaturesMissing as missing:
        return redirect(page, f"/cases/{missing.case_id}/features")
    rows = [row for row in listed if row.kind is GalleryKind.REPORT and row.candidate.state in UNDECIDED]
    values = page.typed.values if page.problem else {"candidate_id": page.request.query_params.get("candidate", "")}
    own = best_first(list_photos(page.session, case.profile_id))
    return render(
        page, "confirmation/confirm.html", case=case, candidates=rows, values=values,
        listed=[row for row in listed if row.candidate.state in UNDECIDED], own_photo=own[0].id if own else None,
        methods=list(ConfirmationMethod), agreeing_grade=AGREEING_GRADE,
    )  # fmt: skip


@router.get("/cases/{case_id}/confirmation")
def confirmation(page: PageDep, case_id: uuid.UUID) -> Response:
    """The form."""
    return show_confirmation(page, case_id)


@router.post("/cases/{case_id}/confirmation")
def confirm(page: Annotated[Page, posted(show_confirmation)], case_id: uuid.UUID) -> Response:
    """Confirm the identity."""
    try:
        candidate_id = uuid.UUID(page.typed.text("candidate_id"))
    except ValueError:
        raise ChoiceMissing(field="candidate_id") from None
    decisions.confirm(
        page.session, page.viewer, case_id, candidate_id, choice(page.typed, "method", ConfirmationMethod),
        reference=page.typed.optional("reference"), grounds=page.typed.text("grounds"), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}", done(page, "The identity is confirmed. Contact is still sealed."))


def show_release(page: Page, case_id: uuid.UUID) -> Response:
    """The person's wish and the danger at home, before the family's details are opened."""
    require(page.viewer, Permission.RELEASE)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    return render(
        page, "confirmation/release.html", case=case, values=page.typed.values,
        confirmation=decisions.standing_confirmation(page.session, case.id),
        wishes=list(PersonWish), dangers=list(DangerScreen),
    )  # fmt: skip


@router.get("/cases/{case_id}/release")
def release(page: PageDep, case_id: uuid.UUID) -> Response:
    """The form."""
    return show_release(page, case_id)


@router.post("/cases/{case_id}/release")
def open_contact(page: Annotated[Page, posted(show_release)], case_id: uuid.UUID) -> Response:
    """Open the family's details to the caseworkers of the station."""
    release_contact(
        page.session, page.viewer, case_id, choice(page.typed, "wish", PersonWish),
        choice(page.typed, "danger", DangerScreen), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}", done(page, "Contact is released to the station’s caseworkers."))


def show_recall(page: Page, case_id: uuid.UUID) -> Response:
    """What a recall undoes."""
    require(page.viewer, Permission.RECALL)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    return render(
        page, "confirmation/recall.html", case=case, values=page.typed.values,
        confirmation=decisions.standing_confirmation(page.session, case.id),
    )  # fmt: skip


@router.get("/cases/{case_id}/recall")
def recall(page: PageDep, case_id: uuid.UUID) -> Response:
    """The form."""
    return show_recall(page, case_id)


@router.post("/cases/{case_id}/recall")
def undo(page: Annotated[Page, posted(show_recall)], case_id: uuid.UUID) -> Response:
    """Undo a confirmation proved wrong."""
    decisions.recall(page.session, page.services, page.viewer, case_id, reason=page.typed.text("reason"), now=page.now)
    return redirect(page, f"/cases/{case_id}", done(page, "The confirmation is recalled. Contact is sealed again."))
