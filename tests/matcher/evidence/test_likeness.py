"""`matcher.evidence.likeness`: the arithmetic of the face term is that of the calibration, pair by pair."""

from datetime import date
from math import log10
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.evidence.age import DAYS_A_YEAR
from matcher.evidence.base import load_parameters
from matcher.evidence.likeness import photographs, score, stack
from matcher.face_cohorts import AgePair, Circumstances, Curve, least_extreme, least_extreme_of
from matcher.profile import Known, Profile, TemplateInfo
from matcher.vocabulary import Basis, Sex

P = load_parameters()
MODEL, CALIBRATION = next(iter(P.calibrations.items()))
CURVE = st.builds(Curve, st.floats(0.1, 60), st.floats(-0.9, 0.99), st.floats(0.1, 5), st.floats(-5, -0.1))


@settings(max_examples=100, deadline=None)
@given(st.lists(CURVE, min_size=1, max_size=4), st.lists(st.floats(-1, 1), min_size=1, max_size=5))
def test_many_cosines_are_weighed_as_one(curves: list[Curve], cosines: list[float]) -> None:
    found = least_extreme_of(curves, np.array(cosines))
    assert found.tolist() == pytest.approx([least_extreme(curves, one) for one in cosines], abs=1e-12)


def person(cosine: float, info: TemplateInfo, **facts: Any) -> Profile:
    templates = np.array([[cosine, (1 - cosine**2) ** 0.5]], np.float32)
    return Profile(templates=templates, template_model=MODEL, template_info=(info,), **facts)


@pytest.mark.parametrize("cosine", [0.2, 0.6, 0.93, 0.99])
@pytest.mark.parametrize(
    ("then", "ages"), [(date(2003, 5, 4), AgePair.CHILD_ADULT), (date(2021, 5, 4), AgePair.ADULTS), (None, None)]
)
def test_circumstances_are_those_of_the_pair(cosine: float, then: date | None, ages: AgePair | None) -> None:
    now, sex = date(2023, 5, 4), Known(Sex.FEMALE, Basis.REPORTED)
    lost = person(1.0, TemplateInfo(then, 70.0), sex=sex, birth_date=Known(date(1995, 5, 4), Basis.DOCUMENTED))
    found = person(cosine, TemplateInfo(now, 30.0), sex=sex, age=Known(28.0, Basis.ESTIMATED, now))
    years = None if then is None else (now - then).days / DAYS_A_YEAR
    (value,) = score(photographs(lost), stack([photographs(found)]), P)
    assert value == pytest.approx(CALIBRATION.log10_lr(cosine, Circumstances(years, ages, 30.0, Sex.FEMALE)), abs=1e-5)


def test_several_photographs_count_by_the_mean_of_their_ratios() -> None:
    one = Profile(templates=np.array([[1.0, 0.0]], np.float32), template_model=MODEL)
    two = Profile(templates=np.array([[0.99, 0.141067], [0.2, 0.979796]], np.float32), template_model=MODEL)
    (value,) = score(photographs(one), stack([photographs(two)]), P)
    ratios = [10 ** CALIBRATION.log10_lr(cosine) for cosine in (0.99, 0.2)]
    assert value == pytest.approx(log10(sum(ratios) / 2), abs=1e-5)
