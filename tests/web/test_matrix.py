"""Who may open and send what on the pages: every route, every role, records of the own province and of another."""

import uuid
from collections.abc import Callable, Mapping

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from matcher.vocabulary import GalleryKind
from models import Base
from models.case import Case, CaseState
from models.claim import ClaimMethod
from models.clue import Clue, ClueConfidence, ClueKind
from models.deadline import ClockKind, Deadline
from models.interview import InterviewMethod
from models.milestone import MilestoneKind
from models.notification import Notification, NotificationKind
from models.report import Report
from models.user import Role, User
from tests.factories.faces import RED, make_photo_bytes
from tests.factories.records import attach
from tests.factories.stories import Story, judged_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tests.web.test_security import page_routes
from tracing.claims import ClaimResult, record_claim
from tracing.clues import ClueText
from tracing.dossier import tick_paper
from tracing.interviews import Talk, add_audio, prepare_audio, record_interview
from tracing.milestones import record_milestone
from tracing.notifications import notify
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

ALL = frozenset(Role)
STAFF = frozenset({Role.STATION_STAFF})
POLICE = frozenset({Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR})
SUPERVISOR = frozenset({Role.POLICE_SUPERVISOR})
CASEWORKER = frozenset({Role.CASEWORKER})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
AUDITOR = frozenset({Role.AUDITOR})
CASE_READERS = STAFF | POLICE | CASEWORKER | {Role.BUREAU_SUPERVISOR}
REPORT_READERS = STAFF | POLICE | {Role.BUREAU_SUPERVISOR}
EXPORTERS = STAFF | SUPERVISOR | {Role.BUREAU_SUPERVISOR}
REPORT_WRITERS = STAFF | POLICE
STATION = STAFF | CASEWORKER
DOERS = STATION | POLICE
PAUSERS = STATION | {Role.BUREAU_SUPERVISOR}

