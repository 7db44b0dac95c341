"""The lease (租约) of whoever feeds a shared index: one process at a time, and another one if that dies."""

import secrets
import time
from datetime import timedelta
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self, cast

import structlog
from sqlalchemy import CursorResult, delete, or_, update
from sqlalchemy.exc import SQLAlchemyError

from models.index_place import SharedIndex
from tracing.platform.clock import Clock
from tracing.platform.db import Database, unit_of_work

log = structlog.stdlib.get_logger(__name__)

NO_SYNC = {"synchronize_session": False}
RENEWALS = 3
"""Renewals in the time that a lease lasts."""


class LeaseGone(Exception):
    """The lease ran out, or will too soon: another process may be feeding. Write nothing more."""


class Lease:
    """Held from `take` to the end of the `with` block; renewed by a thread of its own meanwhile."""

    def __init__(self, db: Database, model_version: str, token: str, clock: Clock, seconds: float) -> None:
        """As `take` makes it."""
        self._db, self._version, self._token, self._clock, self._seconds = db, model_version, token, clock, seconds
        self._good_until = time.monotonic() + seconds
        self._stop = Event()
        self._thread = Thread(target=self._renew, name="index-lease", daemon=True)

    @classmethod
    def take(cls, db: Database, model_version: str, clock: Clock, seconds: float) -> Self | None:
        """The lease of a model version's shared index; None when another one holds it, or there is no such index."""
        token, before = secrets.token_hex(16), time.monotonic()
        free = or_(SharedIndex.fed_by.is_(None), SharedIndex.fed_until < clock())
        values = {"fed_by": token, "fed_until": clock() + timedelta(seconds=seconds)}
        with unit_of_work(db) as session:
            taken = session.execute(
                update(SharedIndex).where(SharedIndex.model_version == model_version, free).values(values),
                execution_options=NO_SYNC,
            )
        if cast(CursorResult[Any], taken).rowcount != 1:
            return None
        made = cls(db, model_version, token, clock, seconds)
        made._good_until = before + seconds
        return made

    def __enter__(self) -> Self:
        """Keep it alive from here on."""
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Give it back, unless `end` or `drop` did."""
        self._stop.set()
        self._thread.join()
        if self._good_until > 0:
            try:
                self.end()
            except (LeaseGone, SQLAlchemyError):
                log.warning("index_lease_lapsed", model=self._version)

    def check(self, needed_seconds: float) -> None:
        """Raise LeaseGone unless it lasts for so long: call it before every write to the index."""
        if time.monotonic() + needed_seconds > self._good_until:
            raise LeaseGone

    def change(self, **values: object) -> None:
        """Set columns of the shared index's row. Raises LeaseGone, with nothing set, when it is not ours any more."""
        with unit_of_work(self._db) as session:
            changed = session.execute(self._held(update(SharedIndex)).values(values), execution_options=NO_SYNC)
            if cast(CursorResult[Any], changed).rowcount != 1:
                self._good_until = 0.0
                raise LeaseGone

    def end(self, **values: object) -> None:
        """Set columns and give the lease back, in one transaction. Raises LeaseGone as `change` does."""
        self._stop.set()
        self.change(**values, fed_by=None, fed_until=None)
        self._good_until = 0.0

    def drop(self) -> None:
        """Delete the row: there is no such index any more."""
        self._stop.set()
        with unit_of_work(self._db) as session:
            session.execute(self._held(delete(SharedIndex)), execution_options=NO_SYNC)
        self._good_until = 0.0

    def _held(self, statement: Any) -> Any:
        return statement.where(SharedIndex.model_version == self._version, SharedIndex.fed_by == self._token)

    def _renew(self) -> None:
        while not self._stop.wait(self._seconds / RENEWALS):
            before = time.monotonic()
            try:
                self.change(fed_until=self._clock() + timedelta(seconds=self._seconds))
            except LeaseGone:
                return
            except SQLAlchemyError:
                log.warning("index_lease_not_renewed", model=self._version)
            else:
                self._good_until = before + self._seconds
