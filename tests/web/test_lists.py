"""The lists as people use them: a name never stands in an address; filters, columns, saved filters and files."""

import csv
import io
import re
import zipfile
from collections.abc import Callable

import pytest

from api.web.pages.lists import SHOWN
from models.user import Role, User
from tests.factories.records import facts, make_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.saved_filters import MOST
from tracing.services import Services

Opened = Callable[[User], Browser]


@pytest.fixture
def staff(services: Services, world: World, browser_of: Opened) -> Browser:
    """Station staff with a case of somebody called 韦建国, and one of 欧阳慧."""
    admit(services, world, "韦建国", 50, 170)
    admit(services, world, "欧阳慧", 30, 158)
    return browser_of(world.a.users[Role.STATION_STAFF])


def admit(services: Services, world: World, name: str, age: int, height: int, times: int = 1) -> None:
    """Cases of the first province's station."""
    viewer = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        for _ in range(times):
            known = facts(age=age, height=height, name=name)
            make_case(session, services, viewer, known=known, submitted=False, now=utc_now())


def numbers(page: str) -> list[str]:
    """Numbers of the rows."""
    return re.findall(r'<th scope="row"><a class="number"[^>]*>([0-9X-]+)</a>', page)


def test_a_name_is_found_and_stands_in_no_address(staff: Browser, services: Services, world: World) -> None:
    admit(services, world, "韦建国", 50, 170, times=SHOWN + 2)
    found = staff.send("/cases", {"text": "ouyang"}, page="/cases")
    assert found.status_code == 200
    assert len(numbers(found.text)) == 1
    assert 'value="ouyang"' in found.text
    many = staff.send("/cases", {"text": "wjg", "column": "height"}, page="/cases")
    assert len(numbers(many.text)) == SHOWN
    assert "170" in many.text
    assert not re.search(r'(?:href|action)="[^"]*wjg', many.text)
    cursor = re.search(r'<button class="plain" name="cursor" value="([^"]+)"', many.text)
    assert cursor
    rest = staff.send("/cases", {"text": "wjg", "cursor": cursor.group(1)}, page="/cases")
    assert len(numbers(rest.text)) == 3
    assert not set(numbers(rest.text)) & set(numbers(many.text))
    # An address that somebody wrote with a name in it is answered as if the name were not there.
    assert len(numbers(staff.see("/cases?text=ouyang"))) == SHOWN


def test_what_names_nobody_leads_to_an_address(staff: Browser) -> None:
    sent = {"text": "-000002-", "age_from": "20", "state": "draft"}
    answer = staff.send("/cases", sent, page="/cases")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/cases?text=-000002-&age_from=20&state=draft"
    assert len(numbers(staff.see(answer.headers["location"]))) == 1
    assert "没有符合条件的个案" in staff.see("/cases?age_from=90")


def test_what_cannot_be_understood_is_said_beside_its_field(staff: Browser) -> None:
    page = staff.see("/cases?age_from=old&since=yesterday&division=nowhere&ethnicity=99")
    for name, typed in (("age_from", "old"), ("since", "yesterday"), ("division", "nowhere")):
        assert f'id="e-{name}"' in page
        assert f'name="{name}" value="{typed}"' in page
    assert 'id="e-ethnicity"' in page
    assert staff.get("/cases?cursor=damaged").status_code == 422


def test_a_filter_is_saved_without_the_name_and_is_ones_own(staff: Browser, world: World, browser_of: Opened) -> None:
    sent = {"name": "五十岁上下", "text": "wjg", "age_from": "45", "column": "height"}
    saved = staff.send("/cases/filters", sent, page="/cases")
    assert saved.headers["location"] == "/cases?age_from=45&column=height"
    page = staff.see("/cases")
    assert 'href="/cases?age_from=45&column=height">五十岁上下</a>' in page
    other = browser_of(world.a.users[Role.CASEWORKER])
    assert "五十岁上下" not in other.see("/cases")
    assert "五十岁上下" not in staff.see("/reports")
    remove = re.search(r'action="(/cases/filters/[^"]+/remove)"', page)
    assert remove
    assert other.send(remove.group(1), {}, page="/cases").status_code == 404
    assert staff.send(remove.group(1), {}, page="/cases").status_code == 303
    assert "五十岁上下" not in staff.see("/cases")


def test_saved_filters_are_replaced_by_name_and_bounded(staff: Browser) -> None:
    for count in range(MOST):
        assert staff.send("/cases/filters", {"name": f"{count}", "sex": "male"}, page="/cases").status_code == 303
    assert staff.send("/cases/filters", {"name": "0", "sex": "female"}, page="/cases").status_code == 303
    refused = staff.send("/cases/filters", {"name": "one more", "sex": "male"}, page="/cases")
    assert refused.status_code == 409
    assert 'href="/cases?sex=female"' in staff.see("/cases")
    assert staff.send("/cases/filters", {"name": " ", "sex": "male"}, page="/cases").status_code == 422


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_list_is_exported_with_its_filter_and_columns(kind: str, staff: Browser) -> None:
    sent = {"format": kind, "text": "oyh", "column": "name"}
    answer = staff.send("/cases/export", sent, page="/cases")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].endswith(f'.{kind}"')
    assert "no-store" in answer.headers["cache-control"]
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert rows[0] == ["编号", "姓名（自述）"]
        assert [row[1] for row in rows[1:]] == ["欧阳慧"]
    else:
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            assert "欧阳慧" in book.read("xl/sharedStrings.xml").decode()


def test_only_some_may_export(staff: Browser, world: World, browser_of: Opened) -> None:
    examiner = browser_of(world.a.users[Role.POLICE_EXAMINER])
    assert "/cases/export" not in examiner.see("/cases")
    assert examiner.send("/cases/export", {"format": "csv"}, page="/cases").status_code == 403
    assert "/cases/export" in staff.see("/cases")
