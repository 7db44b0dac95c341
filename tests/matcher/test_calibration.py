"""`matcher.calibration`: a cosine's worth, by model version, and the files that say so."""

import json
from dataclasses import replace
from math import inf, isfinite
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.calibration import (
    FaceCalibration,
    load_calibrations,
    parse_calibration,
    read_calibration,
    write_calibration,
)
from matcher.face_cohorts import REMNANT, AgePair, Circumstances, CohortCurve, Curve, age_pair, least_extreme
from matcher.faces.weights import model_version, onnx_model_version
from matcher.vocabulary import Sex

COSINE = st.floats(-1, 1)
CURVE = st.builds(Curve, st.floats(0.1, 200), st.floats(-0.99, 0.99), st.floats(0.05, 6), st.floats(-6, -0.05))
SPANS: tuple[tuple[float, float], ...] = ((0, 4), (4, 8), (8, 20), (20, inf))
OURS = FaceCalibration(
    "model-1",
    20.0,
    0.5,
    3.0,
    -1.5,
    "Fitted on nobody, for this test.",
    (
        CohortCurve(Curve(20.0, 0.5, 2.0, -1.0), 8, 100, 200, years=(0, 4)),
        CohortCurve(Curve(10.0, 0.4, 1.0, -0.2), 6, 60, 90, years=(4, inf)),
        CohortCurve(Curve(9.0, 0.4, 1.0, -0.1), 6, 40, 50, years=(4, inf), ages=AgePair.CHILD_ADULT),
        CohortCurve(Curve(12.0, 0.5, 2.0, -0.5), 6, 40, 50, sex=Sex.MALE),
        CohortCurve(Curve(5.0, 0.5, 1.0, -0.3), 6, 40, 50, quality_below=20.0),
    ),
)


@st.composite
def calibrations(draw: st.DrawFn) -> FaceCalibration:
    """Pooled alone, or with curves of any cohorts, however little they agree."""
    pooled = draw(CURVE)
    wanted: list[Any] = [
        *({"years": years} for years in SPANS),
        *({"years": years, "ages": ages} for years in SPANS for ages in AgePair),
        *({"ages": ages} for ages in AgePair),
        *({"sex": sex} for sex in Sex),
        {"quality_below": 20.0},
        {"quality_below": 55.5},
    ]
    kept = draw(st.lists(st.sampled_from(range(len(wanted))), unique=True, max_size=5))
    cohorts = tuple(CohortCurve(draw(CURVE), 8, 100, 200, **wanted[at]) for at in kept)
    return FaceCalibration("model-1", pooled.slope, pooled.neutral, pooled.cap, pooled.floor, "Generated.", cohorts)


CALIBRATION = calibrations()
CIRCUMSTANCES = st.builds(
    Circumstances,
    st.none() | st.floats(0, 90),
    st.none() | st.sampled_from(AgePair),
    st.none() | st.floats(0, 100),
    st.none() | st.sampled_from(Sex),
)


def test_the_line_bends_towards_its_bounds() -> None:
    assert OURS.log10_lr(0.5) == 0
    assert OURS.log10_lr(0.51) == pytest.approx(0.2, abs=0.001)
    assert OURS.log10_lr(1.0) == pytest.approx(3 * 0.9974, abs=0.001)
    assert OURS.log10_lr(-1.0) == pytest.approx(-1.5)


@given(CALIBRATION, CIRCUMSTANCES, COSINE, COSINE)
def test_monotone_and_bounded(calibration: FaceCalibration, of: Circumstances, a: float, b: float) -> None:
    low, high = (calibration.log10_lr(cosine, of) for cosine in sorted([a, b]))
    curves = calibration.curves(of)
    assert max(curve.floor for curve in curves) <= low <= high <= min(curve.cap for curve in curves)
    assert isfinite(low)


