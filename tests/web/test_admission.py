"""Admissions on the pages: known people stay without a search, the ill go to the hospital first; notices and tips."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from models.case import CaseState
from models.user import Role, User
from tests.factories.faces import RED, make_photo_bytes
from tests.factories.notices import TELEPHONE, token_of
from tests.factories.records import make_case
from tests.factories.stories import state_of
from tests.factories.world import World
from tests.web.conftest import Browser
from tests.web.test_road import led_to, local
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import Services

BrowserOf = Callable[[User], Browser]
KNOWN = {
    "kind": "known_identity", "safety_check": "done", "safety_checker": "陈某", "fingerprints": "not_taken",
    "basis": "none", "photo_refused": "yes", "findings": "降压药一盒",
    "identity.name": "梁某某", "identity.home": "广东省湛江市",
    "belongings.0.item": "蓝色布袋", "belongings.0.kept": "三号柜", "belongings.2.item": "钥匙",
    "belongings.2.quantity": "2",
}  # fmt: skip
SECRETS = ("梁某某", "湛江", "降压药", "蓝色布袋", "三号柜")


def made(services: Services, world: World, *, submitted: bool) -> str:
    """The address of a case of province a."""
    with unit_of_work(services.db) as session:
        staff = world.viewer(world.a.users[Role.STATION_STAFF])
        photo, moment = make_photo_bytes(RED), utc_now() - timedelta(hours=2)
        return f"/cases/{make_case(session, services, staff, photo=photo, submitted=submitted, now=moment).id}"


def id_of(case: str) -> uuid.UUID:
    """The case at an address."""
    return uuid.UUID(case.removeprefix("/cases/"))


@pytest.fixture
def staff(world: World, browser_of: BrowserOf) -> Browser:
    """A station's staff, signed in."""
    return browser_of(world.a.users[Role.STATION_STAFF])


def test_a_man_who_lost_his_wallet_stays_without_being_searched_for(
    services: Services, world: World, browser_of: BrowserOf, staff: Browser
) -> None:
    case = made(services, world, submitted=False)
    page, form = f"{case}/admission", f"{case}/admission/edit"
    assert "尚未登记入站" in staff.see(page)
    version = re.findall(r'name="version" value="(\d+)"', staff.see(form))[0]
    checked = {"safety_checked_at": local(60), "version": version}
    refused = staff.send(form, KNOWN | checked | {"belongings.2.quantity": "许多"}, page=form)
    assert (refused.status_code, 'id="e-belongings.1.quantity"' in refused.text) == (422, True)
    refused = staff.send(form, KNOWN | checked, page=form)
    assert (refused.status_code, 'id="e-fingerprint_reason"' in refused.text) == (422, True)
    assert 'name="belongings.1.item" value="钥匙"' in refused.text, "rows are kept, without gaps"
    right = KNOWN | checked | {"fingerprint_reason": "身份明确"}
    assert led_to(staff.send(form, right, page=form)) == page

    unopened = staff.see(page)
    assert "共2项，已密封" in unopened
    assert "本人拒绝拍照" in unopened
    assert not [one for one in SECRETS if one in unopened]
    opened = browser_of(world.a.users[Role.CASEWORKER]).see(f"{page}/sealed")
    assert [one for one in SECRETS if one not in opened] == []
    assert browser_of(world.a.users[Role.BUREAU_SUPERVISOR]).get(f"{page}/sealed").status_code in (403, 404)
    assert 'name="identity.name" value="梁某某"' in staff.see(form), "a correction begins with what stands"
    stale = staff.send(form, right, page=form)
    assert (stale.status_code, "梁某某" in stale.text) == (412, True)

    told = "身份明确，不进行比对寻亲。"
    assert (told in staff.see(case), f'action="{case}/submit"' in staff.see(case)) == (True, False)
    assert led_to(staff.send(f"{case}/care", {}, page=page)) == page
    assert told in staff.see(case)
    case_id = id_of(case)
    assert state_of(services, case_id) is CaseState.IN_CARE
    assert staff.send(f"{case}/identity-disproved", {"reason": " "}, page=page).status_code == 422
    assert led_to(staff.send(f"{case}/identity-disproved", {"reason": "身份证号查无此人"}, page=page)) == case
    assert state_of(services, case_id) is CaseState.SUBMITTED


def test_a_man_with_failing_kidneys_goes_to_the_hospital_first(
    services: Services, world: World, browser_of: BrowserOf, staff: Browser
) -> None:
    case = made(services, world, submitted=False)
    page = f"{case}/admission"
    brought = {"hospital_id": "", "officer": "陈某", "complaint": "肾功能衰竭，下肢水肿", "handed_at": local(30)}
    refused = staff.send(f"{case}/handovers", brought, page=page)
    assert (refused.status_code, 'id="e-hospital_id"' in refused.text) == (422, True)
    assert "肾功能衰竭，下肢水肿" in refused.text
    offered = re.findall(r'<option value="([0-9a-f-]{36})"', staff.see(page))
    assert str(world.a.health.id) in offered
    assert str(world.b.health.id) not in offered
    right = brought | {"hospital_id": str(world.a.health.id)}
    assert led_to(staff.send(f"{case}/handovers", right, page=page)) == page
    assert "医院尚未确认" in staff.see(page)

    doctor = browser_of(world.a.users[Role.HEALTH_LIAISON])
    arrivals = doctor.see("/handovers")
    assert "肾功能衰竭，下肢水肿" in arrivals
    assert case not in arrivals, "of the case its number alone"
    receive = re.findall(r'action="(/handovers/[0-9a-f-]+/receive)"', arrivals)[0]
    assert doctor.send(receive, {"received_at": ""}, page="/handovers").status_code == 422
    assert led_to(doctor.send(receive, {"received_at": local(5), "ward": "肾内科"}, page="/handovers")) == "/handovers"
    assert "肾内科" in staff.see(page)
    back = re.findall(r'action="([^"]+/handovers/[0-9a-f-]+/withdraw)"', staff.see(page))[0]
    refused = staff.send(back, {}, page=page)
    reason = f"reason.{back.split('/')[-2]}"
    assert (refused.status_code, f'id="e-{reason}"' in refused.text) == (422, True)
    assert led_to(staff.send(back, {reason: "送错医院"}, page=page)) == page
    assert "肾功能衰竭" not in doctor.see("/handovers")


