"""Follow-up on the pages: the agenda, a visit with its grades, danger, the end and going on, earlier cases."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from models.case import Case, CaseState
from models.followup import FollowUpEnd, FollowUpVisit
from models.user import Role
from tests.factories.stories import judged_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only
from tracing.services import Services


def test_a_visit_is_planned_recorded_and_taken_back(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    then = utc_now() - timedelta(days=20)
    story = judged_case(services, world, CaseState.REUNIFIED, now=then)
    browser = browser_of(world.a.users[Role.CASEWORKER])
    page, visits = f"/cases/{story.case_id}/follow-up", f"/cases/{story.case_id}/visits"
    agenda = browser.see("/followup")
    assert page in agenda
    assert page not in browser_of(world.b.users[Role.CASEWORKER]).see("/followup")
    moment = (utc_now() + timedelta(hours=7)).strftime("%Y-%m-%dT%H:%M")
    met = {"method": "home", "result": "met", "visited_at": moment, "visitor": "陈社工", "present.person": "yes"}
    refused = browser.send(visits, met | {"assessment.safety": "good", "notes": "谈得很好"}, page=page)
    assert (refused.status_code, 'id="e-assessment"' in refused.text) == (422, True)
    assert "谈得很好" in refused.text, "what was typed is kept"
    grades = {f"assessment.{key}": "good" for key in services.care.follow_up.keys}
    poor = grades | {"assessment.safety": "poor"}
    assert browser.send(visits, met | poor | {"notes": "邻居打他"}, page=page).status_code == 303
    seen = browser.see(page)
    assert "邻居打他" in seen
    assert "上次回访发现危险" in seen
    reader = browser_of(world.a.users[Role.BUREAU_SUPERVISOR]).see(page)
    assert "邻居打他" not in reader, "the notes are sealed for those who only read"
    assert f'action="{visits}"' not in reader

    stable = browser.send(f"{page}/end", {"reason": "stable"}, page=page)
    assert stable.status_code == 409
    assert browser.send(f"{page}/end", {"reason": "other", "explanation": "迁往外地"}, page=page).status_code == 303
    with read_only(services.db) as session:
        visit, end = session.scalars(select(FollowUpVisit.id)).one(), session.scalars(select(FollowUpEnd.id)).one()
    assert browser.send(f"{page}/{end}/resume", {"reason": "又回来了"}, page=f"{page}/{end}/resume").status_code == 303
    back = f"{visits}/{visit}/withdraw"
    assert browser.send(back, {"reason": "记错个案"}, page=back).status_code == 303
    with read_only(services.db) as session:
        assert session.get_one(FollowUpVisit, visit).withdrawn_at is not None
        assert session.get_one(FollowUpEnd, end).withdrawn_at is not None
    assert "上次回访发现危险" not in browser.see(page)


def test_an_earlier_case_is_linked_by_its_number_and_warned_of(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    first = judged_case(services, world, CaseState.UNRESOLVED, now=utc_now() - timedelta(days=2))
    second = judged_case(services, world, CaseState.UNRESOLVED, now=utc_now() - timedelta(days=1))
    with read_only(services.db) as session:
        number, later = (session.get_one(Case, one.case_id).number for one in (first, second))
    browser = browser_of(world.a.users[Role.STATION_STAFF])
    page = f"/cases/{second.case_id}/earlier-cases"
    given = {"number": number[:-1], "reason": "门卫认出他"}
    refused = browser.send(page, given, page=page)
    assert (refused.status_code, 'id="e-number"' in refused.text, "门卫认出他" in refused.text) == (422, True, True)
    backwards = f"/cases/{first.case_id}/earlier-cases"
    assert browser.send(backwards, given | {"number": later}, page=backwards).status_code == 422
    assert browser.send(page, given | {"number": number}, page=page).status_code == 303
    assert number in browser.see(page)
    assert later in browser.see(backwards)
    assert "曾经走失" in browser.see(f"/cases/{second.case_id}/follow-up")
