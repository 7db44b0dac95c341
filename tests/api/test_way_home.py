"""The chain from candidate to family over HTTP: what is sealed, what is refused, what a recall closes again."""

from datetime import datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from models.case import CaseState
from models.user import Role
from tests.api.conftest import Bearer, Headers
from tests.factories.records import FAMILY, IDENTITY_NUMBER
from tests.factories.stories import Story, judged_case, kin_verified
from tests.factories.world import World
from tracing.services import Services

HIDDEN = {
    "log10_lr", "posterior", "face_similarity", "rank", "terms", "reviews", "state", "strength", "verdict",
    "gallery_size", "prior_log10_odds",
}  # fmt: skip
TERM = {"kind", "log10_lr", "weight", "counted", "probe_value", "other_value", "sentence_zh", "sentence_en"}
NOTED = {"basis": "non_facial", "features": [{"feature": "stature", "text": "瘦高"}]}
SUPPORTS = {"opinion": "supports", "remarks": "耳廓一致"}
AGREE = {"method": "agreeing_reviews", "grounds": "两名比对员意见一致"}
RELEASE = {"wish": "wants_contact", "danger": "no_sign"}


@pytest.fixture
def story(services: Services, world: World, now: datetime) -> Story:
    """A case with one candidate that nobody has judged."""
    return judged_case(services, world, CaseState.IN_REVIEW, now=now)


@pytest.fixture
def police(world: World, bearer: Bearer) -> tuple[Headers, Headers]:
    """The two examiners of the province."""
    return bearer(world.a.examiners[0]), bearer(world.a.examiners[1])


def _describe(client: TestClient, story: Story, headers: Headers) -> None:
    answer = client.post(f"/api/v1/cases/{story.case_id}/features", json=NOTED, headers=headers)
    assert answer.status_code == 201


def _judge(client: TestClient, story: Story, *examiners: Headers) -> None:
    for headers in examiners:
        _describe(client, story, headers)
        path = f"/api/v1/candidates/{story.candidate}/reviews"
        assert client.post(path, json=SUPPORTS, headers=headers).status_code == 201


def _confirm(client: TestClient, story: Story, headers: Headers, **more: Any) -> Any:
    body = {"candidate_id": str(story.candidate), **AGREE, **more}
    return client.post(f"/api/v1/cases/{story.case_id}/confirmation", json=body, headers=headers)


def test_scores_and_opinions_are_sealed_until_ones_own_is_committed(
    client: TestClient, story: Story, police: tuple[Headers, Headers]
) -> None:
    first, second = police
    path = f"/api/v1/candidates/{story.candidate}"
    queue = client.get("/api/v1/review/queue", headers=first).json()["items"]
    assert [(item["case"]["id"], item["waiting"]) for item in queue] == [(str(story.case_id), None)], "features first"
    _judge(client, story, first)
    early = client.get(path, headers=second)
    assert (early.status_code, early.json()["slug"]) == (409, "features_missing")
    _describe(client, story, second)
    sealed = client.get(path, headers=second).json()
    assert sealed["candidate"]["sealed"] is True
    assert not HIDDEN & sealed["candidate"].keys()
    assert "supports" not in str(sealed)
    assert sealed["candidate"]["other"]["id"] == str(story.report_id)
    listed = client.get(f"/api/v1/cases/{story.case_id}/candidates", headers=second).json()["items"]
    assert not HIDDEN & listed[0].keys()
    unsealed = client.get(path, headers=first).json()["candidate"]
    assert unsealed.keys() >= HIDDEN
    assert unsealed["rank"] == 1
    assert set(unsealed["terms"][0]) == TERM
    assert sum(term["counted"] for term in unsealed["terms"]) == pytest.approx(unsealed["log10_lr"])
    assert unsealed["gallery_size"] == 2
    assert [review["opinion"] for review in unsealed["reviews"]] == ["supports"]
    assert client.get("/api/v1/review/queue", headers=first).json()["items"] == []
    again = client.post(f"{path}/reviews", json=SUPPORTS, headers=first)
    assert (again.status_code, again.json()["slug"]) == (409, "already_judged")
    assert client.delete(f"{path}/reviews/mine", headers=first).status_code == 204
    assert client.get(path, headers=first).json()["candidate"]["sealed"] is True


