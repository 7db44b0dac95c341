"""Where notifications lead: every kind of record that is told of, and only those who may open it."""

import ast
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import tracing
from models.case import CaseState
from models.contact import ContactChannel, ContactResult
from models.lookout import LookoutEnd
from models.notification import Notification, NotificationKind
from models.referral import ReferralKind
from models.user import Role, User
from tests.factories.network import look_out, seen, sight
from tests.factories.notices import draft_of, propose, token_of
from tests.factories.records import IDENTITY_NUMBER, make_case, make_report
from tests.factories.stories import judged_case, run_jobs
from tests.factories.webhooks import stored_webhook
from tests.factories.world import World
from tracing.access import Viewer
from tracing.contact import record_attempt
from tracing.handovers import hand_over, receive
from tracing.lookout_answers import answer_lookout
from tracing.lookouts import end_lookout
from tracing.notices import approve_notice
from tracing.notification_links import OBJECTS, PAGES, destination
from tracing.notification_policy import policy
from tracing.notifications import notify
from tracing.platform.db import unit_of_work
from tracing.referrals import ReferralText, create_referral, send_referral
from tracing.services import Services
from tracing.tips import TipText, receive_tip


def told_of() -> set[str]:
    """The object kinds of every call of `notify` in `tracing`."""
    found: set[str] = set()
    for path in sorted(Path(*tracing.__path__).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "notify":
                kind = node.args[3]
                assert isinstance(kind, ast.Constant), f"{path.name}:{node.lineno} names its object kind"
                found.add(str(kind.value))
    return found


def test_every_kind_that_is_told_of_leads_somewhere() -> None:
    kinds = told_of()
    assert len(kinds) > 8
    assert kinds <= set(OBJECTS)
    assert set(PAGES) <= set(OBJECTS)
    assert set(policy().kinds) == set(NotificationKind)


@pytest.fixture
def everything(any_services: Services, world: World, now: datetime) -> None:
    """Something of every kind happens in province a, and is told of by those who do it."""
    services, people = any_services, {role: world.viewer(user) for role, user in world.a.users.items()}
    staff = people[Role.STATION_STAFF]
    _network(services, people, now)
    story = judged_case(services, world, CaseState.CONTACT_RELEASED, now=now)
    with unit_of_work(services.db) as session:
        record_attempt(
            session, services, people[Role.CASEWORKER], story.case_id, ContactChannel.LOCAL_POLICE,
            ContactResult.REFUSED, note_text=None, attempted_at=now, now=now,
        )  # fmt: skip
        case_id = make_case(session, services, staff, now=now).id
        handover = hand_over(
            session,
            services,
            staff,
            case_id,
            world.a.health.id,
            officer="陈某",
            complaint="水肿",
            handed_at=now,
            now=now,
        )
        receive(session, services, people[Role.HEALTH_LIAISON], handover.id, ward=None, received_at=now, now=now)
        text = ReferralText(ReferralKind.LOW_INCOME, world.b.receiving.id, "无收入")
        referral = create_referral(session, services, staff, case_id, text, now=now)
        send_referral(session, services, staff, referral.id, now=now)
        reporter = world.viewer(world.b.users[Role.STATION_STAFF])
        for _ in range(2):
            make_report(session, services, reporter, identity_number=IDENTITY_NUMBER, now=now)
        webhook = stored_webhook(session, services, world.a, now=now)
        administrator = world.a.users[Role.ADMINISTRATOR].id
        notify(session, [administrator], NotificationKind.WEBHOOK_DISABLED, "webhook", webhook, now=now)
    run_jobs(services, now)
    version = propose(services, world, case_id, draft_of(), now=now)
    with unit_of_work(services.db) as session:
        approve_notice(session, services, people[Role.BUREAU_SUPERVISOR], version.id, now=now)
    with unit_of_work(services.db) as session:
        receive_tip(session, services, token_of(services, case_id), TipText("像小董镇的人"), None, now=now)


def _network(services: Services, people: dict[Role, Viewer], now: datetime) -> None:
    staff, liaison = people[Role.STATION_STAFF], people[Role.COMMUNITY_LIAISON]
    lookout = look_out(services, staff, sight(services, staff, now), now)
    with unit_of_work(services.db) as session:
        answer = answer_lookout(session, services, liaison, lookout.id, seen(now), now=now)
        assert answer.sighting_id is not None
        # As a match of the photograph with the lookout does.
        notify(
            session, [staff.user_id], NotificationKind.LOOKOUT_ANSWERED, "sighting", answer.sighting_id, now=now
        )  # fmt: skip


def _rows(session: Session, world: World) -> list[tuple[Viewer, Notification]]:
    return [
        (world.viewer(session.get_one(User, one.recipient_id)), one) for one in session.scalars(select(Notification))
    ]


@pytest.mark.usefixtures("everything")
def test_whoever_is_told_may_open_what_it_is_about(
    any_services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        rows = _rows(session, world)
        assert {one.object_kind for _, one in rows} >= told_of() - {"report"}
        for viewer, one in rows:
            found = destination(session, viewer, one.object_kind, one.object_id)
            assert found.may, (viewer.role, one.kind, one.object_kind)
            assert found.page or found.places or found.resource
        lookout = next(one.object_id for _, one in rows if one.object_kind == "lookout")
        later = now + timedelta(hours=1)
        end_lookout(session, any_services, staff, lookout, LookoutEnd.CALLED_OFF, reason="误报", now=later)
        ended = [(v, n) for v, n in _rows(session, world) if n.kind is NotificationKind.LOOKOUT_ENDED]
        may = {v.role: destination(session, v, n.object_kind, n.object_id).may for v, n in ended}
        assert may[Role.COMMUNITY_LIAISON] is False, "gone for a liaison when it ends"


@pytest.mark.usefixtures("everything")
def test_nobody_is_led_to_what_is_another_s(any_services: Services, world: World) -> None:
    """The auditor reads no record; the other province's people none that they were not told of."""
    auditor = world.viewer(world.a.users[Role.AUDITOR])
    with unit_of_work(any_services.db) as session:
        rows = _rows(session, world)
        about = {(one.object_kind, one.object_id): set[uuid.UUID]() for _, one in rows}
        for viewer, one in rows:
            about[one.object_kind, one.object_id].add(viewer.organisation_id)
        for (kind, identity), organisations in about.items():
            assert not destination(session, auditor, kind, identity).may
            for user in world.b.people():
                stranger = world.viewer(user)
                if world.a.station.id in organisations and stranger.organisation_id not in organisations:
                    found = destination(session, stranger, kind, identity)
                    assert not found.places or kind == "duplicate", (stranger.role, kind)
