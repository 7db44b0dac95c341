"""Features first (先描述，后比对): the unknown person described from top to bottom, before any candidate is shown."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.candidate_rows import best_first
from api.web.forms import choice
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.review_protocol import FeatureBasis
from tracing import features
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.photos import list_photos
from tracing.profiles import current_facts
from tracing.review_policy import feature_lists

router = APIRouter()
REVIEW = "review"
"""Where to go on when the page was come to on the way to the first candidate."""
HIDDEN = "hidden."
"""Prefix of the boxes that say "cannot be seen"."""


def show_features(page: Page, case_id: uuid.UUID) -> Response:
    """The photographs and facts of the unknown person alone, and the list to go through."""
    require(page.viewer, Permission.REVIEW)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    noted = features.own_features(page.session, page.services, page.viewer, case.id, now=page.now)
    bases = features.basis_wanted(page.session, case)
    values = page.typed.values if page.problem else _before(noted)
    return render(
        page,
        "features/note.html",
        case=case,
        facts=current_facts(case.profile),
        photos=best_first(list_photos(page.session, case.profile_id)),
        listed=feature_lists()[bases[0]],
        bases=bases,
        nothing=FeatureBasis.NOTHING,
        noted=noted,
        values=values,
        hidden=HIDDEN,
        candidate=page.typed.text("candidate") or page.request.query_params.get("candidate", ""),
        begun=page.typed.text("next") or page.request.query_params.get("next", ""),
        least=page.services.review_rules.least_features if bases[0] is FeatureBasis.FACIAL else 1,
    )


def _before(noted: list[features.NotedFeatures]) -> dict[str, str]:
    """The fields as they were last noted."""
    if not noted:
        return {}
    fields = {key: text for key, text in noted[0].noted.items() if text is not None}
    return fields | {f"{HIDDEN}{key}": "yes" for key, text in noted[0].noted.items() if text is None}


@router.get("/cases/{case_id}/features")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """The form."""
    return show_features(page, case_id)


@router.post("/cases/{case_id}/features")
def note(page: Annotated[Page, posted(show_features)], case_id: uuid.UUID) -> Response:
    """Note them; the candidates open. Back to the candidate that was asked for, if one was."""
    basis = choice(page.typed, "basis", FeatureBasis)
    given: dict[str, str | None] = {}
    if basis is not FeatureBasis.NOTHING:
        for feature in feature_lists()[basis].features:
            text = page.typed.optional(feature.key)
            if text is not None or page.typed.ticked(HIDDEN + feature.key):
                given[feature.key] = text
    features.note_features(page.session, page.services, page.viewer, case_id, basis, given, now=page.now)
    wanted = page.typed.text("candidate")
    try:
        back = f"/candidates/{uuid.UUID(wanted)}"
    except ValueError:
        back = f"/cases/{case_id}/review" if page.typed.text("next") == REVIEW else f"/cases/{case_id}"
    return redirect(page, back, done(page, "The features are noted. The candidates of this case are open to you now."))
