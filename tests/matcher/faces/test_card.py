"""`matcher.faces.card`: a card says everything, and what is wrong with it is said with the field and the remedy."""

import hashlib
import re
from pathlib import Path

import pytest

from matcher.faces.alignment import load_templates
from matcher.faces.card import CardInvalid, embedding_version, model_version, read_card
from matcher.faces.weights import FaceEngineUnavailable, detector_version
from tests.factories.onnx_models import SIDE, model, write

OWN_POINTS = "points = [[12, 5], [10, 5], [3, 5], [5, 5], [8, 9]]"


def test_a_card_is_read(tmp_path: Path) -> None:
    (tmp_path / "tiny.calibration.json").write_text("{}", "utf-8")
    path = write(
        tmp_path,
        name='name = "tiny"\nviews = ["mirror"]\ncalibration = "tiny.calibration.json"\nsource = "here"',
        dimension='dimension = 4\nname = "vector"',
    )
    card = read_card(path)
    assert (card.name, card.licence, card.source, card.licence_notes) == ("tiny", "CC0-1.0", "here", "")
    assert (card.file, card.calibration) == (tmp_path / "tiny.onnx", tmp_path / "tiny.calibration.json")
    assert card.sha256 == hashlib.sha256(model()).hexdigest()
    assert (card.input.size, card.input.colour, card.input.layout) == (SIDE, "rgb", "nchw")
    assert card.points == load_templates()["arcface"].scaled(SIDE)
    assert (card.dimension, card.output, card.views) == (4, "vector", ("mirror",))


def test_what_is_left_out_is_nothing(tmp_path: Path) -> None:
    card = read_card(write(tmp_path))
    assert (card.output, card.views, card.calibration) == (None, (), None)


def test_points_of_its_own(tmp_path: Path) -> None:
    assert read_card(write(tmp_path, template=OWN_POINTS)).points[4] == (8.0, 9.0)


@pytest.mark.parametrize(
    "field", ["name", "file", "licence", "size", "colour", "scale", "mean", "std", "template", "dimension"]
)
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    with pytest.raises(CardInvalid, match=r"Remedy: \S") as caught:
        read_card(write(tmp_path, **{field: ""}))
    assert caught.value.field.split(".")[-1] == field
    assert caught.value.card == "tiny.toml"
    assert caught.value.field in str(caught.value)


@pytest.mark.parametrize("table", ["input", "alignment", "output"])
def test_a_missing_table_is_named(tmp_path: Path, table: str) -> None:
    path = write(tmp_path)
    lines = path.read_text("utf-8").splitlines()
    start = lines.index(f"[{table}]")
    end = next((i for i in range(start + 1, len(lines)) if lines[i].startswith("[")), len(lines))
    path.write_text("\n".join(lines[:start] + lines[end:]), "utf-8")
    with pytest.raises(CardInvalid) as caught:
        read_card(path)
    assert caught.value.field == table


