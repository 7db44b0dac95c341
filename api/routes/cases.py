"""Cases (个案): admission, editing, submission, moves, history, candidates."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, VersionDep, ViewerDep, created, set_etag
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import ItemsOut, Line, PageOut, items_out
from api.schemas.cases import (
    CaseIn,
    CaseOut,
    CaseSummary,
    TransitionIn,
    TransitionOut,
    case_out,
    case_summary,
    transition_out,
)
from api.schemas.review import CandidatesOut, ChangeOut, candidate_out, change_out
from models.case import Case, CaseState
from tracing import cases
from tracing.candidate_changes import list_changes
from tracing.candidates import list_candidates
from tracing.parameter_sets import in_force
from tracing.photos import list_photos

router = APIRouter(prefix="/cases", tags=["cases"], responses=problems(403))


def shown(session: Session, response: Response, case: Case) -> CaseOut:
    """A case that the viewer may see, with its photographs and ETag."""
    set_etag(response, case.version)
    return case_out(case, list_photos(session, case.profile_id))


@router.get("", summary="Cases of the viewer's scope, newest first")
def list_page(
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    state: Annotated[list[CaseState] | None, Query(description="May be given several times.")] = None,
    number: Annotated[Line | None, Query(description="A part of the case number.")] = None,
) -> PageOut[CaseSummary]:
    """One page."""
    page = cases.list_cases(
        session, viewer, states=frozenset(state or ()), number=number,
        cursor=paging.cursor, limit=paging.limit, now=now,
    )  # fmt: skip
    return PageOut(items=tuple(case_summary(case) for case in page.items), next_cursor=page.next_cursor)


@router.post("", summary="Admit an unidentified person", status_code=201)
def create(
    body: CaseIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> CaseOut:
    """Make a draft of the viewer's station. Everything that cannot be right is named at once."""
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        case = cases.get_case(session, viewer, earlier, now=now)
    else:
        case = cases.create_case(session, services, viewer, body.circumstances(), body.facts(), now=now)
        once.remember(session, case.id)
    created(response, f"/api/v1/cases/{case.id}")
    return shown(session, response, case)


@router.get("/{case_id}", summary="A case", responses=problems(404))
def read(case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep, response: Response) -> CaseOut:
    """With its facts and photographs; the view is on record."""
    return shown(session, response, cases.get_case(session, viewer, case_id, now=now))


@router.put("/{case_id}", summary="Replace what is known", responses=problems(404, 409, 412, 428))
def edit(
    case_id: uuid.UUID,
    body: CaseIn,
    version: VersionDep,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    response: Response,
) -> CaseOut:
    """Facts that are left out are superseded, never deleted. A submitted case that changed is matched again."""
    case = cases.edit_case(
        session, services, viewer, case_id, body.circumstances(), body.facts(), version=version, now=now
    )
    return shown(session, response, case)


@router.post("/{case_id}/submit", summary="Hand a draft in", responses=problems(404, 409))
def submit(
    case_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    response: Response,
) -> CaseOut:
    """From here on the police see it and the search runs. Again is harmless."""
    return shown(session, response, cases.submit_case(session, services, viewer, case_id, now=now))


@router.post("/{case_id}/transitions", summary="Move a case by name", responses=problems(404, 409))
def move(
    case_id: uuid.UUID,
    body: TransitionIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> CaseOut:
    """Left, deceased, unresolved, searched again, closed. Other states have their own routes."""
    if once.earlier(session, now=now) is not None:
        case = cases.get_case(session, viewer, case_id, now=now)
    else:
        case = cases.move_case(session, services, viewer, case_id, body.state, reason=body.reason, now=now)
        once.remember(session, case.id)
    return shown(session, response, case)


@router.get("/{case_id}/history", summary="Every move of a case", responses=problems(404))
def history(case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ItemsOut[TransitionOut]:
    """Oldest first."""
    case = cases.get_case(session, viewer, case_id, now=now)
    return items_out(transition_out(row) for row in case.history)


@router.get("/{case_id}/candidates", summary="Whom the person could be", responses=problems(404, 409))
def candidates(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> CandidatesOut:
    """Strongest first; shuffled, and sealed, for an examiner who has opinions still to give.

    Refused to an examiner who has yet to note the person's features.
    """
    found = list_candidates(session, viewer, case_id, now=now)
    parameters = in_force(session, services).parameters
    return CandidatesOut(items=tuple(candidate_out(view, parameters) for view in found))


@router.get(
    "/{case_id}/candidate-changes", summary="What matching changed in the list, and why", responses=problems(404)
)
def candidate_changes(
    case_id: uuid.UUID,
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    candidate_id: Annotated[uuid.UUID | None, Query(description="Changes of this candidate alone.")] = None,
) -> PageOut[ChangeOut]:
    """Newest first. Candidates that are sealed for an examiner are left out."""
    page = list_changes(
        session, viewer, case_id, candidate_id=candidate_id, cursor=paging.cursor, limit=paging.limit, now=now
    )
    return PageOut(items=tuple(change_out(view) for view in page.items), next_cursor=page.next_cursor)
