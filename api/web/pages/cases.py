"""Cases (个案): the case's own page, handing in, moving."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.web import live, uploads
from api.web.candidate_rows import candidate_rows, changes_of, list_sentence
from api.web.forms import choice
from api.web.page import Page, PageDep, posted
from api.web.pages.deadlines import deadline_rows
from api.web.rendering import done, fragment, redirect, render
from matcher.vocabulary import GalleryKind
from models.case import CONTACT_OPEN, TRANSITIONS, Case, CaseState
from models.photo import AnalysisState, Photo, PhotoView
from tracing import access, cases
from tracing.access import Permission, Viewer
from tracing.clues import list_clues
from tracing.confirmation import standing_confirmation
from tracing.features import FeaturesMissing
from tracing.outcomes import list_outcomes
from tracing.photos import list_photos
from tracing.profiles import current_facts

router = APIRouter()
SHOWN = 25
CHANGES_SHOWN = 5
_S = CaseState
PATH_HOME = (
    (_S.DRAFT,),
    (_S.SUBMITTED, _S.SEARCHING),
    (_S.IN_REVIEW,),
    (_S.IDENTIFIED,),
    (_S.CONTACT_RELEASED,),
    (_S.FAMILY_CONTACTED,),
    (_S.REUNIFIED,),
    (_S.CLOSED,),
)
"""The way home as the page draws it, step by step."""
REVIEW_OPEN = frozenset({_S.IN_REVIEW, _S.UNRESOLVED, _S.SETTLED, _S.DECEASED})


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way home."""

    state: CaseState
    passed: bool
    current: bool


def steps(case: Case) -> list[Step]:
    """The way home with what the case has passed."""
    seen = {case.state} | {row.to_state for row in case.history} | {_S.DRAFT}
    position = max((at for at, states in enumerate(PATH_HOME) if seen & set(states)), default=0)
    return [
        Step(case.state if case.state in states else states[0], at <= position, case.state in states)
        for at, states in enumerate(PATH_HOME)
    ]


def moves(page: Page, case: Case) -> list[CaseState]:
    """The moves that this viewer may make by name, from where the case stands."""
    return [
        state
        for state, permission in cases.MANUAL_MOVES.items()
        if state in TRANSITIONS[case.state] and page.may(permission)
    ]


def progress_mark(case: Case, photos: list[Photo]) -> str:
    """Names what the progress part shows: while it stays the same, nothing has to be loaded again."""
    pending = sum(photo.analysis is AnalysisState.PENDING for photo in photos)
    return f"{case.state.value}-{pending}-{case.version}"


def waits(case: Case, photos: list[Photo]) -> bool:
    """Whether background work on the case is under way."""
    busy = case.state in (_S.SUBMITTED, _S.SEARCHING)
    return busy or any(photo.analysis is AnalysisState.PENDING for photo in photos)


def show_case(page: Page, case_id: uuid.UUID) -> Response:
    """Everything that is known of a case, and what this viewer may do with it."""
    case = cases.get_case(page.session, page.viewer, case_id, now=page.now)
    photos = list_photos(page.session, case.profile_id)
    try:
        candidates, features_first = candidate_rows(page, case), False
    except FeaturesMissing:
        candidates, features_first = [], True
    return render(
        page,
        "cases/case.html",
        case=case,
        facts=current_facts(case.profile),
        photos=photos,
        views=list(PhotoView),
        candidates=candidates,
        features_first=features_first,
        list_verdict=list_sentence(page, candidates),
        changes=changes_of(page, case, CHANGES_SHOWN),
        steps=steps(case),
        moves=moves(page, case),
        waits=waits(case, photos),
        mark=progress_mark(case, photos),
        confirmation=standing_confirmation(page.session, case.id),
        clues=list_clues(page.session, case.id, standing=True),
        deadlines=deadline_rows(page, case),
        outcomes=list_outcomes(page.session, case.id),
        editable=page.may(Permission.CASE_WRITE) and case.state is not CaseState.CLOSED,
        contact_open=case.state in CONTACT_OPEN,
        review_open=case.state in REVIEW_OPEN,
        owner_path=f"/cases/{case.id}",
    )


@router.get("/cases/{case_id}")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """The case's page."""
    return show_case(page, case_id)


@router.get("/cases/{case_id}/changes")
def changes(page: PageDep, case_id: uuid.UUID) -> Response:
    """Everything that matching changed in the list of candidates, newest first."""
    access.require(page.viewer, Permission.CANDIDATE_READ)
    case = cases.load_case(page.session, page.viewer, case_id)
    cursor = page.request.query_params.get("cursor") or None
    found = changes_of(page, case, SHOWN, cursor=cursor)
    return render(page, "cases/changes.html", case=case, changes=found, first=cursor is None)


@router.get("/cases/{case_id}/progress")
def progress(page: PageDep, case_id: uuid.UUID) -> Response:
    """For htmx, while the search runs: tells the page, once something has changed, to load its content anew.

    Asked again and again by an open page whose view is on record already, it tells the state alone and is not logged.
    """
    session: Session = page.session
    case = cases.load_case(session, page.viewer, case_id)
    photos = list_photos(session, case.profile_id)
    mark = progress_mark(case, photos)
    if page.request.query_params.get("mark") != mark:
        return Response(status_code=204, headers={"HX-Trigger": "progressed"})
    return fragment(page, "cases/progress.html", case=case, steps=steps(case), waits=waits(case, photos), mark=mark)


@router.get("/cases/{case_id}/live")
def follow(page: PageDep, case_id: uuid.UUID) -> Response:
    """Tells the open page when its progress part has changed; like that one, not logged."""

    def mark(session: Session, viewer: Viewer) -> str:
        case = cases.load_case(session, viewer, case_id)
        return progress_mark(case, list_photos(session, case.profile_id))

    return live.follow(page, mark)


@router.post("/cases/{case_id}/submit")
def submit(page: Annotated[Page, posted(show_case)], case_id: uuid.UUID) -> Response:
    """Hand a draft in."""
    cases.submit_case(page.session, page.services, page.viewer, case_id, now=page.now)
    return redirect(page, f"/cases/{case_id}", done(page, "The case is handed in. The search has begun."))


@router.post("/cases/{case_id}/move")
def move(page: Annotated[Page, posted(show_case)], case_id: uuid.UUID) -> Response:
    """A move by name, with its reason."""
    wanted = choice(page.typed, "state", CaseState)
    cases.move_case(
        page.session, page.services, page.viewer, case_id, wanted, reason=page.typed.text("reason"), now=page.now
    )
    return redirect(page, f"/cases/{case_id}", done(page, "The case was moved. The reason is in its history."))


@router.post("/cases/{case_id}/photos")
def add_photos(page: Annotated[Page, posted(show_case)], case_id: uuid.UUID) -> Response:
    """More photographs."""
    prepared = uploads.prepare(page)
    refused = uploads.store(page, GalleryKind.CASE, case_id, prepared)
    return redirect(page, f"/cases/{case_id}", *refused, *uploads.taken(page, prepared, refused))
