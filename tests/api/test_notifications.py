"""The inbox, mail settings and webhooks over HTTP."""

from datetime import datetime, timedelta

from fastapi import FastAPI
from starlette.testclient import TestClient

from models.notification import NotificationKind
from models.user import Role
from tests.api.conftest import Bearer
from tests.factories.mail_server import receiver
from tests.factories.stories import run_jobs
from tests.factories.webhooks import pushing_to
from tests.factories.world import World
from tracing.notifications import notify
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import Services

V1 = "/api/v1"


def test_inbox_from_unread_to_read(
    client: TestClient, services: Services, world: World, bearer: Bearer, now: datetime
) -> None:
    user = world.a.users[Role.COMMUNITY_LIAISON]
    with unit_of_work(services.db) as session:
        for minutes in range(3):
            at = now + timedelta(minutes=minutes)
            notify(session, [user.id], NotificationKind.LOOKOUT_OPENED, "lookout", world.a.station.id, now=at)
    headers = bearer(user)
    assert client.get(f"{V1}/notifications/unread", headers=headers).json() == {"unread": 3}
    first = client.get(f"{V1}/notifications?limit=2", headers=headers).json()
    rest = client.get(f"{V1}/notifications?cursor={first['next_cursor']}", headers=headers).json()
    rows = [*first["items"], *rest["items"]]
    assert [row["created_at"] for row in rows] == sorted((row["created_at"] for row in rows), reverse=True)
    assert {(row["kind"], row["read_at"]) for row in rows} == {("lookout_opened", None)}
    assert {row["path"] for row in rows} == {f"/lookouts/{world.a.station.id}"}
    read = [client.post(f"{V1}/notifications/{rows[0]['id']}/read", headers=headers).json() for _ in range(2)]
    assert read[0]["read_at"] == read[1]["read_at"] is not None
    until = {"until": rows[2]["created_at"]}
    assert client.post(f"{V1}/notifications/read", json=until, headers=headers).json() == {"read": 1}
    left = client.get(f"{V1}/notifications?unread=true", headers=headers).json()["items"]
    assert [row["id"] for row in left] == [rows[1]["id"]]
    stranger = bearer(world.a.users[Role.STATION_STAFF])
    assert client.post(f"{V1}/notifications/{rows[1]['id']}/read", headers=stranger).status_code == 404


def test_mail_settings_say_what_is_wrong_without_repeating_it(client: TestClient, world: World, bearer: Bearer) -> None:
    headers = bearer(world.a.users[Role.STATION_STAFF])
    wrong = client.put(f"{V1}/me/mail", json={"address": "nobody at all"}, headers=headers)
    assert (wrong.status_code, wrong.json()["errors"][0]["slug"]) == (422, "bad_mail_address")
    assert "nobody" not in wrong.text
    wishes = {"address": "li.na@example.org", "deliveries": {"tip_received": "off"}}
    set_ = client.put(f"{V1}/me/mail", json=wishes, headers=headers).json()
    assert set_ == client.get(f"{V1}/me/mail", headers=headers).json()
    assert (set_["address"], set_["deliveries"]["tip_received"], set_["available"]) == (wishes["address"], "off", False)


def test_a_webhook_from_making_to_its_log(
    app: FastAPI, client: TestClient, services: Services, world: World, bearer: Bearer, now: datetime
) -> None:
    headers = bearer(world.a.users[Role.ADMINISTRATOR])
    with receiver() as found:
        pushing = pushing_to(services, found)
        app.state.services = pushing
        body = {"organisation_id": str(world.a.station.id), "url": f"http://127.0.0.1:{found.port}/in"}
        once = {**headers, "Idempotency-Key": "one"}
        made = client.post(f"{V1}/webhooks", json=body, headers=once)
        again = client.post(f"{V1}/webhooks", json=body, headers=once)
        assert (made.status_code, again.status_code, again.json()["id"]) == (201, 201, made.json()["id"])
        assert made.json()["secret"].startswith("whsec_")
        assert again.json()["secret"] is None
        here = made.headers["location"]
        assert "secret" not in client.get(here, headers=headers).json()
        with unit_of_work(services.db) as session:
            staff = world.a.users[Role.STATION_STAFF]
            notify(session, [staff.id], NotificationKind.PHOTO_WANTED, "case", world.a.station.id, now=now)
        run_jobs(pushing, utc_now())
        (sent,) = client.get(f"{here}/deliveries", headers=headers).json()["items"]
        assert (sent["state"], [one["status"] for one in sent["attempts"]]) == ("delivered", [200])
        assert found.requests[0][0]["webhook-id"] == sent["id"]
        assert client.post(f"{here}/rotate", headers=headers).json()["secret"] != made.json()["secret"]
        assert client.post(f"{here}/disable", headers=headers).json()["state"] == "disabled"
        assert client.post(f"{here}/enable", headers=headers).json()["state"] == "active"
        assert client.delete(here, headers=headers).status_code == 204
        assert client.get(here, headers=headers).status_code == 404
        refused = client.post(f"{V1}/webhooks", json={**body, "url": "https://elsewhere.test/"}, headers=headers)
        assert (refused.status_code, refused.json()["slug"]) == (422, "webhook_address_refused")
