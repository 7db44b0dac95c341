"""Exclusions (排除): candidates that are not the person, for good."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, PagingDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import PageOut
from api.schemas.exclusions import EvidenceIn, ExclusionOut, exclusion_out
from models.exclusion import Exclusion
from tracing import exclusions

router = APIRouter(tags=["exclusions"], responses=problems(403, 404))


@router.get("/cases/{case_id}/exclusions", summary="Who is excluded from being a case's person")
def list_all(
    case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep, paging: PagingDep
) -> PageOut[ExclusionOut]:
    """Newest first, reopened ones among them."""
    page = exclusions.list_exclusions(
        session, viewer, case_id, cursor=paging.cursor, limit=paging.limit, now=now
    )  # fmt: skip
    return PageOut(items=tuple(exclusion_out(row) for row in page.items), next_cursor=page.next_cursor)


@router.post(
    "/candidates/{candidate_id}/exclude", summary="Exclude a candidate", status_code=201, responses=problems(409)
)
def exclude(
    candidate_id: uuid.UUID,
    body: EvidenceIn,
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> ExclusionOut:
    """For the police. No later search lists the pair again."""
    earlier = once.earlier(session, now=now)
    if earlier is None:
        row = exclusions.exclude(
            session, viewer, candidate_id, body.evidence, reference=body.reference, reason=body.reason, now=now
        )
        once.remember(session, row.id)
    else:
        row = session.get_one(Exclusion, earlier)
    created(response, f"/api/v1/cases/{row.case_id}/exclusions")
    return exclusion_out(row)


@router.post("/exclusions/{exclusion_id}/reopen", summary="Reopen an exclusion", responses=problems(409))
def reopen(
    exclusion_id: uuid.UUID, body: EvidenceIn, session: SessionDep, viewer: ViewerDep, now: NowDep
) -> ExclusionOut:
    """For police supervisors, on new evidence that is named; the exclusion stays on record."""
    row = exclusions.reopen(
        session, viewer, exclusion_id, body.evidence, reference=body.reference, reason=body.reason, now=now
    )
    return exclusion_out(row)
