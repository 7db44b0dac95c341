"""The index moves into Milvus and back, killed on the way, called off, refused. On a file of Milvus Lite, and on a real
server where one is given (`make test-milvus`).
"""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from matcher.index.base import IndexUnreachable
from matcher.index.milvus_plan import EXACT
from models.index_place import Place
from models.index_replica import IndexReplica
from tests.factories.gallery import AT, VERSION, Person
from tests.factories.gallery_town import QUICK, Onlooker, Town, synthetic, town_on
from tests.factories.milvus_town import (
    FACES,
    differences,
    erased,
    kept_there,
    moved,
    moved_back,
    place,
    row_of,
    settings_in,
    shared,
)
from tests.factories.stories import run_jobs
from tracing.gallery_move import MoveRefused, refill, to_local, to_milvus
from tracing.gallery_verify import Verification
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexUnanswered
from tracing.services import Services, build_services


@pytest.fixture
def town(milvus_town: Town) -> Town:
    """On SQLite, with the index still in the process."""
    return milvus_town


def test_the_index_moves_out_serves_and_comes_back(any_milvus_town: Town) -> None:
    town = any_milvus_town
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
