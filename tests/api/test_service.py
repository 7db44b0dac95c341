"""The service itself: probes, headers, the request's id, the description, administration."""

import logging
import time
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import delete
from starlette.testclient import TestClient

from api.app import create_app
from api.problems import problem_of
from models.audit import AuditHead
from models.user import Locale, Role
from tests.api.conftest import Bearer
from tests.api.matrix import CASE
from tests.factories.world import World
from tracing.platform.db import unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.services import Services


def test_readiness_says_what_is_missing(client: TestClient, services: Services) -> None:
    assert client.get("/ready").json() == {"ready": True, "missing": []}
    (services.settings.data_dir / "guitu.sqlite3").write_bytes(b"")
    application: Any = client.app
    application.state.services.db.dispose()
    response = client.get("/ready")
    assert (response.status_code, response.json()) == (503, {"ready": False, "missing": ["database"]})
    assert client.get("/health").json() == {"status": "ok"}


def test_a_failed_commit_is_not_told_as_done(
    client: TestClient, services: Services, world: World, bearer: Bearer
) -> None:
    staff = bearer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        session.execute(delete(AuditHead))
    response = client.post("/api/v1/cases", json=CASE, headers=staff)
    assert (response.status_code, response.json()["slug"]) == (503, "audit_head_missing")
    assert response.headers["retry-after"]


def test_jobs_run_beside_the_server(services: Services, world: World, bearer: Bearer) -> None:
    staff = bearer(world.a.users[Role.STATION_STAFF])
    with TestClient(create_app(services.settings)) as serving:
        path = serving.post("/api/v1/cases", json=CASE, headers=staff).headers["location"]
        assert serving.post(f"{path}/submit", headers=staff).status_code == 200
        deadline = time.monotonic() + 20
        while serving.get(path, headers=staff).json()["state"] != "unresolved" and time.monotonic() < deadline:
            time.sleep(0.05)
        states = [move["to_state"] for move in serving.get(f"{path}/history", headers=staff).json()["items"]]
    assert states == ["submitted", "searching", "unresolved"]


def test_security_headers(client: TestClient) -> None:
    headers = client.get("/health").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert client.get("/api/v1/me").headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(("given", "kept"), [("proxy-given-1", True), ("short", False), ("with spaces in it", False)])
