"""`matcher.evaluation.calibration_fit`: what is fitted on people who were made for it."""

from dataclasses import replace
from math import inf, log10
from pathlib import Path

import numpy as np
import pytest

from matcher.calibration import FaceCalibration
from matcher.evaluation.calibration_fit import (
    PRIOR_PEOPLE,
    CohortsTooSmall,
    Sample,
    fit_calibration,
    fit_logistic,
    shrunk,
)
from matcher.evaluation.calibration_metrics import cllr
from matcher.evaluation.calibration_pairs import PairSet, pairs_of, weigh
from matcher.evaluation.datasets import Dataset, Labelled
from matcher.evaluation.templates import Metric, Templates
from matcher.face_cohorts import AgePair, Curve
from matcher.vocabulary import Sex
from tests.matcher.evaluation.sources import templates_of

SHOTS = 4
PARENT = Curve(20.0, 0.5, 2.5, -1.0)


def made(
    name: str,
    people: int,
    spread: float,
    alike: float,
    seed: int,
    *,
    ages: tuple[float, ...] | None = None,
    drift: float = 0.0,
    sex: Sex | None = None,
) -> tuple[Dataset, Templates]:
    """Four photographs a person: `alike` draws all people together, `spread` a person's photographs apart.

    `drift` turns a face by so much in each year from the first of `ages`, everybody in a direction of their own.
    """
    rng = np.random.default_rng(seed)
    middle = np.zeros(16)
    middle[0] = alike
    photos, rows = [], []
    for number in range(people):
        centre, direction = middle + rng.normal(size=16) / 4, rng.normal(size=16) / 4
        for shot in range(SHOTS):
            age = None if ages is None else ages[shot % len(ages)]
            photos.append(Labelled(Path(f"{number:03}-{shot}.png"), f"{number:03}", age=age, sex=sex))
            row = centre + spread * rng.normal(size=16) / 4 + drift * ((age or 0.0) - min(ages or (0.0,))) * direction
            rows.append((row / np.linalg.norm(row)).tolist())
    return Dataset(name, tuple(photos)), templates_of(rows)


def pairs(name: str, *arguments: float, **more: object) -> PairSet:
    """The pairs of such a set."""
    return pairs_of(*made(name, *arguments, **more), 0)  # type: ignore[arg-type]


def fitted(*sets: PairSet, population: str | None = None) -> FaceCalibration:
    """The calibration of a model on these sets."""
    return fit_calibration(sets, Metric.COSINE, "model-1", "Made for a test.", population).calibration


def sample(people: int, *, middle: float = 0.45, seed: int = 0) -> Sample:
    """Many pairs around a cosine, said to be of so many people."""
    rng = np.random.default_rng(seed)
    same, strangers = rng.normal(middle + 0.1, 0.0633, 4000), rng.normal(middle - 0.1, 0.0633, 4000)
    even = np.full(4000, 1 / 4000)
    return Sample(same, strangers, even, even, people, people)


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


def test_a_cohort_of_nobody_is_its_parent_and_a_large_one_is_its_own() -> None:
    """The two ends of the shrinkage, and the way between them is one way."""
    nobody = shrunk(sample(0), PARENT, -3.0, 0)
    assert (nobody.slope, nobody.neutral) == pytest.approx((PARENT.slope, PARENT.neutral), abs=1e-4)
    assert (nobody.cap, nobody.floor) == (PARENT.cap, PARENT.floor)
    own = fit_logistic(sample(1).same, sample(1).strangers)
    crowd = shrunk(sample(10_000_000), PARENT, -3.0, 10_000_000)
    assert (crowd.slope, crowd.neutral) == pytest.approx(own, rel=0.01)
    neutrals = [shrunk(sample(people), PARENT, -3.0, people).neutral for people in (0, 2, 8, 50, 1000, 10**6)]
    assert neutrals == sorted(neutrals, reverse=True)
    assert own[1] - 1e-3 <= neutrals[-1] < neutrals[2] < PARENT.neutral


def test_a_cohort_never_exceeds_its_parents_bounds_nor_what_it_says_against() -> None:
    assert shrunk(sample(10**6), replace(PARENT, cap=0.3), -3.0, 10**6).cap == 0.3
    few = shrunk(sample(10), PARENT, -3.0, 10)
    assert few.cap == pytest.approx(PARENT.cap + 10 / (10 + PRIOR_PEOPLE) * (log10(10) - PARENT.cap), abs=0.01)
    # Borne by the parent's people instead of its own ten: only its pairs could lower it.
    assert few.cap < shrunk(sample(10), PARENT, -3.0, None).cap <= PARENT.cap
    assert [shrunk(sample(8), PARENT, against, 8).floor for against in (-3.0, -0.4, 0.0)] == [-1.0, -0.4, -0.05]


