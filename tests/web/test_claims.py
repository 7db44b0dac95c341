"""Results of outside systems on the pages: a web user whom `claims_conflict` stops can resolve it."""

import re
from collections.abc import Callable

import pytest

from models.case import CaseState
from models.user import Role
from tests.factories.stories import Story, judged_case, state_of
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.clock import utc_now
from tracing.services import Services

NUMBER = "11010519491231002X"  # the example of GB 11643


@pytest.fixture
def story(services: Services, world: World) -> Story:
    """A case in review."""
    return judged_case(services, world, CaseState.IN_REVIEW, now=utc_now())


def form(**more: str) -> dict[str, str]:
    return {
        "method": "fingerprint", "whom": "outside", "name": "李某某", "identity_number": NUMBER,
        "obtained_on": utc_now().date().isoformat(), "officer": "王警官", "reference": "F-7", **more,
    }  # fmt: skip


def test_a_conflict_is_recorded_seen_and_set_aside(
    services: Services, world: World, story: Story, browser_of: Callable[..., Browser]
) -> None:
    supervisor = browser_of(world.a.users[Role.POLICE_SUPERVISOR])
    page = f"/cases/{story.case_id}/claims"
    refused = supervisor.send(page, form(reference=""), page=page)
    assert refused.status_code == 422
    assert 'id="e-reference"' in refused.text
    assert "李某某" in refused.text, "what was typed is kept"
    assert supervisor.send(page, form(), page=page).status_code == 303
    named = form(whom=str(story.candidate), name="", identity_number="")
    assert supervisor.send(page, named, page=page).status_code == 303
    text = supervisor.see(page)
    assert "核查结果相互矛盾" in text
    assert "李某某" not in text, "whom it names outside is opened in a step of its own"
    opened = re.search(r'href="(/cases/[^"]+/identity)"', text)
    assert opened
    assert NUMBER in supervisor.see(opened.group(1))

    confirmation = f"/cases/{story.case_id}/confirmation"
    decision = {
        "candidate_id": str(story.candidate), "method": "fingerprint", "reference": "F-7", "grounds": "指纹",
    }  # fmt: skip
    stopped = supervisor.send(confirmation, decision, page=confirmation)
    assert stopped.status_code == 409
    assert f'href="{page}"' in stopped.text, "the way out is on the page"
    claim = opened.group(1).removesuffix("/identity")
    assert supervisor.send(f"{claim}/settle", {"reason": ""}, page=claim).status_code == 422
    assert supervisor.send(f"{claim}/settle", {"reason": "旧号码"}, page=claim).status_code == 303
    assert "核查结果相互矛盾" not in supervisor.see(page)
    assert "旧号码" in supervisor.see(page)
    assert supervisor.send(confirmation, decision, page=confirmation).status_code == 303
    assert state_of(services, story.case_id) is CaseState.IDENTIFIED


def test_a_wrong_result_is_withdrawn_and_a_candidate_excluded(
    world: World, story: Story, browser_of: Callable[..., Browser]
) -> None:
    examiner = browser_of(world.a.users[Role.POLICE_EXAMINER])
    page = f"/cases/{story.case_id}/claims"
    key = {"form_key": "6e0f3d1a-7a5b-4b60-9d7d-0c7b1c7f2a22"}
    for _ in range(2):
        assert examiner.send(page, form() | key, page=page).status_code == 303
    [claim] = set(re.findall(r'href="(/cases/[^"]+/claims/[0-9a-f-]{36})"', examiner.see(page)))
    assert "/settle" not in examiner.see(claim), "only a supervisor sets aside"
    assert examiner.send(f"{claim}/withdraw", {"reason": "调错卷宗"}, page=claim).status_code == 303
    assert "调错卷宗" in examiner.see(page)
    given = {"excluded_id": str(story.candidate), "evidence": "dna", "reference": "D-3", "reason": "无亲缘关系"}
    assert examiner.send(f"/cases/{story.case_id}/exclusions", given | {"reason": ""}, page=page).status_code == 422
    assert examiner.send(f"/cases/{story.case_id}/exclusions", given, page=page).status_code == 303
    assert "无亲缘关系" in examiner.see(page)


def test_others_read_and_write_nothing(world: World, story: Story, browser_of: Callable[..., Browser]) -> None:
    staff = browser_of(world.a.users[Role.STATION_STAFF])
    assert '<form method="post" action="/cases/' not in staff.see(f"/cases/{story.case_id}/claims")
