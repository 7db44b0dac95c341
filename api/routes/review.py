"""Review (复核): the examiner's queue, candidates side by side, opinions."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import PageOut
from api.schemas.review import (
    ComparisonOut,
    QueueItemOut,
    ReviewIn,
    ReviewOut,
    comparison_out,
    queue_item_out,
    review_out,
)
from tracing import review
from tracing.candidates import candidate_photos, get_candidate
from tracing.parameter_sets import in_force
from tracing.platform import errors
from tracing.review_queue import review_queue

router = APIRouter(tags=["review"], responses=problems(403))


@router.get("/review/queue", summary="Cases that wait for the examiner's opinion")
def queue(
    session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep, paging: PagingDep
) -> PageOut[QueueItemOut]:
    """Those given to the examiner first, each part by urgency: the next deadline, and the person's need."""
    page = review_queue(session, services, viewer, cursor=paging.cursor, limit=paging.limit, now=now)
    return PageOut(items=tuple(queue_item_out(item) for item in page.items), next_cursor=page.next_cursor)


@router.get(
    "/candidates/{candidate_id}", summary="A candidate, both persons side by side", responses=problems(404, 409)
)
def read(
    candidate_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ComparisonOut:
    """Sealed for an examiner who has yet to commit an opinion; refused before the person's features are noted."""
    view = get_candidate(session, viewer, candidate_id, now=now)
    return comparison_out(view, candidate_photos(session, view), in_force(session, services).parameters)


@router.post(
    "/candidates/{candidate_id}/reviews", summary="Commit an opinion", status_code=201, responses=problems(404, 409)
)
def commit(
    candidate_id: uuid.UUID,
    body: ReviewIn,
    services: ServicesDep,
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> ReviewOut:
    """From then on the examiner sees scores and colleagues' opinions, and cannot change the own one."""
    if once.earlier(session, now=now) is not None:
        own = review.standing_review(session, viewer, candidate_id)
        if own is None:
            raise errors.NotFound()
    else:
        own = review.commit_review(
            session, services, viewer, candidate_id, body.opinion, body.remarks,
            features=body.features_compared(), now=now,
        )  # fmt: skip
        once.remember(session, own.id)
    created(response, f"/api/v1/candidates/{candidate_id}")
    return review_out(own, viewer.display_name)


@router.delete(
    "/candidates/{candidate_id}/reviews/mine",
    summary="Withdraw one's own opinion",
    status_code=204,
    responses=problems(404, 409),
)
def withdraw(candidate_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> None:
    """It stays on record as withdrawn."""
    review.withdraw_review(session, viewer, candidate_id, now=now)
