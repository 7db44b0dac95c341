"""Every route of the API × every role × own or other province, against the table in `matrix`."""

import shutil
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from matcher.vocabulary import GalleryKind
from models.case import Case, CaseState
from models.claim import ClaimMethod
from models.clue import Clue, ClueConfidence, ClueKind
from models.deadline import ClockKind, Deadline
from models.exclusion import ExclusionEvidence
from models.interview import InterviewMethod
from models.job import Job, JobState
from models.kin import KinVerification
from models.milestone import MilestoneKind
from models.notification import Notification, NotificationKind
from models.outcome import Outcome
from models.referral import ReferralKind
from models.review_protocol import RequestKind
from models.tip import Tip
from models.user import Role
from tests.api.conftest import Headers, give_token
from tests.api.matrix import PUBLIC, ROWS, Row
from tests.factories.faces import GREEN, make_photo_bytes
from tests.factories.network import network_records
from tests.factories.notices import draft_of, propose, publish, token_of
from tests.factories.records import attach, make_case, make_report
from tests.factories.stories import Story, describe, judged_case, two_reviews
from tests.factories.webhooks import stored_webhook
from tests.factories.world import World
from tracing.claims import ClaimResult, record_claim
from tracing.clues import ClueText
from tracing.dossier import tick_paper
from tracing.duplicates import link_records, withdraw_decision
from tracing.exclusions import exclude
from tracing.home_notices import send_transfer
from tracing.interviews import Talk, add_audio, prepare_audio, record_interview
from tracing.milestones import record_milestone
from tracing.notifications import notify
from tracing.platform.db import read_only, unit_of_work
from tracing.referrals import ReferralText, create_referral, send_referral
from tracing.review_queue import take_case
from tracing.review_requests import ask_for
from tracing.services import Services
from tracing.tips import TipText, prepare_tip_photo, receive_tip

STAGES = {
    "draft": CaseState.DRAFT,
    "in_review": CaseState.IN_REVIEW,
    "reviewed": CaseState.IN_REVIEW,
    "identified": CaseState.IDENTIFIED,
    "released": CaseState.CONTACT_RELEASED,
    "excluded": CaseState.IN_REVIEW,
    "ended": CaseState.REUNIFIED,
}
FLAC = b"fLaC\x00\x00\x00\x22" + bytes(64)
NOBODY = uuid.UUID(int=0)


@dataclass
class Stage:
    """Province a's records at one stage, with a copy of the database to return to after each change."""

    client: TestClient
    services: Services
    ids: dict[str, str]
    tokens: dict[tuple[Role, bool], Headers]
    copy: Path

    def keep(self) -> None:
        """Copy the database."""
        self._close()
        shutil.copyfile(self._file, self.copy)

    def restore(self) -> None:
        """Bring the copy back."""
        self._close()
        shutil.copyfile(self.copy, self._file)

    def send(self, row: Row, headers: Headers) -> Response:
        """The row's request."""
        path = row.path.format(**self.ids)
        parts: dict[str, Any] = {}
        if row.body is not None:
            parts["json"] = {
                name: value.format(**self.ids) if isinstance(value, str) else value for name, value in row.body.items()
            }
        if row.photo:
            parts["files"] = {"photo": ("photo.jpg", make_photo_bytes(GREEN), "image/jpeg")}
        if row.audio:
            parts["files"] = {"audio": ("talk.flac", FLAC, "audio/flac")}
        if path.endswith("/divisions"):
            parts["params"] = {"q": "qinzhou"}
        if path.endswith("/receivers"):
            parts["params"] = {"kind": "medical"}
        if "/statistics" in path:
            parts["params"] = {"from": "2026-01-01", "to": "2026-12-31"}
        if row.query is not None:
            parts["params"] = row.query
        response: Response = self.client.request(row.method, path, headers={**headers, **row.headers}, **parts)
        return response

    @property
    def _file(self) -> Path:
        return self.services.settings.data_dir / "guitu.sqlite3"

    def _close(self) -> None:
        # The last connection that is closed folds the write-ahead log into the file.
        self.services.db.dispose()
        application: Any = self.client.app
        application.state.services.db.dispose()
        for ending in ("-wal", "-shm"):
            self._file.with_name(self._file.name + ending).unlink(missing_ok=True)