def test_a_notice_is_drafted_looked_over_printed_and_taken_back(
    services: Services, world: World, browser_of: BrowserOf, staff: Browser, visitor: Browser
) -> None:
    case = made(services, world, submitted=True)
    page = f"{case}/notices"
    photo = re.findall(r'name="photo_id" value="([0-9a-f-]{36})"', staff.see(page))[0]
    typed = {"telephone": TELEPHONE, "danger": "no_sign", "facts.sex": "yes", "facts.age": "yes", "photo_id": photo,
             "statement": "左手无名指缺失"}  # fmt: skip
    refused = staff.send(page, typed, page=page)
    assert (refused.status_code, 'id="e-wish"' in refused.text, "左手无名指缺失" in refused.text) == (422, True, True)
    unwanted = staff.send(page, typed | {"wish": "objects"}, page=page)
    assert (unwanted.status_code, 'id="e-wish"' in unwanted.text) == (409, True)
    notice = led_to(staff.send(page, typed | {"wish": "cannot_express"}, page=page))
    drafted = staff.see(notice)
    assert "左手无名指缺失" in drafted
    assert f'action="{notice}/approve"' not in drafted
    waits = staff.see(page)
    assert notice in waits
    assert 'name="wish"' not in waits, "the next one is drafted when this one is decided"
    token = token_of(services, id_of(case))
    assert visitor.get(f"/n/{token}").status_code == 404
    assert staff.send(f"{notice}/approve", {}, page=page).status_code == 403

    bureau = browser_of(world.a.users[Role.BUREAU_SUPERVISOR])
    assert notice in bureau.see("/notices?state=proposed")
    assert bureau.send(f"{notice}/reject", {"reason": ""}, page=notice).status_code == 422
    assert led_to(bureau.send(f"{notice}/approve", {}, page=notice)) == notice
    assert visitor.get(f"/n/{token}").status_code == 200
    paper = bureau.get(f"{notice}/pdf")
    assert (paper.headers["content-type"], paper.content[:5]) == ("application/pdf", b"%PDF-")
    assert bureau.get(f"{notice}/photo").headers["cache-control"] == "no-store"
    assert led_to(staff.send(f"{notice}/withdraw", {"reason": "家属已联系"}, page=notice)) == notice
    assert "家属已联系" in staff.see(notice)
    assert visitor.get(f"/n/{token}").status_code == 404
    assert notice not in bureau.see("/notices?state=proposed")


def test_a_tip_becomes_clues_or_is_put_aside(
    services: Services, world: World, browser_of: BrowserOf, staff: Browser, visitor: Browser
) -> None:
    case = made(services, world, submitted=True)
    page = f"{case}/notices"
    typed = {"telephone": TELEPHONE, "danger": "no_sign", "wish": "cannot_express", "facts.sex": "yes"}
    notice = led_to(staff.send(page, typed, page=page))
    bureau = browser_of(world.a.users[Role.BUREAU_SUPERVISOR])
    bureau.send(f"{notice}/approve", {}, page=notice)
    address = f"/n/{token_of(services, id_of(case))}"
    files = [("photo", ("p.jpg", make_photo_bytes(RED), "image/jpeg"))]
    known = {"text": "像是小董镇的人", "place": "小董镇", "contact": "13800000000"}
    assert visitor.client.post(address, data=known, files=files).status_code == 200
    assert visitor.client.post(address, data={"text": "广告"}).status_code == 200

    listed = staff.see("/tips")
    assert "小董镇" not in listed, "unopened"
    tips = re.findall(r'href="(/tips/[0-9a-f-]+)"', listed)
    told = {one: staff.see(one) for one in tips}
    useful = next(one for one, text in told.items() if "小董镇" in text)
    useless = next(one for one in tips if one != useful)
    assert "13800000000" in told[useful]
    assert staff.get(f"{useful}/photo").headers["content-type"] == "image/jpeg"
    assert staff.get(f"{useless}/photo").status_code == 404
    refused = staff.send(f"{useful}/accept", {}, page=useful)
    assert (refused.status_code, 'id="e-clues"' in refused.text) == (422, True)
    clue = {"clues.0.kind": "place", "clues.0.text": "小董镇", "clues.0.division": "钦北区"}
    assert led_to(staff.send(f"{useful}/accept", clue, page=useful)) == useful
    assert "小董镇" in staff.see(f"{case}/interviews")
    assert staff.send(f"{useless}/reject", {"reason": ""}, page=useless).status_code == 422
    assert led_to(staff.send(f"{useless}/reject", {"reason": "无关"}, page=useless)) == "/tips"
    assert useless not in staff.see("/tips")
    assert useless in staff.see("/tips?state=rejected")
    assert bureau.get(useful).status_code == 403
