"""Following the change log: nothing is skipped and nothing applied wrongly, in whatever order transactions commit."""

import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.orm import Session

from matcher.index.exact import FaissExactIndex
from models.face import Face
from models.face_change import FaceChange
from tests.factories.gallery import AT, VERSION, Person, make_ground, make_person, unit
from tracing.gallery_faces import count_faces, next_faces
from tracing.gallery_log import NOTHING_SEEN, LogTrimmed, Seen, follows, head, own_number, read, trim, watermark_of
from tracing.gallery_replica import Replica
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.services import Services

FACES = 6
WRITERS = 3
postgres = pytest.mark.parametrize("services", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)


@dataclass
class Scene:
    """A few people, several connections that write, and a replica that follows."""

    services: Services
    people: list[Person]
    replica: Replica
    open: dict[int, Connection] = field(default_factory=dict)

    def begin(self, writer: int) -> Connection:
        """The writer's transaction, begun if it has none."""
        if writer not in self.open:
            self.open[writer] = self.services.db.engine.connect()
        return self.open[writer]

    def toggle(self, writer: int, face: int) -> None:
        """Take the face out of the searchable set, or put it back."""
        statement = update(Face).where(Face.id == self.people[face].face_id).values(chosen=~Face.chosen)
        self.begin(writer).execute(statement)

    def end(self, writer: int, *, keep: bool) -> None:
        """Commit or roll back."""
        connection = self.open.pop(writer, None)
        if connection is not None:
            (connection.commit if keep else connection.rollback)()
            connection.close()

    def end_all(self) -> None:
        """Roll everything back that is open."""
        for writer in list(self.open):
            self.end(writer, keep=False)


def replica_of(services: Services) -> Replica:
    found = Replica(
        VERSION, 3, services.vault, lambda: read_only(services.db), lambda _faces: FaissExactIndex(VERSION, 3)
    )
    found.rebuild()
    return found


@contextmanager
def scene_of(services: Services) -> Iterator[Scene]:
    with unit_of_work(services.db) as session:
        ground = make_ground(session)
        people = [
            make_person(session, services.vault, ground, unit(np.array([1, number, 1], np.float32)))
            for number in range(FACES)
        ]
    scene = Scene(services, people, replica_of(services))
    try:
        yield scene
    finally:
        scene.end_all()


@pytest.fixture
def scene(services: Services) -> Iterator[Scene]:
    """On SQLite unless the test asks for PostgreSQL."""
    with scene_of(services) as made:
        yield made


def searchable(session: Session) -> set[uuid.UUID]:
    return set(next_faces(session, VERSION, None, 10_000))


def assert_right(scene: Scene, session: Session) -> None:
    assert scene.replica.caught_up(session, 1).ids() == searchable(session)


@postgres
def test_a_number_handed_out_early_and_committed_late_is_not_skipped(scene: Scene) -> None:
    scene.toggle(0, 0)  # takes the lower number
    scene.toggle(1, 1)
    scene.end(1, keep=True)
    with read_only(scene.services.db) as session:
        assert scene.replica.caught_up(session, 1).ids() == {one.face_id for one in scene.people} - {
            scene.people[1].face_id
        }
        log = session.scalars(select(FaceChange.face_id).order_by(FaceChange.seq.desc()).limit(1)).one()
        assert log == scene.people[1].face_id
    scene.end(0, keep=True)
    with read_only(scene.services.db) as session:
        first, second = session.scalars(select(FaceChange.face_id).order_by(FaceChange.seq.desc()).limit(2)).all()
        assert (first, second) == (scene.people[1].face_id, scene.people[0].face_id), "the late one has the lower seq"
        assert_right(scene, session)
        assert len(scene.replica.caught_up(session, 1)) == FACES - 2


@postgres
def test_a_transaction_that_stays_open_elsewhere_loses_and_repeats_nothing(scene: Scene) -> None:
    scene.begin(2).execute(text("SELECT pg_current_xact_id()"))
    seen = NOTHING_SEEN
    for round_ in range(20):
        scene.toggle(0, round_ % 2)
        scene.end(0, keep=True)
        with read_only(scene.services.db) as session:
            assert_right(scene, session)
            reading = read(session, VERSION, seen)
            assert round_ == 0 or len(reading.changes) == 1, "only what is new is read, however long it stays open"
            assert min(reading.seen.running) == reading.seen.xmin
            seen = reading.seen
    scene.toggle(2, 5)
    scene.end(2, keep=True)
    with read_only(scene.services.db) as session:
        assert_right(scene, session)
        assert scene.people[5].face_id not in searchable(session)


@postgres
def test_a_reader_with_an_older_snapshot_undoes_nothing(scene: Scene) -> None:
    with read_only(scene.services.db) as older:
        before = searchable(older)
        scene.toggle(0, 0)
        scene.end(0, keep=True)
        with read_only(scene.services.db) as newer:
            assert_right(scene, newer)
        assert scene.people[0].face_id in before
        assert scene.people[0].face_id not in scene.replica.caught_up(older, 1).ids()
        with read_only(scene.services.db) as newer:
            assert_right(scene, newer)


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("toggle"), st.integers(0, WRITERS - 1), st.integers(0, 1)),
        st.tuples(st.just("commit"), st.integers(0, WRITERS - 1), st.just(0)),
        st.tuples(st.just("roll back"), st.integers(0, WRITERS - 1), st.just(0)),
        st.tuples(st.just("open a view"), st.just(0), st.just(0)),
        st.tuples(st.just("look from the view"), st.just(0), st.just(0)),
        st.tuples(st.just("rebuild"), st.just(0), st.just(0)),
    ),
    min_size=3,
    max_size=25,
)


