"""Blobs: all or nothing, private, and never under a name that could be a path."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tracing.platform.storage import BlobMissing, BlobStore, FileBlobStore


@pytest.fixture
def store(tmp_path: Path) -> FileBlobStore:
    """An empty store whose folder does not exist yet."""
    return FileBlobStore(tmp_path / "var" / "blobs")


def test_a_blob_comes_back_until_it_is_deleted(store: BlobStore) -> None:
    key = str(uuid4())
    assert list(store.keys()) == []
    store.put(key, b"sealed")
    assert (store.get(key), store.exists(key), list(store.keys())) == (b"sealed", True, [key])
    store.put(key, b"sealed anew")
    assert store.get(key) == b"sealed anew"
    store.delete(key)
    store.delete(key)
    assert not store.exists(key)
    with pytest.raises(BlobMissing):
        store.get(key)


@pytest.mark.parametrize(
    "key", ["", "../../etc/passwd", "abcd/ef01", "ABCDEF0123", "王小明", "abcdef01\n", ".hidden00", "abc", "a" * 129]
)
def test_other_keys_are_refused(key: str, store: BlobStore) -> None:
    with pytest.raises(ValueError, match="key"):
        store.put(key, b"sealed")
    with pytest.raises(ValueError, match="key"):
        store.get(key)


def test_files_and_folders_are_private(store: FileBlobStore, tmp_path: Path) -> None:
    store.put("abcdef01", b"sealed")
    path = tmp_path / "var" / "blobs" / "ab" / "abcdef01"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in list(path.parents)[:3]] == [0o700] * 3


@pytest.mark.parametrize(("owner", "call"), [(os, "fsync"), (Path, "replace")])
def test_a_write_that_fails_leaves_the_old_blob_and_no_trace(
    owner: object, call: str, store: FileBlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("abcdef01", b"old")

    def no_space(*_arguments: object, **_named: object) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(owner, call, no_space)
        with pytest.raises(OSError, match="no space"):
            store.put("abcdef01", b"new")
    assert store.get("abcdef01") == b"old"
    assert [path.name for path in (tmp_path / "var" / "blobs" / "ab").iterdir()] == ["abcdef01"]


def test_what_a_killed_writer_left_is_never_listed_and_can_be_swept(store: FileBlobStore, tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        # Killed between writing and renaming: nothing of Python's clean-up runs.
        Path.replace = lambda *_: os._exit(9)  # type: ignore[method-assign]
        store.put("abcdef01", b"half")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    (left,) = (tmp_path / "var" / "blobs" / "ab").iterdir()
    assert left.name.endswith(".part")
    assert list(store.keys()) == []
    assert not store.exists("abcdef01")
    now = datetime.now(UTC)
    assert store.remove_parts(now - timedelta(hours=1)) == 0
    assert store.remove_parts(now + timedelta(hours=1)) == 1
    assert list(left.parent.iterdir()) == []


def test_blob_reaches_the_disk_before_its_name_does(store: FileBlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("abcdef01", b"makes the folders")
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    store.put("abcdef02", b"sealed")
    assert steps == ["file", "rename", "folder"]
