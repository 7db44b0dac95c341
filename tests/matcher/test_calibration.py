"""`matcher.calibration`: a cosine's worth, by model version, and the files that say so."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.calibration import FaceCalibration, load_calibrations, read_calibration, write_calibration
from matcher.faces.weights import model_version, onnx_model_version

COSINE = st.floats(-1, 1)
OURS = FaceCalibration("model-1", 20.0, 0.5, 3.0, -1.5, "Fitted on nobody, for this test.")
CALIBRATION = st.builds(
    FaceCalibration,
    st.just("model-1"),
    st.floats(0.1, 200),
    st.floats(-0.99, 0.99),
    st.floats(0.1, 6),
    st.floats(-6, -0.1),
    st.just("Generated."),
)


def test_the_line_bends_towards_its_bounds() -> None:
    assert OURS.log10_lr(0.5) == 0
    assert OURS.log10_lr(0.51) == pytest.approx(0.2, abs=0.001)
    assert OURS.log10_lr(1.0) == pytest.approx(3 * 0.9974, abs=0.001)
    assert OURS.log10_lr(-1.0) == pytest.approx(-1.5)


@given(CALIBRATION, COSINE, COSINE)
def test_monotone_and_bounded(calibration: FaceCalibration, a: float, b: float) -> None:
    low, high = sorted([a, b])
    assert calibration.floor <= calibration.log10_lr(low) <= calibration.log10_lr(high) <= calibration.cap


@given(CALIBRATION, COSINE)
def test_the_sign_tells_the_side_of_the_neutral_cosine(calibration: FaceCalibration, cosine: float) -> None:
    value = calibration.log10_lr(cosine)
    assert value == 0 or (value > 0) == (cosine > calibration.neutral)


@given(CALIBRATION)
def test_a_written_calibration_is_read_as_it_was(calibration: FaceCalibration) -> None:
    assert FaceCalibration(**json.loads(write_calibration(calibration))) == calibration


def test_both_engines_have_a_calibration_of_their_own() -> None:
    calibrations = load_calibrations()
    assert {model_version(), onnx_model_version(mirrored=True)} <= set(calibrations)
    assert all(calibration.model_version == version for version, calibration in calibrations.items())
    assert all(len(calibration.source) > 100 for calibration in calibrations.values())


def test_a_file_of_an_operators_model(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_text(write_calibration(OURS), "utf-8")
    assert read_calibration(file) == OURS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slope": 0}, "slope must be a number above 0, is 0"),
        ({"slope": "50"}, "slope must be a number"),
        ({"slope": True}, "slope must be a number"),
        ({"slope": float("nan")}, "slope must be a number above 0"),
        ({"cap": float("inf")}, "cap must be a number above 0"),
        ({"neutral": 1.0}, "neutral must be a number between -1 and 1"),
        ({"cap": -1}, "cap must be a number above 0"),
        ({"floor": 1}, "floor must be a number below 0"),
        ({"source": " "}, "source is empty"),
        ({"model_version": 7}, "model_version must be a text"),
        ({"slopes": 1}, "slopes is not known"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    file = tmp_path / "model.json"
    file.write_text(json.dumps(json.loads(write_calibration(OURS)) | change), "utf-8")
    with pytest.raises(ValueError, match=rf"^model\.json: calibration field {message}"):
        read_calibration(file)


@pytest.mark.parametrize("field", ["model_version", "slope", "neutral", "cap", "floor", "source"])
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    data = json.loads(write_calibration(OURS))
    del data[field]
    file = tmp_path / "model.json"
    file.write_text(json.dumps(data), "utf-8")
    with pytest.raises(ValueError, match=f"field {field} is missing"):
        read_calibration(file)


@pytest.mark.parametrize("text", ["", "[]", "{", "3", "\ufeff{}", "null"])
def test_what_is_no_calibration_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "model.json"
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"model\.json"):
        read_calibration(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"model\.json"):
        read_calibration(file)


def test_a_calibration_made_by_hand_is_checked_too() -> None:
    with pytest.raises(ValueError, match="slope"):
        replace(OURS, slope=-1.0)