def around(
    session: Session, services: Services, world: World, case_id: uuid.UUID, now: datetime
) -> dict[str, uuid.UUID]:
    """A referral that was sent, an earlier case, and the pair of the two cases as a possible duplicate."""
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    to_unit = ReferralText(ReferralKind.LOW_INCOME, world.a.receiving.id, "肾衰竭，返乡后无收入")
    sent = create_referral(session, services, staff, case_id, to_unit, now=now)
    send_referral(session, services, staff, sent.id, now=now)
    earlier = make_case(session, services, staff, now=now - timedelta(days=90))
    pair = link_records(session, services, staff, GalleryKind.CASE, case_id, earlier.id, reason="同一疤痕", now=now)
    withdraw_decision(session, staff, pair.id, reason="再看", now=now)
    return {
        "referral_id": sent.id, "earlier_case_id": earlier.id, "pair_id": pair.id,
    }  # fmt: skip


@pytest.fixture(params=list(STAGES))
def stage(
    request: pytest.FixtureRequest,
    client: TestClient,
    services: Services,
    world: World,
    now: datetime,
    tmp_path: Path,
) -> tuple[str, Stage]:
    """The records of province a at a stage, and a token a user."""
    name: str = request.param
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    story = judged_case(services, world, STAGES[name], now=now)
    if name == "reviewed":
        two_reviews(services, world, story.candidate, now=now)
    with unit_of_work(services.db) as session:
        report = make_report(session, services, staff, published=False, now=now)
        photo = attach(session, services, staff, GalleryKind.CASE, story.case_id, now=now)
        milestone = record_milestone(
            session, services, staff, story.case_id, MilestoneKind.NOTICE_PUBLISHED, occurred_at=now, now=now
        )
        interview = record_interview(
            session, services, staff, story.case_id, Talk(now, InterviewMethod.TALK),
            [ClueText(ClueKind.NAME, "阿珍", ClueConfidence.LIKELY)], now=now,
        )  # fmt: skip
        audio = add_audio(
            session, services, staff, interview.id, prepare_audio(FLAC + b"1", services.settings), now=now
        )
        clue_id = session.scalars(select(Clue.id).where(Clue.case_id == story.case_id)).one()
        running = select(Deadline.id).where(Deadline.case_id == story.case_id, Deadline.kind == ClockKind.SETTLEMENT)
        deadline_id = session.scalars(running).one()
        claim_id = NOBODY
        if STAGES[name] is not CaseState.DRAFT:
            lead = ClaimResult(ClaimMethod.NAME, services.local_day(now), "王警官", name="李某")
            examiner = world.viewer(world.a.users[Role.POLICE_EXAMINER])
            claim_id = record_claim(session, services, examiner, story.case_id, lead, now=now).id
        papers = _papers(session, services, world, story, name, now)
        referred = {"referral_id": NOBODY, "earlier_case_id": NOBODY, "pair_id": NOBODY}
        if STAGES[name] is not CaseState.DRAFT:
            referred = around(session, services, world, story.case_id, now)
        street = network_records(session, services, world, story.case_id, now=now)
        job = Job(
            id=uuid.uuid4(), kind="none", key="none", payload={}, state=JobState.SET_ASIDE, attempts=5,
            run_after=now, created_at=now,
        )  # fmt: skip
        session.add(job)
        assignment_id, request_id = NOBODY, NOBODY
        if name == "in_review" and story.candidate_id:
            first, second = (world.viewer(one) for one in world.a.examiners)
            for viewer in (first, second, world.viewer(world.a.users[Role.POLICE_SUPERVISOR])):
                describe(session, services, viewer, story.case_id, now=now)
            assignment_id = take_case(session, services, second, story.case_id, now=now).id
            request_id = ask_for(session, first, story.candidate_id, RequestKind.DNA, now=now).id
        notify(session, [staff.user_id], NotificationKind.REVIEW_WAITING, "case", story.case_id, now=now)
        notification_id = session.scalars(
            select(Notification.id).where(Notification.recipient_id == staff.user_id).limit(1)
        ).one()
        webhook_id = stored_webhook(session, services, world.a, now=now)
    public = {"version_id": NOBODY, "tip_id": NOBODY}
    if STAGES[name] is CaseState.IN_REVIEW:
        public = _public(services, world, story, photo.id, now)
    made = Stage(
        client=client,
        services=services,
        ids={
            "case_id": str(story.case_id),
            "report_id": str(report.id),
            "photo_id": str(photo.id),
            "candidate_id": str(story.candidate_id or NOBODY),
            "milestone_id": str(milestone.id),
            "interview_id": str(interview.id),
            "audio_id": str(audio.id),
            "clue_id": str(clue_id),
            "claim_id": str(claim_id),
            **papers,
            "assignment_id": str(assignment_id),
            "request_id": str(request_id),
            "deadline_id": str(deadline_id),
            **{key: str(value) for key, value in referred.items()},
            "health_id": str(world.a.health.id),
            **dict.fromkeys(("visit_id", "end_id", "link_id"), str(NOBODY)),
            "organisation_id": str(world.a.station.id),
            "user_id": str(world.a.sister_staff.id),
            "job_id": str(job.id),
            "figure": "people_helped",
            **{key: str(value) for key, value in public.items()},
            "notification_id": str(notification_id),
            "webhook_id": str(webhook_id),
            **street,
        },
        tokens={
            (role, own): give_token(services, (world.a if own else world.b).users[role])
            for role in Role
            for own in (True, False)
        },
        copy=tmp_path / "copy.sqlite3",
    )
    made.keep()
    return name, made


