"""Databases on the tests' PostgreSQL server: made once, emptied after each test, and made anew when a test bent one.

Dropping a database waits for a checkpoint of the whole server, half a second or more; emptying one takes milliseconds.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import Engine, text

SHAPE = """
SELECT md5(string_agg(line, ';' ORDER BY line)) FROM (
    SELECT concat('t ', tgrelid::regclass, tgname, tgenabled, tgfoid::regproc) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT concat('f ', proname, md5(prosrc)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat('c ', conname, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat('a ', attrelid::regclass, attname, atttypid, attnotnull) FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND attnum > 0
) AS shape (line)
"""
"""One figure for everything but the rows: a database whose triggers or tables a test changed is not used again."""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename"


def create(server: Engine, template: str = "template1") -> str:
    """A new database, its name. A copy of the template whose commits do not wait for the disk."""
    name = f"guitu_test_{secrets.token_hex(6)}"
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    return name


def drop(server: Engine, name: str) -> None:
    """Drop a database, whoever is still connected."""
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


def url_of(server: Engine, name: str) -> str:
    """The URL of a database on the server."""
    return server.url.set(database=name).render_as_string(hide_password=False)


class Blanks:
    """Databases without tables, each lent to one test at a time."""

    template = "template1"

    def __init__(self, server: Engine) -> None:
        """None is made before it is wanted."""
        self._server = server
        self._free: list[str] = []

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The name of a database that is as the template was."""
        name = self._free.pop() if self._free else create(self._server, self.template)
        try:
            yield name
        finally:
            if self._restored(name):
                self._free.append(name)
            else:
                drop(self._server, name)

    def close(self) -> None:
        """Drop those that are left."""
        while self._free:
            drop(self._server, self._free.pop())

    def _restored(self, name: str) -> bool:
        """Whether the database could be emptied: not when its test bent it, nor where the tests are no superuser."""
        with self._server.connect() as server:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            server.execute(text(others), {"name": name})
        try:
            with self._connected(name) as connection:
                return self._emptied(connection)
        except psycopg.Error:
            return False

    def _connected(self, name: str) -> psycopg.Connection:
        url = self._server.url
        return psycopg.connect(host=url.host, port=url.port, user=url.username, password=url.password, dbname=name)

    def _emptied(self, connection: psycopg.Connection) -> bool:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        return True


class Databases(Blanks):
    """Copies of one template, each lent to one test at a time."""

    def __init__(self, server: Engine, template: str) -> None:
        """Notes what the template holds, for that is what emptying restores; nobody may change it from now on."""
        super().__init__(server)
        self.template = template
        with self._connected(template) as connection:
            self._shape = connection.execute(SHAPE).fetchone()
            self._rows = {name: _rows(connection, name) for (name,) in connection.execute(TABLES)}
            self._sequences = {name: _position(connection, name) for (name,) in connection.execute(SEQUENCES)}

    def _emptied(self, connection: psycopg.Connection) -> bool:
        if connection.execute(SHAPE).fetchone() != self._shape:
            return False
        connection.execute("SET LOCAL session_replication_role = replica")  # no trigger, no foreign key
        for table, rows in self._rows.items():
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            if rows:
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                    copy.write(rows)
        for sequence, position in self._sequences.items():
            connection.execute("SELECT setval(%s, %s, %s)", (f'"{sequence}"', *position))
        return True


def _rows(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        return b"".join(bytes(part) for part in copy)


def _position(connection: psycopg.Connection, sequence: str) -> tuple[int, bool]:
    row = connection.execute(
        sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(sequence))
    ).fetchone()
    assert row is not None
    return row[0], row[1]
