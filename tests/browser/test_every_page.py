"""Every page there is, with a record of every kind behind it: axe finds no fault, and nothing hangs over the edge."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from models.user import Locale, Role
from tests.browser.conftest import Ground, Site
from tests.browser.walk import Walk
from tests.factories.world import Province
from tests.web.everything import everything
from tests.web.matrix import MAY, NOT_THERE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
WIDE = 1920
ORDER = (
    Role.STATION_STAFF, Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR, Role.CASEWORKER, Role.BUREAU_SUPERVISOR,
    Role.RECEIVING_UNIT, Role.HEALTH_LIAISON, Role.COMMUNITY_LIAISON, Role.ADMINISTRATOR, Role.AUDITOR,
)  # fmt: skip
"""Whoever is first among those who may open a page sees it here; the first page of the service all of them see."""


def of_report(template: str) -> bool:
    """Whether a page is about the report, which is the other province's."""
    return "report_id" in template


def opened_by(role: Role, *, report: bool) -> Iterator[str]:
    """The pages that this role is the first to open."""
    for (method, template), may in MAY.items():
        first = next(one for one in ORDER if one in may)
        opens = template == "/" or first is role
        if method == "GET" and opens and template not in NOT_THERE and of_report(template) is report:
            yield template


def is_page(page: Page, address: str) -> bool:
    """Whether it is a whole page: no picture, file, stream or part of one."""
    answer = page.request.get(address)
    assert answer.status in (200, 204), address
    return answer.headers.get("content-type", "").startswith("text/html") and "<html" in answer.text()


@pytest.fixture
def records(ground: Ground) -> dict[str, object]:
    """Ids of a record of every kind, made before the service and its worker run."""
    return everything(ground.services, ground.world)


@pytest.mark.parametrize("locale", [Locale.ZH, Locale.EN], ids=lambda one: one.value)
def test_every_page_in_either_theme(
    locale: Locale, ground: Ground, records: dict[str, object], site: Site, chromium: Browser
) -> None:
    walk = Walk(chromium, site.url, site.world.password, locale, 360, scripts=True)
    seen = set[str]()

    def visit(province: Province, role: Role, *, report: bool) -> None:
        told = records | {"user_id": province.users[Role.CASEWORKER].id}
        if report:
            told["photo_id"] = told["report_photo_id"]
        paths = [template.format(**told) for template in opened_by(role, report=report)]
        if not paths:
            return
        with walk.signed_in(province.users[role]) as page:
            for path in paths:
                if not is_page(page, site.url + path):
                    continue
                seen.add(path)
                page.emulate_media(color_scheme="light")
                page.goto(site.url + path)
                if locale is Locale.ZH:
                    walk.look(page)
                    page.emulate_media(color_scheme="dark")
                    walk.look_at_contrast(page)
                else:
                    walk.measure(page)
                    page.set_viewport_size({"width": WIDE, "height": 800})
                    walk.measure(page)
                    page.set_viewport_size({"width": 360, "height": 800})

    for role in ORDER:
        visit(ground.world.a, role, report=False)
        visit(ground.world.b, role, report=True)
    assert len(seen) > 70
    assert walk.faults == []
