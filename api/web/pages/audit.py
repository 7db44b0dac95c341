"""Audit log (审计日志): who did what, and whether the chain is whole."""

from datetime import datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from api.messages import sentence
from api.web.forms import Typed, optional_day
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render, warning, wrong_of
from tracing import operations
from tracing.operations import AuditFilter
from tracing.platform import errors

router = APIRouter()
SHOWN = 100


FIELDS = ("action", "username", "number", "object_id", "since", "until")


def _asked(page: Page, values: dict[str, str], wrong: dict[str, list[str]]) -> AuditFilter:
    """What the fields say; a day that is none is said beside its field."""
    typed, zone = Typed(values), page.services.settings.zone

    def begins(name: str, later: timedelta) -> datetime | None:
        try:
            day = optional_day(typed, name)
        except errors.Invalid as error:
            wrong[name] = [sentence(page.locale, error)]
            return None
        return datetime.combine(day + later, time(), zone) if day else None

    return AuditFilter(
        action=typed.optional("action"), object_id=typed.optional("object_id"), username=typed.optional("username"),
        number=typed.optional("number"), since=begins("since", timedelta()), until=begins("until", timedelta(days=1)),
    )  # fmt: skip


def show_log(page: Page) -> Response:
    """Newest first; by what was done, by whom, to what, and when."""
    query = page.request.query_params
    values = {name: query.get(name, "").strip()[:64] for name in FIELDS}
    wrong = wrong_of(page)
    wanted = _asked(page, values, wrong)
    before = query.get("before", "")
    events = operations.list_events(
        page.session, page.viewer, wanted, limit=SHOWN, now=page.now,
        before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None,
    )  # fmt: skip
    return render(
        page, "audit/log.html", events=events, filters=values, wrong=wrong, filtered=any(values.values()),
        names=operations.actor_names(page.session, page.viewer, events),
        query=urlencode([(name, text) for name, text in values.items() if text]),
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
