"""Two versions of the colour engine: what an operator does with them, and what is seen afterwards."""

import uuid
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from models.audit import AuditEvent
from models.candidate import Candidate
from models.case import Case
from models.photo import AnalysisState, Photo, PhotoAnalysis
from models.report import Report
from tests.factories.faces import (
    ColourFaceEngine,
    OtherColourFaceEngine,
    make_photo_bytes,
)
from tests.factories.records import make_case, make_report
from tests.factories.stories import run_jobs
from tracing.access import Viewer
from tracing.face_models import (
    begin,
    switch,
    version_in_force,
)
from tracing.facts import Facts
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.reembedding import request_reembedding
from tracing.services import Services

NOTHING = Facts()
OLD, NEW = ColourFaceEngine.model_version, OtherColourFaceEngine.model_version
SHADES = [(160 + 2 * step, 30, 30) for step in range(40)]
READY = AnalysisState.READY


def admit(services: Services, viewer: Viewer, now: datetime, *colours: tuple[int, int, int]) -> uuid.UUID:
    """A case with a photograph of these panels; its id."""
    with unit_of_work(services.db) as session:
        return make_case(session, services, viewer, known=NOTHING, photo=make_photo_bytes(*colours), now=now).id


def report(services: Services, viewer: Viewer, now: datetime, *colours: tuple[int, int, int]) -> uuid.UUID:
    """A report with a photograph of these panels; its id."""
    with unit_of_work(services.db) as session:
        return make_report(session, services, viewer, known=NOTHING, photo=make_photo_bytes(*colours), now=now).id


def build(services: Services, name: str, now: datetime) -> int:
    """Begin the version and ask for its chunks; how many were asked for."""
    with unit_of_work(services.db) as session:
        version = begin(session, services, name, now=now).model_version
    return request_reembedding(services, version, now=now)


def change(services: Services, name: str, now: datetime) -> None:
    """The whole way to another version, as the command goes it."""
    build(services, name, now)
    run_jobs(services, now)
    put_in_force(services, name, now)
    settle(services)


def settle(services: Services) -> None:
    """Run every job, and those that they ask for (which are due now, not at the moment of the test)."""
    run_jobs(services, utc_now() + timedelta(minutes=5))


def put_in_force(services: Services, name: str, now: datetime) -> None:
    """The switch alone."""
    with unit_of_work(services.db) as session:
        switch(session, services, name, now=now)


def current(services: Services) -> str:
    """The version in force."""
    with read_only(services.db) as session:
        return version_in_force(session, services)


def photo_of(services: Services, owner_id: uuid.UUID) -> Photo:
    """The owner's one photograph with its faces."""
    with read_only(services.db) as session:
        owner = session.get(Case, owner_id) or session.get_one(Report, owner_id)
        return session.scalars(
            select(Photo).where(Photo.profile_id == owner.profile_id).options(selectinload(Photo.faces))
        ).one()


def analyses(services: Services, photo_id: uuid.UUID) -> dict[str, AnalysisState]:
    """What each version made of the photograph."""
    with read_only(services.db) as session:
        rows = session.scalars(select(PhotoAnalysis).where(PhotoAnalysis.photo_id == photo_id)).all()
    return {row.model_version: row.state for row in rows}


def face_candidates(services: Services) -> list[Candidate]:
    """Candidates whose faces were compared."""
    with read_only(services.db) as session:
        return list(session.scalars(select(Candidate).where(Candidate.face_similarity.is_not(None))))


def analysed_times(services: Services) -> Counter[tuple[str | None, str]]:
    """How often each photograph was stored under each version, by the audit log."""
    with read_only(services.db) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "photo.analyse")).all()
    return Counter((event.object_id, str(event.detail["model"])) for event in events)
