"""The face term: which pair of photographs speaks, and what the years between them leave of it."""

from dataclasses import replace
from datetime import date
from math import inf, log10
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.calibration import FaceCalibration
from matcher.evidence import face
from matcher.evidence.base import Evidence, load_parameters
from matcher.face_cohorts import AgePair, Circumstances, CohortCurve, Curve
from matcher.profile import Known, Profile, TemplateInfo
from matcher.vocabulary import Basis, Sex

CALIBRATION = FaceCalibration(
    "model-1",
    20.0,
    0.5,
    3.0,
    -1.5,
    "Made for a test.",
    (
        CohortCurve(Curve(20.0, 0.5, 3.0, -1.5), 8, 100, 200, years=(0, 4)),
        CohortCurve(Curve(10.0, 0.5, 1.0, -0.1), 8, 100, 200, years=(4, inf)),
        CohortCurve(Curve(5.0, 0.5, 1.0, -0.05), 8, 100, 200, years=(4, inf), ages=AgePair.CHILD_ADULT),
        CohortCurve(Curve(8.0, 0.5, 1.0, -0.3), 8, 100, 200, sex=Sex.MALE),
        CohortCurve(Curve(6.0, 0.5, 1.0, -0.3), 8, 100, 200, quality_below=20.0),
    ),
)
P = replace(load_parameters(), calibrations={"model-1": CALIBRATION})
ONE = np.array([[1, 0]], np.float32)


def at(*cosines: float, **known: Any) -> Profile:
    """A person whose templates have these cosines with `ONE`."""
    rows = np.array([[cosine, (1 - cosine**2) ** 0.5] for cosine in cosines], np.float32)
    return Profile(templates=rows, template_model="model-1", **known)


def told(a: Profile, b: Profile) -> Evidence:
    found = face.compare(a, b, P)
    assert found is not None
    return found


def taken(*years: int | None, quality: float | None = None) -> tuple[TemplateInfo, ...]:
    return tuple(TemplateInfo(None if year is None else date(year, 6, 1), quality) for year in years)


def test_years_ages_quality_and_sex_are_counted() -> None:
    found = at(1.0, template_info=taken(2020))
    boy = Known(6.0, Basis.DOCUMENTED, date(1995, 6, 1))
    for missing, of in (
        (at(0.6, template_info=taken(2018)), Circumstances(years=2)),
        (at(0.6, template_info=taken(1995)), Circumstances(years=25)),
        (at(0.6, template_info=taken(1995), age=boy), Circumstances(years=25, ages=AgePair.CHILD_ADULT)),
        (at(0.6, template_info=taken(None)), Circumstances()),
        (at(0.6), Circumstances()),
        (at(0.6, template_info=taken(None, quality=10.0)), Circumstances(quality=10)),
    ):
        assert told(found, missing).log10_lr == pytest.approx(CALIBRATION.log10_lr(0.6, of), abs=1e-6)
    man, woman = (Known(sex, Basis.ESTIMATED) for sex in (Sex.MALE, Sex.FEMALE))
    assert told(at(1.0, sex=man), at(0.6, sex=man)).log10_lr < told(at(1.0, sex=man), at(0.6, sex=woman)).log10_lr


def test_a_child_across_twenty_years_is_not_held_against() -> None:
    boy = Known(6.0, Basis.DOCUMENTED, date(1995, 6, 1))
    found, missing = at(1.0, template_info=taken(2020)), at(0.1, template_info=taken(1995), age=boy)
    assert -0.1 < told(found, missing).log10_lr < 0
    assert told(found, at(0.1)).log10_lr < -1


def test_the_sentence_names_the_pair_and_what_is_known_of_it() -> None:
    info = (TemplateInfo(date(2018, 6, 1), 90.0, 2), TemplateInfo(date(1995, 6, 1), 61.0, 5))
    boy = Known(6.0, Basis.DOCUMENTED, date(1995, 6, 1))
    term = told(
        at(1.0, template_info=(TemplateInfo(date(2020, 6, 1), 80.0, 1),)), at(0.3, 0.6, template_info=info, age=boy)
    )
    assert (term.probe_value, term.other_value) == ("1 / 0.600", "5 / 0.600")
    assert term.sentence_en.startswith(
        "Photograph 1 here and 5 there are the most alike, cosine 0.600, about 25 years between them, one of a child"
        " and one of an adult, quality 61 of the worse; the figure is the mean of all 2 pairs;"
    )
    assert term.sentence_zh.startswith(
        "本方第 1 张与对方第 5 张照片最相似，余弦相似度 0.600，相隔约 25 年，一张未成年、一张成年，较差一张的质量 61；"
        "分值为全部 2 对的平均；"
    )
    plain = told(at(1.0), at(0.6))
    assert "years between them unknown; a face is only a lead" in plain.sentence_en
    assert "相隔年数不详；面部相似只是线索" in plain.sentence_zh
    soon = told(at(1.0, template_info=taken(2020)), at(0.6, template_info=taken(2020)))
    assert "less than a year between them" in soon.sentence_en
    assert "相隔不到一年" in soon.sentence_zh


def test_several_photographs_count_by_the_mean_of_their_ratios() -> None:
    ratios = [10 ** CALIBRATION.log10_lr(cosine) for cosine in (0.3, 0.6, 0.65)]
    assert told(at(1.0), at(0.3, 0.6, 0.65)).log10_lr == pytest.approx(log10(sum(ratios) / 3), abs=1e-6)
    assert face.best_cosine(at(1.0), at(0.3, 0.6, 0.65)) == pytest.approx(0.65)


@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=4),
    st.integers(0, 3),
    st.floats(0, 2),
    st.lists(st.none() | st.integers(1970, 2026), min_size=4, max_size=4),
)
def test_a_more_alike_photograph_never_lowers_the_term(
    cosines: list[float], which: int, more: float, years: list[int | None]
) -> None:
    probe = at(1.0, template_info=taken(2020))
    info = taken(*years[: len(cosines)])
    raised = list(cosines)
    raised[which % len(cosines)] = min(1.0, raised[which % len(cosines)] + more)
    low, high = (told(probe, at(*values, template_info=info)).log10_lr for values in (cosines, raised))
    assert low <= high + 1e-6
    assert told(at(*cosines, template_info=info), probe).log10_lr == pytest.approx(low)
