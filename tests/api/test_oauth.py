"""Tokens: the grants of RFC 6749, rotation and reuse, revocation, guessing."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from models.user import Role
from tests.factories.world import World
from tracing.platform.clock import utc_now

TOKEN = "/api/v1/oauth/token"
ME = "/api/v1/me"


def _sign_in(client: TestClient, world: World) -> dict[str, Any]:
    user = world.a.users[Role.STATION_STAFF]
    form = {"grant_type": "password", "username": user.username, "password": world.password}
    response = client.post(TOKEN, data=form)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def _renew(client: TestClient, token: str) -> Any:
    return client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": token})


def _status(client: TestClient, token: str) -> int:
    return client.get(ME, headers={"Authorization": f"Bearer {token}"}).status_code


def test_password_grant(client: TestClient, world: World) -> None:
    tokens = _sign_in(client, world)
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 1800
    me = client.get(ME, headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()
    assert me["role"] == "station_staff"
    assert "case.write" in me["permissions"]


def test_a_refresh_token_works_once_and_its_reuse_ends_the_sign_in(client: TestClient, world: World) -> None:
    first = _sign_in(client, world)
    second = _renew(client, first["refresh_token"]).json()
    assert _status(client, second["access_token"]) == 200
    reused = _renew(client, first["refresh_token"])
    assert reused.status_code == 400
    assert reused.json()["error"] == "invalid_grant"
    assert reused.json()["slug"] == "token_reused"
    assert _status(client, second["access_token"]) == 401
    assert _renew(client, second["refresh_token"]).status_code == 400


def test_a_token_ends_by_the_clock_of_the_process(app: FastAPI, client: TestClient, world: World) -> None:
    token = _sign_in(client, world)["access_token"]
    app.state.clock = lambda: utc_now() + timedelta(minutes=29)
    assert _status(client, token) == 200
    app.state.clock = lambda: utc_now() + timedelta(minutes=31)
    assert _status(client, token) == 401


def test_a_refresh_token_is_no_access_token(client: TestClient, world: World) -> None:
    assert _status(client, _sign_in(client, world)["refresh_token"]) == 401


def test_revocation_ends_the_sign_in(client: TestClient, world: World) -> None:
    tokens = _sign_in(client, world)
    assert client.post("/api/v1/oauth/revoke", data={"token": tokens["refresh_token"]}).status_code == 200
    assert _status(client, tokens["access_token"]) == 401
    assert client.post("/api/v1/oauth/revoke", data={"token": "unknown"}).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password", "username": "a"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "nobody\x00", "password": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, "invalid_grant"),
    ],
)
def test_errors_have_the_form_of_the_rfc(client: TestClient, form: dict[str, str], error: str) -> None:
    response = client.post(TOKEN, data=form)
    assert response.status_code == 400
    assert response.json()["error"] == error
    assert response.json()["error_description"].isascii()
    assert response.headers["cache-control"] == "no-store"


def test_guessing_has_to_wait(client: TestClient, world: World) -> None:
    user = world.a.users[Role.STATION_STAFF]
    form = {"grant_type": "password", "username": user.username, "password": "wrong"}
    for _ in range(5):
        assert client.post(TOKEN, data=form).status_code == 400
    response = client.post(TOKEN, data={**form, "password": world.password})
    assert response.status_code == 429
    assert response.json()["slug"] == "too_many_attempts"
    assert 0 < int(response.headers["retry-after"]) <= 300
