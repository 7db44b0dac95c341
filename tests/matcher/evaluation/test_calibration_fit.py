"""`matcher.evaluation.calibration_fit`: what is fitted on people who were made for it."""

from pathlib import Path

import numpy as np
import pytest

from matcher.calibration import FaceCalibration
from matcher.evaluation.calibration_fit import (
    CohortsTooSmall,
    cohorts_of,
    fit_calibration,
    fit_logistic,
    held_out_cllr,
    weigh,
)
from matcher.evaluation.calibration_metrics import cllr
from matcher.evaluation.datasets import Dataset, Labelled
from matcher.evaluation.templates import Metric, Templates
from tests.matcher.evaluation.sources import templates_of


def made(
    name: str, people: int, spread: float, alike: float, seed: int, age: float | None = None
) -> tuple[Dataset, Templates]:
    """Four photographs a person: `alike` draws all people together, `spread` a person's photographs apart."""
    rng = np.random.default_rng(seed)
    middle = np.zeros(16)
    middle[0] = alike
    photos, rows = [], []
    for number in range(people):
        centre = middle + rng.normal(size=16) / 4
        for shot in range(4):
            photos.append(Labelled(Path(f"{number:03}-{shot}.png"), f"{number:03}", age=age))
            row = centre + spread * rng.normal(size=16) / 4
            rows.append((row / np.linalg.norm(row)).tolist())
    return Dataset(name, tuple(photos)), templates_of(rows)


def test_the_logistic_finds_the_log_odds_of_two_normals() -> None:
    """Unit normals around +1 and -1: log LR = 2 x, so log10 LR rises by 2 / ln 10 and is 0 at 0."""
    rng = np.random.default_rng(0)
    slope, neutral = fit_logistic(rng.normal(1, 1, 20_000), rng.normal(-1, 1, 60_000))
    assert slope == pytest.approx(2 / np.log(10), rel=0.03)
    assert neutral == pytest.approx(0, abs=0.03)


def test_a_fit_of_separated_scores_is_finite() -> None:
    slope, neutral = fit_logistic(np.array([0.8, 0.9]), np.array([0.1, 0.2]))
    assert np.isfinite(slope)
    assert 0.2 < neutral < 0.8


def test_scores_that_tell_nobody_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="tell nobody apart"):
        fit_logistic(np.array([0.1, 0.2, 0.3]), np.array([0.7, 0.8, 0.9]))
    with pytest.raises(ValueError, match="same-person pairs"):
        fit_logistic(np.empty(0), np.array([0.1]))


def test_the_most_careful_of_the_cohorts_is_shipped() -> None:
    clear, alike = made("clear", 30, 0.4, 0.0, 1), made("alike", 12, 0.4, 1.0, 2)
    cohorts = [cohort for dataset, templates in (clear, alike) for cohort in cohorts_of(dataset, templates, 0)]
    found = fit_calibration(cohorts, Metric.COSINE, "model-1", "Made for a test.", 0)
    fits = {row.name: row for row in found.cohorts}
    calibration = found.calibration
    assert fits["alike"].neutral > fits["clear"].neutral
    assert calibration.neutral == pytest.approx(fits["alike"].neutral, abs=1e-4)
    assert calibration.slope == pytest.approx(min(row.slope for row in found.cohorts), rel=0.01)
    assert 0 < calibration.cap <= np.log10(30) + 0.01
    assert -np.log10(30) - 0.01 <= calibration.floor < 0
    assert calibration.source.startswith("Made for a test. clear: 30 people")
    for row in found.cohorts:
        assert row.min_cllr <= row.held_out_cllr < 0.5
        assert row.stranger_log10_lr < calibration.cap


def test_small_cohorts_are_named_and_left_out() -> None:
    large, small = made("large", 20, 0.4, 0.0, 1), made("small", 4, 0.4, 1.0, 2)
    cohorts = [cohort for dataset, templates in (large, small) for cohort in cohorts_of(dataset, templates, 0)]
    found = fit_calibration(cohorts, Metric.COSINE, "model-1", "Made.", 0)
    assert found.too_small == ("small",)
    assert [row.name for row in found.cohorts] == ["large"]
    with pytest.raises(CohortsTooSmall, match="at least 5 adults"):
        fit_calibration(cohorts[1:], Metric.COSINE, "model-1", "Made.", 0)


def test_children_are_a_cohort_that_gives_no_slope() -> None:
    children = made("children", 20, 1.5, 0.0, 3, age=6)
    adults = made("adults", 20, 0.4, 0.0, 4, age=40)
    young = cohorts_of(*children, 0)
    assert [(cohort.name, cohort.adults, cohort.people) for cohort in young] == [
        ("children from 18 years", True, 0),
        ("children with children", False, 20),
    ]
    grown = cohorts_of(*adults, 0)
    assert [(cohort.name, cohort.adults) for cohort in grown] == [("adults", True)]
    found = fit_calibration([*young, *grown], Metric.COSINE, "model-1", "Made.", 0)
    fits = {row.name: row for row in found.cohorts}
    assert fits["children with children"].slope < fits["adults"].slope
    assert found.calibration.slope == pytest.approx(fits["adults"].slope, rel=0.01)
    with pytest.raises(CohortsTooSmall):
        fit_calibration(young, Metric.COSINE, "model-1", "Made.", 0)


def test_photographs_without_a_face_are_in_no_pair() -> None:
    dataset, templates = made("set", 6, 0.4, 0.0, 1)
    templates.found[[0, 5]] = False
    (cohort,) = cohorts_of(dataset, templates, 0)
    assert np.isfinite(cohort.same).all()
    assert np.isfinite(cohort.strangers).all()
    assert len(cohort.same) == 4 * 6 + 2 * 3


def test_distances_are_not_calibrated() -> None:
    (cohort,) = cohorts_of(*made("set", 20, 0.4, 0.0, 1), 0)
    with pytest.raises(ValueError, match="cosines"):
        fit_calibration([cohort], Metric.EUCLIDEAN, "model-1", "Made.", 0)


def test_held_out_people_cost_more_than_those_fitted_on() -> None:
    """With few people a fit suits them better than others."""
    gaps = []
    for seed in range(12):
        (cohort,) = cohorts_of(*made("set", 5, 0.9, 0.0, seed), 0)
        slope, neutral = fit_logistic(cohort.same, cohort.strangers)
        own = cllr(slope * (cohort.same - neutral), slope * (cohort.strangers - neutral))
        gaps.append(held_out_cllr(cohort, 0) - own)
    assert np.mean(gaps) > 0


def test_many_are_weighed_as_one_is() -> None:
    calibration = FaceCalibration("model-1", 30.0, 0.4, 2.0, -0.7, "Made.")
    cosines = np.linspace(-1, 1, 41)
    assert weigh(calibration, cosines) == pytest.approx([calibration.log10_lr(float(each)) for each in cosines])
