"""Databases for the plumbing's tests: SQLite always, a throw-away PostgreSQL database when a server answers."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

import models.organisation
import models.subject
import models.user  # noqa: F401 - registers its tables
from models.audit import AuditHead
from models.base import Base
from models.job import Job
from tracing.platform.audit import GENESIS_HASH
from tracing.platform.db import Database, create_database, unit_of_work
from tracing.platform.settings import DatabaseSettings, JobSettings, Settings

POSTGRES = os.environ.get("GUITU_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("GUITU_TEST_REDIS_URL", "redis://127.0.0.1:6379/9")
NOW = datetime(2026, 3, 1, 4, 5, 6, 7, tzinfo=UTC)
TABLES = [
    Base.metadata.tables[name] for name in ("organisation", "user_account", "subject", "audit_event", "audit_head")
]


def settings_for(url: str, data_dir: Path, **jobs: float) -> Settings:
    """Settings of a test's own, whatever the environment says."""
    return Settings(
        _env_file=None,
        data_dir=data_dir,
        database=DatabaseSettings(url=SecretStr(url), lock_timeout_seconds=20),
        jobs=JobSettings.model_validate(jobs),
    )


def prepared(settings: Settings) -> Database:
    """The settings' database with the tables that the plumbing needs."""
    db = create_database(settings)
    Base.metadata.create_all(db.engine, tables=[*TABLES, Base.metadata.tables[Job.__tablename__]])
    with unit_of_work(db) as session:
        session.add(AuditHead(id=1, seq=0, hash=GENESIS_HASH))
    return db


@pytest.fixture
def sqlite_settings(tmp_path: Path) -> Settings:
    """Settings of a SQLite database in the test's own folder."""
    return settings_for("sqlite:///{data_dir}/guitu.sqlite3", tmp_path / "var")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with tables, once on SQLite and once on PostgreSQL."""
    url = "sqlite:///{data_dir}/guitu.sqlite3" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    database = prepared(settings_for(url, tmp_path / "var"))
    yield database
    database.dispose()


@pytest.fixture
def sqlite_db(sqlite_settings: Settings) -> Iterator[Database]:
    """A SQLite database with tables, where the dialect makes no difference."""
    database = prepared(sqlite_settings)
    yield database
    database.dispose()