@given(CALIBRATION, CIRCUMSTANCES, st.floats(-0.3, 0.3), st.floats(0.001, 0.1))
def test_a_higher_cosine_counts_more_where_cohorts_contradict_each_other(
    calibration: FaceCalibration, of: Circumstances, at: float, more: float
) -> None:
    """As long as the curve that names the side, and those that agree, still rise within what a number can hold."""
    curves = calibration.curves(of)
    low, high = curves[0].neutral + at, curves[0].neutral + at + more
    side = curves[0].log10_lr(high)
    agreeing = [curve for curve in curves if curve.log10_lr(high) * side > 0]
    if all(curve.log10_lr(high) - curve.log10_lr(low) > 1e-6 for curve in (curves[0], *agreeing)):
        assert calibration.log10_lr(low, of) < calibration.log10_lr(high, of)


@given(CALIBRATION, COSINE)
def test_the_sign_tells_the_side_of_the_neutral_cosine(calibration: FaceCalibration, cosine: float) -> None:
    value = calibration.log10_lr(cosine)
    assert value == 0 or (value > 0) == (cosine > calibration.neutral)


@given(CALIBRATION, CIRCUMSTANCES, COSINE)
def test_an_unknown_cohort_is_never_more_extreme_than_the_pooled_curve(
    calibration: FaceCalibration, of: Circumstances, cosine: float
) -> None:
    pooled = calibration.pooled.log10_lr(cosine)
    assert calibration.log10_lr(cosine) == pooled
    partly = calibration.log10_lr(cosine, of._replace(years=None))
    assert min(0, pooled) <= partly <= max(0, pooled)


@given(CALIBRATION, CIRCUMSTANCES, COSINE, st.floats(0, 90), st.floats(0, 90))
def test_more_years_never_make_the_same_cosine_say_more(
    calibration: FaceCalibration, of: Circumstances, cosine: float, a: float, b: float
) -> None:
    few, many = (calibration.log10_lr(cosine, of._replace(years=years)) for years in sorted([a, b]))
    assert min(0, few) <= many <= max(0, few)


@given(CALIBRATION, CIRCUMSTANCES, COSINE, st.floats(0, 100), st.floats(0, 100))
def test_a_worse_photograph_never_says_more(
    calibration: FaceCalibration, of: Circumstances, cosine: float, a: float, b: float
) -> None:
    worse, better = (calibration.log10_lr(cosine, of._replace(quality=quality)) for quality in sorted([a, b]))
    assert min(0, better) <= worse <= max(0, better)


def test_which_curves_speak() -> None:
    curves = [one.curve for one in OURS.cohorts]
    assert OURS.curves() == (OURS.pooled,)
    assert OURS.curves(Circumstances(years=3.99)) == (curves[0],)
    assert OURS.curves(Circumstances(years=4)) == (curves[0], curves[1])
    assert OURS.curves(Circumstances(years=30, ages=AgePair.CHILD_ADULT)) == (curves[0], curves[2])
    assert OURS.curves(Circumstances(years=30, ages=AgePair.ADULTS)) == (curves[0], curves[1])
    assert OURS.curves(Circumstances(sex=Sex.MALE)) == (OURS.pooled, curves[3])
    assert OURS.curves(Circumstances(sex=Sex.FEMALE, quality=20)) == (OURS.pooled,)
    assert OURS.curves(Circumstances(quality=19.9)) == (OURS.pooled, curves[4])
    reversed_years = replace(OURS, cohorts=(OURS.cohorts[1], OURS.cohorts[0]))
    assert reversed_years.curves(Circumstances(years=30)) == (curves[0], curves[1])


def test_the_least_extreme() -> None:
    steep, flat, later = Curve(20.0, 0.5, 2.0, -1.0), Curve(10.0, 0.5, 2.0, -1.0), Curve(10.0, 0.6, 2.0, -1.0)
    assert least_extreme([steep, flat], 0.55) == flat.log10_lr(0.55) > 0
    assert least_extreme([flat, steep], 0.45) == flat.log10_lr(0.45) < 0
    assert least_extreme([later, steep], 0.9) == later.log10_lr(0.9)
    # Where they contradict, the first says on which side, and hardly anything is left of it.
    assert least_extreme([steep, later], 0.55) == REMNANT * steep.log10_lr(0.55) > 0
    assert least_extreme([later, steep], 0.55) == REMNANT * later.log10_lr(0.55) < 0
    with pytest.raises(ValueError, match="no curve"):
        least_extreme([], 0.5)


