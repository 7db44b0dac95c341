"""What matching changed in a list, over HTTP: told to whom the scores are open, page by page."""

from datetime import datetime

import pytest
from starlette.testclient import TestClient

from models.case import CaseState
from models.user import Role
from tests.api.conftest import Bearer
from tests.factories.stories import Story, judged_case
from tests.factories.world import World
from tracing.services import Services


@pytest.fixture
def story(services: Services, world: World, now: datetime) -> Story:
    """A case with one candidate that nobody has judged."""
    return judged_case(services, world, CaseState.IN_REVIEW, now=now)


def test_a_change_names_its_terms_and_its_cause(client: TestClient, story: Story, world: World, bearer: Bearer) -> None:
    path = f"/api/v1/cases/{story.case_id}/candidate-changes"
    staff = bearer(world.a.users[Role.STATION_STAFF])
    page = client.get(path, headers=staff).json()
    (change,) = page["items"]
    assert page["next_cursor"] is None
    assert (change["change"], change["rank_before"], change["rank_after"]) == ("entered", None, 1)
    assert change["candidate_id"] == str(story.candidate)
    assert (change["other"]["kind"], change["other"]["id"]) == ("report", str(story.report_id))
    assert (change["cause"]["kind"], change["cause"]["id"]) == ("case", str(story.case_id))
    assert {term["before"] for term in change["terms"]} == {None}
    assert sum(term["after"] for term in change["terms"]) == pytest.approx(change["log10_lr_after"], abs=1e-4)
    narrowed = {"candidate_id": str(story.candidate)}
    assert client.get(path, params=narrowed, headers=staff).json() == page
    other = {"candidate_id": str(story.case_id)}
    assert client.get(path, params=other, headers=staff).json()["items"] == []
    examiner = bearer(world.a.examiners[0])
    assert client.get(path, headers=examiner).json()["items"] == [], "it would tell the score"
