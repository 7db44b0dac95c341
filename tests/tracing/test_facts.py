"""Facts: each value that cannot be right has its own error and field, and everything wrong is told at once."""

from datetime import date
from typing import Any

import pytest

from matcher.vocabulary import AttributeKind, Basis, BodyRegion, KinRelation, MarkKind, NameKind, PlaceKind
from tracing.facts import (
    AttributeFact,
    Facts,
    InvalidFacts,
    KinFact,
    MarkFact,
    NameFact,
    PhoneFact,
    PlaceFact,
    check_facts,
)

TODAY = date(2026, 3, 2)
K = AttributeKind


def attribute(kind: AttributeKind, value: str, **more: Any) -> Facts:
    return Facts(attributes=(AttributeFact(kind, value, Basis.REPORTED, **more),))


def place(division: str, detail: str | None = None) -> Facts:
    return Facts(places=(PlaceFact(division, PlaceKind.NATIVE, Basis.REPORTED, None, detail),))


MARK = MarkFact(MarkKind.SCAR, BodyRegion.FACE, Basis.ESTIMATED)


def kin(text: str, source: str | None = None) -> Facts:
    return Facts(kin=(KinFact(text, KinRelation.SON, Basis.HEARD, source),))


def phone(digits: str, source: str | None = None) -> Facts:
    return Facts(phones=(PhoneFact(digits, Basis.HEARD, source),))


WRONG: list[tuple[Facts, str, str]] = [
    (attribute(K.HEIGHT, "1.72"), "height_in_metres", "attributes.height"),
    (attribute(K.HEIGHT, "29"), "height_out_of_range", "attributes.height"),
    (attribute(K.HEIGHT, "251"), "height_out_of_range", "attributes.height"),
    (attribute(K.HEIGHT, "tall"), "height_out_of_range", "attributes.height"),
    (attribute(K.HEIGHT, "nan"), "height_out_of_range", "attributes.height"),
    (attribute(K.HEIGHT, "inf"), "height_out_of_range", "attributes.height"),
    (attribute(K.AGE, "-1"), "age_out_of_range", "attributes.age"),
    (attribute(K.AGE, "121"), "age_out_of_range", "attributes.age"),
    (attribute(K.AGE, "forty"), "age_out_of_range", "attributes.age"),
    (attribute(K.AGE, "nan"), "age_out_of_range", "attributes.age"),
    (attribute(K.BIRTH_DATE, "1962-02-30"), "impossible_date", "attributes.birth_date"),
    (attribute(K.BIRTH_DATE, "1962"), "impossible_date", "attributes.birth_date"),
    (attribute(K.BIRTH_DATE, "2026-03-04"), "date_in_future", "attributes.birth_date"),
    (attribute(K.BIRTH_DATE, "1905-12-31"), "date_too_early", "attributes.birth_date"),
    (attribute(K.SEX, "other"), "unknown_value", "attributes.sex"),
    (attribute(K.BUILD, "tall"), "unknown_value", "attributes.build"),
    (attribute(K.BLOOD_GROUP, "c"), "unknown_value", "attributes.blood_group"),
    (attribute(K.HANDEDNESS, "none"), "unknown_value", "attributes.handedness"),
    (attribute(K.GLASSES, "yes"), "unknown_value", "attributes.glasses"),
    (attribute(K.LITERACY, "4"), "unknown_value", "attributes.literacy"),
    (attribute(K.SCHOOL, "字" * 201), "text_too_long", "attributes.school"),
    (attribute(K.EMPLOYER, "字" * 201), "text_too_long", "attributes.employer"),
    (attribute(K.OCCUPATION, " "), "empty_value", "attributes.occupation"),
    (kin(" "), "empty_value", "kin.0.text"),
    (kin("字" * 121), "text_too_long", "kin.0.text"),
    (kin("小军", "字" * 201), "text_too_long", "kin.0.source"),
    (phone("12"), "too_few_digits", "phones.0.digits"),
    (phone("1" * 21), "too_few_digits", "phones.0.digits"),
    (phone("13x8"), "too_few_digits", "phones.0.digits"),
    (phone(" "), "too_few_digits", "phones.0.digits"),
    (phone("138", "字" * 201), "text_too_long", "phones.0.source"),
    (attribute(K.ETHNICITY, "99"), "unknown_ethnicity", "attributes.ethnicity"),
    (attribute(K.ACCENT, "999999"), "unknown_division", "attributes.accent"),
    (attribute(K.CLOTHING, "   "), "empty_value", "attributes.clothing"),
    (attribute(K.REMARKS, "字" * 2001), "text_too_long", "attributes.remarks"),
    (attribute(K.HEIGHT, "170", uncertainty=-1.0), "negative_uncertainty", "attributes.height"),
    (attribute(K.HEIGHT, "170", uncertainty=float("nan")), "negative_uncertainty", "attributes.height"),
    (attribute(K.AGE, "45", as_of=date(2026, 3, 4)), "date_in_future", "attributes.age.as_of"),
    (attribute(K.AGE, "45", as_of=date(1905, 1, 1)), "date_too_early", "attributes.age.as_of"),
    (attribute(K.HEIGHT, "170", source="字" * 201), "text_too_long", "attributes.height.source"),
    (Facts(names=(NameFact(" ", NameKind.FULL, Basis.HEARD),)), "empty_value", "names.0.text"),
    (Facts(names=(NameFact("字" * 121, NameKind.FULL, Basis.HEARD),)), "text_too_long", "names.0.text"),
    (Facts(names=(NameFact("韦", NameKind.FULL, Basis.HEARD, "字" * 201),)), "text_too_long", "names.0.source"),
    (place("999999"), "unknown_division", "places.0.division"),
    (place("450702", "字" * 201), "text_too_long", "places.0.detail"),
    (Facts(marks=(MARK,), no_marks=True), "marks_contradict", "no_marks"),
    (
        Facts(attributes=(*attribute(K.AGE, "45").attributes, *attribute(K.AGE, "46").attributes)),
        "duplicate_fact",
        "attributes.age",
    ),
]