def test_ages_of_a_pair() -> None:
    assert age_pair(None, 30) is age_pair(4, None) is None
    assert age_pair(4, 17.9) is AgePair.CHILDREN
    assert age_pair(40, 4) is AgePair.CHILD_ADULT
    assert age_pair(4, 70) is AgePair.CHILD_ADULT
    assert age_pair(18, 59) is AgePair.ADULTS
    assert age_pair(60, 30) is AgePair.ELDER


@pytest.mark.parametrize("version", sorted(load_calibrations()))
def test_a_child_lost_long_ago_is_not_held_against_by_the_face(version: str) -> None:
    """FG-NET: from a child to an adult, across 20 years and more, most true pairs miss every useful threshold."""
    calibration = load_calibrations()[version]
    for years in (20, 35, 60):
        of = Circumstances(years, AgePair.CHILD_ADULT, 90.0)
        values = [calibration.log10_lr(step / 1000, of) for step in range(-1000, 1001)]
        assert min(values) >= -0.1
        assert max(values) > 1
    near = [calibration.log10_lr(0.85, Circumstances(years=years)) for years in (1, 5, 10, 15, 25)]
    assert near == sorted(near)
    assert near[0] < -0.5


@given(CALIBRATION)
def test_a_written_calibration_is_read_as_it_was(calibration: FaceCalibration) -> None:
    assert parse_calibration(json.loads(write_calibration(calibration))) == calibration


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
        ({"cohorts": {}}, "cohorts must be a list"),
        ({"cohorts": [1]}, r"cohorts\[0\] must be a JSON object"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    file = tmp_path / "model.json"
    file.write_text(json.dumps(json.loads(write_calibration(OURS)) | change), "utf-8")
    with pytest.raises(ValueError, match=rf"^model\.json: calibration field {message}"):
        read_calibration(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slope": 0}, "slope must be a number above 0"),
        ({"neutral": "x"}, "neutral must be a number"),
        ({"cap": None}, "cap must be a number"),
        ({"floor": 0.0}, "floor must be a number below 0"),
        ({"people": 0}, "people must be a whole number of at least 1"),
        ({"same": 1.5}, "same must be a whole number"),
        ({"strangers": True}, "strangers must be a whole number"),
        ({"years": [4, 0]}, "years must be two numbers"),
        ({"years": [-1, 2]}, "years must be two numbers"),
        ({"years": [0]}, "years must be a list of two numbers"),
        ({"years": 3}, "years must be a list of two numbers"),
        ({"years": ["a", 3]}, "years must be a number"),
        ({"ages": "babies"}, "ages must be one of children, child_adult, adults, elder"),
        ({"sex": "x"}, "sex must be one of male, female"),
        ({"sex": "male"}, "conditions: each cohort needs"),
        ({"years": None}, "conditions: each cohort needs"),
        ({"years": None, "quality_below": 101}, "quality_below must be a number above 0"),
        ({"quality": 3}, "quality is not known"),
    ],
)
def test_a_wrong_field_of_a_cohort_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    data = json.loads(write_calibration(OURS))
    data["cohorts"][0] |= change
    file = tmp_path / "model.json"
    file.write_text(json.dumps(data), "utf-8")
    with pytest.raises(ValueError, match=rf"^model\.json: calibration field cohorts\[0\]\.{message}"):
        read_calibration(file)


def test_cohorts_of_the_same_conditions_are_refused() -> None:
    with pytest.raises(ValueError, match="number 6 repeats the conditions of another"):
        replace(OURS, cohorts=(*OURS.cohorts, CohortCurve(OURS.pooled, 1, 1, 1, years=(3, 5))))


@pytest.mark.parametrize("field", ["model_version", "slope", "neutral", "cap", "floor", "source", "cohorts"])
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