@pytest.mark.parametrize(
    ("field", "line", "named"),
    [
        ("name", 'name = "Tiny Model"', "name"),
        ("name", "name = 3", "name"),
        ("name", 'name = "' + "x" * 33 + '"', "name"),
        ("name", 'name = "tiny"\ncolor = "rgb"', "color"),
        ("name", 'name = "tiny"\nviews = ["mirrored"]', "views"),
        ("name", 'name = "tiny"\nviews = ["mirror", "mirror"]', "views"),
        ("name", 'name = "tiny"\nviews = "mirror"', "views"),
        ("name", 'name = "tiny"\nsha256 = "12"', "sha256"),
        ("name", f'name = "tiny"\nsha256 = "{"0" * 64}"', "sha256"),
        ("name", 'name = "tiny"\ncalibration = "none.json"', "calibration"),
        ("name", 'name = "tiny"\ncalibration = ""', "calibration"),
        ("licence", 'licence = "  "', "licence"),
        ("file", 'file = "other.onnx"', "file"),
        ("file", 'file = "."', "file"),
        ("file", 'file = "a\\u0000b"', "file"),
        ("file", 'file = "' + "x" * 5000 + '"', "file"),
        ("size", "size = 112.0", "input.size"),
        ("size", "size = true", "input.size"),
        ("size", "size = 100000", "input.size"),
        ("colour", 'colour = "RGB"', "input.colour"),
        ("colour", 'colour = "rgb"\nlayout = "chw"', "input.layout"),
        ("scale", "scale = 0", "input.scale"),
        ("scale", "scale = nan", "input.scale"),
        ("scale", "scale = 1" + "0" * 400, "input.scale"),
        ("mean", "mean = 0.5", "input.mean"),
        ("mean", "mean = [1, 2]", "input.mean"),
        ("mean", 'mean = [1, 2, "3"]', "input.mean"),
        ("mean", "mean = [1, 2, true]", "input.mean"),
        ("std", "std = [1, 0, 1]", "input.std"),
        ("std", "std = [1, -1, 1]", "input.std"),
        ("template", 'template = "unknown"', "alignment.template"),
        ("template", f'template = "arcface"\n{OWN_POINTS}', "alignment.template"),
        ("template", "points = [[1, 2]]", "alignment.points"),
        ("template", "points = [[12, 5], [10, 5], [3, 5], [5, 5], [8]]", "alignment.points"),
        ("template", "points = [[3, 5], [5, 5], [12, 5], [10, 5], [8, 9]]", "alignment.points"),
        ("template", "points = [[12, 5], [12, 5], [3, 5], [5, 5], [8, 9]]", "alignment.points"),
        ("template", "points = [[1200, 5], [10, 5], [3, 5], [5, 5], [8, 9]]", "alignment.points"),
        ("dimension", "dimension = 1", "output.dimension"),
        ("dimension", "dimension = 4\nnormalised = true", "output.normalised"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, field: str, line: str, named: str) -> None:
    with pytest.raises(CardInvalid, match="Remedy") as caught:
        read_card(write(tmp_path, **{field: line}))
    assert caught.value.field == named


@pytest.mark.parametrize("name", ["../outside.onnx", "link.onnx"])
def test_files_stay_in_the_cards_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.onnx").write_bytes(model())
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "link.onnx").symlink_to(tmp_path / "outside.onnx")
    for field in ("file", "calibration"):
        changes = (
            {"file": f'file = "{name}"'} if field == "file" else {"name": f'name = "tiny"\ncalibration = "{name}"'}
        )
        with pytest.raises(CardInvalid, match="outside the card's folder") as caught:
            read_card(write(folder, **changes))
        assert caught.value.field == field
    with pytest.raises(CardInvalid, match="outside"):
        read_card(write(folder, file=f'file = "{tmp_path / "outside.onnx"}"'))


def test_links_in_a_circle_are_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").symlink_to(tmp_path / "b.onnx")
    (tmp_path / "b.onnx").symlink_to(tmp_path / "a.onnx")
    with pytest.raises(CardInvalid) as caught:
        read_card(write(tmp_path, file='file = "a.onnx"'))
    assert caught.value.field == "file"


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b'name = "a"\nname = "b"', b"#" * 70_000])
def test_other_files_are_no_cards(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tiny.toml"
    path.write_bytes(content)
    with pytest.raises(CardInvalid, match=r"^tiny\.toml: "):
        read_card(path)


def test_a_card_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CardInvalid, match="cannot be read"):
        read_card(tmp_path / "none.toml")


def test_a_pinned_hash_is_compared(tmp_path: Path) -> None:
    digest = hashlib.sha256(model()).hexdigest()
    assert read_card(write(tmp_path, name=f'name = "tiny"\nsha256 = "{digest}"')).sha256 == digest


def test_whatever_shapes_a_vector_is_in_the_version(tmp_path: Path) -> None:
    changes = [
        {},
        {"name": 'name = "other"'},
        {"name": 'name = "tiny"\nviews = ["mirror"]'},
        {"colour": 'colour = "bgr"'},
        {"colour": 'colour = "rgb"\nlayout = "nhwc"'},
        {"scale": "scale = 2.0"},
        {"mean": "mean = [1.0, 0.0, 0.0]"},
        {"std": "std = [1.0, 2.0, 1.0]"},
        {"template": OWN_POINTS},
        {"dimension": 'dimension = 4\nname = "vector"'},
    ]
    versions = [embedding_version(read_card(write(tmp_path, **change))) for change in changes]
    versions.append(embedding_version(read_card(write(tmp_path, model(batch="n")))))
    assert len(set(versions)) == len(versions)
    same = read_card(write(tmp_path, licence='licence = "other"\nlicence_notes = "n"\nsource = "s"', scale="scale = 1"))
    assert embedding_version(same) == versions[0]


def test_a_model_version_fits_the_database(tmp_path: Path) -> None:
    card = read_card(write(tmp_path, name='name = "' + "x" * 32 + '"'))
    assert len(embedding_version(card)) == 54
    try:
        version = model_version(card)
    except FaceEngineUnavailable as error:
        pytest.skip(str(error))
    assert version == f"{embedding_version(card)}-{detector_version()}"
    assert len(version) <= 80


def test_the_cards_of_the_guide_are_read(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "models.md").read_text("utf-8")
    cards = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    assert len(cards) == 3
    for number, text in enumerate(cards):
        (file,) = re.findall(r'^file = "(.*)"$', text, re.MULTILINE)
        (tmp_path / file).write_bytes(b"weights")
        path = tmp_path / f"{number}.toml"
        path.write_text(text, "utf-8")
        card = read_card(path)
        assert card.licence
        assert card.input.size == 112
