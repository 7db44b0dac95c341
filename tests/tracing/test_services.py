"""Services: what a process is made of, with and without the packages that find faces."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tracing.platform.settings import FaceSettings
from tracing.services import NO_ENGINE, find_faces


def test_the_engine_may_be_switched_off(tmp_path: Path) -> None:
    assert find_faces(FaceSettings(engine="none"), tmp_path).model_version == NO_ENGINE
    assert find_faces(FaceSettings(engine="none"), tmp_path).load() is None


@pytest.mark.parametrize("missing", ["face_recognition", "dlib", "face_recognition_models"])
def test_without_a_package_the_service_says_so_and_goes_on(
    missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The package is hidden from the import system, as on a machine that does not have it."""
    monkeypatch.setattr("matcher.faces.weights.find_spec", lambda name: None if name == missing else find_spec(name))
    monkeypatch.delitem(sys.modules, missing, raising=False)
    with capture_logs() as logs:
        source = find_faces(FaceSettings(), tmp_path)
    assert source.model_version == NO_ENGINE
    assert source.load() is None
    assert [(entry["event"], missing in entry["remedy"]) for entry in logs] == [("no_face_engine", True)]


def test_the_other_engine_is_another_model_version(tmp_path: Path) -> None:
    source = find_faces(FaceSettings(engine="dlib_onnx"), tmp_path)
    engine = source.load()
    assert engine is not None
    assert source.model_version == engine.model_version
    assert source.model_version != find_faces(FaceSettings(), tmp_path).model_version
    assert list(tmp_path.iterdir())
