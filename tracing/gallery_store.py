"""Snapshots of the gallery's indexes in {data_dir}/index: how a process starts at once. Rebuildable, never needed.

What cannot be used is deleted and the reason logged: the remedy is always to rebuild from the database.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from matcher.index.base import SnapshotDamaged
from matcher.index.choice import LocalIndex
from matcher.index.snapshot import SUFFIX, prune, read_header, read_snapshot, snapshot_path, write_snapshot
from tracing.gallery_log import Seen, seen_by

log = structlog.stdlib.get_logger(__name__)

PURPOSE = "index snapshot"
"""What the files' key is derived for from the master key."""


@dataclass(frozen=True)
class SnapshotFile:
    """One file. It holds what was searchable when every change that `seen` shows was applied; all below `mark` are."""

    path: Path
    model_version: str
    seen: Seen
    faces: int
    written_at: datetime
    size: int

    @property
    def mark(self) -> int:
        """The number below which every change is applied."""
        return self.seen.xmin


class SnapshotStore:
    """The snapshots of one folder. Several processes may share it: writing takes a lock on the folder."""

    def __init__(self, folder: Path, keys: Sequence[bytes]) -> None:
        """`keys` (32 bytes each): the first one seals, all are tried to open."""
        self._folder, self._keys = folder, tuple(keys)

    def files(self, model_version: str | None = None) -> list[SnapshotFile]:
        """The files (of a model version), newest first. What their headers say is authenticated only by `load`."""
        found = [file for path in self._folder.glob(f"*{SUFFIX}") if (file := _described(path)) is not None]
        if model_version is not None:
            found = [file for file in found if file.model_version == model_version]
        return sorted(found, key=lambda file: file.written_at, reverse=True)

    def oldest_mark(self, model_version: str) -> int | None:
        """The lowest mark of a model version's files; None when there is none."""
        return min((file.mark for file in self.files(model_version)), default=None)

    def load(self, model_version: str, dimension: int, accept: Callable[[LocalIndex], bool]) -> LocalIndex | None:
        """The newest whole index that `accept` takes; None when there is none. Others are deleted."""
        for file in self.files(model_version):
            index = self._read(file, model_version, dimension)
            if index is not None and accept(index):
                return index
            if index is not None:
                log.warning("snapshot_of_another_log", file=file.path.name)
            file.path.unlink(missing_ok=True)
        return None

    def write(self, index: LocalIndex, now: datetime) -> None:
        """Write the index with its watermark, and keep the last two of its model version."""
        write_snapshot(index, snapshot_path(self._folder, index.model_version, now), self._keys[0], now)
        prune(self._folder)

    def drop_to(self, number: int) -> int:
        """Delete every file, of any model version, that may hold what the change `number` took away; how many."""
        kept = {file.path for file in self.files() if number in file.seen}
        return self._delete(path for path in self._folder.glob(f"*{SUFFIX}") if path not in kept)

    def drop_versions(self, kept: frozenset[str]) -> int:
        """Delete the files of model versions that are not in `kept`; how many."""
        return self._delete(file.path for file in self.files() if file.model_version not in kept)

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """Hold the folder's lock; False when another process, or another thread of this one, has it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def _read(self, file: SnapshotFile, model_version: str, dimension: int) -> LocalIndex | None:
        reasons = []
        for key in self._keys:
            try:
                return read_snapshot(file.path, key, model_version, dimension)
            except SnapshotDamaged as damage:
                reasons.append(str(damage))
        log.warning("snapshot_unusable", file=file.path.name, reasons=reasons)
        return None

    def _delete(self, paths: Iterator[Path]) -> int:
        count = 0
        for path in paths:
            path.unlink(missing_ok=True)
            count += 1
        if count:
            # The deletion of an erased face's copy must outlast a power cut.
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return count


def _described(path: Path) -> SnapshotFile | None:
    try:
        header, size = read_header(path), path.stat().st_size
        seen = seen_by(header.watermark)
    except (SnapshotDamaged, FileNotFoundError, KeyError):
        return None
    return SnapshotFile(path, header.model_version, seen, header.faces, header.created_at, size)
