"""In the street on the pages: a man who has gone is looked out for and found; links, patrols; what is wrong is said."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import httpx2

from models.case import CaseState
from models.sighting import LinkState, SightingLink
from models.user import Role, User
from tests.factories.faces import BLUE, RED, make_photo_bytes
from tests.factories.network import look_out, sight
from tests.factories.records import make_case
from tests.factories.stories import state_of
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.cases import move_case
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

BrowserOf = Callable[[User], Browser]


def local(minutes_ago: int) -> str:
    """A moment as a field of day and time takes it."""
    return (utc_now() + timedelta(hours=8) - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M")


def seen(minutes_ago: int = 20, **more: str) -> dict[str, str]:
    """What a liaison types."""
    return {
        "seen_at": local(minutes_ago), "division": "钦南区", "source": "community", "place": "梦园小区南门",
        "heading": "east", "road": "金海湾东大街", "conditions.confused": "yes", "words": "问他叫什么，只笑", **more,
    }  # fmt: skip


def picture(colour: tuple[int, int, int] = RED) -> list[tuple[str, tuple[str, bytes, str]]]:
    """A photograph from a telephone."""
    return [("photos.other", ("p.jpg", make_photo_bytes(colour), "image/jpeg"))]


def led_to(response: httpx2.Response) -> str:
    """Where a form led."""
    assert response.status_code == 303, response.text[:800]
    return response.headers["location"]


def test_a_man_who_has_gone_is_looked_out_for_and_found(world: World, browser_of: BrowserOf) -> None:
    staff, liaison = browser_of(world.a.users[Role.STATION_STAFF]), browser_of(world.a.users[Role.COMMUNITY_LIAISON])
    first = {
        **seen(200, latitude="21.9530", longitude="108.6180"),
        "source": "citizen",
        "photo_basis": "vital_interest",
    }
    sighting = led_to(staff.send("/sightings/new", first, page="/sightings/new", files=picture()))
    text = staff.see(sighting)
    assert "问他叫什么，只笑" in text
    assert "金海湾东大街" in text
    assert staff.get(re.findall(rf'src="({sighting}/photos/[^"]+)"', text)[0]).headers["content-type"] == "image/jpeg"

    lookout = led_to(staff.send(f"{sighting}/lookout", {"lookout_words": "灰色外套，左腿微跛"}, page=sighting))
    assert staff.send(f"{sighting}/lookout", {}, page=sighting).status_code == 409, "one lookout a person"
    assert lookout in liaison.see("/lookouts")
    asked = liaison.see(lookout)
    assert "灰色外套，左腿微跛" in asked
    assert liaison.get(f"{lookout}/photo").content[:2] == b"\xff\xd8"
    assert liaison.get(sighting).status_code == 404, "the sighting is the station's own business"

    # Two taps: what the form begins with is enough.
    begun = dict(re.findall(r'name="(seen_at|division)" value="([^"]+)"', asked)) | {"source": "community"}
    key = {"form_key": re.findall(r'name="form_key" value="([^"]+)"', asked)[0], "seen": "yes"}
    assert led_to(liaison.send(f"{lookout}/answers", begun | key, page=lookout)) == lookout
    assert led_to(liaison.send(f"{lookout}/answers", begun | key, page=lookout)) == lookout
    assert liaison.see(lookout).count("<b>见过</b>") == 1, "a double tap is one answer"
    more = seen(60, seen="yes", latitude="21.9650", longitude="108.6480", photo_basis="statutory_duty")
    assert led_to(liaison.send(f"{lookout}/answers", more, page=lookout, files=picture(BLUE))) == lookout
    assert led_to(liaison.send(f"{lookout}/answers", {"seen": "no"}, page=lookout)) == lookout

    followed = staff.see(lookout)
    assert followed.count('class="spot') == 2, "the one without a position is in the list alone"
    assert "没有坐标" in followed
    assert "距上一处3.37 公里" in followed
    answered = next(one for one in re.findall(r'<b><a href="(/sightings/[0-9a-f-]+)">见过', followed))
    assert "没见过" in followed

    admitted = led_to(staff.send(f"{answered}/case", {"admitted_on": local(0)[:10]}, page=answered))
    assert re.fullmatch(r"/cases/[0-9a-f-]{36}/admission", admitted)
    assert "此人已入站" in staff.see(answered)
    assert "协查已结束" in staff.see(lookout)
    assert liaison.get(lookout).status_code == 404, "what has ended is gone for a liaison"
    assert lookout not in liaison.see("/lookouts")
    story = staff.see(admitted.replace("/admission", "/sightings"))
    assert "已找到" in story
    assert "问他叫什么，只笑" in story
    assert "发起协查" not in browser_of(world.a.users[Role.BUREAU_SUPERVISOR]).see("/lookouts?ended=1")


def test_a_photograph_without_its_ground_is_asked_for_it(
    services: Services, world: World, browser_of: BrowserOf
) -> None:
    staff, liaison = (world.a.users[role] for role in (Role.STATION_STAFF, Role.COMMUNITY_LIAISON))
    begun = sight(services, world.viewer(staff), utc_now())
    page = f"/lookouts/{look_out(services, world.viewer(staff), begun, utc_now()).id}"
    refused = browser_of(liaison).send(f"{page}/answers", seen(seen="yes"), page=page, files=picture())
    assert (refused.status_code, 'id="e-photo_basis"' in refused.text) == (409, True)
    assert '<details class="seen" open>' in refused.text
    assert 'value="梦园小区南门"' in refused.text


def test_what_is_wrong_with_a_sighting_is_said_beside_its_field(world: World, browser_of: BrowserOf) -> None:
    staff = browser_of(world.a.users[Role.STATION_STAFF])
    typed = seen(-600, division="没有这个地方", latitude="21.95", source="")
    refused = staff.send("/sightings/new", typed, page="/sightings/new")
    assert refused.status_code == 422
    for field in ("division", "source"):
        assert f'id="e-{field}"' in refused.text
    refused = staff.send("/sightings/new", typed | {"division": "450702", "source": "courier"}, page="/sightings/new")
    for field in ("seen_at", "latitude"):
        assert f'id="e-{field}"' in refused.text
    for kept in ("问他叫什么，只笑", 'value="金海湾东大街"', 'name="conditions.confused" value="yes" checked'):
        assert kept in refused.text
    assert "还没有" not in staff.see("/sightings")
    assert "尚无目击记录" in staff.see("/sightings")


def test_the_person_of_a_case_who_has_gone_is_looked_out_for(
    services: Services, world: World, browser_of: BrowserOf
) -> None:
    staff = world.a.users[Role.STATION_STAFF]
    with unit_of_work(services.db) as session:
        case = make_case(session, services, world.viewer(staff), photo=make_photo_bytes(RED), now=utc_now())
        session.flush()
        move_case(
            session, services, world.viewer(staff), case.id, CaseState.LEFT, reason="自行离站", now=utc_now()
        )  # fmt: skip
    browser, page = browser_of(staff), f"/cases/{case.id}/sightings"
    lookout = led_to(browser.send(f"/cases/{case.id}/lookout", {"lookout_words": "左耳缺损"}, page=page))
    assert "发起协查" not in browser.see(page), "looked for already"
    liaison = browser_of(world.a.users[Role.COMMUNITY_LIAISON])
    assert "左耳缺损" in liaison.see(lookout)
    assert case.number not in liaison.see(lookout), "a liaison is told nothing of the case"
    assert led_to(browser.send(f"{lookout}/widen", {}, page=lookout)) == lookout
    assert "本市（周边县区）" in browser.see(lookout)
    assert browser.send(f"{lookout}/end", {"kind": "found"}, page=lookout).status_code == 422
    wrong = {"kind": "found", "reason": "在车站", "case_number": "9-9"}
    refused = browser.send(f"{lookout}/end", wrong, page=lookout)
    assert (refused.status_code, 'id="e-case_number"' in refused.text) == (422, True)
    assert led_to(browser.send(f"{lookout}/end", wrong | {"case_number": case.number}, page=lookout)) == lookout
    ended = browser.see(lookout)
    assert "已找到" in ended
    assert case.number in ended
    assert browser.get(f"{lookout}/photo").status_code == 409


def test_links_are_decided_made_by_hand_and_undone(services: Services, world: World, browser_of: BrowserOf) -> None:
    staff = world.a.users[Role.STATION_STAFF]
    viewer, now = world.viewer(staff), utc_now()
    sighting_id = sight(services, viewer, now, RED)
    proposed = uuid.uuid4()
    with unit_of_work(services.db) as session:
        first, second = (make_case(session, services, viewer, now=now) for _ in range(2))
        session.flush()
        session.add(
            SightingLink(
                id=proposed, sighting_id=sighting_id, case_id=first.id, state=LinkState.PROPOSED, similarity=0.7,
                log10_lr=2.1, model_version="tests", created_at=now,
            )
        )  # fmt: skip
    browser, page = browser_of(staff), f"/sightings/{sighting_id}"
    shown = browser.see(page)
    assert "系统提示" in shown
    assert "+2.1" in shown
    decision = f"{page}/links/{proposed}/decision"
    assert browser.send(decision, {}, page=page).status_code == 422
    assert browser.send(decision, {"answer": "refuse", f"reason.{proposed}": "耳廓不同"}, page=page).status_code == 303
    assert "耳廓不同" in browser.see(page)
    hand = {"case_number": second.number, "link_reason": ""}
    refused = browser.send(f"{page}/links", hand, page=page)
    assert (refused.status_code, 'id="e-link_reason"' in refused.text) == (422, True)
    assert browser.send(f"{page}/links", hand | {"link_reason": "同一件外套"}, page=page).status_code == 303
    with read_only(services.db) as session:
        made = session.query(SightingLink).filter_by(case_id=second.id).one()
    undo = f"{page}/links/{made.id}/withdraw"
    assert browser.send(undo, {}, page=page).status_code == 422
    assert browser.send(undo, {f"reason.{made.id}": "看错了"}, page=page).status_code == 303
    assert "看错了" in browser.see(page)
    assert led_to(browser.send(f"{page}/withdraw", {"reason": "重复登记"}, page=page)) == page
    left = browser.see(page)
    assert "重复登记" in left
    assert f"{page}/photos/" not in left


def test_a_patrol_is_recorded_counted_and_taken_back(world: World, browser_of: BrowserOf) -> None:
    liaison = browser_of(world.a.users[Role.COMMUNITY_LIAISON])
    walk = {
        "route": "火车站—白石湖公园", "started_at": local(120), "ended_at": local(180), "members": "4.5",
        "people_met": "3", "aid.food": "3", "aid.clothing": "1", "division": "钦南区",
    }  # fmt: skip
    refused = liaison.send("/patrols/new", walk, page="/patrols/new")
    assert (refused.status_code, 'id="e-members"' in refused.text) == (422, True)
    refused = liaison.send("/patrols/new", walk | {"members": "4"}, page="/patrols/new")
    assert 'id="e-ended_at"' in refused.text
    assert "火车站—白石湖公园" in refused.text
    right = walk | {"members": "4", "ended_at": local(10)}
    patrol = led_to(liaison.send("/patrols/new", right, page="/patrols/new"))
    identity = patrol.removeprefix("/patrols/")
    form = liaison.see(f"/sightings/new?patrol={identity}")
    assert f'value="{identity}" selected' in form
    sighted = seen(30, patrol_id=identity) | {"source": "patrol"}
    assert liaison.send("/sightings/new", sighted, page="/sightings/new").status_code == 303
    day = local(120)[:10]

    def figures() -> list[str]:
        return re.findall(r"<dd>(\d+)</dd>", liaison.see(f"/patrols?since={day}&until={local(0)[:10]}"))

    assert figures() == ["1", "4", "3", "1", "1", "3"]
    assert liaison.send(f"{patrol}/withdraw", {"reason": ""}, page=patrol).status_code == 422
    assert led_to(liaison.send(f"{patrol}/withdraw", {"reason": "录入错误"}, page=patrol)) == patrol
    assert figures() == ["0", "0", "0", "0"]
    assert "录入错误" in liaison.see(patrol)


def test_a_case_is_not_admitted_twice(services: Services, world: World, browser_of: BrowserOf) -> None:
    staff = world.a.users[Role.STATION_STAFF]
    page = f"/sightings/{sight(services, world.viewer(staff), utc_now(), RED)}"
    browser = browser_of(staff)
    case = led_to(browser.send(f"{page}/case", {}, page=page)).split("/")[2]
    assert state_of(services, uuid.UUID(case)) is CaseState.DRAFT
    assert browser.send(f"{page}/case", {}).status_code == 409
    assert browser.send(f"{page}/photos", {}, files=picture(BLUE)).status_code == 409
