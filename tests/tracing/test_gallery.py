"""The gallery: what was committed is found, what was removed is not, whoever asks and however the process starts."""

import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from matcher.vocabulary import GalleryKind
from models.face import Face
from models.report import Report, ReportState
from tests.factories.gallery import AT, VERSION, Person
from tests.factories.gallery_town import Town, synthetic, town_on, vector
from tracing.gallery_log import MARK, break_off
from tracing.gallery_verify import Verification
from tracing.platform.clock import utc_now
from tracing.platform.crypto import Vault
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.platform.settings import IndexSettings
from tracing.services import Services, build_services


@pytest.fixture
def town(any_services: Services) -> Iterator[Town]:
    """On both databases."""
    with town_on(any_services) as made:
        yield made


def test_what_was_committed_is_found_at_once_here_and_in_another_process(town: Town) -> None:
    other = town.another_process()
    for number in range(5):
        person = town.add(number, list(GalleryKind)[number % 2])
        assert town.found(number) == [person.face_id]
        assert town.found(number, services=other) == [person.face_id]
    other.db.dispose()


def test_what_was_removed_is_found_nowhere(town: Town) -> None:
    other = town.another_process()
    people = [town.add(number) for number in range(4)]
    assert town.found(0, 10, other)[0] == people[0].face_id
    town.remove(people[0])
    for services in (town.services, other):
        assert set(town.found(0, 10, services)) == {one.face_id for one in people[1:]}
    with unit_of_work(town.services.db) as session:
        session.execute(update(Report).where(Report.id == people[1].owner_id).values(state=ReportState.RESOLVED))
        town.services.vault.destroy(session, people[2].subject_id, AT)
    for services in (town.services, other):
        assert town.found(0, 10, services) == [people[3].face_id]
    other.db.dispose()


def test_a_session_with_changes_of_its_own_leaves_no_trace_of_them(town: Town) -> None:
    stays = town.add(1)
    with pytest.raises(ZeroDivisionError), unit_of_work(town.services.db) as session:
        rolled_back(town, session, stays)
    assert town.found(1) == [stays.face_id]


def rolled_back(town: Town, session: object, stays: Person) -> None:
    session.execute(update(Face).where(Face.id == stays.face_id).values(chosen=False))  # type: ignore[attr-defined]
    (hits,) = town.services.gallery.search(session, VERSION, vector(1)[None], 1)  # type: ignore[arg-type]
    assert [hit.face_id for hit in hits] == [stays.face_id]
    raise ZeroDivisionError


def test_the_kinds_are_told_apart(town: Town) -> None:
    case, report = town.add(1, GalleryKind.CASE), town.add(1)
    with read_only(town.services.db) as session:
        for kind, person in ((GalleryKind.CASE, case), (GalleryKind.REPORT, report)):
            ((hit,),) = town.services.gallery.search(session, VERSION, vector(1)[None], 5, frozenset({kind}))
            assert (hit.face_id, hit.subject_id, hit.kind) == (person.face_id, person.owner_id, kind)


