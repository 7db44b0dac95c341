"""A case in review on both databases, before anybody has judged it: made once, and copied for each test."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from models.candidate import Candidate
from models.case import CaseState
from models.user import Role
from tests.conftest import NOW, SQLITE_FILE, settings_for
from tests.factories.postgres import Databases, create, drop, url_of
from tests.factories.records import make_case
from tests.factories.stories import Story, judged_case, run_jobs
from tests.factories.world import build_world
from tests.models.sql import Ground
from tracing.platform.db import create_database, read_only, unit_of_work
from tracing.platform.settings import Settings
from tracing.services import build_services


@pytest.fixture(scope="session")
def sqlite_ground(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ground]:
    """A database file that holds the ground, and the ground."""
    folder = tmp_path_factory.mktemp("ground")
    shutil.copyfile(sqlite_template, folder / SQLITE_FILE)
    made = _made(settings_for(folder))
    assert not folder.joinpath(f"{SQLITE_FILE}-wal").exists(), "a connection was left open"
    return folder / SQLITE_FILE, made


@pytest.fixture(scope="session")
def postgres_ground(
    postgres_server: Engine, postgres_databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Databases, Ground]]:
    """Databases that hold the ground, to be lent, and the ground."""
    template = create(postgres_server, postgres_databases.template)
    try:
        made = _made(settings_for(tmp_path_factory.mktemp("ground"), url_of(postgres_server, template)))
        with closing(Databases(postgres_server, template)) as databases:
            yield databases, made
    finally:
        drop(postgres_server, template)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    """Two cases in review, found for one report."""
    folder = tmp_path / "var"
    folder.mkdir(mode=0o700)
    if request.param == "sqlite":
        template, made = request.getfixturevalue("sqlite_ground")
        shutil.copyfile(template, folder / SQLITE_FILE)
        yield from _lent(made, settings_for(folder))
    else:
        databases, made = request.getfixturevalue("postgres_ground")
        with databases.lent() as name:
            yield from _lent(made, settings_for(folder, url_of(request.getfixturevalue("postgres_server"), name)))


def _lent(made: Ground, settings: Settings) -> Iterator[Ground]:
    db = create_database(settings)
    yield replace(made, db=db)
    db.dispose()


def _made(settings: Settings) -> Ground:
    services = build_services(settings)
    world = build_world(services, NOW)
    story = judged_case(services, world, CaseState.IN_REVIEW, now=NOW)
    with unit_of_work(services.db) as session:
        second = make_case(session, services, world.viewer(world.a.users[Role.STATION_STAFF]), now=NOW)
    run_jobs(services, NOW)
    with read_only(services.db) as session:
        candidate_id = session.scalars(
            select(Candidate.id).where(Candidate.case_id == second.id, Candidate.report_id == story.report_id)
        ).one()
    services.db.dispose()
    return Ground(services.db, world, story, Story(second.id, story.report_id, candidate_id))
