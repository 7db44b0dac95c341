"""`matcher.evidence`: laws of every term: more agreement never says less, unknown is not no, order is nothing."""

from dataclasses import fields, replace
from datetime import date, timedelta
from math import isfinite
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.evidence.base import load_parameters
from matcher.evidence.batch import KINDS, log10_lrs, prepare
from matcher.evidence.terms import TERMS, compare
from matcher.profile import Kin, Known, Mark, Name, Phone, Place, Profile
from matcher.vocabulary import (
    Basis,
    BloodGroup,
    BodyRegion,
    BodySide,
    Build,
    EvidenceKind,
    GalleryKind,
    Glasses,
    Handedness,
    KinRelation,
    Literacy,
    MarkKind,
    NameKind,
    PlaceKind,
    Sex,
)
from tests.factories.profiles import PROFILE

P = load_parameters()
K = EvidenceKind
DAY = date(2023, 5, 4)
LEFT = Mark(MarkKind.TATTOO, BodyRegion.FOREARM, BodySide.LEFT)
CASE, REPORT = GalleryKind.CASE, GalleryKind.REPORT

READS: dict[EvidenceKind, tuple[str, ...]] = {
    K.FACE: ("templates",),
    K.NAME: ("names",),
    K.KIN: ("kin",),
    K.SEX: ("sex",),
    K.HEIGHT: ("height",),
    K.BUILD: ("build",),
    K.ETHNICITY: ("ethnicity",),
    K.BLOOD_GROUP: ("blood_group",),
    K.HANDEDNESS: ("handedness",),
    K.GLASSES: ("glasses",),
    K.LITERACY: ("literacy",),
    K.SCHOOL: ("school",),
    K.OCCUPATION: ("occupation",),
    K.EMPLOYER: ("employer",),
    K.PHONE: ("phones",),
    K.CLOTHING: ("clothing",),
    K.BELONGINGS: ("belongings",),
    K.AGE: ("age", "birth_date"),
    K.PLACE: ("places", "seen_at"),
    K.ACCENT: ("accent", "places"),
    K.MARKS: ("marks", "no_marks"),
    K.TIME: ("seen_on",),
    K.TRAVEL: ("seen_at",),
}
"""The facts of which a term needs at least one on each side."""


def known(value: object, basis: Basis = Basis.DOCUMENTED) -> object:
    return Known(value, basis, DAY, 1.0)


def one(**facts: Any) -> Profile:
    values: dict[str, Any] = {"seen_on": DAY, "kind": REPORT, **facts}
    return Profile(**values)


def each(field: str, *values: object) -> list[Profile]:
    return [one(**{field: known(value)}, kind=CASE) for value in values]


def homes(*codes: str) -> list[Profile]:
    return [one(places=(Place(code, PlaceKind.NATIVE, Basis.REPORTED),)) for code in codes]


def named(*texts: str) -> list[Profile]:
    return [one(names=(Name(text, NameKind.FULL, Basis.DOCUMENTED),)) for text in texts]


def kin_of(*relatives: tuple[KinRelation, str]) -> list[Profile]:
    return [one(kin=(Kin(relation, text, Basis.REPORTED),)) for relation, text in relatives]


def phones_of(*digits: str) -> list[Profile]:
    return [one(phones=(Phone(one_number, Basis.HEARD),)) for one_number in digits]


def seen(code: str, days: int = 0) -> Profile:
    return one(seen_at=code, seen_on=DAY + timedelta(days=days), kind=CASE)


