"""Services: what a process is made of, with and without the packages that find faces."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from matcher.evidence.base import load_parameters
from matcher.faces import weights
from tests.factories.onnx_models import write
from tracing.platform.settings import FaceSettings, Settings, SettingsError
from tracing.services import NO_ENGINE, build_services, find_faces, with_calibrations


def test_the_engine_may_be_switched_off(tmp_path: Path) -> None:
    found = find_faces(FaceSettings(engine="none"), tmp_path)
    assert (found.wanted, found.switched_off, dict(found.known)) == (NO_ENGINE, True, {})


def test_an_execution_provider_that_is_not_installed_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="GUITU_FACES__PROVIDERS names TensorrtExecutionProvider"):
        find_faces(FaceSettings(providers=("TensorrtExecutionProvider", "CPUExecutionProvider")), tmp_path)


@pytest.fixture
def fresh() -> Iterator[None]:
    """Versions are computed once in a process: forget them, before and after."""
    for version in (weights.model_version, weights.detector_version, weights.onnx_model_version):
        version.cache_clear()
    yield
    for version in (weights.model_version, weights.detector_version, weights.onnx_model_version):
        version.cache_clear()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("engine", "missing"),
    [
        ("face_recognition", "face_recognition"), ("face_recognition", "dlib"),
        ("face_recognition", "face_recognition_models"), ("dlib_onnx", "face_recognition_models"),
    ],
)  # fmt: skip
def test_without_a_package_the_service_says_so_and_goes_on(
    engine: str, missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The package is hidden from the import system, as on a machine that does not have it."""
    monkeypatch.setattr("matcher.faces.weights.find_spec", lambda name: None if name == missing else find_spec(name))
    monkeypatch.delitem(sys.modules, missing, raising=False)
    with capture_logs() as logs:
        found = find_faces(FaceSettings(engine=engine), tmp_path)
    assert found.wanted == NO_ENGINE
    assert found.named(engine) is None
    assert [(entry["event"], missing in entry["remedy"]) for entry in logs] == [("no_face_engine", True)]


def test_every_engine_is_known_by_its_model_version(tmp_path: Path) -> None:
    found = find_faces(FaceSettings(engine="dlib_onnx"), tmp_path)
    engine = found.load(found.wanted)
    assert engine is not None
    assert engine.model_version == found.wanted
    assert {one.name for one in found.known.values()} == {"dlib_onnx", "face_recognition"}
    assert found.named("dlib_onnx") is found.named(found.wanted)
    assert found.load("another") is None
    assert list(tmp_path.iterdir())


def test_a_name_without_an_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="GUITU_FACES__ENGINE"):
        find_faces(FaceSettings(engine="arcface"), tmp_path)


def test_a_card_that_cannot_be_used_is_named_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "arcface.toml").write_text('name = "arcface"\n', "utf-8")
    with capture_logs() as logs:
        found = find_faces(FaceSettings(engine="arcface"), tmp_path)
    assert found.wanted == NO_ENGINE
    assert {one.name for one in found.known.values()} == {"dlib_onnx", "face_recognition"}
    assert [(entry["event"], entry["engine"]) for entry in logs] == [("no_face_engine", "arcface")]
    assert "file" in logs[0]["remedy"]


def calibrated(folder: Path, version: str) -> None:
    """A calibration beside the card."""
    row = {
        "model_version": version,
        "slope": 5.0,
        "neutral": 0.4,
        "cap": 2.0,
        "floor": -1.0,
        "cohorts": [],
        "source": "made up",
    }
    (folder / "tiny.json").write_text(json.dumps(row), "utf-8")


def test_a_card_is_an_engine_and_brings_its_calibration(settings: Settings) -> None:
    folder = settings.data_dir / "models"
    folder.mkdir(parents=True)
    write(folder, licence='licence = "CC0-1.0"\ncalibration = "tiny.json"')
    calibrated(folder, "of-another-model")
    wanting = settings.model_copy(update={"faces": FaceSettings(engine="tiny")})
    with capture_logs() as logs:
        found = find_faces(wanting.faces, folder)
    assert found.known[found.wanted].calibration is None
    assert [entry["event"] for entry in logs] == ["face_calibration_of_another_model"]

    calibrated(folder, found.wanted)
    services = build_services(wanting)
    engine = services.faces.load(services.faces.wanted)
    assert engine is not None
    assert (engine.model_version, engine.dimension) == (found.wanted, services.faces.known[found.wanted].dimension)
    assert services.parameters.calibrations[found.wanted].cap == 2.0
    assert services.parameters.version.startswith(f"{load_parameters().version}+")
    assert len(services.parameters.version) <= 40
    assert load_parameters().calibrations.items() <= services.parameters.calibrations.items()


def test_whatever_changes_about_a_calibration_changes_the_version_that_passes_are_kept_under() -> None:
    packaged = load_parameters()
    (name, one), *_ = packaged.calibrations.items()
    versions = {
        with_calibrations(packaged, own).version
        for own in ({}, {"another": one}, {name: replace(one, cap=one.cap / 2)}, {name: replace(one, cohorts=())})
    }
    assert len(versions) == 4
    before = with_calibrations(packaged, {}).version
    one.log10_lr(0.5)
    assert with_calibrations(packaged, {name: one}).version == before, "looking a curve up changes nothing"
