"""A lookout on a phone: opened by the station, answered by a liaison in two taps, followed on the map."""

import re

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from models.user import Locale, Role
from tests.browser.conftest import Site
from tests.browser.walk import Walk, choose, send
from tests.factories.faces import RED, make_photo_bytes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PICTURE = FilePayload(name="street.jpg", mimeType="image/jpeg", buffer=make_photo_bytes(RED))


@pytest.mark.parametrize(
    ("locale", "scripts", "scheme"),
    [
        pytest.param(Locale.ZH, True, "dark", id="chinese-dark"),
        pytest.param(Locale.EN, False, "light", id="english-no-scripts"),
    ],
)
def test_a_lookout_is_answered_in_two_taps(
    locale: Locale, scripts: bool, scheme: str, site: Site, chromium: Browser
) -> None:
    walk = Walk(chromium, site.url, site.world.password, locale, 360, scripts)
    here = site.world.a
    with walk.signed_in(here.users[Role.STATION_STAFF]) as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(f"{site.url}/sightings/new")
        page.locator("[name='place']").fill("金海湾广场")
        page.locator("[name='latitude']").fill("21.9530")
        page.locator("[name='longitude']").fill("108.6180")
        page.locator("[name='photos.other']").set_input_files([PICTURE])
        choose(page, "photo_basis", "statutory_duty")
        walk.look(page)
        page.locator(
            "form[action='/sightings/new'] button:not([type=button])"
        ).click()  # the first one finds the position
        expect(page).to_have_url(re.compile(r"/sightings/[0-9a-f-]{36}$"))
        page.locator("[name='lookout_words']").fill("灰色外套，左腿微跛")
        walk.look(page)
        send(page, "/lookout")
        expect(page).to_have_url(re.compile(r"/lookouts/[0-9a-f-]{36}$"))
        lookout = page.url

    with walk.signed_in(here.users[Role.COMMUNITY_LIAISON]) as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        if scripts:
            page.context.grant_permissions(["geolocation"])
            page.context.set_geolocation({"latitude": 21.965, "longitude": 108.648, "accuracy": 12})
        page.goto(f"{site.url}/lookouts")
        walk.look(page)
        page.locator(".sought a").first.click()
        expect(page).to_have_url(lookout)
        page.locator("details.seen > summary").click()
        if scripts:
            page.locator("[data-point] button").click()
            expect(page.locator("[name='latitude']")).to_have_value("21.965000")
            # A photograph is asked for its ground before it is sent.
            page.locator("[name='photos.other']").set_input_files([PICTURE])
            expect(page.locator(".preview img")).to_have_count(1)
            assert page.locator("[name='photo_basis']").evaluate("one => one.required")
            choose(page, "photo_basis", "consent")
        walk.look(page)
        page.locator("details.seen form button:not([type=button])").click()
        expect(page.locator(".notice.done")).to_be_visible()

    with walk.signed_in(here.users[Role.STATION_STAFF]) as page:
        page.goto(lookout)
        expect(page.locator(".track li")).to_have_count(2)
        expect(page.locator(".map .spot")).to_have_count(2 if scripts else 1)
        walk.look(page)
        choose(page, "kind", "called_off")
        page.locator("[name='reason']").fill("家属已在车站接到")
        send(page, "/end")
        expect(page.locator(".notice").last).to_contain_text("家属已在车站接到")
        for path in ("/patrols", "/patrols/new", "/notices", "/tips", "/sightings"):
            page.goto(site.url + path)
            walk.look(page)
    assert walk.faults == []
