"""Carrying faces into an index of any sort, from another one or from where they are stored, while the source serves.

The way: a token with the source's watermark, then `move` until it returns, then the caller follows the source's change
log on the target from the watermark that the target now has, verifies, and only then answers from the target. Changes
made during the copy are after that watermark, so following it repeats or repairs them; nothing has to stand still. The
source is never touched: going back is answering from it again (it went on following the log), or the same move the
other way.
"""

import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from matcher.index.base import IndexEntry, VectorIndex, Watermark

FACES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class MoveToken:
    """Where a move stands: everything up to and including face id `after` is in the target.

    `watermark`: the source's at the beginning, whatever happened to it since.
    """

    watermark: Watermark
    after: uuid.UUID | None = None

    def as_json(self) -> dict[str, object]:
        """To be kept by the caller, so that a killed move goes on."""
        return {"watermark": self.watermark.as_json(), "after": None if self.after is None else str(self.after)}

    @classmethod
    def from_json(cls, value: object) -> "MoveToken":
        """What `as_json` gave. Raises ValueError on anything else."""
        if not isinstance(value, dict) or value.keys() != {"watermark", "after"}:
            raise ValueError("a move's token is an object of watermark and after")
        after = value["after"]
        if after is not None and not isinstance(after, str):
            raise ValueError("after is a face id or null")
        return cls(Watermark.from_json(value["watermark"]), None if after is None else uuid.UUID(after))


@dataclass(frozen=True, slots=True)
class MoveProgress:
    """`done` of `total` faces that the source held when this call began; `token`: where to go on."""

    done: int
    total: int
    token: MoveToken


class FaceSource(Protocol):
    """Where faces are carried from: any `VectorIndex`, or a database of them. It may change meanwhile."""

    @property
    def model_version(self) -> str:
        """See `VectorIndex`."""
        ...

    @property
    def dimension(self) -> int:
        """See `VectorIndex`."""
        ...

    def ids(self) -> frozenset[uuid.UUID]:
        """Face ids held now."""
        ...

    def fetch(self, ids: Iterable[uuid.UUID]) -> list[IndexEntry]:
        """What is held now for these face ids; those that are gone are left out."""
        ...


@runtime_checkable
class Settling(Protocol):
    """An index that needs time after a bulk load before its searches are at their best."""

    def settle(self) -> None:
        """Wait for that."""
        ...


def move(
    source: FaceSource,
    target: VectorIndex,
    token: MoveToken,
    progress: Callable[[MoveProgress], None],
    *,
    faces_at_once: int = FACES_AT_ONCE,
) -> None:
    """Copy every face after `token` in the order of face ids, take away what the source does not hold, mark the target.

    `progress` is called once at the start and after each run of faces; when it raises, or the process dies, calling
    again with the last token goes on. Both indexes' ids are held in memory, about 150 bytes each: some ten million
    faces. Raises ValueError, before anything is copied, when the two differ in model version or dimension, and
    IndexUnreachable, with the target's watermark where it was.
    """
    if (source.model_version, source.dimension) != (target.model_version, target.dimension):
        raise ValueError("both indexes must be of one model version and dimension")
    ids = sorted(source.ids())
    done = 0 if token.after is None else bisect_right(ids, token.after)
    progress(MoveProgress(done, len(ids), token))
    while done < len(ids):
        part = ids[done : done + faces_at_once]
        target.add(source.fetch(part))
        done += len(part)
        token = MoveToken(token.watermark, part[-1])
        progress(MoveProgress(done, len(ids), token))
    # A face that left the source during the copy, or that an earlier move left behind.
    target.remove(target.ids() - source.ids())  # in this order: what enters both meanwhile must stay
    if isinstance(target, Settling):
        target.settle()
    target.mark(token.watermark)
