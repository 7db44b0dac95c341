"""The audit log (审计日志), for auditors."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import NowDep, SessionDep, ViewerDep
from api.openapi import problems
from api.schemas.base import Line
from api.schemas.operations import AuditPageOut, VerificationOut, event_out, verification_out
from tracing import operations
from tracing.operations import AuditFilter
from tracing.paging import LIMIT_MAX

router = APIRouter(prefix="/audit", tags=["audit"], responses=problems(403))


@router.get("", summary="Events, newest first")
def list_page(
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    action: Annotated[Line | None, Query(description="Beginning of the action's name.", examples=["case."])] = None,
    object_id: Annotated[Line | None, Query()] = None,
    actor_id: Annotated[uuid.UUID | None, Query()] = None,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="`next_before` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
) -> AuditPageOut:
    """Looking is itself on record."""
    rows = operations.list_events(
        session, viewer, AuditFilter(action, object_id, actor_id), before=before, limit=limit, now=now
    )
    return AuditPageOut(
        items=tuple(event_out(row) for row in rows), next_before=rows[-1].seq if len(rows) == limit else None
    )


@router.post("/verify", summary="Recompute the whole chain")
def verify(session: SessionDep, viewer: ViewerDep, now: NowDep) -> VerificationOut:
    """Finds any event altered, deleted, inserted or reordered."""
    return verification_out(operations.verify_audit(session, viewer, now=now))
