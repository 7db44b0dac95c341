"""Forms that were not ours, redirects to elsewhere, the content policy, and what must stay sealed."""

import gzip
import re
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.web import ROOMS, assets, csrf
from api.web.pages.sign_in import local_path
from models.case import CaseState
from models.report import Report
from models.user import Role
from tests.factories.records import FAMILY, IDENTITY_NUMBER, make_report
from tests.factories.stories import judged_case, state_of
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

SECRETS = tuple(text for text in (FAMILY.name, FAMILY.telephone, FAMILY.address, FAMILY.note) if text)


def page_routes() -> Iterator[APIRoute]:
    """Every route of the pages."""
    for room in ROOMS:
        for route in room.router.routes:
            if isinstance(route, APIRoute):
                yield route


@pytest.mark.parametrize("path", sorted(route.path for route in page_routes() if "POST" in (route.methods or ())))
def test_no_form_is_taken_without_its_token(path: str, world: World, browser_of: Callable[..., Browser]) -> None:
    browser = browser_of(world.a.users[Role.STATION_STAFF])
    address = re.sub(r"\{\w+\}", "00000000-0000-0000-0000-000000000001", path)
    for token in ({}, {csrf.FIELD: ""}, {csrf.FIELD: "0" * 64}):
        response = browser.client.post(address, data=token)
        # 303: language and sign-out go home, undone; 403 and 404: the page of the form is not this user's.
        assert response.status_code in (303, 403, 404, 409), path
        assert "set-cookie" not in response.headers or "guitu_flash" in response.headers["set-cookie"]


def test_a_token_of_another_sign_in_is_not_taken(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.DRAFT, now=utc_now())
    mine, other = browser_of(world.a.users[Role.STATION_STAFF]), browser_of(world.a.users[Role.CASEWORKER])
    response = mine.client.post(f"/cases/{story.case_id}/submit", data={csrf.FIELD: other.token("/")})
    assert response.status_code == 409
    assert state_of(services, story.case_id) is CaseState.DRAFT


def test_an_expired_form_keeps_what_was_typed(world: World, browser_of: Callable[..., Browser]) -> None:
    browser = browser_of(world.a.users[Role.STATION_STAFF])
    response = browser.client.post("/cases/new", data={csrf.FIELD: "old", "found_place": "白石湖公园东门"})
    assert response.status_code == 409
    assert "白石湖公园东门" in response.text


def test_a_sign_in_needs_the_token_of_its_visit(visitor: Browser, world: World) -> None:
    data = {"username": world.a.users[Role.STATION_STAFF].username, "password": world.password}
    assert visitor.client.post("/login", data=data).status_code == 409


def test_a_wrong_password_says_so_and_keeps_the_name(visitor: Browser, world: World) -> None:
    response = visitor.send("/login", {"username": "a_station_staff", "password": "wrong-password"}, page="/login")
    assert response.status_code == 401
    assert 'value="a_station_staff"' in response.text
    assert "wrong-password" not in response.text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://example.org/", "//example.org", "/\\example.org", "\\\\example.org", "javascript:alert(1)",
        "", "/\t/x",
        "/login?next=/login", "cases", "/ok\r\nSet-Cookie: a=b",
    ],
)  # fmt: skip
def test_a_sign_in_leads_to_no_other_site(wanted: str) -> None:
    assert local_path(wanted) == "/"


def test_a_sign_in_leads_to_the_page_that_was_wanted(visitor: Browser, world: World) -> None:
    response = visitor.get("/cases?state=draft")
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=%2Fcases%3Fstate%3Ddraft")
    user = world.a.users[Role.STATION_STAFF]
    data = {"username": user.username, "password": world.password, "next": "/cases?state=draft"}
    assert visitor.send("/login", data, page="/login").headers["location"] == "/cases?state=draft"


def test_cookies_are_read_by_no_script_and_sent_by_no_other_site(visitor: Browser, world: World) -> None:
    user = world.a.users[Role.STATION_STAFF]
    response = visitor.send("/login", {"username": user.username, "password": world.password}, page="/login")
    session = next(one for one in response.headers.get_list("set-cookie") if one.startswith("guitu_session"))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session


