"""Webhooks: who sets them, what is sent and how it is signed, what follows from failures. Over a real receiver."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models.job import Job, JobState
from models.notification import NotificationKind
from models.user import Role
from models.webhook import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookState
from tests.factories.mail_server import HOST, Receiver, certificate, receiver
from tests.factories.stories import run_jobs
from tests.factories.world import World
from tracing import webhooks
from tracing.access import Viewer
from tracing.inbox import list_notifications
from tracing.notification_policy import policy
from tracing.notification_pruning import prune
from tracing.notifications import notify
from tracing.platform import errors, outgoing
from tracing.platform.crypto import SubjectErased
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.jobs import DeferJob
from tracing.platform.settings import WebhookSettings
from tracing.services import Services
from tracing.webhook_delivery import secret_purpose, send
from tracing.webhooks import Disclosed

K, D, W = NotificationKind, DeliveryState, WebhookState
ABOUT = uuid.UUID("11111111-2222-4333-8444-555555555555")


@pytest.fixture
def target(tmp_path: Path) -> Iterator[tuple[Receiver, Path]]:
    """A receiver over TLS, and the certificate that it is trusted by."""
    file = certificate(tmp_path / "tls")
    with receiver(file) as found:
        yield found, file


@pytest.fixture
def pushing(any_services: Services, target: tuple[Receiver, Path]) -> Services:
    """Services that may push to it."""
    return allowing(any_services, target[0], ca_file=target[1])


def allowing(services: Services, to: Receiver, **more: object) -> Services:
    """Services that may push to a receiver."""
    settings = WebhookSettings.model_validate({"allowed_hosts": (f"{HOST}:{to.port}",), "timeout_seconds": 5, **more})
    return replace(services, settings=services.settings.model_copy(update={"webhooks": settings}))


def endpoint(
    services: Services, world: World, administrator: Viewer, to: Receiver, now: datetime, *kinds: NotificationKind
) -> Disclosed:
    with unit_of_work(services.db) as session:
        return webhooks.create_webhook(
            session, services, administrator, world.a.centre.id, f"https://{HOST}:{to.port}/in?x=1", kinds, now=now
        )


def tell(services: Services, viewer: Viewer, kind: NotificationKind, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        notify(session, [viewer.user_id], kind, "case", ABOUT, now=now)


def deliveries(services: Services) -> list[WebhookDelivery]:
    with read_only(services.db) as session:
        return list(session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.created_at)))


def attempt(services: Services, delivery: WebhookDelivery, now: datetime) -> timedelta | None:
    """One try, as the job does it; how long it wants to wait before the next."""
    try:
        send(services, delivery.id, now, lambda _: None)
    except DeferJob as deferral:
        return deferral.delay
    return None


def state(services: Services) -> WebhookEndpoint:
    with read_only(services.db) as session:
        return session.scalars(select(WebhookEndpoint)).one()


def signed_by(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As a receiver checks it: any of the signatures."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return right in headers["webhook-signature"].split(" ")


def test_signed_with_kind_id_and_link_alone(
    pushing: Services, world: World, administrator: Viewer, staff: Viewer, target: tuple[Receiver, Path], now: datetime
) -> None:
    made = endpoint(pushing, world, administrator, target[0], now)
    tell(pushing, staff, K.LOOKOUT_OPENED, now)
    (delivery,) = deliveries(pushing)
    with read_only(pushing.db) as session:
        assert session.scalars(select(Job.payload).where(Job.kind == "webhook.send")).one() == {
            "delivery": str(delivery.id)
        }
    assert attempt(pushing, delivery, now) is None
    ((headers, body),) = target[0].requests
    assert signed_by(made.secret, headers, body)
    assert not signed_by(made.secret, headers, body + b" ")
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (str(delivery.id), str(int(now.timestamp())))
    url = pushing.settings.web.public_url
    assert json.loads(body) == {
        "type": "lookout_opened", "timestamp": now.astimezone(UTC).isoformat(),
        "data": {"object": "case", "id": str(ABOUT), "link": f"{url}/cases/{ABOUT}"},
    }  # fmt: skip
    assert target[0].paths == ["/in?x=1"]
    assert attempt(pushing, delivery, now) is None, "done is done"
    assert len(target[0].requests) == 1
    assert base64.b64decode(made.secret.removeprefix("whsec_")) not in made.endpoint.secret_sealed


def test_whom_an_endpoint_is_told_of(
    pushing: Services, world: World, administrator: Viewer, staff: Viewer, reporter: Viewer,
    target: tuple[Receiver, Path], now: datetime,
) -> None:  # fmt: skip
    endpoint(pushing, world, administrator, target[0], now, K.LOOKOUT_OPENED)
    everybody = [staff, reporter, world.viewer(world.a.users[Role.BUREAU_SUPERVISOR])]
    for viewer in everybody:  # below the endpoint's centre, another province, above it
        tell(pushing, viewer, K.LOOKOUT_OPENED, now)
    tell(pushing, staff, K.TIP_RECEIVED, now)
    assert [one.kind for one in deliveries(pushing)] == [K.LOOKOUT_OPENED]
    with unit_of_work(pushing.db) as session:
        both = [staff.user_id, world.a.users[Role.CASEWORKER].id]
        notify(session, both, K.LOOKOUT_OPENED, "case", ABOUT, now=now)
    assert len(deliveries(pushing)) == 2, "one event, however many people it is for"


def test_tried_again_with_growing_waits_until_given_up(
    pushing: Services, world: World, administrator: Viewer, staff: Viewer, target: tuple[Receiver, Path], now: datetime
) -> None:
    endpoint(pushing, world, administrator, target[0], now)
    tell(pushing, staff, K.LOOKOUT_OPENED, now)
    waits = policy().webhook_retry_seconds
    target[0].statuses += [500, 302, *[503] * len(waits)]
    (delivery,) = deliveries(pushing)
    asked = [attempt(pushing, delivery, now) for _ in range(len(waits) + 1)]
    assert asked == [*(timedelta(seconds=wait) for wait in waits), None]
    assert set(target[0].paths) == {"/in?x=1"}, "no redirect is followed"
    assert deliveries(pushing)[0].state is D.GIVEN_UP
    with unit_of_work(pushing.db) as session:
        (logged,) = webhooks.list_deliveries(session, administrator, delivery.endpoint_id).items
        assert [one.status for one in logged.attempts][:3] == [500, 302, 503]


def test_disabled_after_failures_in_a_row_with_a_notice_and_sent_when_enabled_again(
    pushing: Services, world: World, administrator: Viewer, staff: Viewer, target: tuple[Receiver, Path], now: datetime
) -> None:
    endpoint(pushing, world, administrator, target[0], now)
    limit = policy().webhook_disable_after
    with unit_of_work(pushing.db) as session:
        session.scalars(select(WebhookEndpoint)).one().failures = limit - 1
    tell(pushing, staff, K.LOOKOUT_OPENED, now)
    target[0].statuses.append(500)
    (delivery,) = deliveries(pushing)
    assert attempt(pushing, delivery, now) is None
    assert (state(pushing).state, deliveries(pushing)[0].state) == (W.DISABLED, D.HELD)
    with read_only(pushing.db) as session:
        told = list_notifications(session, administrator).items
    assert [(one.kind, one.object_id) for one in told] == [(K.WEBHOOK_DISABLED, state(pushing).id)]
    tell(pushing, staff, K.LOOKOUT_ENDED, now + timedelta(minutes=1))
    assert [one.state for one in deliveries(pushing) if one.kind is not K.WEBHOOK_DISABLED] == [D.HELD, D.HELD]
    with unit_of_work(pushing.db) as session:
        webhooks.enable_webhook(session, pushing, administrator, state(pushing).id, now=now)
    waiting = [one for one in deliveries(pushing) if one.state is D.WAITING]
    for one in waiting:
        assert attempt(pushing, one, now) is None
    assert {one.state for one in deliveries(pushing)} == {D.DELIVERED}
    assert state(pushing).failures == 0


def test_many_failures_within_a_minute_count_once(
    pushing: Services, world: World, administrator: Viewer, staff: Viewer, target: tuple[Receiver, Path], now: datetime
) -> None:
    endpoint(pushing, world, administrator, target[0], now)
    limit, minute = policy().webhook_disable_after, now.replace(second=0, microsecond=0)
    for kind in (K.LOOKOUT_OPENED, K.LOOKOUT_ENDED, K.TIP_RECEIVED):
        tell(pushing, staff, kind, now)
    target[0].statuses += [500] * 5
    with unit_of_work(pushing.db) as session:
        session.scalars(select(WebhookEndpoint)).one().failures = limit - 2
    for seconds, delivery in zip((1, 2, 59), deliveries(pushing), strict=True):
        attempt(pushing, delivery, minute + timedelta(seconds=seconds))
    assert (state(pushing).state, state(pushing).failures) == (W.ACTIVE, limit - 1)
    attempt(pushing, deliveries(pushing)[0], minute + timedelta(seconds=60))
    assert state(pushing).state is W.DISABLED


def test_after_a_rotation_both_secrets_sign_for_a_while(
    pushing: Services, world: World, administrator: Viewer, staff: Viewer, target: tuple[Receiver, Path], now: datetime
) -> None:
    old = endpoint(pushing, world, administrator, target[0], now)
    with unit_of_work(pushing.db) as session:
        new = webhooks.rotate_secret(session, pushing, administrator, old.endpoint.id, now=now)
    later = now + timedelta(hours=policy().webhook_rotation_hours)
    for moment in (now, later):
        tell(pushing, staff, K.LOOKOUT_OPENED, moment)
    for delivery, moment in zip(deliveries(pushing), (now, later), strict=True):
        attempt(pushing, delivery, moment)
    first, second = target[0].requests
    assert signed_by(old.secret, *first)
    assert signed_by(new.secret, *first)
    assert not signed_by(old.secret, *second)
    assert signed_by(new.secret, *second)


def test_removed_it_is_served_no_more_and_its_secret_is_gone(
    pushing: Services, world: World, administrator: Viewer, staff: Viewer, target: tuple[Receiver, Path], now: datetime
) -> None:
    made = endpoint(pushing, world, administrator, target[0], now).endpoint
    tell(pushing, staff, K.LOOKOUT_OPENED, now)
    with unit_of_work(pushing.db) as session:
        webhooks.remove_webhook(session, pushing, administrator, made.id, now=now)
    (delivery,) = deliveries(pushing)
    assert attempt(pushing, delivery, now) is None
    assert (deliveries(pushing)[0].state, target[0].requests) == (D.GIVEN_UP, [])
    tell(pushing, staff, K.LOOKOUT_OPENED, now)
    assert len(deliveries(pushing)) == 1
    with pytest.raises(SubjectErased), read_only(pushing.db) as session:
        pushing.vault.open(session, made.subject_id, secret_purpose(made.id), state(pushing).secret_sealed)
    with pytest.raises(errors.NotFound), unit_of_work(pushing.db) as session:
        webhooks.enable_webhook(session, pushing, administrator, made.id, now=now)


def test_only_the_administrator_above(
    pushing: Services, world: World, administrator: Viewer, target: tuple[Receiver, Path], now: datetime
) -> None:
    made = endpoint(pushing, world, administrator, target[0], now).endpoint
    abroad = world.viewer(world.b.users[Role.ADMINISTRATOR])
    for viewer in world.viewers():
        kind = errors.NotFound if viewer.role is Role.ADMINISTRATOR else errors.Forbidden
        if viewer.user_id == administrator.user_id:
            continue
        with pytest.raises(kind), unit_of_work(pushing.db) as session:
            webhooks.rotate_secret(session, pushing, viewer, made.id, now=now)
        with pytest.raises(kind), unit_of_work(pushing.db) as session:
            webhooks.create_webhook(session, pushing, viewer, world.a.station.id, made.url, (), now=now)
    with unit_of_work(pushing.db) as session:
        assert webhooks.list_webhooks(session, abroad).items == ()
        assert [one.id for one in webhooks.list_webhooks(session, administrator).items] == [made.id]


def test_an_organisation_has_five_at_most_and_states_are_not_set_twice(
    pushing: Services, world: World, administrator: Viewer, target: tuple[Receiver, Path], now: datetime
) -> None:
    made = [endpoint(pushing, world, administrator, target[0], now) for _ in range(webhooks.PER_ORGANISATION)]
    with pytest.raises(webhooks.WebhookLimit):
        endpoint(pushing, world, administrator, target[0], now)
    identity = made[0].endpoint.id
    with pytest.raises(webhooks.WebhookStateUnfit), unit_of_work(pushing.db) as session:
        webhooks.enable_webhook(session, pushing, administrator, identity, now=now)
    with unit_of_work(pushing.db) as session:
        webhooks.disable_webhook(session, administrator, identity, now=now)
    with pytest.raises(webhooks.WebhookStateUnfit), unit_of_work(pushing.db) as session:
        webhooks.disable_webhook(session, administrator, identity, now=now)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{port}/", "https://127.0.0.1/", "https://127.0.0.1:{port}@evil.test/",
     "https://evil.test:{port}/", "https://u:p@127.0.0.1:{port}/", "https://127.0.0.1:{port}\\@evil.test/",
     "ftp://127.0.0.1:{port}/", "//127.0.0.1:{port}/", "https://0177.0.0.1:{port}/", "https://127.0.0.1:{port}/a b",
     "https://127.0.0.1:99999/", "https://[::1]:{port}/"],
)  # fmt: skip
def test_addresses_that_are_refused(
    services: Services, world: World, administrator: Viewer, now: datetime, url: str
) -> None:
    guarded = allowing(services, Receiver(port=8443))
    with pytest.raises(webhooks.WebhookAddressRefused), unit_of_work(services.db) as session:
        webhooks.create_webhook(
            session, guarded, administrator, world.a.station.id, url.format(port=8443), (), now=now
        )  # fmt: skip


def test_a_name_that_leads_to_this_machine_is_not_followed() -> None:
    """A listed name whose address is loopback or link-local: only the address itself may be listed."""
    with receiver() as found:
        settings = WebhookSettings(allowed_hosts=(f"localhost:{found.port}",), allow_http=True)
        with pytest.raises(outgoing.HostNotAllowed) as refused:
            outgoing.post(settings, f"http://localhost:{found.port}/", {}, b"")
        assert (refused.value.why, found.requests) == ("address_not_allowed", [])
        named = WebhookSettings(allowed_hosts=(f"{HOST}:{found.port}",), allow_http=True)
        assert outgoing.post(named, f"http://{HOST}:{found.port}/", {}, b"{}") == 200


def test_a_host_taken_off_the_list_and_an_unknown_certificate_count_as_failures(
    pushing: Services, world: World, administrator: Viewer, staff: Viewer, target: tuple[Receiver, Path], now: datetime
) -> None:
    endpoint(pushing, world, administrator, target[0], now)
    tell(pushing, staff, K.LOOKOUT_OPENED, now)
    (delivery,) = deliveries(pushing)
    off = replace(pushing, settings=pushing.settings.model_copy(update={"webhooks": WebhookSettings()}))
    assert attempt(off, delivery, now) is not None
    assert attempt(allowing(pushing, target[0]), delivery, now) is not None
    with read_only(pushing.db) as session:
        assert set(session.scalars(select(WebhookAttempt.failure))) == {"host_not_listed", "tls"}
    assert target[0].requests == []


def test_old_rows_are_forgotten_and_new_ones_kept(
    pushing: Services, world: World, administrator: Viewer, staff: Viewer, target: tuple[Receiver, Path], now: datetime
) -> None:
    endpoint(pushing, world, administrator, target[0], now)
    tell(pushing, staff, K.LOOKOUT_OPENED, now)
    attempt(pushing, deliveries(pushing)[0], now)
    keep = policy().keep_days
    assert prune(pushing, now + timedelta(days=keep.deliveries)) == (0, 0)
    assert prune(pushing, now + timedelta(days=keep.deliveries, seconds=1)) == (0, 1)
    with read_only(pushing.db) as session:
        assert list(session.scalars(select(WebhookAttempt.id))) == []
    tell(pushing, staff, K.LOOKOUT_OPENED, now)
    assert prune(pushing, now + timedelta(days=keep.unread, seconds=1)) == (2, 0), "what waits is not forgotten"


def test_the_job_does_it(
    services: Services, world: World, administrator: Viewer, staff: Viewer, target: tuple[Receiver, Path], now: datetime
) -> None:
    pushing = allowing(services, target[0], ca_file=target[1])
    endpoint(pushing, world, administrator, target[0], now)
    tell(pushing, staff, K.LOOKOUT_OPENED, now)
    assert run_jobs(pushing, now) == 1
    with read_only(services.db) as session:
        assert set(session.scalars(select(Job.state))) == {JobState.DONE}
    assert len(target[0].requests) == 1