LADDERS: dict[EvidenceKind, tuple[Profile, list[Profile]]] = {
    K.NAME: (named("覃国强")[0], named("覃国强", "秦国强", "覃国明", "王伟")),
    K.KIN: (
        kin_of((KinRelation.FATHER, "覃国强"))[0],
        kin_of(
            (KinRelation.FATHER, "覃国强"), (KinRelation.OTHER, "覃国强"), (KinRelation.SON, "覃国强"),
            (KinRelation.FATHER, "王伟"),
        ),
    ),
    K.PLACE: (homes("450702")[0], homes("450702", "450703", "450102", "440103", "230102")),
    K.ACCENT: (one(accent=known("4507", Basis.HEARD)), homes("450702", "450102", "440103", "230102")),
    K.SEX: (one(sex=known(Sex.MALE)), each("sex", Sex.MALE, Sex.FEMALE)),
    K.AGE: (one(age=known(40.0)), each("age", 40.0, 43.0, 50.0, 70.0)),
    K.HEIGHT: (one(height=known(170.0)), each("height", 170.0, 173.0, 180.0, 195.0)),
    K.BUILD: (one(build=known(Build.THIN)), each("build", *Build)),
    K.ETHNICITY: (one(ethnicity=known("08")), each("ethnicity", "08", "01")),
    K.BLOOD_GROUP: (one(blood_group=known(BloodGroup.O)), each("blood_group", BloodGroup.O, BloodGroup.A)),
    K.HANDEDNESS: (
        one(handedness=known(Handedness.LEFT)), each("handedness", Handedness.LEFT, Handedness.RIGHT),
    ),
    K.GLASSES: (one(glasses=known(Glasses.WORN)), each("glasses", Glasses.WORN, Glasses.NOT_WORN)),
    K.LITERACY: (one(literacy=known(Literacy.NONE)), each("literacy", *Literacy)),
    K.MARKS: (
        one(marks=(LEFT,)),
        [
            one(marks=(LEFT,)),
            one(marks=(replace(LEFT, side=BodySide.RIGHT),)),
            one(marks=(replace(LEFT, region=BodyRegion.BACK),)),
            one(no_marks=True),
        ],
    ),
    K.SCHOOL: (
        one(school=known("钦州市那丽镇中心小学")),
        each("school", "钦州市那丽镇中心小学", "那丽小学", "那彭小学", "哈尔滨第三中学"),
    ),
    K.EMPLOYER: (
        one(employer=known("东莞市永兴制衣厂")), each("employer", "东莞市永兴制衣厂", "永兴制衣", "上海宝钢"),
    ),
    K.OCCUPATION: (one(occupation=known("在工地搬砖")), each("occupation", "建筑工", "退休教师")),
    K.PHONE: (
        phones_of("13677781234")[0], phones_of("13677781234", "7778123", "13677781235", "7781", "5550000"),
    ),
    K.CLOTHING: (
        one(clothing=known("红色棉衣，黑色长裤")),
        each("clothing", "红棉袄 黑裤子", "红棉袄 蓝裤子", "蓝色裙", "白色羽绒服"),
    ),
    K.BELONGINGS: (
        one(belongings=known("手机、钥匙、雨伞")), each("belongings", "手机，钥匙，雨伞", "钥匙", "助听器"),
    ),
    K.TIME: (one(), [one(seen_on=DAY + timedelta(days=days), kind=CASE) for days in (1, 400, -30, -400)]),
    K.TRAVEL: (one(seen_at="450702"), [seen(code) for code in ("450702", "450703", "450102", "440103", "230102")]),
}  # fmt: skip
"""A probe, and others that agree with it less and less."""


def ratio(kind: EvidenceKind, a: Profile, b: Profile) -> float | None:
    return next((term.log10_lr for term in compare(a, b, P) if term.kind is kind), None)


@pytest.mark.parametrize("kind", sorted(set(EvidenceKind) - {K.FACE}))
def test_more_agreement_never_says_less(kind: EvidenceKind) -> None:
    probe, others = LADDERS[kind]
    values = [ratio(kind, probe, other) for other in others]
    assert None not in values
    assert values == sorted(values, reverse=True, key=float), values  # type: ignore[arg-type]
    assert values[0] != values[-1]
    assert float(values[0] or 0) > 0


@settings(max_examples=30, deadline=None)
@given(PROFILE, PROFILE, st.randoms(use_true_random=False))
def test_the_order_of_facts_makes_no_difference(a: Profile, b: Profile, random: Random) -> None:
    def shuffled(profile: Profile) -> Profile:
        lists = {name: list(getattr(profile, name)) for name in ("names", "places", "marks", "kin", "phones")}
        for values in lists.values():
            random.shuffle(values)
        return replace(profile, **{name: tuple(values) for name, values in lists.items()})  # type: ignore[arg-type]

    first, second = compare(a, b, P), compare(shuffled(a), shuffled(b), P)
    assert [term.kind for term in first] == [term.kind for term in second]
    for one_term, other in zip(first, second, strict=True):
        assert one_term.log10_lr == pytest.approx(other.log10_lr, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(PROFILE, PROFILE)
def test_what_is_not_known_says_nothing_and_is_no_contradiction(a: Profile, b: Profile) -> None:
    empty = Profile()
    for kind in (term.kind for term in compare(a, b, P)):
        without = replace(b, **{name: getattr(empty, name) for name in READS[kind]})
        assert ratio(kind, a, without) is None, kind


def test_every_fact_of_a_profile_is_read_by_some_term() -> None:
    shared = {"kind", "template_model", "seen_on"}
    read = {name for names in READS.values() for name in names}
    assert {field.name for field in fields(Profile)} - shared - read <= {"template_info"}
    assert set(READS) == set(EvidenceKind) == set(KINDS) == {term.kind for term in TERMS}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Mark,
            st.sampled_from(MarkKind),
            st.sampled_from(list(BodyRegion)[:2]),
            st.none() | st.sampled_from(BodySide),
        ),
        max_size=4,
    ),
    st.lists(st.builds(Mark, st.sampled_from(MarkKind), st.just(BodyRegion.HAND), st.none()), max_size=2),
    st.sampled_from(MarkKind),
)
def test_a_mark_that_agrees_never_lowers_the_marks(ours: list[Mark], theirs: list[Mark], kind: MarkKind) -> None:
    common = Mark(kind, BodyRegion.MOUTH, None)
    before = ratio(K.MARKS, one(marks=tuple(ours)), one(marks=tuple(theirs)))
    after = ratio(K.MARKS, one(marks=(*ours, common)), one(marks=(common, *theirs)))
    assert after is not None
    assert before is None or after >= before


@settings(max_examples=20, deadline=None)
@given(PROFILE, st.lists(PROFILE, min_size=1, max_size=3))
def test_no_term_is_infinite(probe: Profile, others: list[Profile]) -> None:
    found = log10_lrs(prepare(probe, P), [prepare(other, P) for other in others], P)
    assert all(value != value or isfinite(value) for value in found.ravel().tolist())
