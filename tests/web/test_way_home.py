"""From the release to the end on the pages: plan, wish, attempt, kin, outcome with its papers, dossier."""

from collections.abc import Callable
from datetime import timedelta

from models.case import CaseState
from models.user import Role
from tests.factories.records import FAMILY
from tests.factories.stories import judged_case, state_of
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.dossier import missing_papers
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only
from tracing.services import Services

KIN = {
    "relative": "韦桂英", "relation": "姐姐", "documents.0.kind": "household_booklet", "documents.0.reference": "1",
    "questions.0.question": "有没有人走失？", "questions.0.answer": "弟弟", "questions.0.agrees": "yes",
    "questions.1.question": "怎么称呼？", "questions.1.answer": "阿国", "questions.1.agrees": "yes",
}  # fmt: skip


def test_the_way_home_without_scripts(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:  # fmt: skip
    now = utc_now() - timedelta(hours=1)
    story = judged_case(services, world, CaseState.CONTACT_RELEASED, now=now)
    caseworker = browser_of(world.a.users[Role.CASEWORKER])
    case = f"/cases/{story.case_id}"
    contact, asked = f"{case}/contact", f"{case}/screenings"
    today, moment = (now + timedelta(hours=8)).date().isoformat(), (now + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")

    plan = {"plan_channel": "local_police", "unit": "演武派出所", "call_back_number": "0777-2820000"}
    assert caseworker.send(f"{case}/contact-plan", plan, page=contact).status_code == 303
    assert "演武派出所" in caseworker.see(contact)
    call = {"channel": "telephone", "result": "reached", "attempted_at": moment}
    refused = caseworker.send(f"{case}/attempts", call, page=contact)
    assert (refused.status_code, 'id="e-channel"' in refused.text) == (409, True)
    assert caseworker.send(f"{case}/attempts", call | {"channel": "local_police"}, page=contact).status_code == 303

    wish = {"wish": "objects", "danger": "no_sign", "asked_on": today}
    assert caseworker.send(asked, wish, page=asked).status_code == 303
    assert FAMILY.name not in caseworker.see(contact)
    assert caseworker.send(asked, wish | {"wish": "wants_contact"}, page=asked).status_code == 303
    assert FAMILY.name in caseworker.see(contact)

    outcome = {"kind": "reunited", "route": "face", "occurred_on": today, "handover.name": "韦桂英",
               "handover.relation": "姐姐"}  # fmt: skip
    assert caseworker.send(f"{case}/outcome", outcome, page=f"{case}/outcome").status_code == 409
    short = {name: value for name, value in KIN.items() if not name.startswith("questions.1")} | {"verified": "yes"}
    kin = f"{case}/kin"
    refused = caseworker.send(kin, short, page=kin)
    assert refused.status_code == 409
    assert "弟弟" in refused.text, "what was typed is kept"
    assert caseworker.send(kin, KIN | {"verified": "yes"}, page=kin).status_code == 303
    assert caseworker.send(f"{case}/outcome", outcome, page=f"{case}/outcome").status_code == 303
    assert state_of(services, story.case_id) is CaseState.REUNIFIED


def test_an_escort_home_and_a_transfer_are_typed(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:  # fmt: skip
    now = utc_now() - timedelta(days=1)
    story = judged_case(services, world, CaseState.UNRESOLVED, now=now)
    staff = browser_of(world.a.users[Role.STATION_STAFF])
    page = f"/cases/{story.case_id}/outcome"
    given = {"kind": "transferred", "occurred_on": (now + timedelta(hours=8)).date().isoformat()}
    assert staff.send(page, given, page=page).status_code == 422
    notice = {"transfer.receiver": "厦门市救助管理站", "transfer.document_number": "移字1"}
    assert staff.send(page, given | notice, page=page).status_code == 303
    assert state_of(services, story.case_id) is CaseState.TRANSFERRED


def test_the_dossier_is_ticked_and_the_case_settled(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:  # fmt: skip
    now = utc_now() - timedelta(days=1)
    story = judged_case(services, world, CaseState.UNRESOLVED, now=now)
    staff = browser_of(world.a.users[Role.STATION_STAFF])
    page, dossier = f"/cases/{story.case_id}/outcome", f"/cases/{story.case_id}/dossier"
    today = (now + timedelta(hours=8)).date().isoformat()
    settled = {"kind": "settled", "occurred_on": today}
    refused = staff.send(page, settled, page=page)
    assert (refused.status_code, "DNA 比对反馈" in refused.text) == (409, True)
    with read_only(services.db) as session:
        missing = missing_papers(session, services, story.case_id)
    for item in missing:
        assert staff.send(dossier, {"item": item, "done_on": today}, page=dossier).status_code == 303
    assert staff.send(page, settled, page=page).status_code == 303
    assert state_of(services, story.case_id) is CaseState.SETTLED
