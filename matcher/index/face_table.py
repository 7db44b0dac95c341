"""Rows of faces in plain arrays: face id, record id and place of each, found by face id.

A million rows take 40 MB: 32 bytes of ids and 8 of hash table each. A dictionary of UUIDs takes several times that.
"""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint64]
"""UUIDs as two numbers each, (n, 2): their 16 bytes unchanged, so that `tobytes` gives them back."""

Rows = NDArray[np.int64]

Write = Callable[[NDArray[Any]], None]
"""Takes the bytes of a contiguous array."""

ReadInto = Callable[[NDArray[Any]], None]
"""Fills a contiguous array with the next bytes, whole."""

EMPTY, GONE = -1, -2
FULLEST = 0.66  # linear probing: beyond two thirds the runs of taken slots grow fast (Knuth, TAOCP 3, 6.4)
GROWTH = 1.25
LEAST = 16
GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio: Fibonacci hashing (Knuth, TAOCP 3, 6.4)


def as_ids(ids: Iterable[uuid.UUID]) -> Ids:
    """UUIDs as rows of a table."""
    return np.frombuffer(bytearray(b"".join(face_id.bytes for face_id in ids)), np.uint64).reshape(-1, 2)


def as_uuids(ids: Ids) -> list[uuid.UUID]:
    """Rows of a table as UUIDs."""
    data = ids.tobytes()
    return [uuid.UUID(bytes=data[start : start + 16]) for start in range(0, len(data), 16)]


class FaceTable:
    """Rows 0 to `rows`-1. Not safe between threads by itself: the index locks."""

    def __init__(self) -> None:
        """No row."""
        self.rows = 0
        self.living = 0
        self._faces: Ids = np.zeros((LEAST, 2), np.uint64)
        self._subjects: Ids = np.zeros((LEAST, 2), np.uint64)
        self._alive = np.zeros(LEAST, np.bool_)
        self._slots = np.full(LEAST, EMPTY, np.int32)
        self._taken = 0

    @property
    def faces(self) -> Ids:
        """Face id of each row, (rows, 2); zeros where it is not alive. A view: copy what outlives the lock."""
        return self._faces[: self.rows]

    @property
    def subjects(self) -> Ids:
        """Record id of each row, (rows, 2), as `faces`."""
        return self._subjects[: self.rows]

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Whether each row holds a face, (rows,), as `faces`."""
        return self._alive[: self.rows]

    @property
    def bytes_held(self) -> int:
        """Bytes of all arrays as allocated."""
        return self._faces.nbytes + self._subjects.nbytes + self._alive.nbytes + self._slots.nbytes

    def find(self, ids: Ids) -> Rows:
        """Row of each face id, -1 for those that are not here."""
        slots = self._slots_of(ids)
        return np.where(slots < 0, -1, self._slots[slots]).astype(np.int64)

    def append(self, faces: Ids, subjects: Ids) -> None:
        """Add rows at the end. The face ids must be distinct and not be here."""
        count = len(faces)
        self._make_room(count)
        rows = np.arange(self.rows, self.rows + count, dtype=np.int64)
        self._faces[rows], self._subjects[rows], self._alive[rows] = faces, subjects, True
        self.rows += count
        self.living += count
        if self._taken + count > FULLEST * len(self._slots):
            self._rehash()
        else:
            self._link(rows)

    def kill(self, rows: Rows) -> None:
        """Forget the faces of distinct living rows, which stay as empty rows."""
        self._slots[self._slots_of(self._faces[rows])] = GONE
        self._faces[rows] = self._subjects[rows] = 0
        self._alive[rows] = False
        self.living -= len(rows)

    def drop(self, rows: Rows) -> tuple[Rows, Rows]:
        """Take distinct living rows out, filling the holes with rows from the end.

        Gives (from, to): rows that moved, in the numbering before. All rows must be alive.
        """
        self.kill(rows)
        left = self.rows - len(rows)
        holes = rows[rows < left]
        movers = left + np.flatnonzero(self._alive[left : self.rows])
        self._slots[self._slots_of(self._faces[movers])] = holes
        for column in (self._faces, self._subjects, self._alive):
            column[holes] = column[movers]
            column[left : self.rows] = 0
        self.rows = left
        return movers, holes

    def save(self, write: Write) -> None:
        """Write all rows; `load` reads them."""
        if self.rows:
            for column in (self.faces, self.subjects, self.alive):
                write(column)

    def load(self, rows: int, read_into: ReadInto) -> None:
        """Replace everything by so many rows that `save` wrote."""
        self.rows = 0
        self._make_room(rows)
        self.rows = rows
        for column in (self.faces, self.subjects, self.alive.view(np.uint8)):
            if rows:
                read_into(column)
        self.living = int(np.count_nonzero(self.alive))
        self._rehash()

    def _make_room(self, count: int) -> None:
        needed = self.rows + count
        if needed <= len(self._faces):
            return
        size = max(LEAST, needed, int(len(self._faces) * GROWTH))
        # Pages of np.zeros that nobody wrote take no memory.
        faces, subjects, alive = (
            np.zeros((size, 2), np.uint64),
            np.zeros((size, 2), np.uint64),
            np.zeros(size, np.bool_),
        )
        faces[: self.rows], subjects[: self.rows], alive[: self.rows] = self.faces, self.subjects, self.alive
        self._faces, self._subjects, self._alive = faces, subjects, alive

    def _rehash(self) -> None:
        size = LEAST
        while size * FULLEST < self.living * GROWTH:
            size *= 2
        self._slots = np.full(size, EMPTY, np.int32)
        self._taken = 0
        self._link(np.flatnonzero(self.alive))

    def _home(self, ids: Ids) -> Rows:
        bits = np.uint64(64 - (len(self._slots) - 1).bit_length())
        mixed = (ids[:, 0] ^ (ids[:, 1] * GOLDEN)) * GOLDEN
        return (mixed >> bits).astype(np.int64)

    def _link(self, rows: Rows) -> None:
        mask = len(self._slots) - 1
        places = self._home(self._faces[rows])
        self._taken += len(rows)
        while len(rows):
            free = self._slots[places] < 0
            self._slots[places[free]] = rows[free]
            # Of rows that wanted one slot the last written has it; the others go on.
            lost = self._slots[places] != rows
            rows, places = rows[lost], (places[lost] + 1) & mask

    def _slots_of(self, ids: Ids) -> Rows:
        mask = len(self._slots) - 1
        found = np.full(len(ids), -1, np.int64)
        places, pending = self._home(ids), np.arange(len(ids))
        while len(pending):
            rows = self._slots[places[pending]]
            here = (rows >= 0) & (self._faces[rows] == ids[pending]).all(axis=1)
            found[pending[here]] = places[pending[here]]
            pending = pending[~here & (rows != EMPTY)]
            places[pending] = (places[pending] + 1) & mask
        return found