def test_a_request_id_from_the_proxy_is_kept_if_it_is_one(client: TestClient, given: str, kept: bool) -> None:
    found = client.get("/health", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert (found == given) is kept
    assert len(found) >= 8


def test_the_log_has_neither_queries_nor_ids(
    client: TestClient, world: World, bearer: Bearer, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger().addHandler(caplog.handler)
    staff = bearer(world.a.users[Role.STATION_STAFF])
    with caplog.at_level(logging.INFO, logger="api.middleware"):
        client.get("/api/v1/divisions", params={"q": "qinzhou"}, headers=staff)
        client.get(f"/api/v1/cases/{world.a.station.id}", headers=staff)
    logging.getLogger().removeHandler(caplog.handler)
    lines = [str(record.msg) for record in caplog.records if record.name == "api.middleware"]
    assert any("/api/v1/cases/:case_id" in line for line in lines)
    assert not any("qinzhou" in line or str(world.a.station.id) in line for line in lines)


PARTS = (
    "Attribute", "Name", "Place", "Mark", "Kin", "Phone", "FamilyContact", "Belonging", "Guardian", "StatedIdentity",
    "FeatureRemark", "NotedFeature", "Question", "Document", "Handover", "Transfer", "Trip", "TipClue",
)  # fmt: skip


def test_the_description_is_complete(client: TestClient) -> None:
    description = client.get("/api/v1/openapi.json").json()
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["tags"]
        assert operation["summary"]
        for status, response in operation["responses"].items():
            if int(status) >= 400 and operation["tags"] not in (["service"], ["oauth"]):
                assert list(response["content"]) == ["application/problem+json"], operation["operationId"]
    for name, schema in description["components"]["schemas"].items():
        # The parts of what has an example of its own.
        if name.endswith("In") and name.rsplit("__", 1)[-1].removesuffix("In") not in PARTS:
            assert schema.get("examples"), name


def test_accounts_and_organisations(client: TestClient, world: World, bearer: Bearer) -> None:
    administrator = {**bearer(world.a.users[Role.ADMINISTRATOR]), "Idempotency-Key": "one"}
    organisation = {
        "parent_id": str(world.a.station.id), "kind": "street_post", "name_zh": "新驿站", "name_en": "New post",
        "division": "450702",
    }  # fmt: skip
    made = client.post("/api/v1/organisations", json=organisation, headers=administrator).json()
    assert client.post("/api/v1/organisations", json=organisation, headers=administrator).json() == made
    account = {
        "organisation_id": made["id"], "username": "Wang.Fang", "display_name": "王芳", "role": "station_staff",
        "password": "long enough for this",
    }  # fmt: skip
    administrator["Idempotency-Key"] = "two"
    user = client.post("/api/v1/users", json=account, headers=administrator).json()
    assert client.post("/api/v1/users", json=account, headers=administrator).json() == user
    assert user["username"] == "wang.fang"
    assert not [field for field in user if "password" in field]
    administrator["Idempotency-Key"] = "three"
    taken = client.post("/api/v1/users", json=account, headers=administrator)
    assert (taken.status_code, taken.json()["slug"]) == (409, "username_taken")
    form = {"grant_type": "password", "username": "wang.fang", "password": account["password"]}
    assert client.post("/api/v1/oauth/token", data=form).status_code == 200
    closed = client.patch(f"/api/v1/users/{user['id']}", json={"active": False}, headers=administrator)
    assert closed.json()["active"] is False
    assert client.post("/api/v1/oauth/token", data=form).status_code == 400


def test_the_auditor_finds_and_verifies(client: TestClient, world: World, bearer: Bearer) -> None:
    staff, auditor = bearer(world.a.users[Role.STATION_STAFF]), bearer(world.a.users[Role.AUDITOR])
    for _ in range(3):
        client.get("/api/v1/cases", headers=staff)
    first = client.get("/api/v1/audit", params={"action": "case.", "limit": 2}, headers=auditor).json()
    assert [event["action"] for event in first["items"]] == ["case.list", "case.list"]
    rest = client.get("/api/v1/audit", params={"action": "case.", "before": first["next_before"]}, headers=auditor)
    assert len(rest.json()["items"]) == 1
    found = client.post("/api/v1/audit/verify", headers=auditor).json()
    assert found["ok"] is True


def metrics_of(services: Services, headers: dict[str, str], **web: Any) -> int:
    settings = services.settings.model_copy(update={"web": services.settings.web.model_copy(update=web)})
    app = create_app(settings)
    response = TestClient(app, client=("127.0.0.1", 50000)).get("/metrics", headers=headers)
    if response.status_code == 200:
        assert "# TYPE guitu_index_search_seconds histogram" in response.text
    app.state.services.db.dispose()
    return response.status_code


def test_metrics_are_closed_unless_opened(services: Services) -> None:
    token = SecretStr("a-token-of-the-tests")
    right, wrong = {"Authorization": "Bearer a-token-of-the-tests"}, {"Authorization": "Bearer another"}
    assert metrics_of(services, right) == 404
    assert metrics_of(services, {}, metrics="loopback") == 200
    assert metrics_of(services, {"X-Forwarded-For": "203.0.113.9"}, metrics="loopback") == 404
    assert metrics_of(services, {}, metrics="token", metrics_token=token) == 404
    assert metrics_of(services, wrong, metrics="token", metrics_token=token) == 404
    assert metrics_of(services, right, metrics="token", metrics_token=token) == 200


def test_a_warming_index_says_when_to_ask_again() -> None:
    problem = problem_of(IndexWarming(retry_after=7), Locale.ZH)
    assert (problem.status, problem.slug, problem.headers) == (503, "index_warming", {"Retry-After": "7"})
    assert "7 秒后重试" in problem.detail
