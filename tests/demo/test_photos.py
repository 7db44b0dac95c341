"""Sample photographs: unpacked from packages, read from any folder."""

import io
import tarfile
import zipfile
from pathlib import Path

from tests.factories.faces import make_photo_bytes
from tracing.demo.photos import people, unpack


def _sdist(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def test_portraits_are_taken_out_and_nothing_else(tmp_path: Path) -> None:
    archives, target = tmp_path / "archives", tmp_path / "photos"
    archives.mkdir()
    _sdist(
        archives / "face_recognition-1.3.0.tar.gz",
        {
            "face_recognition-1.3.0/tests/test_images/obama.jpg": b"one",
            "face_recognition-1.3.0/tests/test_images/obama2.jpg": b"two",
            "face_recognition-1.3.0/tests/test_images/32bit.png": b"not a portrait",
            "face_recognition-1.3.0/examples/obama.jpg": b"elsewhere",
            "../../obama3.jpg": b"outside",
        },
    )
    with zipfile.ZipFile(archives / "scikit_image.whl", "w") as wheel:
        wheel.writestr("skimage/data/astronaut.png", b"three")
        wheel.writestr("skimage/data/coffee.png", b"no person")
    assert unpack(archives, target) == 3
    assert {str(path.relative_to(target)) for path in target.rglob("*.*")} == {
        "obama/obama.jpg",
        "obama/obama2.jpg",
        "astronaut/astronaut.png",
    }
    assert (target / "obama" / "obama.jpg").read_bytes() == b"one"


def test_a_folder_is_read_with_the_richest_person_first(tmp_path: Path) -> None:
    for name in ("b/1.jpg", "a/1.JPG", "a/2.png", "c/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(make_photo_bytes((200, 30, 30)))
    (tmp_path / "b" / "0.jpg").write_bytes(b"not a photograph")
    (tmp_path / "loose.jpg").write_bytes(make_photo_bytes((200, 30, 30)))
    assert [(name, len(paths)) for name, paths in people(tmp_path, limit=5).items()] == [("a", 2), ("b", 1)]
    assert list(people(tmp_path, limit=1)) == ["a"]


def test_no_folder_means_no_photographs(tmp_path: Path) -> None:
    assert people(None, limit=5) == {}
    assert people(tmp_path / "nowhere", limit=5) == {}
