"""`tracing evaluate faces` and `tracing calibrate`, as they are called."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from matcher.calibration import read_calibration
from matcher.faces.weights import onnx_model_version
from tracing.cli import app

REPOSITORY = Path(__file__).parents[2]
DEMO = REPOSITORY / "var" / "demo-photos"
CELEBRITIES = REPOSITORY.parent / "shared" / "data" / "faces" / "asian_celeb"
KEYS = {
    "verification_accuracy",
    "tar_at_far_1e-3",
    "rank_1",
    "rank_20",
    "fnir_at_fpir_1e-1",
    "fnir_at_fpir_1e-2",
    "gallery",
    "mated",
    "non_mated",
    "failed_to_detect",
}

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where templates and built models are kept for all tests of this module."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(cache: Path) -> Run:
    """Calls the command with that folder."""

    def call(*arguments: object, exit_code: int = 0) -> Any:
        result = CliRunner().invoke(app, [*map(str, arguments), "--cache", str(cache)])
        assert result.exit_code == exit_code, (result.output, result.exception)
        return result

    return call


def portraits() -> Path:
    """The sample portraits; skips when they are not here."""
    if len(list(DEMO.glob("obama/*"))) < 2:
        pytest.skip("the sample photographs are not here (`make run` fetches them)")
    return DEMO


@pytest.fixture
def blanks(tmp_path: Path) -> Path:
    """A set of two people, two photographs each, on which nobody is to be seen."""
    for at in range(4):
        path = tmp_path / "blanks" / f"p{at // 2}" / f"p{at // 2}_000{at % 2 + 1}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((80, 80, 3), 40 * at, np.uint8)).save(path)
    return tmp_path / "blanks"


@pytest.mark.demo_photos
@pytest.mark.parametrize("model", ["face_recognition", "dlib_onnx"])
def test_the_sample_portraits(run: Run, cache: Path, tmp_path: Path, model: str) -> None:
    """Three photographs of one person and one each of two others, of whom one is enrolled."""
    figures_file = tmp_path / "figures.json"
    result = run("evaluate", "faces", portraits(), "--model", model, "--json", figures_file)
    figures = json.loads(figures_file.read_text("utf-8"))
    assert set(figures) >= KEYS
    assert (figures["gallery"], figures["mated"], figures["non_mated"]) == (2, 2, 1)
    assert (figures["rank_1"], figures["rank_20"], figures["failed_to_detect"]) == (1.0, 1.0, 0)
    assert figures["equal_error_rate"] == 0
    assert figures["fnir_at_fpir_1e-1"] is None
    assert "mate at rank 1" in result.stdout
    assert "mate at rank 1" not in result.stderr
    assert "5/5" in result.stderr
    before = sorted((cache / "templates").iterdir())
    run("evaluate", "faces", portraits(), "--model", model, "--json", figures_file)
    assert json.loads(figures_file.read_text("utf-8")) == figures
    assert sorted((cache / "templates").iterdir()) == before


def test_photographs_of_nobody_are_all_misses(run: Run, blanks: Path, tmp_path: Path) -> None:
    figures_file = tmp_path / "figures.json"
    run("evaluate", "faces", blanks, "--json", figures_file)
    figures = json.loads(figures_file.read_text("utf-8"))
    assert (figures["failed_to_detect"], figures["rank_20"]) == (4, 0.0)
    assert figures["model"].startswith(onnx_model_version(mirrored=True))
    run("evaluate", "faces", blanks, "--views", "one", "--json", figures_file)
    figures = json.loads(figures_file.read_text("utf-8"))
    assert figures["model"].startswith(onnx_model_version(mirrored=False))


def test_what_cannot_be_used_is_said_in_one_line(run: Run, blanks: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("p0\t1\t7\n", "utf-8")
    wrong: list[tuple[list[object], str]] = [
        ([tmp_path / "nowhere"], "is not a folder"),
        ([blanks / "p0"], "known layout"),
        ([blanks, "--model", "arcface"], "neither face_recognition nor dlib_onnx nor a card"),
        ([blanks, "--model", tmp_path / "none.toml"], "none.toml"),
        ([blanks, "--pairs", pairs], "line 1: no such photograph in blanks"),
        ([blanks, "--pairs", tmp_path / "none.txt"], "cannot be read"),
        ([blanks, blanks, "--pairs", pairs], "--pairs goes with one set"),
    ]
    for arguments, message in wrong:
        result = run("evaluate", "faces", *arguments, exit_code=2)
        assert message in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
        assert result.stdout == ""


def test_a_calibration_is_refused_without_enough_people(run: Run, blanks: Path, tmp_path: Path) -> None:
    target = tmp_path / "calibration.json"
    result = run("calibrate", "--faces", blanks, "--out", target, exit_code=2)
    assert "at least 5 adults" in result.stderr
    result = run("calibrate", "--faces", blanks, "--out", target, "--population", "all", exit_code=2)
    assert "--population all names none of the sets: blanks" in result.stderr
    assert not target.exists()


@pytest.mark.shared
def test_a_calibration_that_the_service_reads(run: Run, tmp_path: Path) -> None:
    if not CELEBRITIES.is_dir():
        pytest.skip("the shared photographs are not here")
    target = tmp_path / "calibration.json"
    result = run("calibrate", "--faces", CELEBRITIES, "--out", target)
    found = read_calibration(target)
    assert found.model_version == onnx_model_version(mirrored=True)
    assert 0.9 < found.neutral < 0.97
    assert found.log10_lr(0.98) > 0.5 > -0.1 > found.log10_lr(0.85)
    assert "asian_celeb: 9 people" in found.source
    assert str(CELEBRITIES.parent) not in found.source
    assert "pooled" in result.stdout
    figures_file = tmp_path / "figures.json"
    asked = ["evaluate", "calibration", "--faces", CELEBRITIES, "--json", figures_file]
    shown = run(*asked, "--calibration", target)
    (judged,) = json.loads(figures_file.read_text("utf-8"))["sets"]
    assert (judged["set"], judged["cohorts"][0]["people"]) == ("asian_celeb", 9)
    figures = judged["cohorts"][0]
    assert figures["least_cllr"] < figures["shipped"]["cllr"] <= figures["held_out"]["cllr"] < 0.6
    assert "0 is perfect, 1 says nothing" in shown.stdout
    other = json.loads(target.read_text("utf-8")) | {"model_version": "other-1"}
    target.write_text(json.dumps(other), "utf-8")
    refused = run(*asked, "--calibration", target, exit_code=2)
    assert "calibration.json was fitted on other-1, not on dlib-resnet" in refused.stderr
