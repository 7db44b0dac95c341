"""One index for all processes, in Milvus: moved there and back, searched, fed, lost, refused. On a file of Milvus Lite,
and on a real server where one is given (`make test-milvus`).
"""

import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from matcher.index.base import IndexUnreachable
from matcher.index.milvus import MilvusIndex
from matcher.index.milvus_plan import EXACT
from models.audit import AuditEvent
from models.face_model import FaceModel, FaceModelState
from models.index_place import IndexPlace, Place, SharedIndex
from models.index_replica import IndexReplica
from tests.factories.gallery import AT, VERSION, Person
from tests.factories.gallery_town import DIMENSION, QUICK, Onlooker, Town, synthetic, town_on
from tests.factories.stories import run_jobs
from tracing.gallery_erasure import pending_erasure
from tracing.gallery_lease import Lease, LeaseGone
from tracing.gallery_log import break_off
from tracing.gallery_move import MoveRefused, refill, to_local, to_milvus
from tracing.gallery_place import shared_rows
from tracing.gallery_shared import SharedReplica
from tracing.gallery_verify import Verification, verify_shared
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexUnanswered, IndexWarming
from tracing.platform.settings import IndexSettings
from tracing.services import Services, build_services

SERVER = os.environ.get("GUITU_TEST_MILVUS_URL", "")
TOKEN = os.environ.get("GUITU_TEST_MILVUS_TOKEN", "")
PLACES = [
    "lite",
    pytest.param(
        "server",
        marks=[pytest.mark.milvus, pytest.mark.skipif(not SERVER, reason="no Milvus server: run `make test-milvus`")],
    ),
]
FACES = 12


def settings_in(location: str) -> IndexSettings:
    return QUICK.model_copy(
        update={
            "milvus_url": location, "milvus_token": SecretStr(TOKEN), "milvus_prefix": f"test_{uuid.uuid4().hex}",
            "wait_seconds": 5,
        }
    )  # fmt: skip


