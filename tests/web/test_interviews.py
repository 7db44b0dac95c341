"""Interviews on the pages: quick entries, a recording, corrections; what is wrong is named and nothing is lost."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from models.user import Role
from tests.factories.records import make_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import Services

FLAC = b"fLaC\x00\x00\x00\x22" + bytes(64)


@pytest.fixture
def case(services: Services, world: World) -> str:
    """The path of a case of province a."""
    with unit_of_work(services.db) as session:
        staff = world.viewer(world.a.users[Role.STATION_STAFF])
        return f"/cases/{make_case(session, services, staff, now=utc_now() - timedelta(days=2)).id}"


@pytest.fixture
def staff(world: World, browser_of: Callable[..., Browser]) -> Browser:
    """A station's staff, signed in."""
    return browser_of(world.a.users[Role.STATION_STAFF])


def form(**more: str) -> dict[str, str]:
    held = (utc_now() + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    return {
        "held_at": held, "method": "dialect_speaker", "language": "闽南话", "notes": "她说家里有条河",
        "clues.0.kind": "name", "clues.0.text": "阿珍", "clues.0.confidence": "unsure",
        "clues.1.kind": "place", "clues.1.text": "老家靠海", "clues.1.division": "思明区",
        "clues.2.kind": "food", "clues.2.text": "沙茶面", **more,
    }  # fmt: skip


def test_a_talk_with_its_clues_and_recording(case: str, staff: Browser) -> None:
    page = f"{case}/interviews"
    files = [("audio", ("talk.flac", FLAC, "audio/flac")), ("audio", ("virus.exe", b"MZ" + bytes(90), "audio/wav"))]
    key = {"form_key": "6e0f3d1a-7a5b-4b60-9d7d-0c7b1c7f2a11"}
    sent = staff.send(page, form() | key, page=page, files=files)
    assert sent.status_code == 303
    text = staff.see(page)
    for said in (
        "她说家里有条河",
        "阿珍",
        "老家靠海",
        "沙茶面",
        "virus.exe",
        "已用于比对",
        "留存，未用于比对",
        "思明区",
    ):
        assert said in text
    assert text.count("<audio") == 1
    found = re.search(r'src="(/audio/[0-9a-f-]+)"', text)
    assert found
    heard = staff.get(found.group(1))
    assert (heard.content, heard.headers["content-type"], heard.headers["cache-control"]) == (
        FLAC, "audio/flac", "no-store",
    )  # fmt: skip
    assert "阿珍" in staff.see(case)
    staff.send(page, form() | key, page=page)
    assert staff.see(page).count("她说家里有条河") == 1, "a form sent twice makes one interview"


def test_a_relative_is_named_with_the_relation(case: str, staff: Browser) -> None:
    page = f"{case}/interviews"
    row = {"clues.3.kind": "kin", "clues.3.text": "小军", "clues.3.relation": "son"}
    refused = staff.send(page, form(**row | {"clues.3.kind": "name"}), page=page)
    assert 'id="e-clues.3.relation"' in refused.text
    assert staff.send(page, form(**row), page=page).status_code == 303
    assert "亲属 · 儿子" in staff.see(page)
    (link,) = re.findall(rf'href="({case}/clues/[0-9a-f-]+)">更正“小军”', staff.see(page))
    assert re.search(r'value="son" selected', staff.see(link))
    wrong = {"kind": "kin", "text": " ", "confidence": "sure", "relation": "daughter"}
    assert 'id="e-text"' in staff.send(f"{link}/correct", wrong, page=link).text
    assert staff.send(f"{link}/correct", wrong | {"text": "小君"}, page=link).status_code == 303
    assert "亲属 · 女儿" in staff.see(case)


def test_what_is_wrong_is_named_beside_its_field_and_everything_is_kept(case: str, staff: Browser) -> None:
    page = f"{case}/interviews"
    wrong = {"held_at": "2999-01-01T10:00", "clues.0.kind": "", "clues.1.division": "没有这个地方"}
    first = staff.send(page, form(**wrong), page=page)
    assert first.status_code == 422
    for field in ("clues.0.kind", "clues.1.division"):
        assert f'id="e-{field}"' in first.text
    for said in ("她说家里有条河", "阿珍", "没有这个地方", "沙茶面"):
        assert said in first.text
    second = staff.send(page, form(held_at="2999-01-01T10:00"), page=page)
    assert 'id="e-held_at"' in second.text
    assert "尚无询问记录" in staff.see(page)


def test_a_clue_is_corrected_and_withdrawn(case: str, staff: Browser) -> None:
    page = f"{case}/interviews"
    staff.send(page, form(), page=page)
    links = re.findall(rf'href="({case}/clues/[0-9a-f-]+)">更正“阿珍”', staff.see(page))
    assert len(links) == 1
    corrected = {"kind": "name", "text": "阿贞", "confidence": "sure", "division": ""}
    assert staff.send(f"{links[0]}/correct", corrected | {"text": " "}, page=links[0]).status_code == 422
    assert staff.send(f"{links[0]}/correct", corrected, page=links[0]).status_code == 303
    text = staff.see(page)
    assert "已更正" in text
    assert "阿贞" in staff.see(case)
    assert "已被更正或撤回" in staff.see(links[0])
    (new,) = re.findall(rf'href="({case}/clues/[0-9a-f-]+)">更正“阿贞”', text)
    assert staff.send(f"{new}/withdraw", {"reason": "听错"}, page=f"{new}/withdraw").status_code == 303
    assert "阿贞" not in staff.see(case)
    (talk,) = re.findall(rf'href="({case}/interviews/[0-9a-f-]+/withdraw)"', staff.see(page))
    assert staff.send(talk, {"reason": "别人的"}, page=talk).status_code == 303
    assert "老家靠海" not in staff.see(case)
    assert "老家靠海" in staff.see(page)
