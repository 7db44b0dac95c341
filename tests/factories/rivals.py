"""Two cases and two reports, each a candidate for each; and databases that start with them, as many as are wanted."""

import secrets
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, select

from models.candidate import Candidate
from models.user import Role
from tests.conftest import SQLITE_FILE, settings_for
from tests.factories.postgres import Databases, create, drop, url_of
from tests.factories.records import make_case, make_report
from tests.factories.stories import run_jobs
from tests.factories.world import World, build_world
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.migrations import upgrade
from tracing.services import Services, build_services


@dataclass(frozen=True)
class Rivals:
    """Who can be confirmed as whom. `candidates[case][report]` is a candidate's id, by the order of making."""

    world: World
    cases: tuple[uuid.UUID, ...]
    reports: tuple[uuid.UUID, ...]
    candidates: tuple[tuple[uuid.UUID, ...], ...]


def make_rivals(services: Services, now: datetime) -> Rivals:
    """Both cases in review, province a's; the reports are province b's."""
    world = build_world(services, now)
    staff, reporter = (world.viewer(one.users[Role.STATION_STAFF]) for one in (world.a, world.b))
    with unit_of_work(services.db) as session:
        reports = tuple(make_report(session, services, reporter, now=now).id for _ in range(2))
        cases = tuple(make_case(session, services, staff, now=now).id for _ in range(2))
    run_jobs(services, now)
    with read_only(services.db) as session:
        found = {(one.case_id, one.report_id): one.id for one in session.scalars(select(Candidate))}
    return Rivals(world, cases, reports, tuple(tuple(found[case, report] for report in reports) for case in cases))


@dataclass(frozen=True)
class Copies:
    """The ground, and a way to as many fresh databases that hold it."""

    rivals: Rivals
    fresh: Callable[[], AbstractContextManager[Services]]


@contextmanager
def sqlite_copies(folder: Path, now: datetime) -> Iterator[Copies]:
    """On SQLite files under the folder."""
    first = settings_for(folder / "template")
    upgrade(first)
    services = build_services(first)
    rivals = make_rivals(services, now)
    services.db.dispose()

    @contextmanager
    def fresh() -> Iterator[Services]:
        place = folder / secrets.token_hex(6)
        shutil.copytree(folder / "template", place)
        copy = build_services(settings_for(place))
        try:
            yield copy
        finally:
            copy.db.dispose()
            shutil.rmtree(place)

    assert (folder / "template" / SQLITE_FILE).exists()
    yield Copies(rivals, fresh)


@contextmanager
def postgres_copies(server: Engine, folder: Path, now: datetime) -> Iterator[Copies]:
    """On databases of the server, dropped afterwards; the connection must be in autocommit."""
    template = create(server)
    try:
        first = settings_for(folder / "postgres", url_of(server, template))
        upgrade(first)
        services = build_services(first)
        rivals = make_rivals(services, now)
        services.db.dispose()
        databases = Databases(server, template)

        @contextmanager
        def fresh() -> Iterator[Services]:
            with databases.lent() as name:
                copy = build_services(settings_for(folder / "postgres", url_of(server, name)))
                try:
                    yield copy
                finally:
                    copy.db.dispose()

        yield Copies(rivals, fresh)
        databases.close()
    finally:
        drop(server, template)


def race(attempts: Sequence[Callable[[], object]]) -> tuple[list[int], list[Exception]]:
    """Run all at once, each in a thread: the positions of those that came through, and the errors of the others."""
    start, won, lost = threading.Barrier(len(attempts)), list[int](), list[Exception]()

    def run(position: int) -> None:
        start.wait()
        try:
            attempts[position]()
            won.append(position)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller judges it
            lost.append(error)

    threads = [threading.Thread(target=run, args=(position,)) for position in range(len(attempts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won, lost
