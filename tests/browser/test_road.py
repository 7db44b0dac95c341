"""A lookout on a phone: opened by the station, answered by a liaison in two taps, followed on the map."""

import re

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from models.lookout import LookoutEnd
from models.user import Locale, Role
from tests.browser.conftest import Ground, Site
from tests.browser.walk import Walk, choose, send
from tests.factories.faces import RED, make_photo_bytes
from tests.factories.network import look_out, seen, sight
from tracing.lookout_answers import answer_lookout
from tracing.lookouts import end_lookout
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work

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


def test_whoever_has_a_lookout_open_hears_at_once(ground: Ground, site: Site, chromium: Browser) -> None:
    here, services = ground.world.a, ground.services
    staff = ground.world.viewer(here.users[Role.STATION_STAFF])
    liaison = ground.world.viewer(here.users[Role.COMMUNITY_LIAISON])
    lookout = look_out(services, staff, sight(services, staff, utc_now(), RED), utc_now())
    walk = Walk(chromium, site.url, site.world.password, Locale.EN, 1280, scripts=True)
    with walk.signed_in(here.users[Role.STATION_STAFF]) as page:
        page.goto(f"{site.url}/lookouts/{lookout.id}")
        expect(page.locator(".track li")).to_have_count(1)
        page.locator("[name='reason']").fill("half a sentence")
        with unit_of_work(services.db) as session:
            answer_lookout(session, services, liaison, lookout.id, seen(utc_now(), minutes=5), now=utc_now())
        expect(page.locator(".track li")).to_have_count(2, timeout=15_000)
        expect(page.locator("#answered li")).to_have_count(1)
        # What somebody is writing stays.
        expect(page.locator("[name='reason']")).to_have_value("half a sentence")
        with walk.signed_in(here.users[Role.COMMUNITY_LIAISON]) as phone:
            phone.goto(f"{site.url}/lookouts/{lookout.id}")
            expect(phone.locator(".wanted img")).to_be_visible()
            with unit_of_work(services.db) as session:
                end_lookout(session, services, staff, lookout.id, LookoutEnd.FOUND, reason="found", now=utc_now())
            # For the liaison it is gone with its end, and so is the photograph from the screen.
            expect(phone.locator(".wanted")).to_have_count(0, timeout=15_000)
        expect(page.locator("#wanted .notice")).to_be_visible(timeout=15_000)
        expect(page.locator(".wanted img")).to_have_count(0)
    assert walk.faults == []
