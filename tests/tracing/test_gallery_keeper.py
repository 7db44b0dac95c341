"""The keeper and erasure: what is reported, written, trimmed and made anew while nobody asks."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

import pytest
from sqlalchemy import select

from matcher.index.choice import SORTS, Approximation
from matcher.index.exact import FaissExactIndex
from models.audit import AuditEvent
from models.index_replica import IndexReplica
from models.job import Job, JobState
from tests.factories.faces import RED, make_photo_bytes, with_colour_faces
from tests.factories.gallery import AT, VERSION
from tests.factories.gallery_town import QUICK, Town, synthetic, town_on
from tests.factories.records import make_case
from tests.factories.stories import run_jobs
from tracing.access import Viewer
from tracing.gallery_erasure import behind, pending_erasure
from tracing.gallery_log import waiting
from tracing.photos import list_photos, remove_photo
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.services import FaceEngines, Services, build_services


@pytest.fixture
def town(any_services: Services) -> Iterator[Town]:
    """On both databases."""
    with town_on(any_services) as made:
        yield made


def test_an_erasure_is_reported_when_snapshots_and_replicas_are_past_it(town: Town) -> None:
    people = [town.add(number) for number in range(3)]
    other = town.another_process()
    keepers = [town.keeper(), town.keeper(other)]
    for services in (town.services, other):
        town.replica(services)
    keepers[0].tick()
    keepers[1].tick()
    marks = [file.mark for file in town.services.gallery.store.files(VERSION)]
    assert len(marks) == 1
    town.remove(people[0])
    run_jobs(town.services, utc_now())
    with read_only(town.services.db) as session:
        assert pending_erasure(session, QUICK) is not None, "the other process has not followed yet"
        assert events(session) == []
        number = pending_erasure(session, QUICK)
        assert number is not None
        assert len(behind(session, number, utc_now(), 60)) == 2
    for keeper in keepers:
        keeper.tick()
    assert all(number in file.seen for file in town.services.gallery.store.files(VERSION))
    assert [file.faces for file in town.services.gallery.store.files(VERSION)] == [2]
    run_jobs(town.services, utc_now() + timedelta(seconds=30))
    with read_only(town.services.db) as session:
        assert pending_erasure(session, QUICK) is None
        assert events(session) == [str(people[0].photo_id)]
    for keeper in keepers:
        keeper.stop()
    other.db.dispose()


def events(session: object) -> list[str | None]:
    query = select(AuditEvent.object_id).where(AuditEvent.action == "photo.erased_from_index")
    return list(session.scalars(query))  # type: ignore[attr-defined]


def test_an_erasure_does_not_wait_for_a_process_that_is_gone(town: Town) -> None:
    people = [town.add(number) for number in range(3)]
    town.replica()
    with unit_of_work(town.services.db) as session:
        session.add(
            IndexReplica(
                id=uuid.uuid4(), process="gone", model_version=VERSION, mark=1, snapshot_mark=1, faces=3,
                position={"mark": 1}, snapshots=[{"mark": 1}], started_at=AT, seen_at=utc_now() - timedelta(seconds=61),
            )
        )  # fmt: skip
    town.remove(people[0])
    run_jobs(town.services, utc_now())
    with read_only(town.services.db) as session:
        assert events(session) == [str(people[0].photo_id)]
        assert session.scalars(select(Job.state).where(Job.kind == "index.erase")).one() is JobState.DONE


def logged(town: Town) -> int:
    with read_only(town.services.db) as session:
        return waiting(session, VERSION, 0)


def test_the_keeper_reports_snapshots_and_trims(town: Town) -> None:
    people = [town.add(number) for number in range(5)]
    keeper = town.keeper()
    town.replica()
    keeper.tick()
    deadline = time.monotonic() + 60
    while logged(town) > 1 and time.monotonic() < deadline:  # other tests' transactions hold back what may be trimmed
        time.sleep(0.05)
        keeper.tick()
        town.services.gallery.snapshot(town.replica(), utc_now())
    with read_only(town.services.db) as session:
        row = session.scalars(select(IndexReplica)).one()
        assert (row.model_version, row.faces) == (VERSION, 5)
        assert row.snapshot_mark is not None
        assert waiting(session, VERSION, 0) <= 1, "what every replica and snapshot is past is trimmed"
    town.remove(people[1])
    keeper.tick()
    assert town.check().clean
    keeper.stop()
    with read_only(town.services.db) as session:
        assert session.scalars(select(IndexReplica)).all() == []
    other = town.another_process()
    assert town.check(other).clean
    other.db.dispose()


def test_a_version_that_is_no_longer_in_force_is_let_go(town: Town) -> None:
    town.add(1)
    town.replica()
    town.keeper().tick()
    assert town.files()
    newer = replace(town.services, faces=FaceEngines("other-1", MappingProxyType({})))
    town.keeper(newer).tick()
    assert town.services.gallery.replicas() == []
    assert town.files() == []


def test_removing_a_photograph_ends_with_the_proof_in_the_audit_log(
    any_services: Services, staff: Viewer, now: datetime
) -> None:
    services = with_colour_faces(any_services)
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, photo=make_photo_bytes(RED), now=now)
    run_jobs(services, now)
    with unit_of_work(services.db) as session:
        (photo,) = list_photos(session, case.profile_id)
        remove_photo(session, services, staff, photo.id, now=now)
    with read_only(services.db) as session:
        assert events(session) == []
    run_jobs(services, now + timedelta(minutes=1))
    with read_only(services.db) as session:
        assert events(session) == [str(photo.id)]


@pytest.mark.parametrize("sort", SORTS)
def test_an_index_that_has_grown_becomes_approximate_while_it_serves(town: Town, sort: Approximation) -> None:
    small = QUICK.model_copy(update={"approximate_from": 5, "approximate": sort})
    settings = town.services.settings.model_copy(update={"index": small})
    services = synthetic(build_services(settings))
    people = [town.add(number) for number in range(3)]
    replica = town.replica(services)

    def present() -> type:
        return type(replica.index)

    assert present() is FaissExactIndex
    people += [town.add(number) for number in range(3, 9)]
    keeper = town.keeper(services)
    deadline = time.monotonic() + 30
    while present() is not SORTS[sort] and time.monotonic() < deadline:
        keeper.tick()
        time.sleep(0.02)
    late = town.add(50)
    town.remove(people[0])
    assert present() is SORTS[sort]
    assert town.found(50, services=services) == [late.face_id]
    assert people[0].face_id not in town.found(0, 20, services)
    keeper.tick()
    assert services.gallery.metrics.registry.get_sample_value(
        "guitu_index_recall", {"model_version": VERSION}
    ) == pytest.approx(1.0)
    assert town.check(services).clean
    keeper.stop()
    services.db.dispose()
