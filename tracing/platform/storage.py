"""Blobs, such as photographs: sealed by the vault before they come here, kept as files that survive a power cut.

A blob is put before the row that names it is committed: a crash in between leaves a blob that no row names, which
`keys` lets a sweep find; the reverse, a row without its blob, cannot happen.
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from tracing.platform.errors import NotFound

# Random hex or a UUID: nothing that could be a path or a name.
KEY = re.compile(r"[0-9a-f]{8,128}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
PART_SUFFIX = ".part"


class BlobMissing(NotFound):
    """There is no blob of this key."""

    slug = "blob_missing"
    message = "The stored file was not found. If it should be there, tell your administrator."


class BlobStore(Protocol):
    """Where blobs are. Keys are hex or UUIDs in lower case, ValueError otherwise."""

    def put(self, key: str, data: bytes) -> None:
        """Store durably; when it returns the blob is safe. The same key again replaces the blob as a whole."""

    def get(self, key: str) -> bytes:
        """The blob. Raises BlobMissing."""

    def delete(self, key: str) -> None:
        """Remove the blob; nothing happens when it is not there."""

    def exists(self, key: str) -> bool:
        """Whether there is such a blob."""

    def keys(self) -> Iterator[str]:
        """Every key, in no order."""

    def remove_parts(self, before: datetime) -> int:
        """Remove what interrupted writes left before that time; how many there were."""


class FileBlobStore:
    """Blobs as files (mode 0600) in sub-folders (mode 0700) named after the key's first two digits."""

    def __init__(self, root: Path) -> None:
        """Nothing is made before the first `put`."""
        self._root = root

    def put(self, key: str, data: bytes) -> None:
        """Write beside, flush to disk, rename, flush the folder: a reader sees all of it or nothing."""
        path = self._path(key)
        _make_folder(path.parent)
        part = path.with_name(f".{key}.{secrets.token_hex(8)}{PART_SUFFIX}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)

    def get(self, key: str) -> bytes:
        """The blob. Raises BlobMissing."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            raise BlobMissing from None

    def delete(self, key: str) -> None:
        """Remove the blob; nothing happens when it is not there."""
        path = self._path(key)
        try:
            path.unlink()
        except FileNotFoundError:
            return
        _flush_folder(path.parent)

    def exists(self, key: str) -> bool:
        """Whether there is such a blob."""
        return self._path(key).is_file()

    def keys(self) -> Iterator[str]:
        """Every key, in no order; never a file that is still being written."""
        for path in self._root.glob("*/*"):
            if KEY.fullmatch(path.name) and path.parent.name == path.name[:2]:
                yield path.name

    def remove_parts(self, before: datetime) -> int:
        """Remove what interrupted writes left before that time; how many there were."""
        removed = 0
        for path in self._root.glob(f"*/.*{PART_SUFFIX}"):
            with suppress(FileNotFoundError):  # its writer may have finished just now
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                    path.unlink()
                    removed += 1
        return removed

    def _path(self, key: str) -> Path:
        if KEY.fullmatch(key) is None:
            raise ValueError("a blob's key must be hex digits or a UUID in lower case")
        return self._root / key[:2] / key


def _make_folder(folder: Path) -> None:
    """Make the folder and its parents durably: each new name is flushed in the folder that holds it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