def _papers(
    session: Session, services: Services, world: World, story: Story, name: str, now: datetime
) -> dict[str, str]:
    """An exclusion; or the papers of an ended case, and a notice to a station outside the service."""
    ids = dict.fromkeys(("exclusion_id", "verification_id", "outcome_id", "entry_id", "notice_id"), str(NOBODY))
    if name == "excluded":
        examiner = world.viewer(world.a.users[Role.POLICE_EXAMINER])
        row = exclude(
            session, examiner, story.candidate, ExclusionEvidence.DNA, reference="D-1", reason="DNA", now=now
        )  # fmt: skip
        ids["exclusion_id"] = str(row.id)
    if name == "ended":
        caseworker = world.viewer(world.a.users[Role.CASEWORKER])
        outcome_id = session.scalars(select(Outcome.id).where(Outcome.case_id == story.case_id)).one()
        entry = tick_paper(
            session, services, caseworker, story.case_id, "photos",
            done_on=services.local_day(now), reference=None, now=now,
        )  # fmt: skip
        notice = send_transfer(
            session, caseworker, session.get_one(Case, story.case_id), outcome_id, organisation=None,
            receiver="厦门市救助管理站", document_number="1", sent_on=services.local_day(now), now=now,
        )  # fmt: skip
        ids |= {"outcome_id": str(outcome_id), "entry_id": str(entry.id), "notice_id": str(notice.id)}
        ids["verification_id"] = str(session.scalars(select(KinVerification.id)).one())
    return ids


def _public(services: Services, world: World, story: Story, photo_id: uuid.UUID, now: datetime) -> dict[str, uuid.UUID]:
    """A public notice, a tip with a photograph on it, and a second version that waits."""
    publish(services, world, story.case_id, draft_of(photo_id=photo_id), now=now)
    given, picture = TipText("像小董镇的人"), prepare_tip_photo(make_photo_bytes(GREEN), services.settings)
    with unit_of_work(services.db) as session:
        receive_tip(session, services, token_of(services, story.case_id), given, picture, now=now)
    version = propose(services, world, story.case_id, draft_of(photo_id=photo_id), now=now)
    with read_only(services.db) as session:
        return {"version_id": version.id, "tip_id": session.scalars(select(Tip.id)).one()}


def test_every_row_for_every_role(stage: tuple[str, Stage]) -> None:
    name, made = stage
    wrong: list[str] = []
    for row in ROWS:
        if row.stage != name:
            continue
        anonymous = made.send(row, {})
        if anonymous.status_code != 401:
            wrong.append(f"{row.method} {row.path} anonymous: {anonymous.status_code}, not 401")
        for (role, own), headers in made.tokens.items():
            response = made.send(row, headers)
            expected = row.expected(role, own=own)
            if response.status_code != expected:
                wrong.append(
                    f"{row.method} {row.path} {role} {'own' if own else 'other'}: {response.status_code},"
                    f" not {expected}: {response.text[:200]}"
                )
            if response.status_code < 300 and row.method != "GET":
                made.restore()
    assert not wrong, "\n".join(wrong)


def test_public_routes_answer_everybody(client: TestClient) -> None:
    for (method, path), expected in PUBLIC.items():
        assert client.request(method, path).status_code == expected, path


def test_the_table_has_every_route(client: TestClient) -> None:
    application: Any = client.app
    present = {
        (method, context.path)
        for context in iter_route_contexts(application.routes)
        if context.path and (context.path.startswith("/api/") or ("GET", context.path) in PUBLIC)
        for method in (context.methods or set()) - {"HEAD"}
    }
    assert present == {(row.method, row.path) for row in ROWS} | set(PUBLIC)