@pytest.mark.parametrize(("facts", "slug", "field"), WRONG, ids=[f"{slug}-{field}" for _, slug, field in WRONG])
def test_each_wrong_value_has_its_error_and_its_field(facts: Facts, slug: str, field: str) -> None:
    with pytest.raises(InvalidFacts) as refused:
        check_facts(facts, today=TODAY)
    assert [(problem.slug, problem.field) for problem in refused.value.problems] == [(slug, field)]


def test_every_message_can_be_filled_in() -> None:
    for facts, slug, _ in WRONG:
        with pytest.raises(InvalidFacts) as refused:
            check_facts(facts, today=TODAY)
        (problem,) = refused.value.problems
        assert "{" not in problem.message.format(**problem.params), slug


def test_everything_wrong_is_told_at_once() -> None:
    facts = Facts(
        attributes=(*attribute(K.HEIGHT, "1.7").attributes, *attribute(K.AGE, "200").attributes),
        names=(NameFact("韦建国", NameKind.FULL, Basis.HEARD), NameFact("", NameKind.FULL, Basis.HEARD)),
        places=place("1").places,
        marks=(MARK,),
        no_marks=True,
    )
    with pytest.raises(InvalidFacts) as refused:
        check_facts(facts, today=TODAY)
    fields = [problem.field for problem in refused.value.problems]
    assert fields == ["attributes.height", "attributes.age", "names.1.text", "places.0.division", "no_marks"]


def test_a_height_in_metres_is_told_what_to_write() -> None:
    with pytest.raises(InvalidFacts) as refused:
        check_facts(attribute(K.HEIGHT, "1.725"), today=TODAY)
    (problem,) = refused.value.problems
    assert problem.params == {"given": "1.725", "suggestion": "172"}


@pytest.mark.parametrize(
    ("facts", "value"),
    [
        (attribute(K.HEIGHT, " 170.0 "), "170"),
        (attribute(K.HEIGHT, "30"), "30"),
        (attribute(K.HEIGHT, "250"), "250"),
        (attribute(K.AGE, "0"), "0"),
        (attribute(K.AGE, "120"), "120"),
        (attribute(K.BIRTH_DATE, "2026-03-03"), "2026-03-03"),  # the day of grace
        (attribute(K.BIRTH_DATE, "1906-01-01"), "1906-01-01"),
        (attribute(K.ETHNICITY, "08"), "08"),
        (attribute(K.ACCENT, "45"), "45"),
        (attribute(K.SEX, "male"), "male"),
    ],
)
def test_right_values_come_back_in_canonical_form(facts: Facts, value: str) -> None:
    assert check_facts(facts, today=TODAY).attributes[0].value == value


def test_texts_come_back_without_blanks_and_without_the_sign_that_postgresql_refuses() -> None:
    facts = Facts(
        names=(NameFact(" 韦建国\0 ", NameKind.FULL, Basis.HEARD, "  "),),
        places=(PlaceFact("450702", PlaceKind.NATIVE, Basis.HEARD, " 本人 ", " 大番坡镇" + " " * 300),),
        marks=(MarkFact(MarkKind.SCAR, BodyRegion.FACE, Basis.ESTIMATED, None, "\0", "左眉上 "),),
    )
    checked = check_facts(facts, today=TODAY)
    assert checked.names == (NameFact("韦建国", NameKind.FULL, Basis.HEARD, None),)
    assert checked.places == (PlaceFact("450702", PlaceKind.NATIVE, Basis.HEARD, "本人", "大番坡镇"),)
    assert checked.marks == (MarkFact(MarkKind.SCAR, BodyRegion.FACE, Basis.ESTIMATED, None, None, "左眉上"),)


def test_an_age_without_a_day_holds_for_today_and_other_values_have_none() -> None:
    assert check_facts(attribute(K.AGE, "45"), today=TODAY).attributes[0].as_of == TODAY
    assert check_facts(attribute(K.HEIGHT, "170"), today=TODAY).attributes[0].as_of is None
    given = check_facts(attribute(K.AGE, "45", as_of=date(2020, 1, 1)), today=TODAY)
    assert given.attributes[0].as_of == date(2020, 1, 1)


def test_nothing_known_is_no_error() -> None:
    assert check_facts(Facts(), today=TODAY) == Facts()


@pytest.mark.parametrize(
    "written", ["13800138000", " 138-0013-8000", "138 0013 8000", "１３８００１３８０００", "(138)00138000"]
)
def test_telephone_digits_are_kept_without_the_signs_between_them(written: str) -> None:
    (found,) = check_facts(phone(written, " 本人 "), today=TODAY).phones
    assert found == PhoneFact("13800138000", Basis.HEARD, "本人")


def test_the_new_facts_stand_as_they_were_given() -> None:
    given = Facts(
        attributes=tuple(
            AttributeFact(kind, value, Basis.HEARD)
            for kind, value in (
                (K.HANDEDNESS, "left"), (K.GLASSES, "not_worn"), (K.LITERACY, "some"), (K.OCCUPATION, "泥瓦工"),
                (K.SCHOOL, "那丽镇中心小学"), (K.EMPLOYER, "东莞某制衣厂"),
            )
        ),
        kin=(KinFact("小军", KinRelation.SON, Basis.HEARD),),
    )  # fmt: skip
    assert check_facts(given, today=TODAY) == given
    assert given
    assert not Facts(no_marks=True)
