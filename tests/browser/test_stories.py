"""The three stories that the product carries from end to end, played through the pages alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from models.user import Locale
from tests.browser import story_homeward as homeward
from tests.browser import story_identity as identity
from tests.browser import story_known as known
from tests.browser import story_network as network
from tests.browser.cast import Cast
from tests.browser.conftest import Ground, Site
from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]
WAYS = [pytest.param((Locale.ZH, 360), id="phone-chinese"), pytest.param((Locale.EN, 1280), id="desk-english")]


@pytest.fixture(scope="module")
def looked_at() -> set[str]:
    """The kinds of pages that axe has looked at, in either language: it takes longer than the page itself."""
    return set()


@pytest.fixture(params=WAYS)
def cast(request: pytest.FixtureRequest, site: Site, chromium: Browser, looked_at: set[str]) -> Iterator[Cast]:
    """The people of a story, all with the same kind of window and one language."""
    locale, width = request.param
    walk = Walk(chromium, site.url, site.world.password, locale, width, scripts=True)
    cast = Cast(site, walk, looked_at)
    yield cast
    cast.leave()


def test_a_man_finds_the_way_home(cast: Cast, ground: Ground, site: Site) -> None:
    world, photos = site.world, next((files for files in site.photos.values() if len(files) > 2), [])
    network.family_reports(cast, world, photos)
    network.citizen_calls(cast, world, photos[1:])
    network.he_has_gone(cast, world, photographed=bool(photos))
    cast.later(hours=20)
    network.liaison_sees_him(cast, world)
    number = network.he_is_found(cast, world, photos[2:])
    identity.hospital_first(cast, world, number)
    identity.he_is_searched_for(cast, world, number)
    identity.nobody_skips_a_step(cast, world, number)
    identity.police_compare(cast, world, number)
    identity.two_examiners_judge(cast, world, number)
    identity.police_confirm_and_release(cast, world, number)
    homeward.family_is_reached(cast, world, number)
    homeward.family_comes(cast, world, number)
    homeward.it_is_on_record(cast, world, number)
    cast.later(days=7)
    homeward.follow_up_begins(cast, world, ground.services, number)
    assert "\n".join(cast.walk.faults) == ""


def test_a_man_who_lost_his_wallet(cast: Cast, site: Site) -> None:
    known.lost_wallet(cast, site.world)
    assert "\n".join(cast.walk.faults) == ""


def test_a_man_whose_kidneys_fail(cast: Cast, site: Site) -> None:
    known.kidney_failure(cast, site.world)
    assert "\n".join(cast.walk.faults) == ""
