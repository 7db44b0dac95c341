"""A readers-writer lock with a third way in: hold changes off while searches go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock


class ReadersWriterLock:
    """Readers side by side, writers alone. A waiting writer goes before readers that come later, so that a stream of
    searches cannot keep a removal out. Not reentrant in any of its ways.
    """

    def __init__(self) -> None:
        """Held by nobody."""
        self._changing = Lock()
        self._condition = Condition(Lock())
        self._readers = 0
        self._writer = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Among readers: nothing changes meanwhile."""
        with self._condition:
            while self._writer:
                self._condition.wait()
            self._readers += 1
        try:
            yield
        finally:
            with self._condition:
                self._readers -= 1
                if not self._readers:
                    self._condition.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Alone."""
        with self._changing:
            with self._condition:
                # From here on new readers wait; those inside are waited for.
                self._writer = True
                while self._readers:
                    self._condition.wait()
            try:
                yield
            finally:
                with self._condition:
                    self._writer = False
                    self._condition.notify_all()

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing changes meanwhile, for as long as a snapshot takes, and readers never wait for it."""
        with self._changing:
            yield
