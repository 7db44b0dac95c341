"""The audit log of a whole story: every use case leaves its event, and no table meant for machines holds a name."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from matcher.vocabulary import GalleryKind
from models.audit import AuditEvent
from models.case import CaseState
from models.job import Job, JobState
from models.review_protocol import RequestKind
from models.user import Role, TokenKind
from tests.factories.faces import GREEN, RED, make_photo_bytes, with_colour_faces
from tests.factories.records import FAMILY, IDENTITY_NUMBER, attach, make_case, make_report
from tests.factories.stories import Story, examiners, judged_case, run_jobs
from tests.factories.world import World
from tracing import (
    accounts,
    candidates,
    cases,
    contact,
    features,
    operations,
    photos,
    reports,
    review_quality,
    review_queue,
    review_requests,
    review_supervision,
)
from tracing.access import Viewer
from tracing.facts import Facts
from tracing.limits import LoginLimiter
from tracing.platform import audit
from tracing.platform.db import read_only, unit_of_work
from tracing.review_watch import assign_all
from tracing.services import Services

EXPECTED = {
    "account.list", "account.sign_in", "account.sign_in_failed", "account.sign_out", "audit.list", "audit.verify",
    "candidate.list", "candidate.view", "case.create", "case.list", "case.move", "case.submit", "case.view",
    "confirmation.confirm", "confirmation.recall", "contact.attempt", "contact.list", "contact.read",
    "contact.release", "face_model.adopt", "job.list", "match.pass", "outcome.record", "photo.add", "photo.analyse",
    "photo.choose_face", "photo.remove", "photo.view", "photo.view_record", "report.create", "report.list",
    "report.move", "report.view", "review.commit", "review.queue", "features.note",
    "features.view", "review.assign", "review.assignments", "review.expire", "review.quality", "review.reassign",
    "review.request", "review.request_withdraw", "review.requests", "duplicate.propose", "kin.verify",
}  # fmt: skip
PERSONAL = [
    "韦建国", "姐姐", "眉弓", "意见一致", "不符", "接回", "火车", "救助管理站", "a_caseworker",
    *(text for text in (FAMILY.name, FAMILY.telephone, FAMILY.address, FAMILY.note) if text), IDENTITY_NUMBER,
]  # fmt: skip


def play(plain: Services, world: World, now: datetime) -> None:
    """Every kind of event once."""
    services = with_colour_faces(plain)
    story = judged_case(services, world, CaseState.REUNIFIED, now=now)
    recalled = judged_case(services, world, CaseState.RECALLED, now=now)
    staff, caseworker = (world.viewer(world.a.users[role]) for role in (Role.STATION_STAFF, Role.CASEWORKER))
    reporter = world.viewer(world.b.users[Role.STATION_STAFF])
    limiter = LoginLimiter(services.settings.limits)

    def sign_in(password: str) -> accounts.Grant:
        return accounts.sign_in(
            services, limiter, username=world.a.users[Role.CASEWORKER].username, password=password,
            address="192.0.2.1", kind=TokenKind.ACCESS, now=now,
        )  # fmt: skip

    with pytest.raises(accounts.WrongPassword):
        sign_in("韦建国的密码")
    token = sign_in(world.password).access
    with unit_of_work(services.db) as session:
        accounts.revoke(session, token, now=now)
        report = make_report(session, services, reporter, identity_number=IDENTITY_NUMBER, now=now)
        photo = attach(
            session, services, reporter, GalleryKind.REPORT, report.id, make_photo_bytes(RED, GREEN), now=now
        )
    run_jobs(services, now)
    with unit_of_work(services.db) as session:
        face = photos.get_photo(session, reporter, photo.id, now=now).faces[0]
        photos.choose_face(session, services, reporter, photo.id, face.id, now=now)
        photos.open_photo(session, services, reporter, photo.id, now=now)
        photos.remove_photo(session, services, reporter, photo.id, now=now)
        reports.get_report(session, reporter, report.id, now=now)
        reports.list_reports(session, reporter, now=now)
        cases.list_cases(session, staff, now=now)
        cases.get_case(session, staff, story.case_id, now=now)
        candidates.list_candidates(session, staff, story.case_id, now=now)
        candidates.get_candidate(session, staff, story.candidate, now=now)
        review_queue.review_queue(session, services, examiners(world)[0], now=now)
        contact.read_family_contact(session, services, caseworker, story.case_id, now=now)
        contact.list_attempts(session, services, caseworker, story.case_id, now=now)
        administrator = world.viewer(world.a.users[Role.ADMINISTRATOR])
        accounts.list_users(session, administrator, now=now)
        operations.list_jobs(session, administrator, now=now)
        auditor = world.viewer(world.a.users[Role.AUDITOR])
        operations.list_events(session, auditor, operations.AuditFilter(), before=None, limit=5, now=now)
    _review(services, world, recalled, now)
    with unit_of_work(services.db) as session:
        assert operations.verify_audit(session, auditor, now=now).ok


def _review(services: Services, world: World, story: Story, now: datetime) -> None:
    """What goes on around the opinions, in a case that waits for them."""
    first = examiners(world)[0]
    supervisor = world.viewer(world.a.users[Role.POLICE_SUPERVISOR])
    with unit_of_work(services.db) as session:
        features.own_features(session, services, first, story.case_id, now=now)
        wanted = review_requests.ask_for(session, first, story.candidate, RequestKind.DNA, now=now)
        review_requests.list_requests(session, first, story.case_id, now=now)
        review_requests.withdraw_request(session, first, wanted.id, reason="已在办理", now=now)
    for days in (0, 4):
        assign_all(services, now + timedelta(days=days))
    with unit_of_work(services.db) as session:
        given = review_supervision.list_assignments(session, supervisor, story.case_id, now=now)
        review_supervision.reassign(
            session, services, supervisor, given.items[0].id, examiner_id=supervisor.user_id, reason="休假", now=now
        )
        review_quality.list_quality(session, services, supervisor, since=now, now=now)


def test_every_use_case_leaves_its_event_and_the_chain_holds(
    any_services: Services, world: World, now: datetime
) -> None:
    play(any_services, world, now)
    with read_only(any_services.db) as session:
        found = audit.verify(session)
        actions = set(session.scalars(select(AuditEvent.action)))
    assert found.ok
    assert found.events > 40
    assert EXPECTED - actions == set()
    assert actions - EXPECTED == set()  # a new action is added to the list above, and to the story


def test_no_machine_table_holds_anything_personal(any_services: Services, world: World, now: datetime) -> None:
    play(any_services, world, now)
    with unit_of_work(any_services.db) as session:  # a job that fails on a text of somebody's
        session.add(
            Job(
                kind="match", key="broken", payload={"kind": "case", "id": "韦建国"}, state=JobState.QUEUED,
                run_after=now, created_at=now,
            )
        )  # fmt: skip
    with pytest.raises(AssertionError, match="ValueError"):
        run_jobs(any_services, now)
    with unit_of_work(any_services.db) as session:
        broken = session.scalars(select(Job).where(Job.key == "broken")).one()
        broken.payload = {}
        assert broken.last_error == "ValueError"
    with read_only(any_services.db) as session:
        texts = [
            f"{event.action} {event.object_kind} {event.object_id} {event.detail}"
            for event in session.scalars(select(AuditEvent))
        ]
        texts += [f"{job.kind} {job.key} {job.payload} {job.last_error}" for job in session.scalars(select(Job))]
    everything = "\n".join(texts)
    assert len(texts) > 60
    for personal in PERSONAL:
        assert personal not in everything
    assert everything.isascii()


def test_a_use_case_that_fails_leaves_no_event_of_success(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    def create_and_fail() -> None:
        with unit_of_work(services.db) as session:
            case = make_case(session, services, staff, known=Facts(), submitted=False, now=now)
            cases.submit_case(session, services, staff, case.id, now=now)

    with read_only(services.db) as session:
        before = audit.verify(session).events
    with pytest.raises(cases.NothingKnown):
        create_and_fail()
    with read_only(services.db) as session:
        assert audit.verify(session).events == before
