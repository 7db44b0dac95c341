"""Deadlines on the pages: found on the home page, ticked off, paused, taken back; nothing typed is lost."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from models.deadline import ClockKind
from models.user import Locale, Role
from tests.factories.records import make_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.deadline_watch import watch
from tracing.deadlines import case_deadlines
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import Services


@pytest.fixture
def case(services: Services, world: World) -> str:
    """The path of a case of province a, admitted two days ago."""
    with unit_of_work(services.db) as session:
        staff = world.viewer(world.a.users[Role.STATION_STAFF])
        return f"/cases/{make_case(session, services, staff, now=utc_now() - timedelta(days=2)).id}"


def deadline(services: Services, case: str, kind: ClockKind) -> str:
    """The path of one of its deadlines."""
    identity = uuid.UUID(case.rsplit("/", 1)[1])
    with unit_of_work(services.db) as session:
        rows = case_deadlines(session, services, identity, now=utc_now())
    return next(f"{case}/deadlines/{row.id}" for row in rows if row.kind is kind)


def typed(now_minus: timedelta = timedelta(0)) -> str:
    """A moment as the browser sends it, in the service's zone (UTC+8)."""
    return (utc_now() + timedelta(hours=8) - now_minus).strftime("%Y-%m-%dT%H:%M")


def overdue(browser: Browser) -> int:
    """The figure above “overdue” on the home page."""
    found = re.search(r"(\d+)\s*(?:<[^>]*>\s*)+已超期", browser.see("/"))
    assert found, "the home page has no such figure"
    return int(found.group(1))


def test_what_is_due_stands_on_the_home_page_and_is_ticked_off(
    case: str, services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    staff = browser_of(world.a.users[Role.STATION_STAFF])
    assert overdue(staff) == 3
    assert "发布寻亲公告" in staff.see(case)
    path = deadline(services, case, ClockKind.TRACING_NOTICE)
    text = staff.see(path)
    assert "依据" in text
    refused = staff.send(f"{path}/met", {"occurred_at": typed(), "note": "", "reference": "回执 5"}, page=path)
    assert refused.status_code == 422
    assert 'value="回执 5"' in refused.text
    sent = staff.send(f"{path}/met", {"occurred_at": typed(), "note": "市电视台播出"}, page=path)
    assert sent.status_code == 303
    assert "超期完成" in staff.see(sent.headers["location"])
    assert overdue(staff) == 2
    assert "市电视台播出" in staff.see(f"{case}/deadlines")


def test_a_pause_and_a_withdrawal(
    case: str, services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    staff = browser_of(world.a.users[Role.STATION_STAFF])
    path = deadline(services, case, ClockKind.DNA_REQUEST)
    form = {"reason": "other", "from_at": typed(), "note": ""}
    assert staff.send(f"{path}/pause", form, page=f"{path}/pause").status_code == 422
    assert staff.send(f"{path}/pause", form | {"note": "在外地医院"}, page=f"{path}/pause").status_code == 303
    assert "已中止" in staff.see(f"{case}/deadlines")
    assert "在外地医院" in staff.see(path)
    assert staff.send(f"{path}/resume", {"note": "已返站"}, page=f"{path}/pause").status_code == 303
    step = {"kind": "dna_requested", "occurred_at": typed(timedelta(minutes=5)), "reference": "", "note": ""}
    assert staff.send(f"{case}/milestones", step, page=f"{case}/deadlines").status_code == 303
    found = re.search(rf'href="({case}/milestones/[0-9a-f-]+)"', staff.see(f"{case}/deadlines"))
    assert found
    assert staff.send(f"{found.group(1)}/withdraw", {"reason": ""}, page=found.group(1)).status_code == 422
    assert staff.send(f"{found.group(1)}/withdraw", {"reason": "登错"}, page=found.group(1)).status_code == 303
    assert "登错" in staff.see(f"{case}/deadlines")


def test_the_supervisor_sees_what_was_brought_up_and_the_filters_hold(
    case: str, services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    supervisor = browser_of(world.a.users[Role.BUREAU_SUPERVISOR])
    assert "目前没有待办时限" in supervisor.see("/deadlines?escalated=yes")
    watch(services, utc_now())
    supervisor.send("/locale", {"locale": Locale.EN.value, "next": "/"})
    assert "before Bureau A" in supervisor.see("/")
    text = supervisor.see("/deadlines?escalated=yes&which=overdue&kind=police_query")
    assert "Query with the police" in text
    assert "Nothing is due here" in supervisor.see("/deadlines?which=paused")
    assert supervisor.get("/deadlines?cursor=nonsense").status_code == 422
