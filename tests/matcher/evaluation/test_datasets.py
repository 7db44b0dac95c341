"""`matcher.evaluation.datasets`: three layouts, and folders that are none of them."""

from pathlib import Path

import pytest

from matcher.evaluation.datasets import DatasetInvalid, pool, read_dataset, read_pairs, read_sets


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def lfw(root: Path) -> Path:
    touch(*(root / "Ann" / f"Ann_000{at}.jpg" for at in (1, 2)), root / "Bo" / "Bo_0001.PNG", root / "Bo" / "notes.txt")
    return root


def test_one_folder_a_person(tmp_path: Path) -> None:
    found = read_dataset(lfw(tmp_path / "lfw"))
    assert found.name == "lfw"
    assert [(photo.person, photo.path.name) for photo in found.photos] == [
        ("Ann", "Ann_0001.jpg"),
        ("Ann", "Ann_0002.jpg"),
        ("Bo", "Bo_0001.PNG"),
    ]


def test_ages_from_labels(tmp_path: Path) -> None:
    touch(tmp_path / "x.jpg", tmp_path / "y.jpg")
    (tmp_path / "labels.csv").write_text("file,subject,age\ny.jpg,009,30\nx.jpg,009,4\n", "utf-8")
    assert [(one.person, one.age, one.path.name) for one in read_dataset(tmp_path).photos] == [
        ("009", 4.0, "x.jpg"),
        ("009", 30.0, "y.jpg"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,subject,age\nz.jpg,1,3\n", "line 2: no such photograph"),
        ("file,subject,age\nx.jpg,1,old\n", "line 2: expected file, subject, age"),
        ("file,subject\nx.jpg,1\n", "line 2: expected file, subject, age"),
        ("file,subject,age\n", "no photographs in a known layout"),
    ],
)
def test_wrong_labels_are_named(tmp_path: Path, text: str, message: str) -> None:
    touch(tmp_path / "x.jpg")
    (tmp_path / "labels.csv").write_text(text, "utf-8")
    with pytest.raises(DatasetInvalid, match=message):
        read_dataset(tmp_path)


def test_poses_from_folders(tmp_path: Path) -> None:
    touch(
        tmp_path / "1" / "frontal" / "01.jpg",
        tmp_path / "1" / "profile" / "01.jpg",
        tmp_path / "2" / "frontal" / "01.jpg",
    )
    found = [(photo.person, photo.pose) for photo in read_dataset(tmp_path).photos]
    assert found == [("1", "frontal"), ("1", "profile"), ("2", "frontal")]


def test_sets_in_a_folder_are_pooled_and_people_kept_apart(tmp_path: Path) -> None:
    lfw(tmp_path / "one")
    lfw(tmp_path / "two")
    touch(tmp_path / "three" / "x.jpg", tmp_path / "papers" / "read.me")
    (tmp_path / "three" / "labels.csv").write_text("file,subject,age\nx.jpg,009,4\n", "utf-8")
    sets = read_sets(tmp_path)
    assert [one.name for one in sets] == ["one", "three", "two"]
    pooled = pool(sets)
    assert pooled.name == "one+three+two"
    assert len({photo.person for photo in pooled.photos}) == 5
    assert pool(sets[:1]) is sets[0]
    assert read_sets(tmp_path / "one") == (sets[0],)
    assert [photo.person for photo in pooled.photos] == sorted(photo.person for photo in pooled.photos)


def test_a_folder_without_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetInvalid, match="known layout"):
        read_sets(tmp_path)
    with pytest.raises(DatasetInvalid, match="is not a folder"):
        read_sets(tmp_path / "nowhere")
    touch(tmp_path / "file")
    with pytest.raises(DatasetInvalid, match="is not a folder"):
        read_dataset(tmp_path / "file")


def test_pairs_in_the_format_of_lfw(tmp_path: Path) -> None:
    found = read_dataset(lfw(tmp_path / "lfw"))
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("10\t300\nAnn\t1\t2\nAnn\t2\tBo\t1\n\n", "utf-8")
    assert read_pairs(pairs, found) == ((0, 1), (1, 2))
    pairs.write_text("Ann 1 2\n", "utf-8")
    assert read_pairs(pairs, found) == ((0, 1),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ann\t1\t9\n", "line 1: no such photograph in lfw"),
        ("Ann\t1\t2\nCy\t1\t2\n", "line 2: no such photograph"),
        ("Ann\tone\t2\n", "line 1: no such photograph"),
        ("Ann\t1\t2\nAnn\n", "line 2: expected"),
        ("10\t300\n", "holds no pairs"),
        ("", "holds no pairs"),
    ],
)
def test_wrong_pairs_are_named(tmp_path: Path, text: str, message: str) -> None:
    found = read_dataset(lfw(tmp_path / "lfw"))
    pairs = tmp_path / "pairs.txt"
    pairs.write_text(text, "utf-8")
    with pytest.raises(DatasetInvalid, match=message):
        read_pairs(pairs, found)
    with pytest.raises(DatasetInvalid, match="cannot be read"):
        read_pairs(tmp_path / "none.txt", found)
