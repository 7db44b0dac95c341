"""Kin, the way of the first call, taking an outcome back, the handover record, home notices and the ledger."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from models.case import CaseState
from models.home_notice import HomeAnswer, HomeNotice
from models.kin import KinVerification
from models.outcome import Outcome
from models.user import Role
from tests.factories.records import FAMILY
from tests.factories.stories import judged_case, kin_verified
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only
from tracing.services import Services


def test_a_verification_is_opened_and_taken_back_with_its_reason(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.FAMILY_CONTACTED, now=utc_now() - timedelta(hours=1))
    kin_verified(services, world, story.case_id, now=utc_now())
    caseworker, page = browser_of(world.a.users[Role.CASEWORKER]), f"/cases/{story.case_id}/kin"
    assert "家里人平时怎么称呼他？" in caseworker.see(page)
    with read_only(services.db) as session:
        made = session.scalars(select(KinVerification.id)).one()
    back = f"{page}/{made}/withdraw"
    assert caseworker.send(back, {"reason": " "}, page=back).status_code in (409, 422)
    assert caseworker.send(back, {"reason": "认错了人"}, page=back).status_code == 303
    assert "认错了人" in caseworker.see(page)
    sealing = {"wish": "objects", "danger": "no_sign", "asked_on": services.local_day(utc_now()).isoformat()}
    asked = f"/cases/{story.case_id}/screenings"
    assert caseworker.send(asked, sealing, page=asked).status_code == 303
    sealed = caseworker.see(page)
    assert "阿国" not in sealed
    assert 'name="relative"' not in sealed


def test_the_supervisor_lets_the_first_call_go_another_way(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.CONTACT_RELEASED, now=utc_now() - timedelta(hours=1))
    case = f"/cases/{story.case_id}"
    caseworker, supervisor = (browser_of(world.a.users[one]) for one in (Role.CASEWORKER, Role.POLICE_SUPERVISOR))
    moment = (utc_now() + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    call = {"channel": "telephone", "result": "refused", "attempted_at": moment}
    assert caseworker.send(f"{case}/attempts", call, page=f"{case}/contact").status_code == 409
    assert f"{case}/contact-exception" in supervisor.see(case)
    other = f"{case}/contact-exception"
    assert supervisor.send(other, {"reason": "村委会无人接听"}, page=other).status_code == 303
    assert caseworker.send(f"{case}/attempts", call, page=f"{case}/contact").status_code == 303


def test_the_home_district_answers_a_notice_once(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.UNRESOLVED, now=utc_now() - timedelta(days=1))
    staff, page = browser_of(world.a.users[Role.STATION_STAFF]), f"/cases/{story.case_id}/outcome"
    today = services.local_day(utc_now()).isoformat()
    given = {"kind": "transferred", "occurred_on": today, "transfer.document_number": "移字7"}
    both = given | {"transfer.division": "350203", "transfer.receiver": "别处救助站"}
    assert staff.send(page, both, page=page).status_code == 422
    assert staff.send(page, given | {"transfer.division": "350203"}, page=page).status_code == 303
    with read_only(services.db) as session:
        notice = session.scalars(select(HomeNotice)).one()
    assert notice.organisation_id == world.b.station.id
    field, path = f"answer.{notice.id}", f"/home-notices/{notice.id}/answer"
    assert field not in staff.see("/home-notices"), "the sender waits for the answer"
    assert staff.send(path, {field: "takes_over"}, page="/home-notices").status_code == 403
    there = browser_of(world.b.users[Role.STATION_STAFF])
    assert "移字7" in there.see("/home-notices")
    assert there.send(path, {field: ""}, page="/home-notices").status_code == 422
    assert there.send(path, {field: "takes_over"}, page="/home-notices").status_code == 303
    with read_only(services.db) as session:
        assert session.scalars(select(HomeNotice.answer)).one() is HomeAnswer.TAKES_OVER
    assert there.send(path, {field: "cannot"}, page="/home-notices").status_code == 409
    ledger = staff.see("/return-ledger")
    assert "移字7" in ledger
    assert "移字7" not in staff.see("/return-ledger?until=2020-01-01")
    assert 'id="e-since"' in staff.see("/return-ledger?since=yesterday", 422)
    file = staff.get("/return-ledger.csv")
    assert (file.status_code, "移字7" in file.text, file.headers["cache-control"]) == (200, True, "no-store")


def test_who_signed_is_opened_for_caseworkers_alone_and_the_outcome_taken_back(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.REUNIFIED, now=utc_now() - timedelta(days=1))
    case = f"/cases/{story.case_id}"
    caseworker, staff = (browser_of(world.a.users[one]) for one in (Role.CASEWORKER, Role.STATION_STAFF))
    with read_only(services.db) as session:
        outcome = session.scalars(select(Outcome.id)).one()
    record = f"{case}/outcomes/{outcome}/handover"
    assert FAMILY.name in caseworker.see(record)
    assert staff.get(record).status_code == 403
    assert record not in staff.see(f"{case}/outcome")
    assert FAMILY.name not in staff.see(f"{case}/handover-form")
    back = f"{case}/outcomes/{outcome}/withdraw"
    refused = caseworker.send(back, {"reason": ""}, page=back)
    assert (refused.status_code in (409, 422), 'id="e-reason"' in refused.text) == (True, True)
    assert caseworker.send(back, {"reason": "录错了"}, page=back).status_code == 303
    with read_only(services.db) as session:
        assert session.get_one(Outcome, outcome).withdrawal_reason == "录错了"
