"""The main job through the pages alone: at a desk in Chinese with scripts, on a phone in English without."""

import pytest
from playwright.sync_api import Browser, expect

from models.user import Locale, Role
from tests.browser import walk as steps
from tests.browser.conftest import Site
from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.mark.parametrize(
    ("locale", "width", "scripts"),
    [
        pytest.param(Locale.ZH, 1280, True, id="desk-chinese"),
        pytest.param(Locale.EN, 360, False, id="phone-english-no-scripts"),
    ],
)
def test_a_person_finds_the_way_home(locale: Locale, width: int, scripts: bool, site: Site, chromium: Browser) -> None:
    walk = Walk(chromium, site.url, site.world.password, locale, width, scripts)
    here, there = site.world.a, site.world.b
    photos = next(iter(site.photos.values()), [])
    with walk.signed_in(there.users[Role.STATION_STAFF]) as page:
        steps.report_missing(walk, page, photos)
    with walk.signed_in(here.users[Role.STATION_STAFF]) as page:
        case_url = steps.admit(walk, page, photos)
        steps.wait_for_candidate(walk, page)
        steps.interview(walk, page, case_url)
        steps.tick_off(walk, page, case_url)
    with walk.signed_in(here.users[Role.CASEWORKER]) as page:
        page.goto(f"{case_url}/contact")
        expect(page.locator(".sealed")).to_be_visible()
    with walk.signed_in(here.examiners[0]) as page:
        steps.judge(walk, page, case_url)
        steps.confirm(walk, page, case_url, refused=True)
    with walk.signed_in(here.examiners[1]) as page:
        steps.judge(walk, page, case_url)
    with walk.signed_in(here.users[Role.POLICE_SUPERVISOR]) as page:
        steps.confirm(walk, page, case_url)
        steps.release(walk, page, case_url)
    with walk.signed_in(here.users[Role.CASEWORKER]) as page:
        steps.reach_family(walk, page, case_url)
    assert walk.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_other_roles_pages_have_no_fault(scheme: str, site: Site, chromium: Browser) -> None:
    pages = {
        Role.ADMINISTRATOR: ("/", "/users", "/users/new", "/organisations", "/organisations/new", "/jobs", "/system"),
        Role.AUDITOR: ("/", "/audit"),
        Role.STATION_STAFF: (
            "/",
            "/deadlines",
            "/cases",
            "/cases/new",
            "/reports",
            "/reports/new",
            "/design",
            "/nowhere",
        ),
        Role.HEALTH_LIAISON: ("/",),
        Role.COMMUNITY_LIAISON: ("/",),
        Role.RECEIVING_UNIT: ("/",),
    }
    walk = Walk(chromium, site.url, site.world.password, Locale.EN, 360, scripts=True)
    for role, paths in pages.items():
        with walk.signed_in(site.world.a.users[role]) as page:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            for path in paths:
                page.goto(site.url + path)
                walk.look(page)
    assert walk.faults == []


def test_colours_chosen_and_menus_opened_by_keyboard(site: Site, chromium: Browser) -> None:
    walk = Walk(chromium, site.url, site.world.password, Locale.EN, 1280, scripts=True)
    with walk.signed_in(site.world.a.users[Role.STATION_STAFF]) as page:
        page.emulate_media(color_scheme="light")
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.locator("details.menu.end > summary").last.focus()
        page.keyboard.press("Enter")
        walk.look(page)
        page.keyboard.press("Escape")
        expect(page.locator("details.menu[open]")).to_have_count(0)
        page.keyboard.press("Enter")
        page.locator("button[name=theme][value=dark]").click()
        expect(page.locator("button[name=theme][value=dark]")).to_have_attribute("aria-pressed", "true")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
        for path in ("/", "/design", "/cases", "/reports?sex=male"):
            page.goto(site.url + path)
            walk.look(page)
    assert walk.faults == []
