"""`matcher.evaluation.calibration_report` and the pairs that it judges."""

import json

import numpy as np
import pytest

from matcher.evaluation.calibration_metrics import cllr
from matcher.evaluation.calibration_pairs import folds_of
from matcher.evaluation.calibration_report import cross_entropy, reliability, report
from tests.matcher.evaluation.test_calibration_fit import fitted, pairs


def test_every_pair_is_judged_once_and_by_a_fit_without_its_people() -> None:
    one = pairs("set", 11, 0.4, 0.0, 1)
    parts = folds_of([one], 0, 4)
    assert sum(len(judged[0].same.cosines) for _, judged in parts) == len(one.same.cosines)
    assert sum(len(judged[0].strangers.cosines) for _, judged in parts) == len(one.strangers.cosines)
    for (rest,), (judged,) in parts:
        seen = np.unique(np.concatenate([rest.same.people.ravel(), rest.strangers.people.ravel()]))
        assert not np.isin(judged.strangers.people, seen).any()
        assert not np.isin(judged.same.people, seen).any()


def test_a_report_by_cohort_is_json() -> None:
    adults = pairs("adults", 20, 0.4, 0.0, 4)
    aged = pairs("aged", 14, 0.4, 0.0, 3, ages=(4.0, 9.0, 22.0, 40.0), drift=0.05)
    figures = report([adults, aged], fitted(adults, aged), 0)
    assert json.loads(json.dumps(figures, allow_nan=False))["model_version"] == "model-1"
    assert [row["set"] for row in figures["sets"]] == ["adults", "aged"]
    assert [row["cohort"] for row in figures["sets"][0]["cohorts"]] == ["all"]
    rows = {row["cohort"]: row for row in figures["sets"][1]["cohorts"]}
    assert {"all", "20 years and more", "child_adult"} <= set(rows)
    for row in rows.values():
        assert row["shipped"]["min_cllr"] <= row["shipped"]["cllr"]
        assert row["held_out"]["cllr"] > 0
    # Knowing the years spares what likeness says wrongly across them.
    assert rows["20 years and more"]["shipped"]["cllr"] < rows["20 years and more"]["blind_cllr"]


def test_a_report_without_a_calibration_or_a_fit_says_so() -> None:
    figures = report([pairs("few", 4, 0.4, 0.0, 1)], None, 0)
    (row,) = figures["sets"][0]["cohorts"]
    assert (figures["model_version"], row["shipped"], row["held_out"], row["blind_cllr"]) == (None, None, None, None)


def test_reliability_of_ratios_that_hold() -> None:
    """Unit normals around +1 and -1 have a log LR of 2 x: what is said is what holds."""
    rng = np.random.default_rng(0)
    same, strangers = (2 * rng.normal(middle, 1, 40_000) / np.log(10) for middle in (1, -1))
    rows = reliability(same, strangers)
    assert sum(row["pairs"] for row in rows) == 80_000
    assert [row["said"] for row in rows] == pytest.approx([row["held"] for row in rows], abs=0.03)
    assert rows[0]["log10_lr"] < -0.5 < 0.5 < rows[-1]["log10_lr"]


def test_cross_entropy_at_even_odds_is_cllr_and_calibrated_is_least() -> None:
    rng = np.random.default_rng(1)
    same, strangers = rng.normal(0.8, 0.7, 500), rng.normal(-0.9, 0.6, 900)
    curves = cross_entropy(same, strangers)
    at = curves["prior_log10_odds"].index(0)
    assert curves["system"][at] == pytest.approx(cllr(same, strangers))
    assert curves["reference"][at] == pytest.approx(1)
    assert all(least <= said + 1e-9 for least, said in zip(curves["calibrated"], curves["system"], strict=True))
    assert np.isfinite(curves["calibrated"]).all()
