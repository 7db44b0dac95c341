"""Arbitrary profiles (Hypothesis): everything unknown or known, of any basis, also what makes no sense."""

from datetime import date

import numpy as np
from hypothesis import strategies as st

from matcher.evidence.base import load_parameters
from matcher.profile import Kin, Known, Mark, Name, Phone, Place, Profile, TemplateInfo
from matcher.vocabulary import (
    Basis,
    BloodGroup,
    BodyRegion,
    BodySide,
    Build,
    ClueConfidence,
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

P = load_parameters()
CODES = st.sampled_from(["45", "4507", "450702", "11", "110101", "429004", "999999", "71"])
DAYS = st.dates(date(1920, 1, 1), date(2025, 12, 31))


SURE = st.none() | st.sampled_from(ClueConfidence)


def known(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    uncertainty = st.none() | st.floats(0, 20)
    return st.none() | st.builds(Known, values, st.sampled_from(Basis), st.none() | DAYS, uncertainty, SURE)


@st.composite
def unit_templates(draw: st.DrawFn) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    count = draw(st.integers(0, 3))
    if not count:
        return np.empty((0, 0), np.float32)
    raw = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(count, 4))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


BASIS = st.sampled_from(Basis)
NAME = st.builds(Name, st.text("王李覃小阿强伟 wangl", max_size=4), st.sampled_from(NameKind), BASIS, SURE)
KIN = st.builds(Kin, st.sampled_from(KinRelation), st.text("王李小军强伟 lijun", max_size=3), BASIS, SURE)
PHONE = st.builds(Phone, st.text("137", max_size=9) | st.text("0123456789-", max_size=12), BASIS, SURE)
TEXT = st.text("市三小学公司务农司机红棉衣黑裤手机钱包 abc", max_size=8)
PLACE = st.builds(Place, CODES, st.sampled_from(PlaceKind), BASIS, SURE)
MARK = st.builds(
    Mark,
    st.sampled_from(MarkKind),
    st.sampled_from(list(BodyRegion)[:3]),
    st.none() | st.sampled_from(BodySide),
    st.booleans(),
)
INFO = st.builds(TemplateInfo, st.none() | DAYS, st.none() | st.floats(0, 100), st.none() | st.integers(1, 9))
PROFILE = st.builds(
    Profile,
    sex=known(st.sampled_from(Sex)),
    age=known(st.floats(0, 110)),
    birth_date=known(DAYS),
    height=known(st.floats(40, 220)),
    build=known(st.sampled_from(Build)),
    ethnicity=known(st.sampled_from(["01", "08", "56", "97"])),
    blood_group=known(st.sampled_from(BloodGroup)),
    accent=known(CODES),
    handedness=known(st.sampled_from(Handedness)),
    glasses=known(st.sampled_from(Glasses)),
    literacy=known(st.sampled_from(Literacy)),
    occupation=known(TEXT),
    school=known(TEXT),
    employer=known(TEXT),
    clothing=known(TEXT),
    belongings=known(TEXT),
    names=st.lists(NAME, max_size=3).map(tuple),
    places=st.lists(PLACE, max_size=3).map(tuple),
    marks=st.lists(MARK, max_size=4).map(tuple),
    kin=st.lists(KIN, max_size=2).map(tuple),
    phones=st.lists(PHONE, max_size=2).map(tuple),
    no_marks=st.booleans(),
    seen_on=st.none() | DAYS,
    seen_at=st.none() | CODES,
    templates=unit_templates(),
    template_info=st.lists(INFO, max_size=3).map(tuple),
    template_model=st.none() | st.sampled_from([*P.calibrations, "unknown-1"]),
    kind=st.none() | st.sampled_from(GalleryKind),
)