def play(scene: Scene, moves: list[tuple[str, int, int]], writers: int) -> None:
    """Each writer has two faces of its own, so that none waits for another's row lock."""
    with ExitStack() as views:
        view: Session | None = None
        for move, writer, face in moves:
            writer %= writers
            if move == "toggle":
                scene.toggle(writer, 2 * writer + face)
            elif move in ("commit", "roll back"):
                scene.end(writer, keep=move == "commit")
                with read_only(scene.services.db) as session:
                    assert_right(scene, session)
            elif move == "open a view" and view is None:
                view = views.enter_context(read_only(scene.services.db))
                searchable(view)
            elif move == "look from the view" and view is not None:
                scene.replica.caught_up(view, 1)
            elif move == "rebuild":
                scene.replica.rebuild()
        scene.end_all()
        with read_only(scene.services.db) as session:
            assert_right(scene, session)


@postgres
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_no_interleaving_is_followed_wrongly(scene: Scene, moves: list[tuple[str, int, int]]) -> None:
    play(scene, moves, WRITERS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_the_same_with_the_one_writer_of_sqlite(scene: Scene, moves: list[tuple[str, int, int]]) -> None:
    play(scene, moves, 1)


def test_with_nothing_new_nothing_is_read(any_services: Services) -> None:
    with scene_of(any_services) as scene, read_only(any_services.db) as session:
        first = read(session, VERSION, NOTHING_SEEN)
        assert {change.face_id for change in first.changes} == {one.face_id for one in scene.people}
        assert read(session, VERSION, first.seen).changes == ()
        assert read(session, "another-1", NOTHING_SEEN).changes == ()


def test_a_watermark_is_known_again_in_its_own_database_alone(any_services: Services) -> None:
    with scene_of(any_services) as scene:
        with read_only(any_services.db) as session:
            watermark = watermark_of(session, head(session))
        assert watermark is not None
        scene.toggle(0, 0)
        scene.end(0, keep=True)
        with read_only(any_services.db) as session:
            assert follows(session, VERSION, watermark)
        # As after going back to an earlier backup and on another way from there: the same numbers, other changes.
        with unit_of_work(any_services.db) as session:
            session.execute(
                update(FaceChange)
                .where(FaceChange.seq == watermark.positions["anchor_seq"])
                .values(face_id=uuid.uuid4())
            )
        with read_only(any_services.db) as session:
            assert not follows(session, VERSION, watermark)


@postgres
def test_a_dump_restored_elsewhere_is_another_database(scene: Scene) -> None:
    with read_only(scene.services.db) as session:
        watermark = watermark_of(session, head(session))
        rows = session.execute(select(FaceChange.__table__)).all()
    assert watermark is not None
    with unit_of_work(scene.services.db) as session:  # every column as it was, written by another transaction
        session.execute(delete(FaceChange))
        session.execute(insert(FaceChange), [row._asdict() for row in rows])
    with read_only(scene.services.db) as session:
        assert not follows(session, VERSION, watermark)


def test_a_position_from_the_future_is_refused(any_services: Services) -> None:
    with scene_of(any_services), read_only(any_services.db) as session:
        now = head(session)
        ahead = watermark_of(session, Seen(now.xmin + 1000, now.xmin + 1000))
        assert ahead is not None
        assert not follows(session, VERSION, ahead)


def await_settled(services: Services) -> None:
    """Until every change so far is below the mark: transactions of other tests on the same server hold it back."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with unit_of_work(services.db) as session:
            newest = session.scalars(
                select(FaceChange.xid if services.db.engine.dialect.name == "postgresql" else FaceChange.seq)
                .order_by(FaceChange.seq.desc())
                .limit(1)
            ).one()
            if head(session).xmin > newest:
                return
        time.sleep(0.05)


def test_trimming_leaves_what_is_needed_and_says_so(any_services: Services) -> None:
    with scene_of(any_services) as scene:
        behind = replica_of(any_services)
        with read_only(any_services.db) as session:
            old = watermark_of(session, head(session))
        for face in (0, 1, 0):
            scene.toggle(0, face)
            scene.end(0, keep=True)
        await_settled(any_services)
        with read_only(any_services.db) as session:
            assert_right(scene, session)
            seen = head(session)
            kept = watermark_of(session, seen)
            size = count_faces(session, VERSION)
        assert old is not None
        assert kept is not None
        with unit_of_work(any_services.db) as session:
            assert trim(session, seen.xmin, AT) == FACES + 3  # the first row and all others but the last
            assert trim(session, seen.xmin, AT) == 0
        with read_only(any_services.db) as session:
            assert follows(session, VERSION, kept)
            assert not follows(session, VERSION, old)
            assert len(scene.replica.caught_up(session, 1)) == size, "who has followed does not mind"
            with pytest.raises(LogTrimmed):
                read(session, VERSION, Seen(1, 1)).check(Seen(1, 1))
            with pytest.raises(IndexWarming):
                behind.caught_up(session, 1)
        behind.rebuild()
        with read_only(any_services.db) as session:
            assert behind.caught_up(session, 1).ids() == searchable(session)


def test_whoever_is_past_the_number_of_a_change_has_applied_it(any_services: Services) -> None:
    with scene_of(any_services) as scene:
        with unit_of_work(any_services.db) as session:
            session.execute(update(Face).where(Face.id == scene.people[0].face_id).values(chosen=False))
            number = own_number(session)
            assert number not in scene.replica.state.seen
        with read_only(any_services.db) as session:
            assert_right(scene, session)
        assert number in scene.replica.state.seen
