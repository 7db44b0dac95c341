"""Live: an open page is told when what it shows has changed, or is no longer for its viewer, and nothing else."""

import re
from collections.abc import AsyncIterator, Callable

import pytest
from anyio.from_thread import start_blocking_portal

from api.web import live
from models.case import CaseState
from models.user import Role, User
from tests.factories.stories import judged_case, run_jobs
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.clock import utc_now
from tracing.services import Services

BrowserOf = Callable[[User], Browser]


def told(shown: str, first: str, *later: str | None) -> list[str]:
    """The events of a stream to a page that shows a mark, while these marks are found, look by look."""
    left = list(later)

    async def read(events: AsyncIterator[bytes]) -> bytes:
        return b"".join([event async for event in events])

    # In a thread of its own: a browser test before it in the same process leaves a loop running in this one.
    with start_blocking_portal() as portal:
        stream = live.changes(lambda: left.pop(0), shown, first, looks=len(later), pause=0)
        sent = portal.call(read, stream).decode()
    assert sent.startswith(f"retry: {live.AGAIN_MILLISECONDS}")
    return re.findall(r"^event: (\w+)$", sent, re.MULTILINE)


@pytest.mark.parametrize(
    ("marks", "events"),
    [
        (("a", "a", "a", "a"), []),
        (("a", "b"), ["changed"]),
        (("a", "a", "a", "b", "c"), ["changed"]),
        (("a", "a", None, "a"), ["gone"]),
    ],
)
def test_a_stream_tells_of_one_change_and_ends(marks: tuple[str, ...], events: list[str]) -> None:
    assert told(*marks) == events


def test_a_case_at_work_has_a_stream_and_one_that_has_moved_on_says_so(
    services: Services, world: World, browser_of: BrowserOf
) -> None:
    story = judged_case(services, world, CaseState.SUBMITTED, now=utc_now())
    browser = browser_of(world.a.users[Role.STATION_STAFF])
    found = re.search(r'data-live="([^"]+)"', browser.see(f"/cases/{story.case_id}"))
    assert found
    run_jobs(services, utc_now())
    answer = browser.get(found.group(1))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: changed" in answer.text
    assert 'data-live="' not in browser.see(f"/cases/{story.case_id}")


def test_the_counts_of_jobs_are_followed(services: Services, world: World, browser_of: BrowserOf) -> None:
    browser = browser_of(world.a.users[Role.ADMINISTRATOR])
    found = re.search(r'data-live="([^"]+)" hx-get="([^"]+)"', browser.see("/system"))
    assert found
    judged_case(services, world, CaseState.SUBMITTED, now=utc_now())
    assert "event: changed" in browser.get(found.group(1)).text
    assert found.group(1) not in browser.see(found.group(2))


def test_no_stream_without_the_page(services: Services, world: World, browser_of: BrowserOf) -> None:
    story = judged_case(services, world, CaseState.SUBMITTED, now=utc_now())
    assert browser_of(world.b.users[Role.STATION_STAFF]).get(f"/cases/{story.case_id}/live").status_code == 404
    assert browser_of(world.a.users[Role.STATION_STAFF]).get("/system/live").status_code == 403
