"""Duplicates (疑似重复): pairs of cases or of reports that may be one person's."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep, created
from api.openapi import problems
from api.schemas.base import PageOut
from api.schemas.deadlines import ReasonIn
from api.schemas.duplicates import DecisionIn, DuplicateOut, LinkIn, duplicate_out
from matcher.vocabulary import GalleryKind
from tracing import duplicates
from tracing.duplicates import PairStatus

router = APIRouter(prefix="/duplicates", tags=["duplicates"], responses=problems(403))


@router.get("", summary="Pairs of which the viewer sees at least one record")
def list_page(
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    status: Annotated[PairStatus, Query(description="Proposed: nobody has decided.")] = PairStatus.PROPOSED,
    kind: Annotated[GalleryKind | None, Query()] = None,
    record_id: Annotated[uuid.UUID | None, Query(description="Those of this case or report.")] = None,
) -> PageOut[DuplicateOut]:
    """Newest first. Examiners do not learn of pairs that they still have to judge as candidates."""
    page = duplicates.list_duplicates(
        session, viewer, status=status, kind=kind, record_id=record_id,
        cursor=paging.cursor, limit=paging.limit, now=now,
    )  # fmt: skip
    return PageOut(items=tuple(duplicate_out(one) for one in page.items), next_cursor=page.next_cursor)


@router.post("", summary="Link two records that nobody proposed", status_code=201, responses=problems(404, 409))
def link(
    body: LinkIn, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep, response: Response
) -> DuplicateOut:
    """Both are in the viewer's scope."""
    pair = duplicates.link_records(
        session, services, viewer, body.kind, body.first_id, body.second_id, reason=body.reason, now=now
    )
    created(response, f"/api/v1/duplicates/{pair.id}")
    return duplicate_out(duplicates.get_duplicate(session, viewer, pair.id, now=now))


@router.get("/{pair_id}", summary="A pair, what agrees, and what was decided", responses=problems(404))
def read(pair_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> DuplicateOut:
    """Values are shown only when both records are the viewer's to see."""
    return duplicate_out(duplicates.get_duplicate(session, viewer, pair_id, now=now))


@router.post("/{pair_id}/decision", summary="Say that they are one person, or two", responses=problems(404, 409))
def decide(pair_id: uuid.UUID, body: DecisionIn, session: SessionDep, viewer: ViewerDep, now: NowDep) -> DuplicateOut:
    """With the reason. One decision stands; nothing is merged."""
    duplicates.decide(session, viewer, pair_id, body.verdict, reason=body.reason, now=now)
    return duplicate_out(duplicates.get_duplicate(session, viewer, pair_id, now=now))


@router.post("/{pair_id}/decision/withdraw", summary="Unlink, or ask anew", responses=problems(404, 409))
def withdraw(pair_id: uuid.UUID, body: ReasonIn, session: SessionDep, viewer: ViewerDep, now: NowDep) -> DuplicateOut:
    """Whatever the link had closed is open again; the decision stays on record."""
    duplicates.withdraw_decision(session, viewer, pair_id, reason=body.reason, now=now)
    return duplicate_out(duplicates.get_duplicate(session, viewer, pair_id, now=now))
