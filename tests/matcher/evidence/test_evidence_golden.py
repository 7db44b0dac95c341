"""`matcher.evidence`: golden values and directions, comparator by comparator."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.evidence import (
    accent,
    age,
    blood_group,
    build,
    ethnicity,
    face,
    height,
    marks,
    place,
    sex,
    time,
)
from matcher.evidence.base import Comparator, load_parameters
from matcher.profile import Known, Mark, Place, Profile
from matcher.vocabulary import (
    Basis,
    BloodGroup,
    BodyRegion,
    BodySide,
    Build,
    GalleryKind,
    MarkKind,
    PlaceKind,
    Sex,
)

P = load_parameters()
DAY = date(2023, 5, 4)
DLIB = "dlib-resnet-v1-l2-b7c1dd52ed7e"


def lr(comparator: Comparator, a: Profile, b: Profile) -> float:
    found = comparator(a, b, P)
    assert found is not None
    return found.log10_lr


def with_cosine(cosine: float) -> tuple[Profile, Profile]:
    other = np.array([[cosine, (1 - cosine**2) ** 0.5]], np.float32)
    first = np.array([[1, 0]], np.float32)
    return Profile(templates=first, template_model=DLIB), Profile(templates=other, template_model=DLIB)


def test_face_is_weighed_by_the_calibration_of_its_model() -> None:
    calibration = P.calibrations[DLIB]
    for cosine in (-1.0, calibration.neutral, 0.9643, 1.0):
        assert lr(face.compare, *with_cosine(cosine)) == pytest.approx(calibration.log10_lr(cosine), abs=1e-3)
    doubled = replace(P, calibrations={DLIB: replace(calibration, slope=2 * calibration.slope)})
    found = face.compare(*with_cosine(0.96), doubled)
    assert found is not None
    assert found.log10_lr > lr(face.compare, *with_cosine(0.96)) > 0


def test_face_takes_the_best_pair() -> None:
    a, b = with_cosine(0.97)
    assert face.best_cosine(a, b) == pytest.approx(0.97)
    more = replace(b, templates=np.concatenate([b.templates, np.array([[0, 1]], np.float32)]))
    assert face.best_cosine(a, more) == pytest.approx(0.97)


def test_face_says_nothing_across_models_or_without_a_calibration() -> None:
    a, b = with_cosine(0.97)
    assert face.compare(a, b, P) is not None
    assert face.compare(a, replace(b, template_model="dlib-resnet-v1-l2-000000000000"), P) is None
    assert face.compare(a, replace(b, template_model=None), P) is None
    c, d = (replace(each, template_model="unmeasured-1") for each in (a, b))
    assert face.compare(c, d, P) is None
    assert face.compare(a, b, replace(P, calibrations={})) is None
    assert face.compare(a, replace(b, templates=np.ones((1, 3), np.float32)), P) is None
    assert face.compare(a, replace(b, templates=np.empty((0, 0), np.float32)), P) is None


def test_sex() -> None:
    man, woman = (Profile(sex=Known(each, Basis.ESTIMATED)) for each in Sex)
    assert lr(sex.compare, man, man) == pytest.approx(0.329, abs=0.001)
    assert lr(sex.compare, man, woman) == pytest.approx(-1.021, abs=0.001)


def aged(years: float, on: date | None, basis: Basis = Basis.ESTIMATED) -> Profile:
    return Profile(age=Known(years, basis, on))


def test_age_is_advanced_by_the_time_gone() -> None:
    missing, found = aged(30, date(2003, 5, 4), Basis.REPORTED), aged(50, DAY)
    assert lr(age.compare, missing, found) > 0.3
    assert lr(age.compare, missing, aged(30, DAY)) < lr(age.compare, missing, found) - 0.5


def test_age_from_a_birth_date() -> None:
    born = Profile(birth_date=Known(date(1973, 5, 4), Basis.DOCUMENTED))
    assert lr(age.compare, born, aged(50, DAY)) > 0.3
    assert lr(age.compare, born, born) == P["age.cap"]
    new_year = Profile(birth_date=Known(date(1973, 1, 1), Basis.DOCUMENTED))
    assert lr(age.compare, new_year, new_year) < P["age.cap"]


@given(st.floats(0, 60), st.floats(0, 60))
def test_age_difference_is_monotone(a: float, b: float) -> None:
    low, high = sorted([a, b])
    base = aged(20, DAY)
    assert lr(age.compare, base, aged(20 + low, DAY)) >= lr(age.compare, base, aged(20 + high, DAY)) - 1e-9


def test_undated_ages_still_compare_and_weigh_less() -> None:
    assert 0 < lr(age.compare, aged(50, None), aged(50, None)) < lr(age.compare, aged(50, DAY), aged(50, DAY))


def tall(cm: float, basis: Basis = Basis.MEASURED, age: Known[float] | None = None) -> Profile:
    return Profile(height=Known(cm, basis, DAY), age=age)


def test_height() -> None:
    assert lr(height.compare, tall(170), tall(170)) == pytest.approx(0.61, abs=0.02)
    assert lr(height.compare, tall(170), tall(190)) < -1
    assert lr(height.compare, tall(170), tall(171, Basis.REPORTED)) > lr(
        height.compare, tall(170), tall(169, Basis.REPORTED)
    )


def test_height_lost_with_age() -> None:
    woman = Known(Sex.FEMALE, Basis.DOCUMENTED)
    young = Profile(sex=woman, height=Known(163.0, Basis.MEASURED, DAY), age=Known(30.0, Basis.DOCUMENTED, DAY))
    old = Profile(sex=woman, height=Known(155.0, Basis.MEASURED, DAY), age=Known(80.0, Basis.DOCUMENTED, DAY))
    assert lr(height.compare, young, old) == pytest.approx(lr(height.compare, tall(170), tall(170)), abs=0.01)
    assert height.compare(young, tall(120, age=Known(8.0, Basis.REPORTED, DAY)), P) is None


def test_build_weighs_little() -> None:
    thin, medium, stout = (Profile(build=Known(each, Basis.ESTIMATED)) for each in Build)
    values = [lr(build.compare, thin, each) for each in (thin, medium, stout)]
    assert values == sorted(values, reverse=True)
    assert all(abs(value) < 0.3 for value in values)


def test_ethnicity() -> None:
    def of(code: str, basis: Basis = Basis.DOCUMENTED) -> Profile:
        return Profile(ethnicity=Known(code, basis))

    assert lr(ethnicity.compare, of("01"), of("01")) == pytest.approx(0.018, abs=0.001)
    assert lr(ethnicity.compare, of("08"), of("08")) == P["ethnicity.cap"]
    assert lr(ethnicity.compare, of("01"), of("08")) < lr(ethnicity.compare, of("01"), of("08", Basis.ESTIMATED)) < 0


def test_blood_group() -> None:
    def of(group: BloodGroup, basis: Basis = Basis.MEASURED) -> Profile:
        return Profile(blood_group=Known(group, basis))

    assert lr(blood_group.compare, of(BloodGroup.AB), of(BloodGroup.AB)) == pytest.approx(1.009, abs=0.001)
    measured = lr(blood_group.compare, of(BloodGroup.A), of(BloodGroup.O))
    said = lr(blood_group.compare, of(BloodGroup.A), of(BloodGroup.O, Basis.REPORTED))
    assert measured < said < 0


def home(*codes: str, kind: PlaceKind = PlaceKind.NATIVE) -> Profile:
    return Profile(places=tuple(Place(code, kind, Basis.REPORTED) for code in codes))


def test_place_by_level() -> None:
    values = [lr(place.compare, home("450702"), home(code)) for code in ("450702", "450703", "450102", "110101")]
    assert values == sorted(values, reverse=True)
    assert values[0] == P["place.cap"]
    assert values[-1] == pytest.approx(P["place.floor"], abs=0.01)
    assert lr(place.compare, home("45"), home("450702")) == pytest.approx(1.27, abs=0.01)


def test_place_many_places_gain_nothing() -> None:
    one = lr(place.compare, home("4507"), home("4507"))
    assert lr(place.compare, home("4507"), home("4507", "11", "12", "13")) < one
    mentioned = home("4507", kind=PlaceKind.MENTIONED)
    assert 0 < lr(place.compare, mentioned, home("4507")) < one


def test_place_seen_counts_where_no_home_is_known() -> None:
    found = Profile(seen_at="450702")
    near, far = lr(place.compare, found, home("450703")), lr(place.compare, found, home("110101"))
    assert near > 0 > far > -0.6


def test_accent_against_origin() -> None:
    speaker = Profile(accent=Known("51", Basis.HEARD))
    assert lr(accent.compare, speaker, home("510104")) > 0.9
    assert lr(accent.compare, speaker, home("110101")) == pytest.approx(np.log10(0.28 / 0.767))
    assert -0.4 < lr(accent.compare, speaker, home("530102")) < 0
    assert accent.compare(speaker, home("510104", kind=PlaceKind.MENTIONED), P) is None


def mark(kind: MarkKind, side: BodySide | None = None, *, permanent: bool = True) -> Mark:
    return Mark(kind, BodyRegion.FOREARM, side, permanent)


def test_marks() -> None:
    tattoo, scar = mark(MarkKind.TATTOO, BodySide.LEFT), mark(MarkKind.SCAR)
    one = Profile(marks=(tattoo,))
    assert lr(marks.compare, one, one) == pytest.approx(1.398, abs=0.001)
    mirrored = Profile(marks=(mark(MarkKind.TATTOO, BodySide.RIGHT),))
    assert 0 < lr(marks.compare, one, mirrored) < lr(marks.compare, one, one)
    assert lr(marks.compare, one, Profile(marks=(tattoo, scar))) == pytest.approx(1.298, abs=0.001)
    assert lr(marks.compare, one, Profile(marks=(scar,))) == pytest.approx(-0.3)
    assert lr(marks.compare, one, Profile(no_marks=True)) == -1.0
    assert marks.compare(one, Profile(), P) is None
    assert marks.compare(one, Profile(marks=(mark(MarkKind.SCAR, permanent=False),)), P) is None


def test_time() -> None:
    def found_after(days: int) -> float:
        report = Profile(kind=GalleryKind.REPORT, seen_on=DAY)
        case = Profile(kind=GalleryKind.CASE, seen_on=DAY + timedelta(days=days))
        assert lr(time.compare, report, case) == lr(time.compare, case, report)
        return lr(time.compare, report, case)

    assert found_after(-3) > 0
    assert found_after(-200) == pytest.approx(np.log10(P["time.outliers"]))
    assert found_after(1) == P["time.cap"]
    assert found_after(1) > found_after(90) > 0 > found_after(400) > -0.5
    assert found_after(3650) == pytest.approx(found_after(8000), abs=0.05)
    case = Profile(kind=GalleryKind.CASE, seen_on=DAY)
    assert time.compare(case, case, P) is None
    assert time.compare(case, Profile(seen_on=DAY), P) is None


def test_an_age_by_eye_is_corrected_towards_the_ends() -> None:
    """The young are guessed too old, the old too young: who looks 24 is rather 21, who looks 75 rather 79."""

    def aged_exactly(years: float) -> Profile:
        return Profile(age=Known(years, Basis.DOCUMENTED, DAY))

    for looks, rather, less in ((24.0, 21.0, 27.0), (75.0, 79.0, 71.0)):
        assert lr(age.compare, aged(looks, DAY), aged_exactly(rather)) > lr(
            age.compare, aged(looks, DAY), aged_exactly(less)
        )


def test_the_age_of_a_child_is_told_to_the_year() -> None:
    child, other, man, older = (aged(years, DAY) for years in (5.0, 16.0, 45.0, 56.0))
    assert lr(age.compare, child, child) > lr(age.compare, man, man) + 0.3
    child_apart, man_apart = lr(age.compare, child, other), lr(age.compare, man, older)
    assert lr(age.compare, child, child) - child_apart > lr(age.compare, man, man) - man_apart + 0.3


def test_what_came_later_is_no_contradiction() -> None:
    """A hand that was lost after the person was last seen; one that was lost before does not grow back."""
    whole = Mark(MarkKind.MOLE, BodyRegion.FACE, None)
    hand = Mark(MarkKind.AMPUTATION, BodyRegion.HAND, BodySide.LEFT)

    def record(kind: GalleryKind, *found: Mark, none: bool = False) -> Profile:
        return Profile(kind=kind, marks=found, no_marks=none)

    report, case = GalleryKind.REPORT, GalleryKind.CASE
    later = lr(marks.compare, record(report, whole), record(case, whole, hand))
    healed = lr(marks.compare, record(report, whole, hand), record(case, whole))
    assert later - healed == pytest.approx(0.7, abs=0.01)
    assert lr(marks.compare, record(report, hand), record(case, none=True)) == P["marks.floor"]
    assert lr(marks.compare, record(report, none=True), record(case, hand)) == pytest.approx(-0.6)
    assert lr(marks.compare, record(case, hand), record(report, none=True)) == pytest.approx(-0.6)
    assert marks.compare(record(report), record(case, hand), P) is None


def test_marks_of_one_kind_are_paired_once_and_by_side() -> None:
    def with_sides(*sides: BodySide | None) -> Profile:
        return Profile(marks=tuple(mark(MarkKind.SCAR, side) for side in sides))

    left, right = BodySide.LEFT, BodySide.RIGHT
    worth = np.log10(P["marks.recorded"] / P["marks.chance.scar"])
    assert lr(marks.compare, with_sides(left, None), with_sides(left, right)) == pytest.approx(2 * worth)
    assert lr(marks.compare, with_sides(left, left), with_sides(left, right)) == pytest.approx(1.5 * worth)
    assert lr(marks.compare, with_sides(left), with_sides(right, right)) == pytest.approx(0.5 * worth - 0.1)
