"""Referrals on the pages: written in two steps, sent, read and answered by the receiving unit, taken back."""

import re
from collections.abc import Callable

from sqlalchemy import select

from models.case import CaseState
from models.referral import Referral, ReferralState
from models.user import Role
from tests.factories.stories import judged_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only
from tracing.services import Services

SUMMARY = "需长期透析，请协助申请低保"


def _state(services: Services) -> ReferralState:
    with read_only(services.db) as session:
        return session.scalars(select(Referral.state)).one()


def test_a_referral_goes_to_the_unit_and_comes_back_with_its_result(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.UNRESOLVED, now=utc_now())
    station, unit = (browser_of(world.a.users[one]) for one in (Role.CASEWORKER, Role.RECEIVING_UNIT))
    case = f"/cases/{story.case_id}"
    new = f"{case}/referrals/new"
    assert str(world.a.receiving.id) not in station.see(new), "receivers are offered once it is said what is needed"
    assert 'id="e-place"' in station.see(f"{new}?kind=low_income&place=nowhere", 422)
    offered = station.see(f"{new}?kind=low_income&place=450700")
    assert str(world.a.receiving.id) in offered
    assert str(world.b.receiving.id) not in offered
    assert str(world.a.health.id) not in offered
    given = {"kind": "low_income", "receiver_id": str(world.a.receiving.id), "facts.sex": "yes"}
    refused = station.send(new, given | {"summary": " "}, page=new)
    assert (refused.status_code, 'id="e-summary"' in refused.text) == (422, True)
    made = station.send(new, given | {"summary": SUMMARY}, page=new)
    assert made.status_code == 303
    one = made.headers["location"]

    assert unit.get(one).status_code == 404, "a draft is the station's own business"
    edited = {**given, "receiver_id": str(world.a.receiving.id), "summary": f"{SUMMARY}。谢谢"}
    assert SUMMARY in station.see(f"{one}/edit")
    assert station.send(f"{one}/edit", edited, page=f"{one}/edit").status_code == 303
    assert station.send(f"{one}/send", {}, page=one).status_code == 303
    listed = unit.see("/referrals")
    assert one in listed
    assert str(story.case_id) not in listed
    opened = unit.see(one)
    assert f"{SUMMARY}。谢谢" in opened
    assert "男" in opened, "the value of a fact is told in words"
    assert str(story.case_id) not in opened
    assert station.send(f"{one}/accept", {}, page=one).status_code == 403
    assert unit.send(f"{one}/accept", {}, page=one).status_code == 303
    assert unit.send(f"{one}/done", {"text": ""}, page=f"{one}/done").status_code == 422
    assert unit.send(f"{one}/done", {"text": "下月起发放"}, page=f"{one}/done").status_code == 303
    assert _state(services) is ReferralState.DONE
    assert "下月起发放" in station.see(one)
    assert one in station.see(f"{case}/referrals")
    assert one not in station.see("/referrals?state=sent")


def test_what_was_taken_back_is_read_no_more(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.UNRESOLVED, now=utc_now())
    station, unit = (browser_of(world.a.users[one]) for one in (Role.STATION_STAFF, Role.HEALTH_LIAISON))
    new = f"/cases/{story.case_id}/referrals/new?kind=medical"
    key = re.search(r'name="form_key" value="([^"]+)"', station.see(new))
    assert key
    given = {
        "kind": "medical", "receiver_id": str(world.a.health.id), "summary": SUMMARY, "form_key": key.group(1),
    }  # fmt: skip
    action = new.partition("?")[0]
    first, again = (station.send(action, given, page=new) for _ in range(2))
    assert first.headers["location"] == again.headers["location"], "a form that goes twice makes one referral"
    one = first.headers["location"]
    assert station.send(f"{one}/send", {}, page=one).status_code == 303
    assert SUMMARY in unit.see(one)
    assert station.send(f"{one}/withdraw", {"reason": "已自行就医"}, page=f"{one}/withdraw").status_code == 303
    assert SUMMARY not in unit.see(one)
    assert unit.send(f"{one}/accept", {}, page=one).status_code == 409
