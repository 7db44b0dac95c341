"""Audit log (审计日志): who did what, and whether the chain is whole."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render, warning
from tracing import operations
from tracing.operations import AuditFilter

router = APIRouter()
SHOWN = 100


def _identifier(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def show_log(page: Page) -> Response:
    """Newest first; filtered by the beginning of the action, by object and by user."""
    query = page.request.query_params
    action, object_id, actor = (query.get(name, "").strip()[:64] for name in ("action", "object_id", "actor_id"))
    before = query.get("before", "")
    # What is no identifier names nobody: the filter then finds nothing, rather than everything.
    nobody = uuid.UUID(int=0)
    wanted = AuditFilter(action or None, object_id or None, (_identifier(actor) or nobody) if actor else None)
    events = operations.list_events(
        page.session, page.viewer, wanted, limit=SHOWN, now=page.now,
        before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None,
    )  # fmt: skip
    return render(
        page, "audit/log.html", events=events, filters={"action": action, "object_id": object_id, "actor_id": actor},
        next_before=events[-1].seq if len(events) == SHOWN else None,
    )  # fmt: skip


@router.get("/audit")
def index(page: PageDep) -> Response:
    """The log."""
    return show_log(page)


@router.post("/audit/verify")
def verify(page: Annotated[Page, posted(show_log)]) -> Response:
    """Recompute the whole chain."""
    found = operations.verify_audit(page.session, page.viewer, now=page.now)
    message = (
        done(page, "The chain is whole: {events} events, head {head}.", events=found.events, head=found.head_hash[:16])
        if found.ok
        else warning(page, "The chain is broken at event {seq}. Tell your supervisor at once.", seq=found.bad_seq)
    )
    return redirect(page, "/audit", message)
