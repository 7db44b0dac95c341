"""The examiner's workspace in a real browser: by keyboard alone, by mouse, in both themes, on a phone, reloaded."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from matcher.vocabulary import GalleryKind
from models.case import CaseState
from models.user import Locale, Role
from tests.browser.conftest import Ground, Site
from tests.browser.walk import Walk
from tests.factories.faces import BLUE, RED, make_photo_bytes
from tests.factories.records import attach
from tests.factories.stories import Story, describe, judged_case
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
FEATURES = ("偏黑", "长圆脸", "浓眉")


@pytest.fixture
def story(ground: Ground) -> Story:
    """A case in review, of the time before the site is served; it and its report have a photograph each."""
    services, world = ground.services, ground.world
    story = judged_case(services, world, CaseState.IN_REVIEW, now=utc_now())
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    police = world.viewer(world.b.users[Role.POLICE_EXAMINER])
    assert story.report_id is not None
    owners = ((staff, GalleryKind.CASE, story.case_id, RED), (police, GalleryKind.REPORT, story.report_id, BLUE))
    with unit_of_work(services.db) as session:
        for viewer, kind, owner_id, colour in owners:
            attach(session, services, viewer, kind, owner_id, make_photo_bytes(colour), now=utc_now())
    return story


def describe_for(ground: Ground, story: Story, *places: int) -> None:
    """The features noted by some of province a's examiners."""
    with unit_of_work(ground.services.db) as session:
        for place in places:
            viewer = ground.world.viewer(ground.world.a.examiners[place])
            describe(session, ground.services, viewer, story.case_id, now=utc_now())


def tab_to(page: Page, selector: str, limit: int = 120) -> None:
    """Press Tab until the focus is there. AssertionError when it never comes there."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_a_review_by_keyboard_alone(story: Story, site: Site, chromium: Browser) -> None:
    walk = Walk(chromium, site.url, site.world.password, Locale.ZH, 1280, scripts=True)
    with walk.signed_in(site.world.a.examiners[0]) as page:
        page.goto(f"{site.url}/")
        tab_to(page, "nav a[href='/review']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/review")
        tab_to(page, ".take .button, .take button")  # the service may have given it out by now
        page.keyboard.press("Enter")
        page.wait_for_url("**/features?next=review")
        tab_to(page, "input.seen")
        for text in FEATURES:
            page.keyboard.type(text)
            page.keyboard.press("Tab")
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # in a field: the form is sent
        page.wait_for_url(re.compile(r"/candidates/[0-9a-f-]{36}$"))
        tab_to(page, ".frame.left")
        page.keyboard.press("+")
        expect(page.locator("[data-zoom-shown]")).to_have_text("125%")
        page.keyboard.press("o")
        expect(page.locator("#bench")).to_have_attribute("data-mode", "overlay")
        page.keyboard.press("0")
        page.keyboard.press("s")
        expect(page.locator("[data-zoom-shown]")).to_have_text("100%")
        tab_to(page, ".found input[name='finding.skin']")
        page.keyboard.press("ArrowRight")
        expect(page.locator("[name='finding.skin'][value=similar]")).to_be_checked()
        page.keyboard.press("2")
        page.keyboard.press("6")
        expect(page.locator("[value=supports]")).to_be_checked()
        page.keyboard.press("Backspace")
        expect(page.locator("[value=opposes]")).to_be_checked()
        page.keyboard.press("6")
        expect(page.locator("[value=supports]")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator(".weighing")).to_be_visible()
        expect(page.locator(".findings")).to_contain_text("相似")
    assert walk.faults == []


def test_nothing_typed_is_lost_and_nobody_else_finds_it(
    ground: Ground, story: Story, site: Site, chromium: Browser
) -> None:
    describe_for(ground, story, 0, 1)
    walk = Walk(chromium, site.url, site.world.password, Locale.ZH, 1280, scripts=True)
    address = f"{site.url}/candidates/{story.candidate}"
    offer = "[data-offer]"
    with walk.signed_in(site.world.a.examiners[0]) as page:
        page.goto(address)
        expect(page.locator(offer)).to_be_hidden()
        page.keyboard.press("3")
        page.locator("[name=remarks]").fill("鼻翼不同")
        page.locator(".apart a").click()
        expect(page.locator(".frame.left img")).to_have_attribute("src", re.compile("size=face$"))
        expect(page.locator("[name=remarks]")).to_have_value("鼻翼不同")
        page.reload()
        expect(page.locator("[name=remarks]")).to_have_value("")
        walk.look(page)
        page.locator("[data-restore]").click()
        expect(page.locator("[name=remarks]")).to_have_value("鼻翼不同")
        expect(page.locator("[value=slightly_opposes]")).to_be_checked()
        page.locator("button[value=photo]").click()
        expect(page.locator(".ask")).to_contain_text("您于")
        expect(page.locator(offer)).to_be_visible()
        page.locator(".who details.menu > summary").click()
        page.locator("form[action='/logout'] button").click()
        page.wait_for_url("**/login")
        assert page.evaluate("Object.keys(sessionStorage).filter((name) => name.startsWith('draft.'))") == []
        page.goto(f"{site.url}/login")
    assert walk.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "locale"), [(360, Locale.EN), (1280, Locale.ZH)])
def test_the_pages_have_no_fault(
    scheme: Literal["light", "dark"],
    width: int,
    locale: Locale,
    ground: Ground,
    story: Story,
    site: Site,
    chromium: Browser,
) -> None:
    describe_for(ground, story, 0)
    case, candidate = f"/cases/{story.case_id}", f"/candidates/{story.candidate}"
    walk = Walk(chromium, site.url, site.world.password, locale, width, scripts=True)
    with walk.signed_in(site.world.a.users[Role.POLICE_SUPERVISOR]) as page:
        page.emulate_media(color_scheme=scheme)
        for path in ("/review", "/review/quality", f"{case}/assignments", f"{case}/features", f"{case}/confirmation"):
            page.goto(site.url + path)
            walk.look(page)
    with walk.signed_in(site.world.a.examiners[0]) as page:
        page.emulate_media(color_scheme=scheme)
        page.goto(site.url + candidate)
        page.locator(".tools summary").click()
        page.locator("button[data-mode=overlay]").click()
        walk.look(page)
        page.locator("[value=supports]").check()
        page.locator("[name='finding.ears'][value=different]").check(force=True)
        page.locator(".verdict button").first.click()
        expect(page.locator(".weighing")).to_be_visible()
    assert walk.faults == []
