"""Re-embedding: asked for once, resumed where it was cut short, nothing left behind."""

import uuid
from collections import Counter
from datetime import datetime, timedelta
from threading import Thread

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select
from structlog.testing import capture_logs

from matcher.faces.engine import DetectedFace
from matcher.vocabulary import GalleryKind
from models.job import Job, JobState
from tests.factories.face_models import (
    NEW,
    NOTHING,
    OLD,
    READY,
    SHADES,
    admit,
    analysed_times,
    analyses,
    build,
    current,
    photo_of,
    put_in_force,
    settle,
)
from tests.factories.faces import (
    GREEN,
    GREY,
    RED,
    YELLOW,
    ColourFaceEngine,
    OtherColourFaceEngine,
    make_photo_bytes,
    with_engines,
)
from tests.factories.records import attach, make_case
from tests.factories.stories import run_jobs
from tracing import reembedding
from tracing.access import Viewer
from tracing.face_models import (
    FaceModelIncomplete,
    progress,
)
from tracing.photos import remove_photo
from tracing.platform import jobs
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.worker import run_one
from tracing.reembedding import CHUNK, PhotosNotAnalysed, reembed_job, work
from tracing.services import Services
from tracing.tasks import REGISTRY


def test_asking_twice_is_asking_once_and_jobs_hold_identifiers_alone(
    both: Services, staff: Viewer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reembedding, "CHUNK", 2)
    for step, shade in enumerate(SHADES[:5]):
        admit(both, staff, now + timedelta(seconds=step), shade)
    now += timedelta(minutes=1)
    run_jobs(both, now)
    assert (build(both, NEW, now), build(both, NEW, now)) == (3, 0)
    with read_only(both.db) as session:
        waiting = session.scalars(select(Job).where(Job.kind == reembedding.REEMBED)).all()
        assert work(session, NEW, now=now) == reembedding.Work(open=3, running=0, set_aside=0)
    for job in waiting:
        assert set(job.payload) == {"model_version", "first", "last"}
        assert [uuid.UUID(job.payload[bound]) for bound in ("first", "last")]
    admit(both, staff, now, GREEN)
    assert build(both, NEW, now) == 0  # it fills up the last chunk, and has a job of its own
    run_jobs(both, now)
    with read_only(both.db) as session:
        assert progress(session, NEW).missing == 0
    assert set(analysed_times(both).values()) == {1}
    assert build(both, NEW, now) == 0


def test_a_worker_that_dies_in_a_chunk_costs_nothing_but_its_lease(
    both: Services, staff: Viewer, now: datetime
) -> None:
    for shade in SHADES[:4]:
        admit(both, staff, now, shade)
    run_jobs(both, now)
    build(both, NEW, now)
    with unit_of_work(both.db) as session:
        claimed = jobs.claim(session, worker="dies", now=now, lease_seconds=60, max_attempts=5)
    assert claimed is not None

    class Killed(BaseException):
        """What no task survives."""

    class Dying(OtherColourFaceEngine):
        seen = 0

        def detect(self, pixels: NDArray[np.uint8]) -> list[DetectedFace]:
            """Two photographs, then the end."""
            self.seen += 1
            if self.seen > 2:
                raise Killed
            return super().detect(pixels)

    with pytest.raises(Killed):
        reembed_job(with_engines(both, ColourFaceEngine(), Dying()), claimed, lambda _session: None)
    with read_only(both.db) as session:
        assert progress(session, NEW).done == 2
        assert work(session, NEW, now=now).running == 1
    assert not run_one(both.db, both.settings, REGISTRY, both, "waits", lambda: now)
    later = now + timedelta(seconds=61)
    assert run_jobs(both, later) == 1
    with read_only(both.db) as session:
        assert progress(session, NEW).missing == 0
    assert set(analysed_times(both).values()) == {1}
    # The dead worker's token is worth nothing any more.
    with pytest.raises(jobs.LeaseLost), unit_of_work(both.db) as session:
        jobs.finish(session, claimed, later)