@pytest.mark.parametrize("services", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_no_link_of_the_chain_can_be_skipped(
    client: TestClient, story: Story, police: tuple[Headers, Headers], world: World, bearer: Bearer
) -> None:
    base = f"/api/v1/cases/{story.case_id}"
    caseworker = bearer(world.a.users[Role.CASEWORKER])
    assert client.get(f"{base}/family-contact", headers=caseworker).json()["slug"] == "contact_sealed"
    assert _confirm(client, story, police[0]).json()["slug"] == "opinions_missing"
    assert _confirm(client, story, police[0], method="dna").json()["slug"] == "reference_missing"
    _judge(client, story, police[0])
    assert _confirm(client, story, police[0]).json()["slug"] == "reviews_missing"
    refused = client.post(f"{base}/contact-release", json=RELEASE, headers=police[0])
    assert refused.json()["slug"] == "not_confirmed"
    _judge(client, story, police[1])
    keyed = {**police[0], "Idempotency-Key": "confirm"}
    confirmed = _confirm(client, story, keyed)
    assert confirmed.status_code == 201
    assert _confirm(client, story, keyed).json()["id"] == confirmed.json()["id"]
    assert client.get(f"{base}/family-contact", headers=caseworker).status_code == 403
    for change, slug in (({"wish": "objects"}, "person_objects"), ({"danger": "suspected"}, "danger_suspected")):
        refused = client.post(f"{base}/contact-release", json={**RELEASE, **change}, headers=police[0])
        assert (refused.status_code, refused.json()["slug"]) == (409, slug)
    released = client.post(f"{base}/contact-release", json=RELEASE, headers=police[0])
    assert (released.status_code, released.json()["state"]) == (201, "contact_released")
    assert client.get(f"{base}/family-contact", headers=caseworker).json() == {
        "name": FAMILY.name,
        "relation": FAMILY.relation,
        "telephone": FAMILY.telephone,
        "address": FAMILY.address,
        "note": FAMILY.note,
    }
    supervisor = bearer(world.a.users[Role.POLICE_SUPERVISOR])
    recalled = client.post(f"{base}/confirmation/recall", json={"reason": "DNA 不符"}, headers=supervisor)
    assert (recalled.status_code, recalled.json()["state"]) == (200, "recalled")
    assert client.get(f"{base}/family-contact", headers=caseworker).json()["slug"] == "contact_sealed"


def test_from_release_to_the_end(
    client: TestClient, services: Services, world: World, bearer: Bearer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.CONTACT_RELEASED, now=now)
    base = f"/api/v1/cases/{story.case_id}"
    caseworker = {**bearer(world.a.users[Role.CASEWORKER]), "Idempotency-Key": "one"}
    attempt = {"channel": "local_police", "result": "reached", "note": "周五来接", "attempted_at": now.isoformat()}
    first = client.post(f"{base}/contacts", json=attempt, headers=caseworker)
    again = client.post(f"{base}/contacts", json=attempt, headers=caseworker)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert client.get(f"{base}/contacts", headers=caseworker).json()["items"] == [first.json()]
    signed = {"name": "韦桂英", "relation": "姐姐", "reference": "JJ-1"}
    outcome = {"kind": "reunited", "occurred_on": "2026-03-03", "handover": signed}
    caseworker["Idempotency-Key"] = "two"
    assert client.post(f"{base}/outcomes", json=outcome, headers=caseworker).json()["slug"] == "route_missing"
    outcome["route"] = "face"
    assert client.post(f"{base}/outcomes", json=outcome, headers=caseworker).json()["slug"] == "kin_not_verified"
    kin_verified(services, world, story.case_id, now=now)
    unsigned = {**outcome, "handover": None}
    assert client.post(f"{base}/outcomes", json=unsigned, headers=caseworker).json()["slug"] == "handover_missing"
    done = client.post(f"{base}/outcomes", json=outcome, headers=caseworker)
    assert done.status_code == 201
    assert client.get(f"{base}/outcomes", headers=caseworker).json()["items"] == [done.json()]
    assert client.get(base, headers=caseworker).json()["state"] == "reunified"


def test_a_report_never_gives_back_what_is_sealed(client: TestClient, world: World, bearer: Bearer) -> None:
    staff = bearer(world.a.users[Role.STATION_STAFF])
    body: dict[str, Any] = {
        "last_seen_on": "2026-01-01",
        "contact": {"name": FAMILY.name, "telephone": FAMILY.telephone, "address": FAMILY.address},
        "identity_number": IDENTITY_NUMBER,
    }
    made = client.post("/api/v1/reports", json=body, headers=staff)
    path = made.headers["location"]
    published = client.post(f"{path}/publish", headers=staff)
    assert (published.status_code, published.json()["state"]) == (200, "open")
    edited = client.put(
        path, json={"last_seen_on": "2026-01-02"}, headers={**staff, "If-Match": published.headers["etag"]}
    )
    assert edited.json()["has_contact"] is edited.json()["has_identity_number"] is True
    withdrawn = client.post(f"{path}/withdraw", headers=staff)
    assert withdrawn.json()["state"] == "withdrawn"
    assert withdrawn.headers["etag"] == client.get(path, headers=staff).headers["etag"]
    for response in (made, published, edited, withdrawn, client.get("/api/v1/reports", headers=staff)):
        for secret in (FAMILY.name, FAMILY.telephone, FAMILY.address, IDENTITY_NUMBER):
            assert str(secret) not in response.text