MAY: Mapping[tuple[str, str], frozenset[Role]] = {
    ("GET", "/"): ALL,
    ("GET", "/login"): ALL,
    ("POST", "/login"): ALL,
    ("POST", "/locale"): ALL,
    ("POST", "/theme"): ALL,
    ("GET", "/design"): ALL,
    ("GET", "/divisions"): ALL,
    ("GET", "/organisations"): ALL,
    ("GET", "/organisations/new"): ADMINISTRATOR,
    ("POST", "/organisations/new"): ADMINISTRATOR,
    ("GET", "/users"): ADMINISTRATOR,
    ("GET", "/users/new"): ADMINISTRATOR,
    ("POST", "/users/new"): ADMINISTRATOR,
    ("GET", "/users/{user_id}"): ADMINISTRATOR,
    ("POST", "/users/{user_id}/role"): ADMINISTRATOR,
    ("POST", "/users/{user_id}/password"): ADMINISTRATOR,
    ("POST", "/users/{user_id}/close"): ADMINISTRATOR,
    ("POST", "/users/{user_id}/reopen"): ADMINISTRATOR,
    ("GET", "/jobs"): ADMINISTRATOR,
    ("POST", "/jobs/{job_id}/retry"): ADMINISTRATOR,
    ("GET", "/system"): ADMINISTRATOR,
    ("GET", "/audit"): AUDITOR,
    ("POST", "/audit/verify"): AUDITOR,
    ("GET", "/cases"): CASE_READERS,
    ("POST", "/cases"): CASE_READERS,
    ("POST", "/cases/export"): EXPORTERS,
    ("POST", "/cases/filters"): CASE_READERS,
    ("POST", "/cases/filters/{filter_id}/remove"): CASE_READERS,
    ("GET", "/cases/new"): STAFF,
    ("POST", "/cases/new"): STAFF,
    ("GET", "/cases/{case_id}"): CASE_READERS,
    ("GET", "/cases/{case_id}/changes"): CASE_READERS,
    ("GET", "/cases/{case_id}/progress"): CASE_READERS,
    ("GET", "/cases/{case_id}/edit"): STAFF,
    ("POST", "/cases/{case_id}/edit"): STAFF,
    ("POST", "/cases/{case_id}/submit"): STAFF,
    ("POST", "/cases/{case_id}/move"): STATION,
    ("POST", "/cases/{case_id}/photos"): STAFF,
    ("GET", "/photos/{photo_id}"): CASE_READERS,
    ("POST", "/cases/{case_id}/photos/{photo_id}/face"): STAFF,
    ("POST", "/cases/{case_id}/photos/{photo_id}/remove"): STAFF,
    ("GET", "/reports"): REPORT_READERS,
    ("POST", "/reports"): REPORT_READERS,
    ("POST", "/reports/export"): EXPORTERS,
    ("POST", "/reports/filters"): REPORT_READERS,
    ("POST", "/reports/filters/{filter_id}/remove"): REPORT_READERS,
    ("GET", "/reports/new"): REPORT_WRITERS,
    ("POST", "/reports/new"): REPORT_WRITERS,
    ("GET", "/reports/{report_id}"): REPORT_READERS,
    ("GET", "/reports/{report_id}/edit"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/edit"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/publish"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/withdraw"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/photos"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/photos/{photo_id}/face"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/photos/{photo_id}/remove"): REPORT_WRITERS,
    ("GET", "/review"): POLICE,
    ("GET", "/cases/{case_id}/features"): POLICE,
    ("POST", "/cases/{case_id}/features"): POLICE,
    ("POST", "/candidates/{candidate_id}/request"): POLICE,
    ("GET", "/candidates/{candidate_id}"): CASE_READERS,
    ("POST", "/candidates/{candidate_id}/opinion"): POLICE,
    ("POST", "/candidates/{candidate_id}/withdraw"): POLICE,
    ("GET", "/cases/{case_id}/confirmation"): POLICE,
    ("POST", "/cases/{case_id}/confirmation"): POLICE,
    ("GET", "/cases/{case_id}/release"): POLICE,
    ("POST", "/cases/{case_id}/release"): POLICE,
    ("GET", "/cases/{case_id}/recall"): SUPERVISOR,
    ("POST", "/cases/{case_id}/recall"): SUPERVISOR,
    ("GET", "/cases/{case_id}/contact"): CASEWORKER,
    ("POST", "/cases/{case_id}/attempts"): CASEWORKER,
    ("POST", "/cases/{case_id}/contact-plan"): CASEWORKER,
    ("POST", "/cases/{case_id}/kin"): CASEWORKER,
    ("GET", "/cases/{case_id}/screenings"): DOERS,
    ("POST", "/cases/{case_id}/screenings"): DOERS,
    ("GET", "/cases/{case_id}/claims"): CASE_READERS,
    ("POST", "/cases/{case_id}/claims"): POLICE,
    ("GET", "/cases/{case_id}/claims/{claim_id}"): POLICE,
    ("GET", "/cases/{case_id}/claims/{claim_id}/identity"): POLICE,
    ("POST", "/cases/{case_id}/claims/{claim_id}/withdraw"): POLICE,
    ("POST", "/cases/{case_id}/claims/{claim_id}/settle"): SUPERVISOR,
    ("POST", "/cases/{case_id}/exclusions"): POLICE,
    ("GET", "/cases/{case_id}/outcome"): STATION,
    ("POST", "/cases/{case_id}/outcome"): STATION,
    ("GET", "/cases/{case_id}/dossier"): CASE_READERS,
    ("POST", "/cases/{case_id}/dossier"): STATION,
    ("POST", "/cases/{case_id}/dossier/{entry_id}/withdraw"): STATION,
    ("GET", "/deadlines"): CASE_READERS,
    ("GET", "/cases/{case_id}/deadlines"): CASE_READERS,
    ("POST", "/cases/{case_id}/milestones"): DOERS,
    ("GET", "/cases/{case_id}/milestones/{milestone_id}"): DOERS,
    ("POST", "/cases/{case_id}/milestones/{milestone_id}/withdraw"): DOERS,
    ("GET", "/cases/{case_id}/deadlines/{deadline_id}"): CASE_READERS,
    ("POST", "/cases/{case_id}/deadlines/{deadline_id}/met"): DOERS,
    ("GET", "/cases/{case_id}/deadlines/{deadline_id}/pause"): PAUSERS,
    ("POST", "/cases/{case_id}/deadlines/{deadline_id}/pause"): PAUSERS,
    ("POST", "/cases/{case_id}/deadlines/{deadline_id}/resume"): PAUSERS,
    ("GET", "/cases/{case_id}/interviews"): CASE_READERS,
    ("POST", "/cases/{case_id}/interviews"): STATION,
    ("GET", "/audio/{audio_id}"): CASE_READERS,
    ("POST", "/cases/{case_id}/audio/{audio_id}/remove"): STATION,
    ("GET", "/cases/{case_id}/clues/{clue_id}"): STATION,
    ("POST", "/cases/{case_id}/clues/{clue_id}/correct"): STATION,
    ("GET", "/cases/{case_id}/clues/{clue_id}/withdraw"): STATION,
    ("POST", "/cases/{case_id}/clues/{clue_id}/withdraw"): STATION,
    ("GET", "/cases/{case_id}/interviews/{interview_id}/withdraw"): STATION,
    ("POST", "/cases/{case_id}/interviews/{interview_id}/withdraw"): STATION,
    ("GET", "/inbox"): ALL,
    ("POST", "/inbox/read"): ALL,
    ("GET", "/inbox/mail"): ALL,
    ("POST", "/inbox/mail"): ALL,
    ("GET", "/inbox/{notification_id}"): STAFF,
    ("POST", "/logout"): ALL,  # last: it ends the session of the walk below
}
"""What a role outside the set meets is a refusal, and the same is met by everybody where the record is another's."""


def test_every_page_route_is_in_the_table(app: FastAPI) -> None:
    routes = {(method, route.path) for route in page_routes() for method in route.methods or () if method != "HEAD"}
    assert routes == set(MAY)


