"""Described records (档案缓存) kept in this process between matching passes, so that they are not read anew.

Facts alone, never face templates: those are read for each pass, so that an erased face is nowhere but in the index. An
entry is used only for the revision that the database names, and is dropped when it is old, unused or out of date.
"""

import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    revision: int
    since: float
    value: T


class RecordCache(Generic[T]):
    """At most `bound` values by profile id, each of one revision and no older than `seconds`. Safe between threads."""

    def __init__(self, bound: int, seconds: float) -> None:
        """Empty. A bound of 0 keeps nothing."""
        self._bound, self._seconds = bound, seconds
        self._lock = Lock()
        self._entries: OrderedDict[uuid.UUID, _Entry[T]] = OrderedDict()

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._entries)

    def get(self, profile_id: uuid.UUID, revision: int) -> T | None:
        """The value of exactly that revision; one of another revision is dropped."""
        with self._lock:
            entry = self._entries.get(profile_id)
            if entry is None:
                return None
            if entry.revision != revision or entry.since + self._seconds < time.monotonic():
                del self._entries[profile_id]
                return None
            return entry.value

    def put(self, profile_id: uuid.UUID, revision: int, value: T) -> None:
        """Keep a value; the oldest ones go when there are too many, or are too old."""
        now = time.monotonic()
        with self._lock:
            self._entries.pop(profile_id, None)
            self._entries[profile_id] = _Entry(revision, now, value)
            while self._entries:
                oldest = next(iter(self._entries))
                if len(self._entries) <= self._bound and self._entries[oldest].since + self._seconds >= now:
                    break
                del self._entries[oldest]

    def drop(self, profile_id: uuid.UUID) -> None:
        """Keep nothing of this profile."""
        with self._lock:
            self._entries.pop(profile_id, None)
