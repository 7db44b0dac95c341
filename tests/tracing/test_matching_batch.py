"""Matching the whole gallery: the same candidates as one by one, in one search a chunk, going on after a crash."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, event, select

from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateChange, MatchPass
from models.job import Job, JobState
from tests.factories.faces import DARK_RED, GREEN, RED, make_photo_bytes, with_colour_faces
from tests.factories.records import make_case, make_report
from tests.factories.stories import run_jobs
from tracing import matching_batch
from tracing.access import Viewer
from tracing.facts import Facts
from tracing.matching_batch import MATCH_ALL, Coverage, coverage, match_all_job, request_match_all
from tracing.platform import jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

Found = set[tuple[str, float | None]]


@pytest.fixture
def town(any_services: Services, staff: Viewer, reporter: Viewer, now: datetime) -> Services:
    """Seven reports and three cases, matched one by one."""
    services = with_colour_faces(any_services)
    for number in range(7):
        colour = (DARK_RED, GREEN)[number % 2]
        photo = make_photo_bytes((colour[0], colour[1] + number, colour[2]))
        with unit_of_work(services.db) as session:
            make_report(session, services, reporter, known=Facts(), photo=photo, now=now)
    for given in (make_photo_bytes(RED), make_photo_bytes(GREEN), None):
        with unit_of_work(services.db) as session:
            make_case(session, services, staff, photo=given, now=now)
    run_jobs(services, now)
    return services


def found_by(services: Services) -> Found:
    with read_only(services.db) as session:
        rows = session.scalars(select(Candidate).where(Candidate.listed)).all()
        return {(one.pair, None if one.log10_lr is None else round(one.log10_lr, 6)) for one in rows}


def forget(services: Services) -> None:
    """As if nothing had been matched."""
    with unit_of_work(services.db) as session:
        session.execute(delete(CandidateChange))
        session.execute(delete(Candidate))
        session.execute(delete(MatchPass))


def test_all_at_once_finds_what_one_by_one_finds(
    town: Services, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching_batch, "CHUNK", 3)
    one_by_one = found_by(town)
    assert len(one_by_one) > 5
    forget(town)
    searches = town.gallery.metrics.registry.get_sample_value("guitu_index_search_seconds_count") or 0
    with unit_of_work(town.db) as session:
        assert coverage(session, town, GalleryKind.REPORT) == Coverage(0, 7)
        for kind in GalleryKind:
            assert request_match_all(session, town, kind, now=now) is not None
            assert request_match_all(session, town, kind, now=now) is None
    run_jobs(town, utc_now() + timedelta(minutes=1))
    assert found_by(town) == one_by_one
    with read_only(town.db) as session:
        assert coverage(session, town, GalleryKind.REPORT) == Coverage(7, 7)
        assert coverage(session, town, GalleryKind.CASE) == Coverage(3, 3)
    after = town.gallery.metrics.registry.get_sample_value("guitu_index_search_seconds_count") or 0
    assert after - searches == 7, "three chunks of reports, twice for their duplicates, and one of cases: not seventeen"


def test_a_chunk_that_died_is_done_again_and_the_rest_follows(
    town: Services, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching_batch, "CHUNK", 3)
    forget(town)
    with unit_of_work(town.db) as session:
        request_match_all(session, town, GalleryKind.REPORT, now=now)
        job = session.scalars(select(Job).where(Job.kind == MATCH_ALL)).one()
        payload = dict(job.payload)
    claimed = jobs.ClaimedJob(uuid.uuid4(), MATCH_ALL, "x", payload, 1, utc_now(), token="t")

    def dies(_session: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        match_all_job(town, claimed, dies)
    with read_only(town.db) as session:
        assert coverage(session, town, GalleryKind.REPORT).matched == 0, "its effects went with it"
    run_jobs(town, utc_now() + timedelta(minutes=1))
    with read_only(town.db) as session:
        assert coverage(session, town, GalleryKind.REPORT) == Coverage(7, 7)
        states = set(session.scalars(select(Job.state).where(Job.kind == MATCH_ALL)))
        assert states == {JobState.DONE}


def test_a_chunk_locks_all_its_cases_before_the_first_pass(town: Services, now: datetime) -> None:
    """In the order of their ids, as a confirmation locks case before candidates: they wait, and do not deadlock."""
    forget(town)
    with unit_of_work(town.db) as session:
        request_match_all(session, town, GalleryKind.CASE, now=now)
    written: list[str] = []

    def hear(conn: object, cursor: object, statement: str, *rest: object) -> None:
        written.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        run_jobs(town, utc_now())
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    first_pass = next(at for at, one in enumerate(written) if one.startswith("INSERT INTO match_pass"))
    held = [one for one in written[:first_pass] if "FROM case_file" in one and "ORDER BY case_file.id" in one]
    assert any("WHERE case_file.id IN" in one for one in held)
