"""Verdicts by the parameters in force, over HTTP and on the pages: the same as the passes are weighed by."""

from datetime import datetime

from starlette.testclient import TestClient

from models.case import CaseState
from models.user import Role
from tests.api.conftest import Bearer
from tests.factories.stories import judged_case
from tests.factories.world import World
from tracing.parameter_sets import packaged_content, put_in_force
from tracing.platform.db import unit_of_work
from tracing.services import Services


def test_the_verdict_follows_a_switch_of_parameters(
    client: TestClient, services: Services, world: World, now: datetime, bearer: Bearer
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    staff = bearer(world.a.users[Role.STATION_STAFF])

    def verdicts() -> list[str]:
        listed = client.get(f"/api/v1/cases/{story.case_id}/candidates", headers=staff).json()["items"]
        read = client.get(f"/api/v1/candidates/{story.candidate}", headers=staff).json()["candidate"]
        return [*(one["verdict"] for one in listed), read["verdict"]]

    before = verdicts()
    assert "unlikely" not in before
    content = packaged_content()
    for key, value in (("verdict.supported", 2.0), ("verdict.unlikely", 1e6)):
        content["parameters"][key] = {"value": value, "source": "a test"}
    with unit_of_work(services.db) as session:
        put_in_force(session, content | {"version": "nobody"}, reason=None, now=now)
    assert verdicts() == ["unlikely"] * len(before)
