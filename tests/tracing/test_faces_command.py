"""`tracing faces inspect` and `compare`, run as an operator runs them, on the demonstration's portraits."""

import json
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from matcher.faces.quality import QualityComponent
from tracing.cli import app
from tracing.commands.faces import NO_FACE, NO_FACE_ENGINE, REFUSED
from tracing.platform.settings import FaceSettings
from tracing.services import NO_ENGINE, find_faces

DEMO = Path(__file__).parents[2] / "var" / "demo-photos"
PERSON = DEMO / "obama"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, with the installed engine in the settings."""
    data = tmp_path / "data"
    monkeypatch.setenv("GUITU_DATA_DIR", str(data))
    monkeypatch.setenv("GUITU_FACES__ENGINE", "face_recognition")
    monkeypatch.setenv("COLUMNS", "200")
    return data


@pytest.fixture
def photos(folder: Path) -> list[Path]:
    """Two portraits of one person and one of another."""
    found = [PERSON / "obama.jpg", PERSON / "obama2.jpg", DEMO / "biden" / "biden.jpg"]
    if not all(photo.is_file() for photo in found):
        pytest.skip("the demonstration's portraits are not here: make run fetches them")
    if find_faces(FaceSettings(engine="face_recognition"), folder / "models").wanted == NO_ENGINE:
        pytest.skip("no face engine is installed")
    return found


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["faces", *map(str, arguments)])


def blank(folder: Path) -> Path:
    path = folder / "wall.png"
    Image.fromarray(np.full((300, 300, 3), 200, np.uint8)).save(path)
    return path


def together(folder: Path, photos: list[Path]) -> Path:
    """Two people in one picture, the second the larger."""
    first, second = (Image.open(photo).convert("RGB") for photo in (photos[0], photos[2]))
    first = first.resize((800, round(800 * first.height / first.width)))
    second = second.resize((1000, round(1000 * second.height / second.width)))
    picture = Image.new("RGB", (first.width + second.width, max(first.height, second.height)))
    picture.paste(first, (0, 0))
    picture.paste(second, (first.width, 0))
    picture.save(folder / "together.png")
    return folder / "together.png"


def test_inspect_shows_everything_and_stores_nothing(folder: Path, photos: list[Path], tmp_path: Path) -> None:
    shown = run("inspect", photos[0])
    assert shown.exit_code == 0, shown.output
    for component in QualityComponent:
        assert component.value in shown.output
    for text in ("faces: 1", "Face 1 (chosen)", "landmarks (", "dlib-resnet-v1", "pixels between the eyes"):
        assert text in shown.output
    assert "Nothing was stored." in shown.output
    assert not [path for path in folder.rglob("*") if path.is_file()]
    assert list(tmp_path.glob("*.png")) == []


def test_inspect_as_json(photos: list[Path]) -> None:
    found = json.loads(run("inspect", photos[0], "--json").stdout)
    assert found["chosen"] == 1
    assert found["picture"] is None
    (face,) = found["faces"]
    box, landmarks = face["box"], face["landmarks"]
    assert 0 <= box["left"] < box["right"] <= found["width"]
    assert 0 <= box["top"] < box["bottom"] <= found["height"]
    assert len(landmarks) == 5
    assert landmarks[0][0] > landmarks[2][0]
    assert set(face["quality"]["components"]) == {component.value for component in QualityComponent}
    for entry in face["quality"]["components"].values():
        assert 0 <= entry["score"] <= 100
        assert entry["reason"]
        assert (entry["advice"] is None) == (entry["score"] >= 50)
    assert "embedding" not in json.dumps(found)


def test_the_picture_is_written_where_asked_and_nowhere_twice(photos: list[Path], tmp_path: Path) -> None:
    shown = run("inspect", photos[0], "--out", tmp_path)
    drawn = tmp_path / "obama-faces.png"
    assert shown.exit_code == 0, shown.output
    assert str(drawn) in shown.output
    assert stat.S_IMODE(drawn.stat().st_mode) == 0o600
    with Image.open(drawn) as picture, Image.open(photos[0]) as photo:
        assert picture.size == photo.size
        changed = np.abs(np.asarray(picture, int) - np.asarray(photo.convert("RGB"), int)).max(axis=2) > 100
    assert 0 < changed.mean() < 0.1
    again = run("inspect", photos[0], "--out", drawn)
    assert again.exit_code == REFUSED
    assert "is there already" in again.stderr
    nowhere = run("inspect", photos[0], "--out", tmp_path / "missing" / "x.png")
    assert nowhere.exit_code == REFUSED


def test_no_face(photos: list[Path], tmp_path: Path) -> None:
    wall = blank(tmp_path)
    shown = run("inspect", wall)
    assert shown.exit_code == NO_FACE
    assert "faces: 0" in shown.output
    compared = run("compare", photos[0], wall)
    assert compared.exit_code == NO_FACE
    assert "no face was found" in compared.stderr
    assert "wall.png" in compared.stderr


def test_refused_files(photos: list[Path], tmp_path: Path) -> None:
    text = tmp_path / "letter.jpg"
    text.write_text("no photograph")
    for arguments in (("inspect", text), ("compare", photos[0], text)):
        refused = run(*arguments)
        assert refused.exit_code == REFUSED
        assert "letter.jpg" in refused.stderr
        assert "BMP and TIFF are accepted" in refused.stderr
    assert run("inspect", tmp_path / "nothing.jpg").exit_code == 2


def test_without_an_engine(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUITU_FACES__ENGINE", "none")
    refused = run("inspect", blank(tmp_path))
    assert refused.exit_code == NO_FACE_ENGINE
    assert "GUITU_FACES__ENGINE" in refused.stderr
    assert not folder.exists() or not list(folder.rglob("*.sqlite3"))


def test_compare_tells_one_person_from_two(photos: list[Path]) -> None:
    same = json.loads(run("compare", photos[0], photos[1], "--json").stdout)
    other = json.loads(run("compare", photos[0], photos[2], "--json").stdout)
    assert same["cosine"] > other["cosine"]
    assert same["log10_lr"] > 0 > other["log10_lr"]
    assert other["strength"] == "against"
    assert same["model_version"] == other["model_version"]
    assert [face["number"] for face in same["faces"]] == [1, 1]
    assert all(0 < face["quality"]["overall"] <= 100 for face in same["faces"])
    assert "embedding" not in json.dumps(same)


def test_compare_in_words(photos: list[Path]) -> None:
    shown = run("compare", photos[0], photos[2])
    assert shown.exit_code == 0, shown.output
    assert "speaks against one person" in shown.output
    assert "dlib-resnet-v1" in shown.output
    assert "Nothing was stored." in shown.output


def test_a_face_by_its_number(photos: list[Path], tmp_path: Path) -> None:
    group = together(tmp_path, photos)
    found = json.loads(run("inspect", group, "--json").stdout)
    assert len(found["faces"]) == 2
    # Faces are numbered from the largest: the second person, drawn larger, is number 1.
    likeness = {
        number: json.loads(run("compare", photos[1], group, "--face-b", number, "--json").stdout)["cosine"]
        for number in ("1", "2")
    }
    assert likeness["2"] > likeness["1"]
    missing = run("compare", group, photos[1], "--face-a", "3")
    assert missing.exit_code == REFUSED
    assert "there is no face 3" in missing.stderr
