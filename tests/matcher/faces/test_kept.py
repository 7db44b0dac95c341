"""`matcher.faces.kept`: what was built is built once, and a damaged copy again."""

import stat
from pathlib import Path

import pytest

from matcher.faces.kept import Built, kept


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "net.dat"
    path.write_bytes(b"weights")
    return path


def content(built: Built) -> bytes:
    return built if isinstance(built, bytes) else built.read_bytes()


def test_what_was_built_is_kept_for_its_owner_alone(tmp_path: Path, weights: Path) -> None:
    folder = tmp_path / "models"
    built: list[bytes] = []

    def build(data: bytes) -> bytes:
        built.append(data)
        return b"graph"

    assert [content(kept(folder, weights, build)) for _ in range(3)] == [b"graph"] * 3
    assert built == [b"weights"]
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    weights.write_bytes(b"other weights")
    kept(folder, weights, build)
    assert built == [b"weights", b"other weights"]


def test_parts_of_one_file_are_kept_apart(tmp_path: Path, weights: Path) -> None:
    folder = tmp_path / "models"
    for _ in range(2):
        for part in ("", "cells", "scores"):
            assert content(kept(folder, weights, lambda _, part=part: part.encode(), part)) == part.encode()  # type: ignore[misc]
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("damage", [b"", b"grap", b"graphs"])
def test_a_damaged_copy_is_built_again(tmp_path: Path, weights: Path, damage: bytes) -> None:
    folder = tmp_path / "models"
    kept(folder, weights, lambda _: b"graph")
    (path,) = folder.iterdir()
    path.write_bytes(damage)
    assert content(kept(folder, weights, lambda _: b"graph")) == b"graph"
    assert path.read_bytes() == b"graph"


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path, weights: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"not a folder")
    assert kept(blocked / "models", weights, lambda _: b"graph") == b"graph"


def test_without_a_folder_nothing_is_kept(weights: Path) -> None:
    assert kept(None, weights, lambda data: data[::-1]) == b"sthgiew"
