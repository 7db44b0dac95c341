"""One index for all processes, in Milvus: fed, waited for, overtaken, lost, down. On a file of Milvus Lite, and on a
real server where one is given (`make test-milvus`).
"""

import threading
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from matcher.index import exact
from matcher.index.milvus import MilvusIndex
from matcher.index.milvus_plan import EXACT
from models.candidate import MatchPass
from models.face_model import FaceModel, FaceModelState
from models.index_place import IndexPlace, Place, SharedIndex
from models.index_replica import IndexReplica
from models.job import Job, JobState
from tests.factories.faces import RED, make_photo_bytes, with_colour_faces
from tests.factories.gallery import AT, VERSION
from tests.factories.gallery_town import DIMENSION, QUICK, Onlooker, Town, synthetic, town_on
from tests.factories.milvus_town import differences, emptied, erased, kept_there, moved, sample, settings_in, shared
from tests.factories.records import make_case, make_report
from tests.factories.stories import candidate_of, run_jobs
from tracing.access import Viewer
from tracing.face_models import version_in_force
from tracing.gallery_erasure import pending_erasure
from tracing.gallery_lease import Lease, LeaseGone
from tracing.gallery_log import break_off
from tracing.gallery_move import to_local, to_milvus
from tracing.gallery_place import shared_rows
from tracing.gallery_verify import Verification
from tracing.matching import MATCH
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexUnanswered, IndexWarming
from tracing.services import Services, build_services


@pytest.fixture
def town(milvus_town: Town) -> Town:
    """On SQLite, with the index still in the process."""
    return milvus_town


