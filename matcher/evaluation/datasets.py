"""Folders of photographs whose people are known, in the layouts that the field uses.

- one folder a person with photographs in it, as Labeled Faces in the Wild (Huang et al. 2007);
- `labels.csv` with the columns file, subject, age (FG-NET), and, where known, sex (male or female);
- `ID/frontal` and `ID/profile` (Celebrities in Frontal-Profile, Sengupta et al. 2016).
"""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from matcher.vocabulary import Sex

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".bmp", ".pgm", ".ppm"})
LABELS_FILE = "labels.csv"
POSES = ("frontal", "profile")


class DatasetInvalid(Exception):
    """A folder or a list of pairs cannot be used. The message says what was expected."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One photograph of a known person.

    Attributes:
        path: the file.
        person: name of the person, unique within the set.
        age: in years when it was taken, None when not recorded.
        pose: "frontal" or "profile", None when not recorded.
        sex: None when not recorded.
    """

    path: Path
    person: str
    age: float | None = None
    pose: str | None = None
    sex: Sex | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set of labelled photographs, sorted by person and path."""

    name: str
    photos: tuple[Labelled, ...]


def read_dataset(folder: Path) -> Dataset:
    """The set in `folder`, whichever of the layouts it has.

    Raises DatasetInvalid when the folder is not there, holds no photographs in a known layout, or its labels are wrong.
    """
    if not folder.is_dir():
        raise DatasetInvalid(f"{folder} is not a folder")
    photos = _fgnet(folder) if (folder / LABELS_FILE).is_file() else _people(folder)
    if not photos:
        raise DatasetInvalid(
            f"{folder} holds no photographs in a known layout: one folder a person, ID/frontal and ID/profile,"
            f" or {LABELS_FILE} with the columns file, subject, age"
        )
    return Dataset(folder.resolve().name, tuple(sorted(photos, key=lambda one: (one.person, str(one.path)))))


def read_sets(folder: Path) -> tuple[Dataset, ...]:
    """The set in `folder`, or, when it is a folder of sets, each of them. Raises DatasetInvalid as `read_dataset`."""
    try:
        return (read_dataset(folder),)
    except DatasetInvalid:
        found = []
        for below in sorted(folder.iterdir()) if folder.is_dir() else []:
            try:
                found.append(read_dataset(below))
            except DatasetInvalid:
                continue
        if not found:
            raise
        return tuple(found)


def pool(sets: tuple[Dataset, ...]) -> Dataset:
    """All sets as one; people of two sets are two people, whatever their names."""
    if len(sets) == 1:
        return sets[0]
    photos = [replace(photo, person=f"{one.name}/{photo.person}") for one in sets for photo in one.photos]
    return Dataset(
        "+".join(one.name for one in sets), tuple(sorted(photos, key=lambda one: (one.person, str(one.path))))
    )


def read_pairs(path: Path, dataset: Dataset) -> tuple[tuple[int, int], ...]:
    """Pairs in LFW's format as positions in `dataset.photos`.

    A line is "name i j" (two photographs of one person) or "name i name j"; tabs or spaces between. i and j count a
    person's photographs as their file names do (`Name_0001.jpg`). A first line of one or two numbers is skipped.
    Raises DatasetInvalid, with the line, when it is neither or names a photograph that the set does not have.
    """
    position = {(photo.person, photo.path.stem): at for at, photo in enumerate(dataset.photos)}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetInvalid(f"{path} cannot be read as a list of pairs: {error}") from error
    pairs = []
    for number, line in enumerate(lines, start=1):
        parts = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or (number == 1 and len(parts) <= 2 and all(part.strip().isdigit() for part in parts)):
            continue
        named = {3: lambda p: ((p[0], p[1]), (p[0], p[2])), 4: lambda p: ((p[0], p[1]), (p[2], p[3]))}.get(len(parts))
        if named is None:
            raise DatasetInvalid(f"{path}, line {number}: expected “name i j” or “name i name j”")
        try:
            first, second = (position[name, f"{name}_{int(at):04d}"] for name, at in named(parts))
        except (KeyError, ValueError) as error:
            raise DatasetInvalid(f"{path}, line {number}: no such photograph in {dataset.name}") from error
        pairs.append((first, second))
    if not pairs:
        raise DatasetInvalid(f"{path} holds no pairs")
    return tuple(pairs)


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in SUFFIXES)


def _people(folder: Path) -> list[Labelled]:
    photos: list[Labelled] = []
    people = sorted(path for path in folder.iterdir() if path.is_dir())
    if any(map(_is_set, people)):
        return []
    for person in people:
        photos += [Labelled(path, person.name) for path in _images(person)]
        for pose in POSES:
            if (person / pose).is_dir():
                photos += [Labelled(path, person.name, pose=pose) for path in _images(person / pose)]
    return photos


def _is_set(folder: Path) -> bool:
    """Whether the folder holds people, and is not one."""
    return (folder / LABELS_FILE).is_file() or any(
        below.is_dir() and below.name not in POSES for below in folder.iterdir()
    )


def _fgnet(folder: Path) -> list[Labelled]:
    photos = []
    with (folder / LABELS_FILE).open(encoding="utf-8-sig", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), start=2):
            try:
                path, person, age = folder / row["file"], row["subject"].strip(), float(row["age"])
                sex = Sex(row["sex"].strip().lower()) if row.get("sex") else None
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                expected = "expected file, subject, age in years, and sex as male, female or nothing where there is one"
                raise DatasetInvalid(f"{LABELS_FILE}, line {number}: {expected}") from error
            if not path.is_file():
                raise DatasetInvalid(f"{LABELS_FILE}, line {number}: no such photograph in the folder")
            photos.append(Labelled(path, person, age=age, sex=sex))
    return photos
