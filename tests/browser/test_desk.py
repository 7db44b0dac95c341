"""After the match through a browser: a referral written here and answered there; the pages have no fault."""

import pytest
from playwright.sync_api import Browser, expect

from models.user import Locale, Role
from tests.browser.conftest import Site
from tests.browser.walk import Walk, choose, send
from tests.factories.records import make_case
from tests.factories.stories import run_jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
SUMMARY = "需长期透析，请协助申请低保"
OF_CASE = ("follow-up", "earlier-cases", "referrals", "timeline", "exclusions", "handover-form", "outcome")
PAGES = {
    Role.CASEWORKER: ("/followup", "/referrals", "/home-notices", "/return-ledger", "/duplicates"),
    Role.BUREAU_SUPERVISOR: ("/statistics", "/statistics?by=organisation&exact=yes"),
    Role.ADMINISTRATOR: ("/webhooks",),
}


@pytest.mark.parametrize(
    ("locale", "width", "scripts", "scheme"),
    [
        pytest.param(Locale.ZH, 1280, True, "light", id="desk-chinese"),
        pytest.param(Locale.ZH, 360, True, "dark", id="phone-dark"),
        pytest.param(Locale.EN, 360, False, "light", id="phone-english-no-scripts"),
    ],
)
def test_a_referral_goes_there_and_back(
    locale: Locale, width: int, scripts: bool, scheme: str, site: Site, chromium: Browser
) -> None:
    people = site.world.a.users
    with unit_of_work(site.services.db) as session:
        staff = site.world.viewer(people[Role.STATION_STAFF])
        case_id = make_case(session, site.services, staff, now=utc_now()).id
    run_jobs(site.services, utc_now())  # a search under way would keep the pages waiting
    walk = Walk(chromium, site.url, site.world.password, locale, width, scripts)
    case = f"{site.url}/cases/{case_id}"
    with walk.signed_in(people[Role.CASEWORKER]) as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(f"{case}/referrals/new")
        choose(page, "kind", "low_income")
        page.locator(f"form[method=get][action='/cases/{case_id}/referrals/new'] button").click()
        choose(page, "receiver_id", str(site.world.a.receiving.id))
        page.locator("[name=summary]").fill(SUMMARY)
        walk.look(page)
        send(page, "/referrals/new")
        expect(page.locator(".quote")).to_have_text(SUMMARY)
        send(page, "/send")
        expect(page.locator("form[action$='/send']")).to_have_count(0)
        address = page.url
        for path in OF_CASE:
            page.goto(f"{case}/{path}")
            walk.look(page)
    with walk.signed_in(people[Role.RECEIVING_UNIT]) as page:
        page.goto(f"{site.url}/referrals")
        page.locator(f"a[href='{address.removeprefix(site.url)}']").click()
        expect(page.locator(".quote")).to_have_text(SUMMARY)
        send(page, "/accept")
        expect(page.locator("form[action$='/accept']")).to_have_count(0)
        page.goto(f"{address}/done")
        page.locator("[name=text]").fill("下月起发放")
        send(page, "/done")
        expect(page.locator(".quote").last).to_have_text("下月起发放")
    for role, paths in PAGES.items():
        with walk.signed_in(people[role]) as page:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            for path in paths:
                page.goto(site.url + path)
                walk.look(page)
    assert walk.faults == []