def test_a_search_follows_what_was_committed_elsewhere_while_another_feeds(any_milvus_town: Town) -> None:
    town = any_milvus_town
    town.add(0)
    moved(town)
    other = town.another_process()
    failures: list[str] = []

    def work(number: int, services: Services) -> None:
        for round_ in range(2):
            person = town.add(100 * number + round_)
            if town.found(100 * number + round_, services=services) != [person.face_id]:
                failures.append(f"missed {number}.{round_}")
            town.remove(person)
            if person.face_id in town.found(100 * number + round_, 50, services):
                failures.append(f"returned {number}.{round_}")

    threads = [threading.Thread(target=work, args=(one, (town.services, other)[one % 2])) for one in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert differences(town) == Verification(1, 0, 0, 0, 0)
    other.gallery.close_shared()
    other.db.dispose()


def test_who_cannot_feed_waits_and_then_says_so(town: Town) -> None:
    town.add(0)
    moved(town)
    hasty = synthetic(
        build_services(
            town.services.settings.model_copy(
                update={"index": town.services.settings.index.model_copy(update={"wait_seconds": 0.1})}
            )
        )
    )
    lease = Lease.take(town.services.db, VERSION, utc_now, 30)
    assert lease is not None
    assert Lease.take(town.services.db, VERSION, utc_now, 30) is None
    person = town.add(7)
    with pytest.raises(IndexWarming):
        town.found(7, services=hasty)
    # Its holder died: the lease runs out, and whoever comes next feeds.
    with unit_of_work(town.services.db) as session:
        session.execute(update(SharedIndex).values(fed_until=utc_now() - timedelta(seconds=1)))
    assert town.found(7, services=hasty) == [person.face_id]
    with pytest.raises(LeaseGone):
        lease.change(turn=99)
    with pytest.raises(LeaseGone):
        lease.check(0)
    hasty.gallery.close_shared()
    hasty.db.dispose()


def test_a_feeder_that_was_overtaken_has_its_faces_looked_at_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was stopped between reading a face and writing it, for so long that another one fed, and the face went."""
    town.add(0)
    moved(town)
    other = town.another_process()
    person, added = town.add(7), MilvusIndex.add
    stopped: list[bool] = []

    def late(index: MilvusIndex, entries: Any) -> None:
        if not stopped and threading.current_thread() is threading.main_thread():
            stopped.append(True)
            with unit_of_work(town.services.db) as session:
                session.execute(update(SharedIndex).values(fed_by=None, fed_until=None))
            town.remove(person)
            assert shared(town, other).feed()
            assert person.face_id not in kept_there(town)
        added(index, entries)

    monkeypatch.setattr(MilvusIndex, "add", late)
    assert not shared(town).feed(), "it noticed"
    assert person.face_id in kept_there(town), "written too late"
    for services in (other, town.services):
        assert person.face_id not in town.found(7, 10, services)
    assert person.face_id not in kept_there(town)
    other.gallery.close_shared()
    other.db.dispose()


def test_what_another_wrote_there_is_shown_to_nobody_and_holds_up_the_report(town: Town) -> None:
    people = [town.add(number) for number in range(3)]
    moved(town)
    (kept,) = shared(town).opened().fetch([people[1].face_id])
    town.remove(people[1])
    assert people[1].face_id not in town.found(1, 10)
    shared(town).opened().add([kept, replace(kept, face_id=uuid.uuid4())])
    assert set(town.found(1, 10)) == {people[0].face_id, people[2].face_id}
    assert differences(town) == Verification(2, 0, 0, 2, 0)
    run_jobs(town.services, utc_now())
    assert erased(town) == []
    run_jobs(town.services, utc_now() + timedelta(seconds=5))
    assert erased(town) == [str(people[1].photo_id)]
    assert differences(town) == Verification(2, 0, 0, 1, 0)


@pytest.mark.parametrize("loss", ["dropped", "restored", "log trimmed"])
def test_an_index_that_was_lost_is_filled_anew(town: Town, loss: str) -> None:
    people = [town.add(number) for number in range(4)]
    moved(town)
    index = shared(town).opened()
    assert isinstance(index, MilvusIndex)
    if loss == "dropped":
        index.drop()
    elif loss == "restored":
        old = index.watermark
        late = town.add(9)
        assert town.found(9) == [late.face_id]
        people.append(late)
        index.remove([late.face_id])
        index.mark(old)
        keeper = town.keeper()
        keeper.tick()
        keeper.stop()
    else:
        with unit_of_work(town.services.db) as session:
            break_off(session, AT)
    found: list[uuid.UUID] = []
    for _ in range(30):  # on a real server filling takes longer than a search waits
        with suppress(IndexWarming):
            found = found or town.found(1, 10)
    assert set(found) == {one.face_id for one in people}
    assert sample(town, "guitu_index_rebuilds_total") >= 1


def test_when_milvus_is_down_searches_say_so_and_nothing_is_lost(services: Services, tmp_path: Path) -> None:
    path = str(tmp_path / "index.db")
    with town_on(services, settings_in(path)) as town:
        person = town.add(1)
        moved(town)
        assert town.found(1) == [person.face_id]
        servers: Any = import_module("milvus_lite.server_manager")
        servers.server_manager_instance.release_server(path)
        late = town.add(2)
        town.remove(person)
        with pytest.raises(IndexUnanswered) as told:
            town.found(2)
        assert told.value.retry_after == 5
        assert sample(town, "guitu_index_unreachable_total") == 1
        assert sample(town, "guitu_index_ready", model_version=VERSION) == 0
        # The connection was let go of: the next one finds a new engine on the same file.
        assert town.found(2, 10) == [late.face_id]
        servers.server_manager_instance.release_server(path)
        run_jobs(town.services, utc_now())
        assert erased(town) == [], "put back"
        run_jobs(town.services, utc_now() + timedelta(minutes=1))
        assert erased(town) == [str(person.photo_id)]
        emptied(town)


def test_a_match_waits_for_milvus_and_names_the_index_that_answered(
    services: Services, staff: Viewer, reporter: Viewer, tmp_path: Path, now: datetime
) -> None:
    path = str(tmp_path / "index.db")
    settings = services.settings.model_copy(update={"index": settings_in(path)})
    colour = with_colour_faces(build_services(settings))
    with unit_of_work(colour.db) as session:
        case = make_case(session, colour, staff, photo=make_photo_bytes(RED), now=now)
    run_jobs(colour, now)
    to_milvus(colour, Onlooker().watcher, 5)
    with unit_of_work(colour.db) as session:
        report = make_report(session, colour, reporter, photo=make_photo_bytes(RED), now=now)
    known = colour.gallery.shared_known(version_of(colour))
    assert known is not None
    known.opened()
    servers: Any = import_module("milvus_lite.server_manager")
    servers.server_manager_instance.release_server(path)
    run_jobs(colour, now)
    with read_only(colour.db) as session:
        job = session.scalars(select(Job).where(Job.state == JobState.QUEUED)).one()
        assert (job.kind, job.attempts, job.last_error) == (MATCH, 0, None), "put back, not failed"
    run_jobs(colour, now + timedelta(minutes=1))
    with read_only(colour.db) as session:
        passes = select(MatchPass.index_version).order_by(MatchPass.finished_at)
        assert session.scalars(passes).all() == [exact.VERSION, EXACT.version]
    assert candidate_of(colour, case.id).report_id == report.id
    to_local(colour, Onlooker().watcher, 5)
    colour.db.dispose()


def version_of(services: Services) -> str:
    with read_only(services.db) as session:
        return version_in_force(session, services)


def test_the_keeper_feeds_fills_counts_and_lets_go(town: Town) -> None:
    people = [town.add(number) for number in range(3)]
    town.replica()
    moved(town)
    keeper = town.keeper()
    keeper.tick()
    with read_only(town.services.db) as session:
        rows = session.scalars(select(IndexReplica).order_by(IndexReplica.place)).all()
        assert [(row.place, row.faces) for row in rows] == [(Place.LOCAL, 3), (Place.MILVUS, 3)]
    with unit_of_work(town.services.db) as session:
        session.execute(update(IndexPlace).values(changed_at=utc_now() - timedelta(minutes=2)))
    town.remove(people[0])
    keeper.tick()
    assert people[0].face_id not in kept_there(town), "nobody had to search"
    assert town.services.gallery.replicas() == []
    assert town.files() == []
    with read_only(town.services.db) as session:
        assert [row.place for row in session.scalars(select(IndexReplica))] == [Place.MILVUS]
    assert sample(town, "guitu_index_in_milvus") == 1
    assert sample(town, "guitu_index_ready", model_version=VERSION) == 1
    assert sample(town, "guitu_index_feeding_seconds_count") >= 1
    run_jobs(town.services, utc_now())
    with read_only(town.services.db) as session:
        assert pending_erasure(session, QUICK) is None
    keeper.stop()
    with read_only(town.services.db) as session:
        assert session.scalars(select(IndexReplica)).all() == []


def test_a_version_that_was_retired_is_dropped(town: Town) -> None:
    town.add(1)
    moved(town)
    with unit_of_work(town.services.db) as session:
        session.add(
            FaceModel(
                id=uuid.uuid4(), model_version=VERSION, state=FaceModelState.RETIRED, dimension=DIMENSION,
                created_at=AT, in_force_at=AT, retired_at=AT,
            )
        )  # fmt: skip
    keeper = town.keeper()
    keeper._shared.tick(frozenset())
    with read_only(town.services.db) as session:
        assert shared_rows(session) == []
    assert kept_there(town) == frozenset()