def _stored(services: Services) -> dict[str, object]:
    """Rows of every table but the trail of the requests themselves, and the states that matter."""
    trail = {"audit_event", "audit_head", "token"}
    with read_only(services.db) as session:
        counts: dict[str, object] = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.tables.values()
            if table.name not in trail
        }
        states = list(session.execute(select(Case.id, Case.state, Case.version)).all())
        reports = list(session.execute(select(Report.id, Report.state, Report.version)).all())
        users = list(session.execute(select(User.id, User.active, User.role, User.password_hash)).all())
    return {**counts, "states": states, "report states": reports, "users": users}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("own", [True, False], ids=["own", "other"])
def test_the_table_holds(
    role: Role, own: bool, services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=utc_now())
    here, there = (world.a, world.b) if own else (world.b, world.a)
    values = {
        "case_id": story.case_id,
        "report_id": story.report_id,
        "candidate_id": story.candidate_id,
        "job_id": story.case_id,
        "filter_id": story.case_id,
        **_clocks(services, world, story),
    }
    photos = _photos(services, world, story)
    browser = browser_of(here.users[role])

    def answer(method: str, template: str, user_id: object) -> int:
        path = template.format(**values, user_id=user_id, photo_id=photos["report_id" in template])
        files = [("photos.front", ("p.jpg", make_photo_bytes(RED), "image/jpeg"))] if path.endswith("/photos") else None
        status = (browser.get(path) if method == "GET" else browser.send(path, {}, files=files)).status_code
        assert status < 500, (method, template)
        return status

    # The case is province a's, the report province b's; accounts are those of the viewer's province, then the other's.
    before = _stored(services)
    for (method, template), may in MAY.items():
        mine = "{" not in template or (("report_id" in template) != own)
        user_id = (there if role in may else here).users[Role.STATION_STAFF].id
        if role in may and mine and "user_id" not in template:
            continue
        refused = answer(method, template, user_id)
        # An empty form may be told that it is empty before it is told whose it is.
        assert refused in ((403, 404) if method == "GET" else (403, 404, 422)), (method, template, refused)
    assert _stored(services) == before
    for (method, template), may in MAY.items():
        mine = "{" not in template or "user_id" in template or (("report_id" in template) != own)
        if role in may and mine:
            allowed = answer(method, template, here.users[Role.CASEWORKER].id)
            assert allowed != 403, (method, template)
            assert method != "GET" or allowed in (200, 204, 303), (method, template)


def _clocks(services: Services, world: World, story: Story) -> dict[str, uuid.UUID]:
    """A milestone of the case, a deadline that runs, and an interview with a recording and a clue."""
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        milestone = record_milestone(
            session,
            services,
            staff,
            story.case_id,
            MilestoneKind.NOTICE_PUBLISHED,
            occurred_at=utc_now(),
            now=utc_now(),
        )
        settlement = select(Deadline.id).where(Deadline.case_id == story.case_id, Deadline.kind == ClockKind.SETTLEMENT)
        interview = record_interview(
            session, services, staff, story.case_id, Talk(utc_now(), InterviewMethod.TALK),
            [ClueText(ClueKind.FOOD, "沙茶面", ClueConfidence.SURE)], now=utc_now(),
        )  # fmt: skip
        flac = prepare_audio(b"fLaC\x00\x00\x00\x22" + bytes(64), services.settings)
        audio = add_audio(session, services, staff, interview.id, flac, now=utc_now())
        clue_id = session.scalars(select(Clue.id).where(Clue.case_id == story.case_id)).one()
        lead = ClaimResult(ClaimMethod.NAME, services.local_day(utc_now()), "王警官", name="李某")
        examiner = world.viewer(world.a.users[Role.POLICE_EXAMINER])
        claim = record_claim(session, services, examiner, story.case_id, lead, now=utc_now())
        entry = tick_paper(
            session, services, staff, story.case_id, "photos",
            done_on=services.local_day(utc_now()), reference=None, now=utc_now(),
        )  # fmt: skip
        notify(session, [staff.user_id], NotificationKind.REVIEW_WAITING, "case", story.case_id, now=utc_now())
        notified = {
            "notification_id": session.scalars(
                select(Notification.id).where(Notification.recipient_id == staff.user_id).limit(1)
            ).one()
        }
        heard = {
            **notified,
            "claim_id": claim.id,
            "entry_id": entry.id,
            "interview_id": interview.id,
            "audio_id": audio.id,
            "clue_id": clue_id,
        }
        return {**heard, "milestone_id": milestone.id, "deadline_id": session.scalars(settlement).one()}


def _photos(services: Services, world: World, story: Story) -> tuple[uuid.UUID, uuid.UUID]:
    """A photograph of the case, and one of the report."""
    report_id = story.report_id
    assert report_id is not None
    staff, police = world.a.users[Role.STATION_STAFF], world.b.users[Role.POLICE_EXAMINER]
    owners = ((staff, GalleryKind.CASE, story.case_id), (police, GalleryKind.REPORT, report_id))
    with unit_of_work(services.db) as session:
        first, second = (
            attach(session, services, world.viewer(user), kind, owner, make_photo_bytes(RED), now=utc_now()).id
            for user, kind, owner in owners
        )
    return first, second
