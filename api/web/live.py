"""Live (实时): a stream that tells an open page that what it shows has changed; the page then asks for it as ever.

Nothing is sent but that it changed, so nothing is logged. Each look is a short transaction that checks sign-in and
scope anew. The stream ends by itself after `web.live_seconds`, and the browser asks again.
"""

from collections.abc import AsyncIterator, Callable
from functools import partial

import anyio
from fastapi import Request
from fastapi.sse import EventSourceResponse, format_sse_event
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.deps import now_of
from api.web.page import Page, who_looks
from tracing.access import Viewer
from tracing.platform import errors
from tracing.platform.db import read_only
from tracing.services import Services

LOOK_SECONDS = 2
AGAIN_MILLISECONDS = 3000
Mark = Callable[[Session, Viewer], str]
"""Names what a page shows, for somebody who may see it: another name, another content. Raises as the page does."""


def follow(page: Page, mark: Mark) -> EventSourceResponse:
    """One event: `changed` once the mark is no longer that of the address, which the page was made with; `gone` once
    the viewer may not see it any more: then what the page holds has to leave the screen.
    """
    shown, first = page.request.query_params.get("mark", ""), mark(page.session, page.viewer)
    look = partial(_look, page.request, page.services, mark)
    events = changes(look, shown, first, looks=page.services.settings.web.live_seconds // LOOK_SECONDS)
    # Proxies that gather an answer before they pass it on would hold the event back.
    return EventSourceResponse(events, headers={"X-Accel-Buffering": "no"})


async def changes(
    look: Callable[[], str | None], shown: str, current: str | None, *, looks: int, pause: float = LOOK_SECONDS
) -> AsyncIterator[bytes]:
    """What a stream sends, from the mark that is shown, the present one, and what each further look finds."""
    yield format_sse_event(retry=AGAIN_MILLISECONDS)
    for _ in range(looks):
        if current != shown:
            break
        await anyio.sleep(pause)
        # Also how a connection that broke is noticed.
        yield format_sse_event(comment="")
        current = await run_in_threadpool(look)
    if current != shown:
        # Browsers drop an event that has no data.
        yield format_sse_event(event="gone" if current is None else "changed", data_str="-")


def _look(request: Request, services: Services, mark: Mark) -> str | None:
    """The mark now; None when there is nothing for this viewer any more."""
    viewer = who_looks(request, services, now_of(request))
    if viewer is None:
        return None
    try:
        with read_only(services.db) as session:
            return mark(session, viewer)
    except (errors.NotFound, errors.Forbidden):
        return None
