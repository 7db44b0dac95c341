"""Every way in which a face leaves the gallery for good is reported when no index and no snapshot holds it any more."""

from datetime import datetime, timedelta

from sqlalchemy import select

from models.audit import AuditEvent
from models.case import CaseState
from models.job import Job
from tests.factories.faces import RED, make_photo_bytes, with_colour_faces
from tests.factories.records import make_case, make_report
from tests.factories.stories import run_jobs
from tracing.access import Viewer
from tracing.cases import move_case
from tracing.gallery_erasure import ERASE, pending_erasure
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.reports import publish_report, withdraw_report
from tracing.services import Services

LATER = timedelta(days=400)


def reported(services: Services) -> list[tuple[str, str | None]]:
    with read_only(services.db) as session:
        rows = session.execute(
            select(AuditEvent.action, AuditEvent.object_id)
            .where(AuditEvent.action.endswith("erased_from_index"))
            .order_by(AuditEvent.seq)
        )
        return [(row.action, row.object_id) for row in rows]


def asked_for(services: Services) -> int:
    with read_only(services.db) as session:
        return len(session.scalars(select(Job.id).where(Job.kind == ERASE)).all())


def long_ago(services: Services) -> None:
    """As if it had been asked for half an hour before: the time in which leavings are gathered."""
    with unit_of_work(services.db) as session:
        for job in session.scalars(select(Job).where(Job.kind == ERASE)):
            job.payload = job.payload | {"requested": 0}


def test_a_report_withdrawn_is_reported(colour: Services, reporter: Viewer, now: datetime) -> None:
    with unit_of_work(colour.db) as session:
        report = make_report(session, colour, reporter, photo=make_photo_bytes(RED), now=now)
    run_jobs(colour, now)
    with unit_of_work(colour.db) as session:
        withdraw_report(session, colour, reporter, report.id, now=utc_now())
    run_jobs(colour, utc_now())
    assert reported(colour) == [], "leavings are gathered until the next snapshot"
    with read_only(colour.db) as session:
        assert pending_erasure(session, colour.settings.index, utc_now()) is None
        assert pending_erasure(session, colour.settings.index) is not None
    long_ago(colour)
    run_jobs(colour, utc_now() + LATER)
    assert reported(colour) == [("report.erased_from_index", str(report.id))]


def test_a_case_closed_is_reported(services: Services, staff: Viewer, caseworker: Viewer, now: datetime) -> None:
    colour = with_colour_faces(services)
    with unit_of_work(colour.db) as session:
        case = make_case(session, colour, staff, photo=make_photo_bytes(RED), now=now)
        bare = make_case(session, colour, staff, now=now)
    run_jobs(colour, now)
    with unit_of_work(colour.db) as session:
        for one in (case, bare):
            move_case(session, colour, caseworker, one.id, CaseState.LEFT, reason="left", now=now)
        assert asked_for(colour) == 0, "whoever left is still searched for"
        for one in (case, bare):
            move_case(session, colour, caseworker, one.id, CaseState.CLOSED, reason="closed", now=now)
    assert asked_for(colour) == 1, "one without a face has nothing to erase"
    run_jobs(colour, utc_now())
    assert reported(colour) == [("case.erased_from_index", str(case.id))]


def test_one_that_came_back_is_not_said_to_be_gone(services: Services, reporter: Viewer, now: datetime) -> None:
    colour = with_colour_faces(services)
    with unit_of_work(colour.db) as session:
        report = make_report(session, colour, reporter, photo=make_photo_bytes(RED), now=now)
    run_jobs(colour, now)
    with unit_of_work(colour.db) as session:
        withdraw_report(session, colour, reporter, report.id, now=now)
    with unit_of_work(colour.db) as session:
        publish_report(session, colour, reporter, report.id, now=now)
    run_jobs(colour, utc_now())
    assert (asked_for(colour), reported(colour)) == (1, [])
    with read_only(colour.db) as session:
        assert pending_erasure(session, colour.settings.index) is None