def test_threads_that_write_and_search_miss_nothing(town: Town) -> None:
    failures: list[str] = []

    def work(number: int) -> None:
        for round_ in range(5):
            person = town.add(1000 * number + round_)
            if town.found(1000 * number + round_) != [person.face_id]:
                failures.append(f"missed {number}.{round_}")
            town.remove(person)
            if person.face_id in town.found(1000 * number + round_, 50):
                failures.append(f"returned {number}.{round_}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert town.check() == Verification(0, 0, 0, 0, 0)


def test_a_process_starts_from_the_snapshot_and_the_log(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [town.add(number) for number in range(6)]
    assert town.services.gallery.snapshot(town.replica(), utc_now())
    assert len(town.files()) == 1
    assert town.files()[0].stat().st_mode & 0o777 == 0o600
    late = town.add(7)
    town.remove(people[0])
    other = town.another_process()
    assert town.found(7, services=other) == [late.face_id]
    assert town.check(other) == Verification(6, 0, 0, 0, 0)
    assert other.gallery.metrics.registry.get_sample_value("guitu_index_rebuilds_total") == 0
    other.db.dispose()


@pytest.mark.parametrize("harm", ["altered", "cut short", "another key", "not a snapshot", "gone"])
def test_a_snapshot_that_is_not_whole_is_made_anew(town: Town, harm: str) -> None:
    person = town.add(1)
    assert town.services.gallery.snapshot(town.replica(), utc_now())
    (file,) = town.files()
    data = file.read_bytes()
    if harm == "altered":
        file.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    elif harm == "cut short":
        file.write_bytes(data[: len(data) // 2])
    elif harm == "not a snapshot":
        file.write_bytes(b"nothing")
    elif harm == "gone":
        file.unlink()
    other = town.another_process()
    if harm == "another key":
        other.gallery.store._keys = (b"k" * 32,)
    assert town.found(1, services=other) == [person.face_id]
    assert other.gallery.metrics.registry.get_sample_value("guitu_index_rebuilds_total") == 1
    other.db.dispose()


def test_a_snapshot_of_a_retired_master_key_still_opens(town: Town) -> None:
    person = town.add(1)
    assert town.services.gallery.snapshot(town.replica(), utc_now())
    other = town.another_process()
    other.gallery.store._keys = (b"n" * 32, *other.gallery.store._keys)
    assert town.found(1, services=other) == [person.face_id]
    assert other.gallery.metrics.registry.get_sample_value("guitu_index_rebuilds_total") == 0
    other.db.dispose()


def test_the_last_two_snapshots_are_kept(town: Town) -> None:
    for number in range(4):
        town.add(number)
        town.found(number)
        assert town.services.gallery.snapshot(town.replica(), utc_now())
    files = town.services.gallery.store.files(VERSION)
    assert [file.faces for file in files] == [4, 3]
    assert len(town.files()) == 2


def test_nothing_of_an_embedding_lies_in_the_clear(town: Town) -> None:
    town.add(1)
    assert town.services.gallery.snapshot(town.replica(), utc_now())
    (file,) = town.files()
    data = file.read_bytes()
    assert vector(1).astype("<f2").tobytes()[:8] not in data
    assert vector(1).astype("<f4").tobytes()[:8] not in data


def test_breaking_off_makes_every_replica_anew(town: Town) -> None:
    person = town.add(1)
    other = town.another_process()
    for services in (town.services, other):
        replica = town.replica(services)
        assert services.gallery.snapshot(replica, utc_now() + timedelta(seconds=services is other))
        assert town.found(1, services=services) == [person.face_id]
        index = replica.index
        assert index is not None
        index.remove([person.face_id])
        assert town.check(services) == Verification(1, 1, 0, 0, 0)
    with unit_of_work(town.services.db) as session:
        break_off(session, AT)
    for services in (town.services, other):
        with pytest.raises(IndexWarming):
            town.found(1, services=services)
        assert town.found(1, services=services) == [person.face_id]
        assert town.check(services).clean
    other.db.dispose()


def test_verify_sees_every_difference(town: Town) -> None:
    people = [town.add(number) for number in range(4)]
    index = town.replica().index
    assert index is not None
    (kept,) = index.fetch([people[0].face_id])
    index.add([replace(kept, embedding=vector(99)), replace(kept, face_id=uuid.uuid4())])
    index.remove([people[1].face_id])
    found = town.check()
    assert (found.missing, found.altered, found.foreign, found.clean) == (1, 1, 1, False)


def test_one_embedding_that_does_not_open_stops_nobody_elses_search(town: Town) -> None:
    people = [town.add(number) for number in range(3)]
    with unit_of_work(town.services.db) as session:
        session.execute(update(Face).where(Face.id == people[0].face_id).values(embedding_sealed=b"\x01" + b"x" * 60))
    assert set(town.found(1, 10)) == {people[1].face_id, people[2].face_id}
    found = town.check()
    assert (found.faces, found.unreadable, found.clean) == (2, 1, True)


def test_a_search_while_the_index_is_made_waits_and_then_says_so(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    person = town.add(1)
    gate = threading.Event()
    opened = Vault.open

    def slow(*arguments: object) -> bytes:
        gate.wait(20)
        return opened(*arguments)  # type: ignore[arg-type]

    services = synthetic(
        build_services(
            town.services.settings.model_copy(update={"index": IndexSettings(wait_seconds=0.1, retry_seconds=7)})
        )
    )
    monkeypatch.setattr(Vault, "open", slow)
    with pytest.raises(IndexWarming) as warming:
        town.found(1, services=services)
    assert warming.value.retry_after == 7
    gate.set()
    town.replica(services)
    assert town.found(1, services=services) == [person.face_id]
    services.db.dispose()


def test_the_mark_is_kept_with_the_index(town: Town) -> None:
    town.add(1)
    town.found(1)
    replica = town.replica()
    index = replica.index
    assert index is not None
    assert index.watermark.positions[MARK] == replica.state.mark