def test_a_photograph_that_cannot_be_read_stops_neither_the_others_nor_goes_unsaid(
    both: Services, staff: Viewer, now: datetime
) -> None:
    owners = [admit(both, staff, now, shade) for shade in SHADES[:3]]
    run_jobs(both, now)
    lost = photo_of(both, owners[1]).id
    both.store.delete(str(lost))
    build(both, NEW, now)
    with unit_of_work(both.db) as session:
        claimed = jobs.claim(session, worker="w", now=now, lease_seconds=60, max_attempts=1)
    assert claimed is not None
    with capture_logs() as logs, pytest.raises(PhotosNotAnalysed):
        reembed_job(both, claimed, lambda _session: None)
    assert [entry["photo_id"] for entry in logs if entry["event"] == "photo_not_analysed"] == [str(lost)]
    with unit_of_work(both.db) as session:
        settings = both.settings.jobs.model_copy(update={"max_attempts": 1})
        jobs.fail(session, claimed, "PhotosNotAnalysed", now, settings)
        assert (progress(session, NEW).missing, work(session, NEW, now=now).set_aside) == (1, 1)
    with pytest.raises(FaceModelIncomplete) as refused:
        put_in_force(both, NEW, now)
    assert refused.value.params["examples"] == str(lost)
    assert current(both) == OLD
    with unit_of_work(both.db) as session:
        remove_photo(session, both, staff, lost, now=now)
    put_in_force(both, NEW, now)
    assert current(both) == NEW


def test_a_worker_without_the_new_engine_leaves_the_work_to_one_that_has_it(
    both: Services, staff: Viewer, now: datetime
) -> None:
    admit(both, staff, now, RED)
    run_jobs(both, now)
    build(both, NEW, now)
    without = with_engines(both, ColourFaceEngine())
    assert run_one(without.db, without.settings, REGISTRY, without, "old", lambda: now)
    with read_only(both.db) as session:
        job = session.scalars(select(Job).where(Job.kind == reembedding.REEMBED)).one()
    assert (job.state, job.attempts, job.last_error) == (JobState.QUEUED, 0, None)
    run_jobs(both, now + timedelta(minutes=2))
    with read_only(both.db) as session:
        assert progress(session, NEW).missing == 0


def test_a_photograph_taken_out_before_its_analysis_is_analysed_when_it_comes_back(
    both: Services, staff: Viewer, now: datetime
) -> None:
    case_id = admit(both, staff, now, RED)
    photo_id = photo_of(both, case_id).id
    build(both, NEW, now)
    with unit_of_work(both.db) as session:
        remove_photo(session, both, staff, photo_id, now=now)
    run_jobs(both, now)
    assert analyses(both, photo_id) == {}
    with unit_of_work(both.db) as session:
        attach(session, both, staff, GalleryKind.CASE, case_id, make_photo_bytes(RED), now=now)
    run_jobs(both, now)
    assert analyses(both, photo_id) == {OLD: READY, NEW: READY}


@pytest.mark.postgres
def test_an_upload_that_is_half_way_is_not_left_behind(
    postgres_services: Services, staff: Viewer, now: datetime
) -> None:
    """The transaction of an upload began before the other version did: building it waits for the upload's end."""
    services = with_engines(postgres_services, ColourFaceEngine(), OtherColourFaceEngine())
    admit(services, staff, now, RED)
    run_jobs(services, now)
    asked: list[int] = []
    building = Thread(target=lambda: asked.append(build(services, NEW, now)))
    with unit_of_work(services.db) as session:
        make_case(session, services, staff, known=NOTHING, photo=make_photo_bytes(GREEN), now=now)
        building.start()
        building.join(0.5)
    building.join(30)
    assert asked == [1]
    run_jobs(services, now)
    with read_only(services.db) as session:
        assert progress(session, NEW) == progress(session, OLD)
        assert progress(session, NEW).total == 2
    put_in_force(services, NEW, now)


def test_chunks_cover_every_photograph_once(services: Services, staff: Viewer, now: datetime) -> None:
    both = with_engines(services, ColourFaceEngine(), OtherColourFaceEngine())
    for shade in [*SHADES, YELLOW, GREY][: CHUNK + 2]:
        admit(both, staff, now + timedelta(seconds=shade[0]), shade)
    settle(both)
    assert build(both, NEW, now) == 2
    settle(both)
    assert Counter(version for _, version in analysed_times(both)) == {OLD: CHUNK + 2, NEW: CHUNK + 2}
    assert set(analysed_times(both).values()) == {1}
