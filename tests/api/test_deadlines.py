"""Deadlines, milestones, interviews and clues over HTTP."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from models.user import Role
from tests.api.conftest import Bearer, Headers
from tests.factories.records import make_case
from tests.factories.world import World
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import Services

V1 = "/api/v1"


@pytest.fixture
def headers(bearer: Bearer, world: World) -> Headers:
    """Of the station's staff."""
    return bearer(world.a.users[Role.STATION_STAFF])


@pytest.fixture
def case(services: Services, world: World) -> str:
    """The path of a case admitted an hour ago."""
    with unit_of_work(services.db) as session:
        staff = world.viewer(world.a.users[Role.STATION_STAFF])
        return f"{V1}/cases/{make_case(session, services, staff, now=utc_now() - timedelta(hours=1)).id}"


def test_a_milestone_meets_and_starts_clocks(client: TestClient, case: str, headers: Headers) -> None:
    def rows() -> dict[str, Any]:
        return {one["kind"]: one for one in client.get(f"{case}/deadlines", headers=headers).json()["items"]}

    assert rows()["dna_request"]["status"] == "upcoming"
    body = {"kind": "dna_requested", "occurred_at": utc_now().isoformat(), "reference": "回执 12 号"}
    keyed = {**headers, "Idempotency-Key": "one"}
    made = client.post(f"{case}/milestones", json=body, headers=keyed)
    assert made.status_code == 201
    again = client.post(f"{case}/milestones", json=body, headers=keyed)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (made.json(), "true")
    found = rows()
    assert (found["dna_request"]["status"], found["dna_request"]["milestone_id"]) == ("met", made.json()["id"])
    assert found["dna_result"]["status"] == "upcoming"
    withdrawn = client.post(
        f"{V1}/milestones/{made.json()['id']}/withdraw", json={"reason": "误登"}, headers=headers
    ).json()
    assert withdrawn["withdrawal_reason"] == "误登"
    assert rows()["dna_result"]["cancel_reason"] == "trigger_withdrawn"


def test_the_due_list_pages_and_counts(client: TestClient, case: str, headers: Headers) -> None:
    whole = client.get(f"{V1}/deadlines", headers=headers).json()["items"]
    paged, cursor = [], None
    while True:
        page = client.get(f"{V1}/deadlines", params={"limit": 3, "cursor": cursor}, headers=headers).json()
        paged += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [one["id"] for one in paged] == [one["id"] for one in whole]
    assert [one["due_at"] for one in whole] == sorted(one["due_at"] for one in whole)
    only = client.get(f"{V1}/deadlines", params={"kind": ["long_stay", "settlement"]}, headers=headers).json()["items"]
    assert [one["kind"] for one in only] == ["long_stay", "settlement"]
    counts = client.get(f"{V1}/deadlines/counts", headers=headers).json()
    assert counts["soon"] >= 2
    assert client.get(f"{V1}/deadlines", params={"which": "nonsense"}, headers=headers).status_code == 422


def test_the_policy_names_its_sources(client: TestClient, headers: Headers) -> None:
    policy = client.get(f"{V1}/deadlines/policy", headers=headers).json()
    assert policy["version"] == "CN-1"
    assert all(one["source"] and one["mark"] for one in policy["clocks"])
    dna = next(one for one in policy["clocks"] if one["kind"] == "dna_request")
    assert (dna["unit"], dna["counts"], dna["mark"]) == ("working_days", [7], "M")


def test_an_interview_over_http(client: TestClient, case: str, headers: Headers) -> None:
    at = utc_now()
    body = {
        "held_at": at.isoformat(), "method": "talk", "notes": "她哼一首歌",
        "clues": [{"kind": "song", "text": "茉莉花", "confidence": "sure"},
                  {"kind": "name", "text": "阿珍", "confidence": "unsure"}],
    }  # fmt: skip
    made = client.post(f"{case}/interviews", json=body, headers=headers)
    assert made.status_code == 201
    interview = made.json()
    assert {one["text"]: one["in_profile"] for one in interview["clues"]} == {"茉莉花": False, "阿珍": True}
    names = client.get(case, headers=headers).json()["facts"]["names"]
    assert [one["text"] for one in names if one["basis"] == "heard"] == ["阿珍"]
    son = {"kind": "kin", "text": "小军", "confidence": "sure", "relation": "son"}
    keyed = headers | {"Idempotency-Key": "one-clue"}
    answers = [
        client.post(f"{case}/clues", json={"heard_at": at.isoformat(), "clues": [son]}, headers=keyed).json()["items"]
        for _ in range(2)
    ]
    assert answers[0] == answers[1], "a request that is repeated is answered with what the first one made"
    assert [(one["relation"], one["in_profile"]) for one in answers[0]] == [("son", True)]
    sent = client.post(
        f"{V1}/interviews/{interview['id']}/audio",
        files={"audio": ("a.bin", b"not audio at all, whatever it is called" * 3, "audio/wav")},
        headers=headers,
    )
    assert (sent.status_code, sent.json()["slug"]) == (422, "audio_unknown_format")
    wrong = body | {"held_at": (datetime.fromisoformat(at.isoformat()) + timedelta(days=9)).isoformat()}
    refused = client.post(f"{case}/interviews", json=wrong, headers=headers).json()
    assert [one["field"] for one in refused["errors"]] == ["held_at"]
