"""`matcher.evidence`: golden values of what somebody says, does, wears and how far they went."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from matcher.evidence import (
    belongings,
    clothing,
    employer,
    glasses,
    handedness,
    kin,
    literacy,
    occupation,
    phone,
    school,
    travel,
)
from matcher.evidence.base import Comparator, load_parameters
from matcher.profile import Kin, Known, Phone, Profile
from matcher.vocabulary import Basis, GalleryKind, Glasses, Handedness, KinRelation, Literacy

P = load_parameters()
DAY = date(2023, 5, 4)


def lr(comparator: Comparator, a: Profile, b: Profile) -> float:
    found = comparator(a, b, P)
    assert found is not None
    return found.log10_lr


def relative(relation: KinRelation, text: str, basis: Basis = Basis.REPORTED) -> Profile:
    return Profile(kin=(Kin(relation, text, basis),))


def test_kin() -> None:
    family = relative(KinRelation.SON, "黄志军")
    said = lr(kin.compare, relative(KinRelation.SON, "小军", Basis.HEARD), family)
    assert said > 0.5
    assert 0 < lr(kin.compare, relative(KinRelation.BROTHER, "小军", Basis.HEARD), family) < said
    assert kin.compare(relative(KinRelation.DAUGHTER, "小芳", Basis.HEARD), family, P) is None
    assert kin.compare(relative(KinRelation.SON, "王明"), family, P) is None
    assert lr(kin.compare, relative(KinRelation.FATHER, "王明"), relative(KinRelation.FATHER, "李伟")) == pytest.approx(
        np.log10(P["kin.wrong"])
    )
    assert lr(kin.compare, family, family) == P["kin.cap"]


def text(field: str, value: str, on: date | None = None, kind: GalleryKind | None = None) -> Profile:
    told: dict[str, Any] = {field: Known(value, Basis.HEARD)}
    return Profile(**told, seen_on=on, kind=kind)


def test_school_and_employer() -> None:
    school_there = text("school", "广西钦州市那丽镇中心小学")
    assert lr(school.compare, text("school", "那丽小学"), school_there) > 0.8
    assert lr(school.compare, text("school", "拉丽小学"), school_there) > 0.8  # n and l are one sound in Qinzhou
    assert lr(school.compare, text("school", "桂林第一中学"), school_there) == P.curve("school.curve", 0)
    assert school.compare(text("school", "小学"), school_there, P) is None
    works = text("employer", "永兴制衣有限公司")
    assert lr(employer.compare, text("employer", "永兴制衣厂"), works) > 0.5
    assert employer.compare(text("employer", "工厂"), works, P) is None


def test_occupation() -> None:
    builder = text("occupation", "在工地做小工，搬砖")
    assert lr(occupation.compare, builder, text("occupation", "建筑工人")) == pytest.approx(np.log10(0.5 / 0.2))
    assert -0.3 < lr(occupation.compare, builder, text("occupation", "退休教师")) < 0
    assert occupation.compare(builder, text("occupation", "不详"), P) is None


def test_phone() -> None:
    def number(digits: str) -> Profile:
        return Profile(phones=(Phone(digits, Basis.HEARD),))

    own = number("13677781234")
    assert lr(phone.compare, number("1234"), own) == pytest.approx(np.log10(0.6) + 3.2 - np.log10(8))
    assert lr(phone.compare, own, own) == P["phone.cap"]
    assert 1 < lr(phone.compare, number("13677781235"), own) < P["phone.cap"]
    assert lr(phone.compare, number("999"), own) == P["phone.differ"]
    assert lr(phone.compare, number("136"), own) < 1.5
    assert phone.compare(number("13"), own, P) is None


def test_hand_glasses_and_literacy() -> None:
    right, left = (Profile(handedness=Known(hand, Basis.REPORTED)) for hand in (Handedness.RIGHT, Handedness.LEFT))
    assert lr(handedness.compare, right, right) == pytest.approx(0.0, abs=0.01)
    assert lr(handedness.compare, left, left) == pytest.approx(1.27, abs=0.01)
    assert -0.4 < lr(handedness.compare, left, right) < -0.2
    worn, bare = (Profile(glasses=Known(one, Basis.REPORTED)) for one in Glasses)
    assert lr(glasses.compare, worn, worn) > lr(glasses.compare, bare, bare) > 0 > lr(glasses.compare, worn, bare)
    reads = [Profile(literacy=Known(one, Basis.REPORTED)) for one in Literacy]
    assert [lr(literacy.compare, reads[0], one) for one in reads] == pytest.approx([0.192, -0.182, -0.531], abs=0.001)


def test_clothing_counts_for_days() -> None:
    def seen_in(kind: GalleryKind, days: int | None) -> Profile:
        day = None if days is None else DAY + timedelta(days=days)
        return text("clothing", "红色棉衣，黑色长裤", day, kind)

    lost = seen_in(GalleryKind.REPORT, 0)
    values = [lr(clothing.compare, lost, seen_in(GalleryKind.CASE, days)) for days in (0, 2, 5, 10)]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(1.2)
    for silent in (seen_in(GalleryKind.CASE, 15), seen_in(GalleryKind.CASE, None), seen_in(GalleryKind.REPORT, 1)):
        assert clothing.compare(lost, silent, P) is None
    assert clothing.compare(lost, text("clothing", "整洁", DAY, GalleryKind.CASE), P) is None
    held = text("belongings", "手机、钥匙", DAY, GalleryKind.REPORT)
    found = text("belongings", "钥匙一串", DAY + timedelta(days=20), GalleryKind.CASE)
    assert 0 < lr(belongings.compare, held, found) < 0.3


def test_travel() -> None:
    def seen(code: str, days: int | None) -> Profile:
        return Profile(seen_at=code, seen_on=None if days is None else DAY + timedelta(days=days))

    lost = seen("450702", 0)
    near, far = [lr(travel.compare, lost, seen(code, 1)) for code in ("450702", "230102")]
    assert near == P["travel.cap"]
    assert far < -0.8
    assert lr(travel.compare, lost, seen("230102", 2000)) > far + 0.3
    assert lr(travel.compare, lost, seen("440103", 1)) > lr(travel.compare, lost, seen("510104", 1)) > far
    assert lr(travel.compare, lost, seen("440103", None)) == lr(travel.compare, lost, seen("440103", 365))
    assert lr(travel.compare, lost, seen("45", 1)) == pytest.approx(np.log10(0.77 / 0.046), abs=0.001)
    assert travel.compare(lost, Profile(seen_on=DAY), P) is None
