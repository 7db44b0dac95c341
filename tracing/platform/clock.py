"""The wall clock. Everything else is handed the time as `now: datetime`, so that tests can choose it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, aware, in UTC: the only reading of the wall clock."""
    return datetime.now(UTC)