def test_a_sign_out_ends_the_session_on_the_server(visitor: Browser, world: World) -> None:
    visitor.sign_in(world.a.users[Role.AUDITOR], world.password)
    kept = dict(visitor.client.cookies)
    visitor.send("/logout", {})
    visitor.client.cookies.update(kept)
    assert visitor.get("/audit").status_code == 303


@pytest.mark.parametrize("path", ["/login", "/", "/cases", "/nowhere", "/static/guitu.css"])
def test_every_page_has_the_strict_policy_and_nothing_inline(
    path: str, world: World, browser_of: Callable[..., Browser]
) -> None:
    response = browser_of(world.a.users[Role.STATION_STAFF]).get(path)
    policy = response.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", response.text)


def test_the_pages_own_files_are_small_and_named_by_content(visitor: Browser) -> None:
    own = [asset for name, asset in assets.assets().items() if name != assets.HTMX]
    assert sum(len(gzip.compress(asset.content)) for asset in own) < 100_000
    response = visitor.get(assets.address(assets.HTMX))
    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    assert visitor.get("/static/../__init__.py").status_code in (303, 404)


@pytest.mark.parametrize("until", [CaseState.IN_REVIEW, CaseState.IDENTIFIED, CaseState.RECALLED])
def test_the_familys_details_are_on_no_page_before_the_release(
    until: CaseState, services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, until, now=utc_now())
    paths = [
        f"/cases/{story.case_id}", f"/cases/{story.case_id}/contact", f"/cases/{story.case_id}/outcome",
        f"/cases/{story.case_id}/confirmation", f"/cases/{story.case_id}/release", f"/candidates/{story.candidate_id}",
        f"/reports/{story.report_id}", f"/reports/{story.report_id}/edit", "/", "/cases", "/reports", "/audit",
    ]  # fmt: skip
    elsewhere = (Role.STATION_STAFF, Role.CASEWORKER, Role.POLICE_EXAMINER)
    for user in (*world.a.users.values(), *(world.b.users[role] for role in elsewhere)):
        browser = browser_of(user)
        for path in paths:
            text = browser.get(path).text
            assert not any(secret in text for secret in SECRETS), (user.username, path)


def test_only_the_stations_caseworker_reads_them_after_the_release(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.CONTACT_RELEASED, now=utc_now())
    for province in (world.a, world.b):
        for role in Role:
            shown = FAMILY.name in browser_of(province.users[role]).get(f"/cases/{story.case_id}/contact").text
            assert shown is (province is world.a and role is Role.CASEWORKER), role


def test_an_identity_number_is_never_shown_again(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    staff = world.viewer(world.b.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        report = make_report(session, services, staff, identity_number=IDENTITY_NUMBER, now=utc_now())
    browser = browser_of(world.b.users[Role.STATION_STAFF])
    for path in (f"/reports/{report.id}", f"/reports/{report.id}/edit"):
        assert IDENTITY_NUMBER not in browser.see(path)
    with read_only(services.db) as session:
        assert session.get_one(Report, report.id).identity_number_sealed


def test_a_score_is_sealed_until_the_opinion_is_committed(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=utc_now())
    first, second = (browser_of(user) for user in world.a.examiners)
    pages = (f"/candidates/{story.candidate_id}", f"/cases/{story.case_id}", f"/cases/{story.case_id}/confirmation")
    opinion = {"opinion": "supports", "remarks": "耳廓一致"}
    features = f"/cases/{story.case_id}/features"
    for browser in (first, second):
        assert browser.get(pages[0]).headers["location"] == f"{features}?candidate={story.candidate_id}"
        assert str(story.candidate_id) not in browser.see(pages[1])
        noted = {"basis": "non_facial", "stature": "瘦高", "candidate": str(story.candidate_id)}
        assert browser.send(features, noted, page=features).headers["location"] == pages[0]
    assert first.send(f"{pages[0]}/opinion", opinion, page=pages[0]).status_code == 303
    for path in pages:
        text = second.see(path)
        assert "LR" not in text
        assert "耳廓一致" not in text
        assert f"{world.a.examiners[0].display_name}：" not in text
    assert "耳廓一致" in first.see(pages[0])
    assert "LR" in first.see(pages[0])


SERVICE = ("/health", "/ready", "/version", "/metrics")


def test_the_pages_are_no_part_of_the_api_description(app: FastAPI) -> None:
    assert all(path.startswith("/api/") or path in SERVICE for path in app.openapi()["paths"])
