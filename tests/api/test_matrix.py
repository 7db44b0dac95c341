"""Every route of the API × every role × own or other province, against the table in `matrix`."""

import shutil
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from httpx2 import Response
from sqlalchemy import select
from starlette.testclient import TestClient

from matcher.vocabulary import GalleryKind
from models.case import CaseState
from models.claim import ClaimMethod
from models.clue import Clue, ClueConfidence, ClueKind
from models.deadline import ClockKind, Deadline
from models.interview import InterviewMethod
from models.job import Job, JobState
from models.milestone import MilestoneKind
from models.review_protocol import RequestKind
from models.user import Role
from tests.api.conftest import Headers, give_token
from tests.api.matrix import PUBLIC, ROWS, Row
from tests.factories.faces import GREEN, make_photo_bytes
from tests.factories.records import attach, make_report
from tests.factories.stories import describe, judged_case, two_reviews
from tests.factories.world import World
from tracing.claims import ClaimResult, record_claim
from tracing.clues import ClueText
from tracing.interviews import Talk, add_audio, prepare_audio, record_interview
from tracing.milestones import record_milestone
from tracing.platform.db import unit_of_work
from tracing.review_queue import take_case
from tracing.review_requests import ask_for
from tracing.services import Services

STAGES = {
    "draft": CaseState.DRAFT,
    "in_review": CaseState.IN_REVIEW,
    "reviewed": CaseState.IN_REVIEW,
    "identified": CaseState.IDENTIFIED,
    "released": CaseState.CONTACT_RELEASED,
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
            "assignment_id": str(assignment_id),
            "request_id": str(request_id),
            "deadline_id": str(deadline_id),
            "organisation_id": str(world.a.station.id),
            "user_id": str(world.a.sister_staff.id),
            "job_id": str(job.id),
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
