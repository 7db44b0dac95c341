"""Statements: what a database is asked while something is done."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event


@contextmanager
def heard(engine: Engine) -> Iterator[list[tuple[float, str]]]:
    """What the engine is asked, each statement with the milliseconds until its first row."""
    statements: list[tuple[float, str]] = []
    began = [0.0]

    def asked(*_: object) -> None:
        began[0] = time.perf_counter()

    def answered(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(((time.perf_counter() - began[0]) * 1000, statement))

    event.listen(engine, "before_cursor_execute", asked)
    event.listen(engine, "after_cursor_execute", answered)
    yield statements
    event.remove(engine, "before_cursor_execute", asked)
    event.remove(engine, "after_cursor_execute", answered)