def test_a_cohort_in_which_likeness_falls_still_rises() -> None:
    wrong = sample(10**6)
    turned = Sample(wrong.strangers, wrong.same, wrong.same_weights, wrong.stranger_weights, 10**6, 10**6)
    assert 0 < shrunk(turned, PARENT, -1.0, None).slope < PARENT.slope / 10


def test_sets_weigh_alike_and_the_population_as_much_as_all_others() -> None:
    clear, alike = pairs("clear", 30, 0.4, 0.0, 1), pairs("alike", 12, 0.4, 1.0, 2)
    more = pairs("more", 30, 0.4, 0.0, 3)
    own = fit_logistic(alike.same.cosines, alike.strangers.cosines)[1]
    even, drawn = fitted(clear, more, alike), fitted(clear, more, alike, population="alike")
    assert even.neutral < drawn.neutral < own
    assert fitted(clear, alike, population="alike").pooled == fitted(clear, alike).pooled
    assert drawn.source.startswith("Made for a test. Pooled: clear: 30 people, 180 same and ")
    assert drawn.source.endswith("alike weighs as much as all others.")
    assert 0 < drawn.cap <= np.log10(30) + 0.01
    assert -np.log10(30) - 0.01 <= drawn.floor < 0
    assert drawn.cohorts == ()
    with pytest.raises(ValueError, match="--population nobody names none of the sets: clear"):
        fitted(clear, population="nobody")


def test_small_sets_are_named_and_left_out_of_the_pooled_curve() -> None:
    large, small = pairs("large", 20, 0.4, 0.0, 1), pairs("small", 4, 0.4, 1.0, 2)
    found = fit_calibration([large, small], Metric.COSINE, "model-1", "Made.")
    assert found.too_small == ("small",)
    assert found.calibration.pooled == fitted(large).pooled
    with pytest.raises(CohortsTooSmall, match="at least 5 adults"):
        fitted(small)


def test_years_are_cohorts_that_say_less_the_more_they_are() -> None:
    """Faces that turn by a fixed step a year: fewer true pairs are alike, so there is less to say on both sides."""
    aged = pairs("aged", 30, 0.3, 0.0, 3, ages=(20, 22, 30, 55), drift=0.08)
    adults = pairs("adults", 30, 0.3, 0.0, 4)
    found = fitted(adults, aged)
    by_years = {one.years: one for one in found.cohorts if one.ages is None and one.years}
    assert set(by_years) == {(0, 4), (8, 13), (20, inf)}
    assert by_years[0, 4].people == 30
    assert by_years[20, inf].curve.slope < by_years[0, 4].curve.slope
    assert by_years[20, inf].curve.floor > by_years[0, 4].curve.floor
    assert {one.ages for one in found.cohorts} == {None, AgePair.ADULTS}


def test_children_are_cohorts_and_not_in_the_pooled_curve() -> None:
    children = pairs("children", 20, 1.5, 0.0, 3, ages=(6.0,))
    adults = pairs("adults", 20, 0.4, 0.0, 4, ages=(40.0,))
    found = fitted(children, adults)
    assert found.pooled == replace(fitted(adults).pooled, floor=found.floor)
    assert AgePair.CHILDREN in {one.ages for one in found.cohorts}
    with pytest.raises(CohortsTooSmall):
        fitted(children)


def test_sex_is_a_cohort_where_it_is_labelled() -> None:
    found = fitted(pairs("men", 20, 0.4, 0.5, 3, sex=Sex.MALE), pairs("any", 20, 0.4, 0.0, 4))
    (men,) = found.cohorts
    assert (men.sex, men.people) == (Sex.MALE, 20)
    assert men.curve.neutral > found.neutral


def test_photographs_without_a_face_are_in_no_pair() -> None:
    dataset, templates = made("set", 6, 0.4, 0.0, 1)
    templates.found[[0, 5]] = False
    found = pairs_of(dataset, templates, 0)
    assert np.isfinite(found.same.cosines).all()
    assert np.isfinite(found.strangers.cosines).all()
    assert len(found.same.cosines) == 4 * 6 + 2 * 3


def test_distances_are_not_calibrated() -> None:
    with pytest.raises(ValueError, match="cosines"):
        fit_calibration([pairs("set", 20, 0.4, 0.0, 1)], Metric.EUCLIDEAN, "model-1", "Made.")


def test_many_are_weighed_as_one_is() -> None:
    aged = pairs("aged", 8, 0.6, 0.0, 3, ages=(4.0, 22.0, 30.0, 65.0), drift=0.04)
    found = fitted(pairs("adults", 30, 0.3, 0.0, 4), aged)
    weighed, blind = weigh(found, aged.same), weigh(found, aged.same, blind=True)
    assert blind == pytest.approx([found.log10_lr(float(cosine)) for cosine in aged.same.cosines])
    assert len(found.cohorts) > 2
    assert not np.allclose(weighed, blind)
    assert cllr(weighed, weigh(found, aged.strangers)) < 1
