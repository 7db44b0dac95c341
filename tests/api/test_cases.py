"""Cases over HTTP: creation, versions, repetition, pages, and what cannot be right."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from starlette.testclient import TestClient

from models.user import Role
from tests.api.conftest import Bearer, Headers
from tests.api.matrix import CASE
from tests.factories.world import World

CASES = "/api/v1/cases"


@pytest.fixture
def staff(world: World, bearer: Bearer) -> Headers:
    """A station's worker."""
    return bearer(world.a.users[Role.STATION_STAFF])


def _create(client: TestClient, staff: Headers, **more: Any) -> dict[str, Any]:
    response = client.post(CASES, json={**CASE, **more}, headers=staff)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def test_a_new_case_is_where_it_is_said_to_be(client: TestClient, staff: Headers) -> None:
    fact = {
        "kind": "height", "value": 168, "basis": "measured", "source": "nurse", "as_of": "2026-03-01", "uncertainty": 1,
    }  # fmt: skip
    response = client.post(CASES, json={**CASE, "attributes": [fact], "found_division": "450702"}, headers=staff)
    assert response.status_code == 201
    found = client.get(response.headers["location"], headers=staff)
    assert found.json() == response.json()
    assert found.headers["etag"] == response.headers["etag"] == f'"{found.json()["version"]}"'
    assert found.json()["facts"]["attributes"] == [{**fact, "value": "168", "uncertainty": 1.0, "confidence": None}]
    assert found.json()["found_division_name"].endswith("钦南区")
    assert found.json()["state"] == "draft"


def test_an_edit_names_its_version(client: TestClient, staff: Headers) -> None:
    case = _create(client, staff)
    path = f"{CASES}/{case['id']}"
    tag = f'"{case["version"]}"'
    edited = client.put(path, json={**CASE, "found_place": "码头"}, headers={**staff, "If-Match": tag})
    assert edited.status_code == 200
    assert edited.json()["found_place"] == "码头"
    assert edited.headers["etag"] != tag
    for given, status, slug in (
        (tag, 412, "stale_version"),
        ('W/"1"', 412, "stale_version"),
        ("nonsense", 412, "stale_version"),
        (None, 428, "version_missing"),
    ):
        headers = staff if given is None else {**staff, "If-Match": given}
        refused = client.put(path, json={**CASE, "found_place": "车站"}, headers=headers)
        assert (refused.status_code, refused.json()["slug"]) == (status, slug)
    assert client.get(path, headers=staff).json()["found_place"] == "码头"


def test_the_same_key_makes_one_case(client: TestClient, staff: Headers, world: World, bearer: Bearer) -> None:
    keyed = {**staff, "Idempotency-Key": "a-key-of-mine"}
    first = client.post(CASES, json=CASE, headers=keyed)
    again = client.post(CASES, json=CASE, headers=keyed)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    other = client.post(CASES, json={**CASE, "found_place": "车站"}, headers=keyed)
    assert other.status_code == 422
    assert other.json()["slug"] == "idempotency_key_reused"
    assert len(client.get(CASES, headers=staff).json()["items"]) == 1
    colleague = {**bearer(world.a.sister_staff), "Idempotency-Key": "a-key-of-mine"}
    assert client.post(CASES, json=CASE, headers=colleague).json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", ["", "two words", "x" * 129])
def test_a_key_that_cannot_be_one(client: TestClient, staff: Headers, key: str) -> None:
    response = client.post(CASES, json=CASE, headers={**staff, "Idempotency-Key": key})
    assert response.status_code == 422
    assert response.json()["slug"] == "idempotency_key_malformed"


def test_a_repeated_move_under_a_key_is_no_conflict(client: TestClient, staff: Headers) -> None:
    path = f"{CASES}/{_create(client, staff)['id']}/transitions"
    body = {"state": "closed", "reason": "录入有误"}
    for key, status in (("one", 200), ("one", 200), ("two", 409)):
        response = client.post(path, json=body, headers={**staff, "Idempotency-Key": key})
        assert response.status_code == status
    assert response.json()["slug"] == "illegal_transition"


def test_pages_by_cursor(client: TestClient, staff: Headers) -> None:
    made = [_create(client, staff)["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    for expected in (2, 2, 1):
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get(CASES, params=params, headers=staff).json()
        assert len(page["items"]) == expected
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert seen == made[::-1]
    before_all_time = urlsafe_b64encode(f"0001-01-01T00:00:00+14:00 {made[0]}".encode()).decode()
    for damaged in ("damaged", "é", before_all_time):
        refused = client.get(CASES, params={"cursor": damaged}, headers=staff)
        assert (refused.status_code, refused.json()["slug"]) == (422, "bad_cursor")
    assert client.get(CASES, params={"limit": 0}, headers=staff).status_code == 422


def test_filters(client: TestClient, staff: Headers) -> None:
    draft, closed = _create(client, staff), _create(client, staff)
    body = {"state": "closed", "reason": "录入有误"}
    client.post(f"{CASES}/{closed['id']}/transitions", json=body, headers=staff)
    page = client.get(CASES, params={"state": "draft"}, headers=staff).json()
    assert [item["id"] for item in page["items"]] == [draft["id"]]
    page = client.get(CASES, params={"state": ["draft", "closed"], "number": closed["number"]}, headers=staff).json()
    assert [item["id"] for item in page["items"]] == [closed["id"]]


def test_everything_wrong_is_told_at_once(client: TestClient, staff: Headers) -> None:
    body = {
        "admitted_on": "2026-03-01",
        "found_on": "2026-03-05",
        "found_division": "990000",
        "attributes": [
            {"kind": "height", "value": 1.72, "basis": "measured"},
            {"kind": "birth_date", "value": "1962-02-30", "basis": "reported"},
        ],
    }
    response = client.post(CASES, json=body, headers=staff)
    assert response.status_code == 422
    assert response.json()["slug"] == "invalid_facts"
    found = {error["field"]: (error["slug"], error["detail"]) for error in response.json()["errors"]}
    assert {field: slug for field, (slug, _) in found.items()} == {
        "found_on": "found_after_admission",
        "found_division": "unknown_division",
        "attributes.height": "height_in_metres",
        "attributes.birth_date": "impossible_date",
    }
    assert "172" in found["attributes.height"][1]
    chinese = client.post(CASES, json=body, headers={**staff, "Accept-Language": "zh-CN"}).json()
    assert "厘米" in next(one["detail"] for one in chinese["errors"] if one["field"] == "attributes.height")


def test_history_and_submission(client: TestClient, staff: Headers) -> None:
    path = f"{CASES}/{_create(client, staff)['id']}"
    for _ in range(2):
        assert client.post(f"{path}/submit", headers=staff).json()["state"] == "submitted"
    moves = client.get(f"{path}/history", headers=staff).json()["items"]
    assert [(move["from_state"], move["to_state"]) for move in moves] == [("draft", "submitted")]
    empty = client.post(CASES, json={"admitted_on": "2026-03-01"}, headers=staff).json()
    refused = client.post(f"{CASES}/{empty['id']}/submit", headers=staff)
    assert (refused.status_code, refused.json()["slug"]) == (409, "nothing_known")
