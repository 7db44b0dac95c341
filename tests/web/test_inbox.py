"""The inbox as its owner sees it: the count in the header, reading one and all, the mail settings."""

import re
from collections.abc import Callable
from datetime import timedelta

import httpx2
from fastapi import FastAPI

from models.notification import NotificationKind
from models.user import Role, User
from tests.factories.records import make_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tests.web.test_security import page_routes
from tracing.handovers import hand_over
from tracing.notification_links import LISTS, OBJECTS, PAGES
from tracing.notification_policy import policy
from tracing.notifications import notify
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import Services


def unread(page: str) -> str:
    found = re.search(r'href="/inbox"[^>]*>收件箱(?: <span class="badge bad">([0-9+]+)</span>)?</a>', page)
    assert found
    return found.group(1) or ""


def test_count_open_and_mark_read(services: Services, world: World, browser_of: Callable[[User], Browser]) -> None:
    user = world.a.users[Role.STATION_STAFF]
    staff, now = world.viewer(user), utc_now()
    with unit_of_work(services.db) as session:
        case_id = make_case(session, services, staff, now=now).id
        for seconds in range(27):
            notify(
                session, [user.id], NotificationKind.PHOTO_WANTED, "case", case_id,
                now=now - timedelta(days=1) + timedelta(seconds=seconds),
            )  # fmt: skip
    browser = browser_of(user)
    assert unread(browser.see("/")) == "27"
    page = browser.see("/inbox")
    assert policy().kinds[NotificationKind.PHOTO_WANTED].zh in page
    assert "cursor=" in page
    one = re.findall(r'href="(/inbox/[0-9a-f-]{36})"', page)[0]
    opened = browser.get(one)
    assert (opened.status_code, opened.headers["location"]) == (303, f"/cases/{case_id}")
    assert unread(browser.see("/inbox?unread=1")) == "26"
    with unit_of_work(services.db) as session:
        notify(session, [user.id], NotificationKind.DNA_WANTED, "lookout", case_id, now=utc_now())
    until = re.search(r'name="until" value="([^"]+)"', page)
    assert until
    assert browser.send("/inbox/read", {"until": until.group(1)}).status_code == 303
    left = browser.see("/inbox?unread=1")
    assert unread(left) == "1", "what came after the page was opened stays"
    assert policy().kinds[NotificationKind.DNA_WANTED].zh in left
    last = re.findall(r'href="(/inbox/[0-9a-f-]{36})"', left)[0]
    assert "不再对您开放" in browser.see(last), "there is no such lookout"
    assert unread(browser.see("/inbox")) == ""
    other = browser_of(world.a.users[Role.CASEWORKER])
    assert unread(other.see("/")) == ""
    other.see(one, 404)


def test_every_address_that_a_notification_leads_to_is_there(app: FastAPI) -> None:
    interface = {re.sub(r"\{.*?\}", "{id}", path) for path in app.openapi()["paths"]}
    assert {f"/api/v1{about.resource}" for about in OBJECTS.values()} <= interface
    pages = {re.sub(r"\{.*?\}", "{id}", route.path) for route in page_routes()}
    assert {*PAGES.values(), *(path for _, path in LISTS.values())} <= pages


def test_what_has_no_page_leads_to_what_it_concerns(
    services: Services, world: World, browser_of: Callable[[User], Browser]
) -> None:
    staff, doctor = world.a.users[Role.STATION_STAFF], world.a.users[Role.HEALTH_LIAISON]
    with unit_of_work(services.db) as session:
        case = make_case(session, services, world.viewer(staff), now=utc_now())
        handover = hand_over(
            session, services, world.viewer(staff), case.id, world.a.health.id, officer="陈某", complaint="水肿",
            handed_at=utc_now(), now=utc_now(),
        )  # fmt: skip
        notify(session, [staff.id], NotificationKind.REFERRAL_ANSWERED, "handover", handover.id, now=utc_now())

    def opened(user: User) -> httpx2.Response:
        browser = browser_of(user)
        return browser.get(re.findall(r'href="(/inbox/[0-9a-f-]{36})"', browser.see("/inbox"))[0])

    assert f'<a href="/cases/{case.id}">{case.number}</a>' in opened(staff).text
    assert opened(doctor).headers["location"] == "/handovers", "a hospital is led to the list of whom it was brought"


def test_mail_settings(services: Services, world: World, browser_of: Callable[[User], Browser]) -> None:
    browser = browser_of(world.a.users[Role.COMMUNITY_LIAISON])
    assert "本系统尚未启用邮件" in browser.see("/inbox/mail")
    refused = browser.send("/inbox/mail", {"address": "no address", "tip_received": "daily"})
    assert refused.status_code == 422
    assert "no address" in refused.text
    saved = browser.send("/inbox/mail", {"address": "li.na@example.org", "lookout_opened": "off"})
    assert saved.status_code == 303
    page = browser.see("/inbox/mail")
    assert 'value="li.na@example.org"' in page
    lookout = page[page.index('name="lookout_opened"') :]
    assert re.search(r'value="(\w+)" selected', lookout).group(1) == "off"  # type: ignore[union-attr]
