"""`matcher.evaluation.face_report`: all figures of a set that can be reckoned by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from matcher.evaluation.datasets import Dataset, Labelled
from matcher.evaluation.face_report import evaluate
from tests.matcher.evaluation.sources import templates_of


def perfect(people: int, *, single: int = 0, poses: bool = False) -> tuple[Dataset, list[list[float]]]:
    """Two photographs a person (frontal, profile), then single ones; every person is at right angles to the others."""
    photos, rows = [], []
    for number in range(people + single):
        row = [0.0] * (people + single)
        row[number] = 1.0
        for shot in range(2 if number < people else 1):
            pose = ("frontal", "profile")[shot] if poses else None
            age = None if poses else 10.0 + 15 * shot
            photos.append(Labelled(Path(f"{shot}.png"), f"{number:03}", age=age, pose=pose))
            rows.append(row)
    return Dataset("made", tuple(photos)), rows


def test_perfect_templates_of_people_with_one_photograph_too() -> None:
    dataset, rows = perfect(20, single=30)
    figures = evaluate(dataset, templates_of(rows), None, 0)
    assert (figures["gallery"], figures["mated"], figures["non_mated"]) == (35, 20, 15)
    assert figures["non_mated_kind"] == "people not enrolled"
    assert (figures["rank_1"], figures["rank_20"], figures["fnir_at_fpir_1e-1"]) == (1, 1, 0)
    assert figures["fnir_at_fpir_1e-2"] is None
    assert figures["verification_accuracy"] == 1
    assert figures["equal_error_rate"] == 0
    assert figures["tar_at_far_1e-3"] == 1
    assert figures["with_mates_removed"]["non_mated"] == 35
    assert figures["failed_to_detect"] == 0
    assert figures["cohorts"] == [
        {"cohort": "13 to 19 years between", "same_pairs": 20, "tar_at_far_1e-2": 1.0},
        {"cohort": "child to adult", "same_pairs": 20, "tar_at_far_1e-2": 1.0},
    ]
    assert json.loads(json.dumps(figures, allow_nan=False))["people"] == 50


def test_lost_faces_count_as_misses_by_pose() -> None:
    dataset, rows = perfect(20, poses=True)
    for at in range(1, 11, 2):
        rows[at] = []
    figures = evaluate(dataset, templates_of(rows), None, 0)
    assert figures["non_mated_kind"] == "mate removed from the gallery"
    assert (figures["mated"], figures["non_mated"]) == (20, 20)
    assert figures["rank_1"] == 0.75
    assert figures["fnir_at_fpir_1e-1"] == 0.25
    assert (figures["failed_to_detect"], figures["failed_to_detect_rate"]) == (5, 0.125)
    assert {row["cohort"]: row.get("failed_to_detect") for row in figures["cohorts"]} == {
        "frontal to profile": None,
        "frontal photographs": 0,
        "profile photographs": 5,
    }


def test_pairs_that_are_given_are_the_ones_that_are_verified() -> None:
    dataset, rows = perfect(20)
    pairs = np.array([[at, at + 1] for at in range(0, 40, 2)] + [[at, at + 2] for at in range(0, 38, 2)])
    figures = evaluate(dataset, templates_of(rows), pairs, 0)
    assert (figures["verification_pairs"], figures["verification_accuracy"]) == (39, 1)
    assert evaluate(dataset, templates_of(rows), pairs[:8], 0)["verification_accuracy"] is None


def test_a_set_without_pairs_is_refused() -> None:
    dataset, rows = perfect(0, single=4)
    with pytest.raises(ValueError, match="no two photographs of one person"):
        evaluate(dataset, templates_of(rows), None, 0)


def test_a_measure_of_quality_is_judged_by_the_misses_that_it_foresees() -> None:
    dataset, rows = perfect(20)
    for at in range(0, 8, 2):
        rows[at] = [-value for value in rows[at]]
    templates = templates_of(rows)
    told = np.full(40, 90, np.float32)
    told[0:8:2] = 10
    templates.quality["overall"] = told
    templates.quality["noise"] = np.full(40, 50, np.float32)
    curves = evaluate(dataset, templates, None, 0)["discard"]
    assert curves["overall"]["gain"] == pytest.approx(1)
    assert curves["noise"]["gain"] == pytest.approx(0)
    assert curves["overall"]["false_non_match_rate"][0] == pytest.approx(0.2)
