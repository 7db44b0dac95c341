"""Throw-away environments for the story and the drills: embedded in a folder, or PostgreSQL, Redis and Celery."""

import base64
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType

from redis import Redis
from sqlalchemy import create_engine, make_url, text

from tracing.platform.settings import Settings, load_settings

POSTGRES_VARIABLE = "GUITU_TEST_POSTGRES_URL"
REDIS_VARIABLE = "GUITU_TEST_REDIS_URL"
DEFAULT_POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
DEFAULT_REDIS = "redis://127.0.0.1:6379/9"
NOTHING: Mapping[str, str] = MappingProxyType({})


@contextmanager
def environment(folder: Path, *, production: bool, extra: Mapping[str, str] = NOTHING) -> Iterator[Settings]:
    """Settings of an empty installation whose files lie in `folder`; what it made is removed at the end.

    While it lasts the process's own `GUITU_…` variables are these (and `extra`), so that child processes have them.

    In production mode the servers are those of GUITU_TEST_POSTGRES_URL and GUITU_TEST_REDIS_URL; a database and a key
    prefix of its own are made there.
    """
    with _production(folder) if production else nullcontext(_embedded(folder)) as variables:
        before = {name: value for name, value in os.environ.items() if name.startswith("GUITU_")}
        for name in before.keys() - {POSTGRES_VARIABLE, REDIS_VARIABLE}:
            del os.environ[name]
        os.environ.update({**variables, **extra})
        try:
            yield load_settings()
        finally:
            for name in {*variables, *extra}:
                del os.environ[name]
            os.environ.update(before)


def _embedded(folder: Path) -> dict[str, str]:
    return {"GUITU_DATA_DIR": str(folder), "GUITU_LOG_LEVEL": "WARNING", "GUITU_REVIEW__PACE": "false"}


@contextmanager
def _production(folder: Path) -> Iterator[dict[str, str]]:
    name = f"guitu_test_{secrets.token_hex(6)}"
    server = make_url(os.environ.get(POSTGRES_VARIABLE, DEFAULT_POSTGRES))
    broker = os.environ.get(REDIS_VARIABLE, DEFAULT_REDIS)
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        yield {
            "GUITU_ENVIRONMENT": "production",
            "GUITU_DATA_DIR": str(folder),
            "GUITU_LOG_LEVEL": "WARNING",
            "GUITU_REVIEW__PACE": "false",
            "GUITU_DATABASE__URL": server.set(database=name).render_as_string(hide_password=False),
            "GUITU_KEYS__MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "GUITU_JOBS__MODE": "celery",
            "GUITU_JOBS__BROKER_URL": broker,
            "GUITU_JOBS__BROKER_KEY_PREFIX": f"{name}:",
            "GUITU_LIMITS__STORAGE_URI": broker,
            "GUITU_WEB__SECURE_COOKIES": "true",
            "GUITU_WEB__PUBLIC_URL": "https://guitu.test",
        }
    finally:
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        engine.dispose()
        redis = Redis.from_url(broker)
        for key in redis.scan_iter(f"{name}:*"):
            redis.delete(key)