@pytest.fixture(params=PLACES)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file or a server."""
    return SERVER if request.param == "server" else str(tmp_path / "index.db")


@pytest.fixture
def town(services: Services, location: str) -> Iterator[Town]:
    """With faces, and the index still in the process. On SQLite; `any_town` is on both databases."""
    with town_on(services, settings_in(location)) as made:
        yield made
        emptied(made)


@pytest.fixture
def any_town(any_services: Services, location: str) -> Iterator[Town]:
    """As `town`, on both databases."""
    with town_on(any_services, settings_in(location)) as made:
        yield made
        emptied(made)


def emptied(town: Town) -> None:
    settings = town.services.settings.index
    for version in (VERSION, "synthetic-2"):
        index = MilvusIndex(str(settings.milvus_url), version, DIMENSION, token=TOKEN, prefix=settings.milvus_prefix)
        index.drop()


def moved(town: Town, services: Services | None = None) -> list[str]:
    onlooker = Onlooker()
    to_milvus(services or town.services, onlooker.watcher, 5)
    return onlooker.said


def moved_back(town: Town) -> list[str]:
    onlooker = Onlooker()
    to_local(town.services, onlooker.watcher, 5)
    return onlooker.said


def shared(town: Town, services: Services | None = None) -> SharedReplica:
    found = (services or town.services).gallery.shared_known(VERSION)
    assert found is not None
    return found


def row_of(town: Town) -> SharedIndex | None:
    return shared(town).row()


def place(town: Town) -> IndexPlace:
    with read_only(town.services.db) as session:
        return session.scalars(select(IndexPlace)).one()


def kept_there(town: Town) -> frozenset[uuid.UUID]:
    """What Milvus itself holds, asked past everything of ours."""
    settings = town.services.settings.index
    index = MilvusIndex(str(settings.milvus_url), VERSION, DIMENSION, token=TOKEN, prefix=settings.milvus_prefix)
    try:
        return index.ids()
    finally:
        index.close()


def differences(town: Town) -> Verification:
    return verify_shared(town.services.db, town.services.vault, shared(town)).counted


def sample(town: Town, name: str, **labels: str) -> float:
    found = town.services.gallery.metrics.registry.get_sample_value(name, labels)
    assert found is not None
    return found


def erased(town: Town) -> list[str | None]:
    with read_only(town.services.db) as session:
        query = select(AuditEvent.object_id).where(AuditEvent.action == "photo.erased_from_index")
        return list(session.scalars(query))


def test_the_index_moves_out_serves_and_comes_back(any_town: Town) -> None:
    town = any_town
    people = [town.add(number) for number in range(FACES)]
    before = town.found(3, FACES)
    assert f"{FACES} faces are in Milvus and equal" in moved(town)[0]
    assert place(town).place is Place.MILVUS
    other = town.another_process()
    for services in (town.services, other):
        assert town.found(3, FACES, services) == before
        assert services.gallery.replicas() in ([], [town.replica()])
        with read_only(services.db) as session:
            assert services.gallery.version(session, VERSION) == EXACT.version
    late = town.add(50)
    for services in (other, town.services):
        assert town.found(50, services=services) == [late.face_id]
    town.remove(people[3])
    for services in (town.services, other):
        assert people[3].face_id not in town.found(3, FACES, services)
    assert kept_there(town) == {late.face_id} | {one.face_id for one in people} - {people[3].face_id}
    run_jobs(town.services, utc_now())
    assert erased(town) == [str(people[3].photo_id)]
    assert differences(town) == Verification(FACES, 0, 0, 0, 0)
    assert moved_back(town)[-1] == "No face is left in Milvus."
    assert (place(town).place, place(town).location) == (Place.LOCAL, None)
    assert kept_there(town) == frozenset()
    for services in (town.services, other):
        assert town.found(50, services=services) == [late.face_id]
        assert len(town.found(3, 50, services)) == FACES
    other.gallery.close_shared()
    other.db.dispose()


class Killed(BaseException):
    """The process ends here."""


def test_a_killed_move_goes_on_where_it_was_while_searches_are_answered(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matcher.index.move.move.__kwdefaults__", {"faces_at_once": 4})
    people = [town.add(number) for number in range(FACES)]

    def kill(title: str, done: int, total: int) -> None:
        if title.startswith("copying") and done == 8:
            raise Killed

    with pytest.raises(Killed):
        to_milvus(town.services, Onlooker(kill).watcher, 5)
    row = row_of(town)
    assert row is not None
    assert (row.built_at, row.copied_to) == (None, sorted(one.face_id for one in people)[7])
    assert (place(town).place, place(town).moving_to) == (Place.LOCAL, Place.MILVUS)
    town.remove(people[0])
    late = town.add(60)
    assert town.found(60) == [late.face_id]
    run_jobs(town.services, utc_now())
    assert erased(town) == [], "half a copy lies in Milvus: it may hold the face"
    seen: list[int] = []

    def note(title: str, done: int, total: int) -> None:
        if title.startswith("copying"):
            assert total == FACES
            seen.append(done)

    onlooker = Onlooker(note)
    to_milvus(town.services, onlooker.watcher, 5)
    assert onlooker.said[0].startswith("Going on with the move begun at")
    assert seen[0] in {7, 8, 9}, "it did not begin anew"
    assert town.found(60) == [late.face_id]
    assert people[0].face_id not in kept_there(town)
    run_jobs(town.services, utc_now() + timedelta(seconds=30))
    assert erased(town) == [str(people[0].photo_id)]


def test_a_move_can_be_called_off_and_nothing_stays_there(town: Town) -> None:
    town.add(1)

    def refuse(title: str, done: int, total: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        to_milvus(town.services, Onlooker(refuse).watcher, 5)
    assert moved_back(town) == ["The move is called off.", "No face is left in Milvus."]
    assert (place(town).moving_to, row_of(town)) == (None, None)
    assert moved_back(town)[0] == "Each process keeps its own index already."


def test_a_search_follows_what_was_committed_elsewhere_while_another_feeds(any_town: Town) -> None:
    town = any_town
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
        run_jobs(town.services, utc_now())
        assert erased(town) == [str(person.photo_id)]
        emptied(town)


def test_a_way_back_when_milvus_never_answers_again(services: Services, tmp_path: Path) -> None:
    with town_on(services, settings_in(str(tmp_path / "index.db"))) as town:
        people = [town.add(number) for number in range(3)]
        moved(town)
        town.services.gallery.close_shared()
        settings = town.services.settings.index.model_copy(update={"milvus_url": "http://127.0.0.1:9"})
        broken = synthetic(build_services(town.services.settings.model_copy(update={"index": settings})))
        with pytest.raises(IndexUnanswered):
            town.found(1, services=broken)
        onlooker = Onlooker()
        to_local(broken, onlooker.watcher, 5)
        assert "take the faces out of Milvus when it answers" in onlooker.said[-1]
        assert town.found(1, services=broken) == [people[1].face_id]
        town.remove(people[1])
        run_jobs(broken, utc_now())
        assert erased(town) == [], "it may still lie in Milvus"
        keeper = town.keeper()
        keeper.tick()
        assert row_of(town) is None, "whoever reaches it empties it"
        keeper.tick()
        run_jobs(town.services, utc_now() + timedelta(seconds=30))
        assert erased(town) == [str(people[1].photo_id)]
        keeper.stop()
        broken.db.dispose()


def test_every_running_process_must_be_ready(town: Town) -> None:
    town.add(1)

    def stranger(title: str, done: int, total: int) -> None:
        with unit_of_work(town.services.db) as session:
            session.merge(
                IndexReplica(
                    id=uuid.UUID(int=7), process="stranger", place=Place.LOCAL, model_version=VERSION, mark=1, faces=1,
                    snapshot_mark=None, position={"mark": 1}, snapshots=[], started_at=AT, seen_at=utc_now(),
                )
            )  # fmt: skip

    with pytest.raises(MoveRefused, match=r"not ready for it: stranger\. Give each GUITU_INDEX__MILVUS_URL"):
        to_milvus(town.services, Onlooker(stranger).watcher, 0.2)
    assert place(town).place is Place.LOCAL
    with unit_of_work(town.services.db) as session:
        session.execute(update(IndexReplica).values(place=Place.MILVUS))
    if "://" not in str(town.services.settings.index.milvus_url):
        with pytest.raises(MoveRefused, match=r"one process at a time\. Stop these first.*stranger"):
            moved(town)
        with unit_of_work(town.services.db) as session:
            session.execute(update(IndexReplica).values(seen_at=AT))
    moved(town)
    assert place(town).place is Place.MILVUS


def test_what_cannot_be_moved_is_refused_with_the_remedy(town: Town) -> None:
    with pytest.raises(MoveRefused, match="no searchable face"):
        moved(town)
    town.add(1)
    bare = synthetic(build_services(town.services.settings.model_copy(update={"index": QUICK})))
    with pytest.raises(MoveRefused, match="GUITU_INDEX__MILVUS_URL is not set"):
        moved(town, bare)
    moved(town)
    assert moved(town) == ["The index is in Milvus already."]
    with pytest.raises(IndexUnanswered):
        town.found(1, services=bare)
    elsewhere = town.services.settings.index.model_copy(update={"milvus_prefix": "another"})
    stray = synthetic(build_services(town.services.settings.model_copy(update={"index": elsewhere})))
    with pytest.raises(MoveRefused, match="Move them back first"):
        moved(town, stray)
    with pytest.raises(IndexUnreachable, match="these settings do not name"):
        shared(town, stray).opened()
    for services in (bare, stray):
        services.db.dispose()


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


def test_it_is_refilled_with_another_plan(town: Town) -> None:
    person: Person = town.add(1)
    moved(town)
    settings = town.services.settings.index.model_copy(update={"milvus_plan": "graph"})
    other = synthetic(build_services(town.services.settings.model_copy(update={"index": settings})))
    with pytest.raises(IndexUnanswered):
        town.found(1, services=other)
    replica = shared(town, other)
    refill(other, replica, Onlooker().watcher, 30)
    assert town.found(1, services=other) == [person.face_id]
    assert replica.opened().version.startswith("milvus-hnsw")
    refill(town.services, shared(town), Onlooker().watcher, 30)
    other.gallery.close_shared()
    other.db.dispose()
