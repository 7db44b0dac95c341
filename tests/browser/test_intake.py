"""Intake on a phone: nothing is lost with the connection, nothing is sent twice, nobody sees another's draft."""

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from models.user import Locale, Role
from tests.browser.conftest import Site
from tests.browser.walk import Walk, choose

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
CASE = re.compile(r"/cases/[0-9a-f-]{36}$")
ARRIVES_MILLISECONDS = 60_000
KEPT = {Locale.ZH: "草稿已存在本机", Locale.EN: "Draft kept on this device"}


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Photographs are analysed while the pages answer: on a small machine that takes a while."""
    expect.set_options(timeout=ARRIVES_MILLISECONDS)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, Path]:
    """Two photographs: a plain one suffices where faces are not the point."""
    made = []
    for colour in ("salmon", "teal"):
        target = BytesIO()
        Image.new("RGB", (240, 320), colour).save(target, "JPEG")
        made.append(tmp_path / f"{colour}.jpg")
        made[-1].write_bytes(target.getvalue())
    return made[0], made[1]


def _walk(site: Site, chromium: Browser, locale: Locale = Locale.ZH, *, scripts: bool = True) -> Walk:
    return Walk(chromium, site.url, site.world.password, locale, 360, scripts)


def _write(page: Page, url: str, pictures: tuple[Path, Path]) -> None:
    page.goto(f"{url}/cases/new")
    page.locator("[name='photos.front']").set_input_files(pictures[0])
    page.locator("[name='camera.other']").set_input_files(pictures[1])
    page.locator("[name='attributes.age.from']").fill("45")
    page.locator("[data-region=forearm][data-side=left]").first.focus()
    page.keyboard.press("Enter")
    choose(page, "marks.0.kind", "scar")
    page.locator("[name='names.0.text']").fill("阿明")


def _cases(page: Page, url: str) -> set[str]:
    page.goto(f"{url}/cases")
    links = page.locator("main a").evaluate_all("found => found.map(one => one.getAttribute('href'))")
    return {link for link in links if link and CASE.search(link)}


def _lost_on_the_way(page: Page) -> None:
    def abort(route: Route) -> None:
        if route.request.method == "POST":
            route.abort("connectionfailed")
        else:
            route.continue_()

    page.route("**/cases/new", abort)


def _lost_on_the_way_back(page: Page) -> None:
    # An intercepted request would lose its files: here it arrives whole, and its answer does not.
    page.evaluate(
        """() => {
            const whole = window.fetch;
            window.fetch = async (address, given) => {
                const answer = await whole(address, given);
                if (given?.headers?.Accept) throw new TypeError("the connection was reset");
                return answer;
            };
        }"""
    )


@pytest.mark.parametrize("lost", [_lost_on_the_way, _lost_on_the_way_back])
def test_a_submission_that_is_cut_off_arrives_once_with_its_photographs(
    lost: Callable[[Page], None], site: Site, chromium: Browser, pictures: tuple[Path, Path]
) -> None:
    walk = _walk(site, chromium)
    with walk.signed_in(site.world.a.users[Role.STATION_STAFF]) as page:
        _write(page, site.url, pictures)
        lost(page)
        page.locator("button[value=submit]").click()
        expect(page.locator("[data-waits]")).to_be_visible()
        expect(page.locator("#outbox li[data-state=waiting]")).to_have_count(1)
        walk.look(page)
        page.goto(f"{site.url}/cases")  # the page is left: what waits is still there
        expect(page.locator("#outbox li")).to_have_count(1)
        page.unroute_all()
        page.context.set_offline(True)
        page.context.set_offline(False)
        expect(page.locator("#outbox li[data-state=sent]")).to_have_count(1)
        page.locator("#outbox [data-open]").click()
        expect(page.locator(".photo")).to_have_count(2)
        expect(page.locator("main")).to_contain_text("阿明")
        assert len(_cases(page, site.url)) == 1
        expect(page.locator("#outbox")).to_have_count(0)


@pytest.mark.parametrize("locale", list(Locale))
def test_a_draft_outlives_a_reload_and_is_gone_once_sent(
    locale: Locale, site: Site, chromium: Browser, pictures: tuple[Path, Path]
) -> None:
    walk = _walk(site, chromium, locale)
    with walk.signed_in(site.world.a.users[Role.STATION_STAFF]) as page:
        _write(page, site.url, pictures)
        page.locator("[name='found_division']").click()
        page.keyboard.type("qnq")
        page.locator("[role=option]").first.wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("[name='found_division']")).to_have_value(re.compile("钦南区 450702"))
        expect(page.locator(".kept")).to_contain_text(KEPT[locale])
        page.wait_for_function("document.querySelectorAll('.shot [data-tone], .shot .told:not(:empty)').length >= 2")
        walk.look(page)
        page.emulate_media(color_scheme="dark")
        walk.look(page)
        page.emulate_media(color_scheme="light")
        page.wait_for_timeout(700)  # the draft is written half a second after the last touch
        page.reload()
        expect(page.locator(".shot")).to_have_count(2)
        expect(page.locator("[name='names.0.text']")).to_have_value("阿明")
        expect(page.locator("[name='marks.0.region']")).to_have_value("forearm")
        expect(page.locator("[data-region=forearm][data-side=left]").first).to_have_attribute("aria-pressed", "true")
        # A mistake is told by the service beside its field, and the photographs are there still.
        page.locator("[name='attributes.height']").fill("1.84")
        page.locator("button[value=submit]").click()
        expect(page.locator("[id='e-attributes.height'] .wrong")).to_be_visible()
        expect(page.locator(".shot")).to_have_count(2)
        page.locator("[name='attributes.height']").fill("184")
        page.locator("button[value=submit]").click()
        expect(page).to_have_url(CASE)
        expect(page.locator(".photo")).to_have_count(2)
        page.goto(f"{site.url}/cases/new")
        expect(page.locator(".shot")).to_have_count(0)
        expect(page.locator("[name='names.0.text']")).to_have_value("")
    assert walk.faults == []


def test_another_user_sees_nothing_of_a_draft_and_may_delete_it(
    site: Site, chromium: Browser, pictures: tuple[Path, Path]
) -> None:
    walk = _walk(site, chromium, Locale.EN)
    first, second = site.world.a.users[Role.STATION_STAFF], site.world.a.sister_staff
    with walk.signed_in(first) as page:
        _write(page, site.url, pictures)
        expect(page.locator(".kept")).to_contain_text(KEPT[Locale.EN])
        page.context.clear_cookies()  # the session ends without a sign-out
        _sign_in(page, site, second.username)
        page.goto(f"{site.url}/cases/new")
        expect(page.locator("#outbox li[data-state=foreign]")).to_have_count(1)
        expect(page.locator(".shot")).to_have_count(0)
        assert "阿明" not in page.content()
        walk.look(page)
        page.once("dialog", lambda dialog: dialog.accept())
        page.locator("#outbox [data-do=drop]").click()
        expect(page.locator("#outbox")).to_be_hidden()
        page.locator("[name='names.0.text']").fill("阿强")
        expect(page.locator(".kept")).to_contain_text(KEPT[Locale.ZH])
        page.locator(".who details.menu > summary").click()
        page.locator("form[action='/logout'] button").click()
        expect(page).to_have_url(re.compile("/login"))
        _sign_in(page, site, second.username)
        page.goto(f"{site.url}/cases/new")
        expect(page.locator("[name='names.0.text']")).to_have_value("")
        expect(page.locator("#outbox")).to_be_hidden()


def _sign_in(page: Page, site: Site, username: str) -> None:
    page.goto(f"{site.url}/login")
    page.locator("[name=username]").fill(username)
    page.locator("[name=password]").fill(site.world.password)
    page.locator("main button").click()
    expect(page.locator("form[action='/logout']")).to_have_count(1)


def test_the_form_does_its_whole_job_without_scripts(
    site: Site, chromium: Browser, pictures: tuple[Path, Path]
) -> None:
    walk = _walk(site, chromium, Locale.EN, scripts=False)
    with walk.signed_in(site.world.a.users[Role.STATION_STAFF]) as page:
        page.goto(f"{site.url}/cases/new")
        expect(page.locator("[data-body]")).to_be_hidden()
        page.locator("[name='camera.front']").set_input_files(pictures[0])
        page.locator("[name='photos.other']").set_input_files(pictures)
        page.locator("[name='attributes.age.from']").fill("45")
        page.locator("[name='attributes.age.to']").fill("55")
        for name, value in (("kind", "scar"), ("region", "forearm"), ("side", "left")):
            choose(page, f"marks.0.{name}", value)
        choose(page, "clues.0.kind", "food")
        page.locator("[name='clues.0.text']").fill("沙茶面")
        page.locator("button[value=submit]").click()
        expect(page).to_have_url(CASE)
        expect(page.locator(".photo")).to_have_count(2)  # the same file twice is one photograph
        for known in ("50 years", "±5", "沙茶面", "forearm"):
            expect(page.locator("main")).to_contain_text(known)
