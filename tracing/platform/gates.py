"""What migrations share on both databases: gates (闸门), and the values that an enum column allows.

A gate is (name, table, event, refused, message): `refused` is the SQL condition, over NEW and OLD, under which a row's
INSERT, UPDATE or DELETE is refused. Written once here so that each migration from 0015 on states its rules alone; what
is here must not change for a migration that has been run anywhere.
"""

import re
from collections.abc import Iterable, Sequence

from alembic.operations import Operations

Gate = tuple[str, str, str, str, str]
_REFUSE = "RAISE EXCEPTION 'gate: {message}' USING ERRCODE = 'check_violation';"


def changed(*columns: str) -> str:
    """The condition that an UPDATE changes one of the columns."""
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


def user_has(column: str, *roles: str) -> str:
    """The condition that the account in a column has one of the roles."""
    listed = ", ".join(f"'{role}'" for role in roles)
    return f"EXISTS (SELECT 1 FROM user_account WHERE id = NEW.{column} AND role IN ({listed}))"


def create(op: Operations, gates: Iterable[Gate], *, kept: Sequence[str] = ()) -> None:
    """Create the gates, and for the tables in `kept` those against emptying or replacing rows behind a row trigger."""
    if op.get_bind().dialect.name != "postgresql":
        for name, table, event, refused, message in gates:
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {refused}"
                f" BEGIN SELECT RAISE(ABORT, 'gate: {message}'); END"
            )
        for table in kept:
            # SQLite's REPLACE deletes the row that a new one collides with, and no delete trigger fires.
            op.execute(
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}"
                f" WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"
                f" BEGIN SELECT RAISE(ABORT, 'gate: {table} rows are not replaced'); END"
            )
        return
    for name, table, event, refused, message in gates:
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {refused} THEN"
            f" {_REFUSE.format(message=message)} END IF; RETURN {'OLD' if event == 'DELETE' else 'NEW'}; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    for table in kept:  # TRUNCATE passes row triggers by
        op.execute(
            f"CREATE FUNCTION {table}_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" {_REFUSE.format(message=f'{table} is not emptied')} END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_no_truncate()"
        )


def drop(op: Operations, gates: Iterable[Gate], *, kept: Sequence[str] = ()) -> None:
    """Drop what `create` made, for the way down."""
    if op.get_bind().dialect.name != "postgresql":
        for name in (*(gate[0] for gate in gates), *(f"{table}_no_replace" for table in kept)):
            op.execute(f"DROP TRIGGER {name}")
        return
    for name, table in (*(gate[:2] for gate in gates), *((f"{table}_no_truncate", table) for table in kept)):
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")


def allow(op: Operations, table: str, column: str, constraint: str, values: Sequence[str]) -> None:
    """Set the values that a column's enum CHECK allows, rows, triggers and foreign keys untouched.

    SQLite cannot alter a CHECK, and copying the table loses its triggers and trips over whoever refers to it; its own
    documentation allows the stored text of a table to be edited when only a constraint changes
    (sqlite.org/lang_altertable.html, section 8).
    """
    listed = ", ".join(f"'{value}'" for value in values)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({column} IN ({listed}))")
        return
    connection = op.get_bind()
    text = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    ).scalar_one()
    check = rf"CONSTRAINT {constraint} CHECK \({column} IN \([^)]*\)\)"
    changed_text, count = re.subn(check, f"CONSTRAINT {constraint} CHECK ({column} IN ({listed}))", text)
    if count != 1:
        raise LookupError(f"{table} has no {constraint} over {column}")
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (changed_text, table)
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
