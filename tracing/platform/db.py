"""The database: one engine a process, and the unit of work, the only place that commits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from tracing.platform import audit
from tracing.platform.settings import DatabaseSettings, Settings, SettingsError

READ_ONLY = "guitu_read_only"


@dataclass(frozen=True)
class Database:
    """An engine and the sessions made from it. `url` shows its password nowhere."""

    url: URL
    engine: Engine = field(repr=False)
    session_factory: sessionmaker[Session] = field(repr=False)

    def dispose(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()


def create_database(settings: Settings) -> Database:
    """The database of the settings; SQLite's folder is made (mode 0700) when it is missing. Does not connect.

    Raises SettingsError for a URL that is neither SQLite nor PostgreSQL.
    """
    url = make_url(settings.database.url.get_secret_value())
    backend = url.get_backend_name()
    if backend == "sqlite":
        engine = _sqlite_engine(url, settings.database)
    elif backend == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
        engine = _postgresql_engine(url, settings.database)
    else:
        raise SettingsError("GUITU_DATABASE__URL must begin with sqlite:/// or postgresql+psycopg://.")
    return Database(url, engine, sessionmaker(engine, expire_on_commit=False))


@contextmanager
def unit_of_work(db: Database) -> Iterator[Session]:
    """One transaction: committed with its audit events when the block ends, rolled back when it raises.

    On SQLite it holds the write lock from its first statement (BEGIN IMMEDIATE): compute outside it.
    """
    with db.session_factory() as session, session.begin():
        yield session
        audit.flush(session)


@contextmanager
def read_only(db: Database) -> Iterator[Session]:
    """One consistent snapshot, always rolled back; on SQLite it does not hold up writers, so it may take long.

    Raises RuntimeError when something was recorded for the audit log: a view that must be audited needs a unit of work.
    """
    options: dict[str, Any] = {READ_ONLY: True}
    if db.engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with db.engine.connect().execution_options(**options) as connection, db.session_factory(bind=connection) as session:
        yield session
        if audit.pending(session):
            raise RuntimeError("audit events were recorded in a read-only session")


def dialect_insert(
    session: Session,
) -> Callable[[Any], sqlite.Insert | postgresql.Insert]:
    """The `insert` of the session's dialect: the one that knows ON CONFLICT."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def _sqlite_engine(url: URL, settings: DatabaseSettings) -> Engine:
    in_memory = url.database in {None, "", ":memory:"}
    if not in_memory:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Statement parameters may be personal: hide_parameters keeps them out of error texts.
    pool: dict[str, Any] = {} if in_memory else {"pool_size": settings.pool_size}
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": settings.busy_timeout_seconds}, **pool)

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The sqlite3 module must not begin transactions of its own accord; `begin` below does (Python 3.11 has no
        # `autocommit` attribute, so this is SQLAlchemy's documented way).
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            # A destroyed data key must not linger in a free page.
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that begins as a reader and writes later fails at once when another wrote in between.
        read = connection.get_execution_options().get(READ_ONLY)
        connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")

    return engine


def _postgresql_engine(url: URL, settings: DatabaseSettings) -> Engine:
    options = {
        "jit": "off",  # compiling costs more than these statements take
        # How large a viewer's subtree is decides the plan: one that was made for any path was many times slower.
        "plan_cache_mode": "force_custom_plan",
        # A page's statement is done before workers have started, and under a LIMIT they read far ahead: sums gain.
        "parallel_setup_cost": 5000,
        "random_page_cost": 1.1,  # as of memory and flash; with the figure for turning disks, indexes are passed over
        "statement_timeout": round(settings.statement_timeout_seconds * 1000),
        "lock_timeout": round(settings.lock_timeout_seconds * 1000),
        "timezone": "UTC",
    }
    return create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=settings.pool_size,
        connect_args={
            "application_name": "guitu",
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        },
    )
