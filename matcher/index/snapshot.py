"""An index kept in a file: written beside, flushed, renamed; sealed; and refused unless it is whole and the right one.

File: magic (8 bytes), length of the header (4 bytes, little-endian), header (JSON), then the sealed stream of the
shelves. The header says nothing of any person. Sealing authenticates it.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from matcher.index import compressed, exact, hnsw
from matcher.index.base import Damage, SnapshotDamaged, VectorIndex, Watermark
from matcher.index.choice import LocalIndex, local
from matcher.index.sealed_stream import SALT, SealedReader, SealedWriter, key_id
from matcher.vocabulary import GalleryKind

MAGIC = b"guituix1"
LONGEST_HEADER = 1 << 16
KEPT = 2
SUFFIX, PARTIAL = ".index", ".partial"
Progress = Callable[[float], None]
"""Told the share that is done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class SnapshotHeader:
    """What a snapshot says of itself."""

    index_version: str
    model_version: str
    dimension: int
    rows: Mapping[GalleryKind, int]
    """Rows of each kind, tombstones included."""
    faces: int
    watermark: Watermark
    created_at: datetime
    key_id: str
    salt: bytes


def write_snapshot(index: VectorIndex, path: Path, key: bytes, created_at: datetime) -> SnapshotHeader:
    """Keep an index under `path`, which is there afterwards whole or as it was before. Mode 0600.

    `key`: 32 bytes. Changes of the index wait meanwhile, searches go on. Raises
    OSError as files do, ValueError for a key of another length, TypeError for an index
    of another process.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            # `prune` takes away a partial file only when nobody holds it any more.
            fcntl.flock(file, fcntl.LOCK_EX)
            header = _write(local(index), file, key, created_at)
            file.flush()
            os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    _flush_folder(path.parent)
    return header


def read_snapshot(
    path: Path,
    key: bytes,
    model_version: str,
    dimension: int,
    breadth: int = hnsw.SEARCH_BREADTH,
    progress: Progress | None = None,
) -> LocalIndex:
    """The index kept under `path`, with its watermark. `breadth`: see `FaissHnswIndex`.

    Raises SnapshotDamaged when the file is missing, of another format, index, model version, dimension or key, or when
    a single bit of it was altered, left out, added or moved.
    """
    with _opened(path) as file:
        header, raw = _read_header(file)
        index: LocalIndex
        if header.index_version == exact.VERSION:
            index = exact.FaissExactIndex(model_version, dimension)
        elif header.index_version == compressed.VERSION:
            index = compressed.FaissCompressedIndex(model_version, dimension)
        elif header.index_version == hnsw.VERSION:
            index = hnsw.FaissHnswIndex(model_version, dimension, breadth)
        else:
            raise SnapshotDamaged(Damage.OLD_FORMAT, header.index_version)
        if (header.model_version, header.dimension) != (model_version, dimension):
            raise SnapshotDamaged(Damage.FOREIGN, f"{header.model_version}, {header.dimension} values")
        if header.key_id != key_id(key):
            raise SnapshotDamaged(Damage.FOREIGN, f"sealed under key {header.key_id}")
        # From here on the header is true: nothing is allocated by the word of a forged one.
        reader = SealedReader(file, key, header.salt, raw)
        done, total = 0, sum(header.rows.values())
        with index.shelves_to_fill(header.watermark) as shelves:
            for kind, shelf in shelves.items():
                shelf.load(header.rows.get(kind, 0), reader.readinto)
                done += header.rows.get(kind, 0)
                if progress is not None:
                    progress(done / total if total else 1.0)
        reader.finish()
        if len(index) != header.faces:
            raise SnapshotDamaged(Damage.ALTERED, "another number of faces than the header says")
        return index


def read_header(path: Path) -> SnapshotHeader:
    """What a snapshot says of itself, not yet authenticated: for lists. Raises SnapshotDamaged."""
    with _opened(path) as file:
        return _read_header(file)[0]


def snapshot_path(folder: Path, model_version: str, created_at: datetime) -> Path:
    """Where a snapshot of a model version, made at an aware time, is kept. Names of one version sort by time."""
    word = re.sub(r"[^A-Za-z0-9]+", "-", model_version)[:40].strip("-")
    digest = hashlib.sha256(model_version.encode()).hexdigest()[:8]
    return folder / f"{word}-{digest}-{created_at.astimezone(UTC):%Y%m%dT%H%M%S%f}{SUFFIX}"


def snapshots(folder: Path, model_version: str) -> list[Path]:
    """Snapshots of a model version whose header can be read, newest first; the header is not authenticated."""
    return [path for path, header in _kept(folder) if header is not None and header.model_version == model_version]


def prune(folder: Path, keep: int = KEPT) -> list[Path]:
    """Remove all but the newest `keep` snapshots of each model version, files with the name of one whose header cannot
    be read, and what writers that were killed left behind; the paths removed. Raises ValueError when `keep` is below 1.
    """
    if keep < 1:
        raise ValueError("at least one snapshot must be kept")
    removed: list[Path] = []
    counts: Counter[str] = Counter()
    for path, header in _kept(folder):
        if header is not None:
            counts[header.model_version] += 1
        if header is None or counts[header.model_version] > keep:
            removed.append(path)
    removed += [path for path in sorted(folder.glob(f".*{PARTIAL}")) if _abandoned(path)]
    for path in removed:
        path.unlink(missing_ok=True)
    if removed:
        _flush_folder(folder)
    return removed


def _write(index: LocalIndex, file: BinaryIO, key: bytes, created_at: datetime) -> SnapshotHeader:
    with index.shelves_unchanged() as (shelves, watermark):
        header = SnapshotHeader(
            index_version=index.version,
            model_version=index.model_version,
            dimension=index.dimension,
            rows={kind: shelf.table.rows for kind, shelf in shelves.items()},
            faces=len(index),
            watermark=watermark,
            created_at=created_at,
            key_id=key_id(key),
            salt=secrets.token_bytes(SALT),
        )
        text = json.dumps(_as_json(header), separators=(",", ":")).encode()
        raw = MAGIC + len(text).to_bytes(4, "little") + text
        file.write(raw)
        writer = SealedWriter(file, key, header.salt, raw)
        for shelf in shelves.values():
            shelf.save(writer.write)
        writer.finish()
    return header


def _read_header(file: BinaryIO) -> tuple[SnapshotHeader, bytes]:
    start = file.read(len(MAGIC) + 4)
    if start[: len(MAGIC)] != MAGIC:
        known = start[: len(MAGIC) - 1] == MAGIC[:-1] and len(start) >= len(MAGIC)
        raise SnapshotDamaged(Damage.OLD_FORMAT if known else Damage.NOT_A_SNAPSHOT)
    length = int.from_bytes(start[len(MAGIC) :], "little")
    if length > LONGEST_HEADER:
        raise SnapshotDamaged(Damage.ALTERED, "length of the header")
    text = file.read(length)
    if len(start) < len(MAGIC) + 4 or len(text) < length:
        raise SnapshotDamaged(Damage.TRUNCATED, "header")
    try:
        return _from_json(json.loads(text)), start + text
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SnapshotDamaged(Damage.ALTERED, "header") from None


def _as_json(header: SnapshotHeader) -> dict[str, Any]:
    return {
        "index_version": header.index_version,
        "model_version": header.model_version,
        "dimension": header.dimension,
        "rows": {str(kind): count for kind, count in header.rows.items()},
        "faces": header.faces,
        "watermark": header.watermark.as_json(),
        "created_at": header.created_at.isoformat(),
        "key_id": header.key_id,
        "salt": header.salt.hex(),
    }


def _from_json(value: dict[str, Any]) -> SnapshotHeader:
    return SnapshotHeader(
        index_version=str(value["index_version"]),
        model_version=str(value["model_version"]),
        dimension=int(value["dimension"]),
        rows={GalleryKind(kind): int(count) for kind, count in value["rows"].items()},
        faces=int(value["faces"]),
        watermark=Watermark.from_json(value["watermark"]),
        created_at=datetime.fromisoformat(value["created_at"]),
        key_id=str(value["key_id"]),
        salt=bytes.fromhex(value["salt"]),
    )


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise SnapshotDamaged(Damage.MISSING, path.name) from None


def _kept(folder: Path) -> list[tuple[Path, SnapshotHeader | None]]:
    """Files with the name of a snapshot, newest first, with the header where it can be read."""
    found: list[tuple[Path, SnapshotHeader | None]] = []
    for path in sorted(folder.glob(f"*{SUFFIX}"), key=_time_in_name, reverse=True):
        try:
            found.append((path, read_header(path)))
        except SnapshotDamaged:
            found.append((path, None))
    return found


def _time_in_name(path: Path) -> str:
    return path.stem.rpartition("-")[2]


def _abandoned(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return False


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
