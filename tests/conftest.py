"""Fixtures of every test: settings, services on a migrated database of the test's own, and a small world."""

import base64
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError

from api.app import attach, create_app
from tests.factories.postgres import Blanks, Databases, create, drop, url_of
from tests.factories.world import World, build_world
from tracing.platform import logs
from tracing.platform.migrations import upgrade
from tracing.platform.setting_groups import ReviewSettings
from tracing.platform.settings import DatabaseSettings, FaceSettings, JobSettings, KeySettings, Settings
from tracing.services import Services, build_services

POSTGRES = os.environ.get("GUITU_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
MASTER_KEY = SecretStr(base64.b64encode(secrets.token_bytes(32)).decode("ascii"))
SQLITE_URL = "sqlite:///{data_dir}/guitu.sqlite3"
SQLITE_FILE = "guitu.sqlite3"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

# Examples are drawn from the test's own name, the same ones each time; how fast a machine is decides nothing.
hypothesis.settings.register_profile(
    "guitu", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("guitu")


def settings_for(data_dir: Path, url: str = SQLITE_URL) -> Settings:
    """Settings of a test's own, whatever the environment says: no face engine, no Celery, no seeds, no pace."""
    return Settings(
        _env_file=None,
        environment="development",
        data_dir=data_dir,
        database=DatabaseSettings(url=SecretStr(url), pool_size=5, lock_timeout_seconds=20),
        keys=KeySettings(master_key=MASTER_KEY),
        jobs=JobSettings(mode="embedded"),
        faces=FaceSettings(engine="none"),
        review=ReviewSettings(seeds=False, pace=False),
    )


@pytest.fixture(scope="session", autouse=True)
def _readable_logs(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As in development: what structlog does without being told takes seconds for each exception."""
    logs.configure(settings_for(tmp_path_factory.mktemp("logs")))


@pytest.fixture
def now() -> datetime:
    """The moment at which a test begins."""
    return NOW


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a SQLite database in the test's own folder, which is not there yet."""
    return settings_for(tmp_path / "var")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database file, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    upgrade(settings_for(folder))
    if folder.joinpath(f"{SQLITE_FILE}-wal").exists():
        pytest.fail("the migrations left a connection open: their write-ahead log was not folded into the file")
    return folder / SQLITE_FILE


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Engine]:
    """A connection to the server that may create databases. Skips when no server answers."""
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    try:
        server.connect().close()
    except OperationalError:
        pytest.skip("no PostgreSQL server answers (GUITU_TEST_POSTGRES_URL)")
    yield server
    server.dispose()


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Migrated, empty databases to be lent."""
    template = create(postgres_server)
    try:
        upgrade(settings_for(tmp_path_factory.mktemp("postgres"), url_of(postgres_server, template)))
        databases = Databases(postgres_server, template)
        yield databases
        databases.close()
    finally:
        drop(postgres_server, template)


@pytest.fixture(scope="session")
def postgres_blanks(postgres_server: Engine) -> Iterator[Blanks]:
    """Databases without tables to be lent."""
    blanks = Blanks(postgres_server)
    yield blanks
    blanks.close()


@pytest.fixture
def postgres_url(postgres_server: Engine, postgres_blanks: Blanks) -> Iterator[str]:
    """URL of a PostgreSQL database without tables."""
    with postgres_blanks.lent() as name:
        yield url_of(postgres_server, name)


@pytest.fixture
def empty_postgres(postgres_url: str, tmp_path: Path) -> Settings:
    """Settings of a PostgreSQL database without tables."""
    return settings_for(tmp_path / "var", postgres_url)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_empty(request: pytest.FixtureRequest) -> Settings:
    """Settings of a database without tables, once on SQLite and once on PostgreSQL."""
    name = "settings" if request.param == "sqlite" else "empty_postgres"
    found: Settings = request.getfixturevalue(name)
    return found


@pytest.fixture
def sqlite_services(settings: Settings, sqlite_template: Path) -> Iterator[Services]:
    """Services on a fresh, migrated SQLite database."""
    settings.data_dir.mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, settings.data_dir / SQLITE_FILE)
    built = build_services(settings)
    yield built
    built.db.dispose()


@pytest.fixture
def postgres_services(postgres_server: Engine, postgres_databases: Databases, tmp_path: Path) -> Iterator[Services]:
    """Services on a fresh, migrated PostgreSQL database. Mark the test `postgres`."""
    with postgres_databases.lent() as name:
        built = build_services(settings_for(tmp_path / "var", url_of(postgres_server, name)))
        yield built
        built.db.dispose()


@pytest.fixture
def services(request: pytest.FixtureRequest) -> Services:
    """Services on a fresh SQLite database, where the database makes no difference.

    A test (or a fixture of its own) may ask for the other one: `parametrize("services", ["postgres"], indirect=True)`.
    """
    name = f"{getattr(request, 'param', 'sqlite')}_services"
    found: Services = request.getfixturevalue(name)
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_services(request: pytest.FixtureRequest) -> Services:
    """Services, once on SQLite and once on PostgreSQL."""
    found: Services = request.getfixturevalue(f"{request.param}_services")
    return found


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    """Two provinces with their organisations and one user a role, in the database of the test's services."""
    wanted = [name for name in ("any_services", "postgres_services") if name in request.fixturenames]
    found: Services = request.getfixturevalue(wanted[0] if wanted else "services")
    return build_world(found, NOW)


@pytest.fixture(scope="session")
def routed_app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The application, its routes made once: that takes seconds."""
    made = create_app(settings_for(tmp_path_factory.mktemp("app")))
    made.state.services.db.dispose()
    return made


@pytest.fixture
def app(routed_app: FastAPI, services: Services) -> Iterator[FastAPI]:
    """The application over the test's own services, its background worker at rest. A test's routes go with it."""
    attach(routed_app, replace(services))
    routes = list(routed_app.router.routes)
    yield routed_app
    routed_app.router.routes[:] = routes
