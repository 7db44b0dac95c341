"""Blocking keys: a probe asks for the keys under which its own record would be stored, within the years that fit."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.blocking import MOST_KEYS, UNKNOWN_YEAR, load_tables, stored_keys, wanted_keys
from matcher.evidence.base import load_parameters
from matcher.profile import Kin, Known, Mark, Name, Phone, Place, Profile
from matcher.vocabulary import (
    Basis,
    BodyRegion,
    BodySide,
    GalleryKind,
    KinRelation,
    MarkKind,
    NameKind,
    PlaceKind,
    Sex,
)
from tests.factories.profiles import PROFILE

PARAMETERS = load_parameters()
FOR_LISTS = frozenset({"i", "y"})
"""Kinds of keys that no probe asks for."""
DAY = date(2026, 3, 2)
REPORTED = Profile(
    sex=Known(Sex.MALE, Basis.REPORTED),
    age=Known(45.0, Basis.REPORTED, DAY),
    names=(Name("王建国", NameKind.FULL, Basis.REPORTED),),
    places=(Place("450702", PlaceKind.NATIVE, Basis.REPORTED),),
    marks=(Mark(MarkKind.TATTOO, BodyRegion.FOREARM, BodySide.LEFT),),
    kin=(Kin(KinRelation.SON, "王小军", Basis.REPORTED),),
    phones=(Phone("13907770123", Basis.REPORTED),),
    kind=GalleryKind.REPORT,
)


@settings(deadline=None)
@given(PROFILE)
def test_a_record_is_found_by_its_own_probe(profile: Profile) -> None:
    stored, wanted = stored_keys(profile, PARAMETERS), wanted_keys(profile, PARAMETERS)
    asked = [one.key for one in wanted.keys]
    assert len(set(asked)) == len(asked) <= MOST_KEYS
    assert set(asked) == {key for key in stored.keys if key[0] not in FOR_LISTS} or len(asked) == MOST_KEYS
    assert all(len(key) <= 80 for key in stored.keys)
    assert all(0 < one.share <= 1 for one in wanted.keys)
    assert wanted.first == wanted.last == UNKNOWN_YEAR or wanted.first <= stored.born <= wanted.last


def test_every_kind_of_clue_makes_keys() -> None:
    keys = stored_keys(REPORTED, PARAMETERS).keys
    assert {key[0] for key in keys} == {"n", "p", "g", "h", "s", "l", "m", "x", "k", "t"} | FOR_LISTS
    assert {
        "i:wjg",
        "y:1981",
        "l:45",
        "l:4507",
        "l:450702",
        "s:wan@45",
        "m:tattoo.forearm.left",
        "x:male",
        "t:0777",
    } <= keys
    assert stored_keys(REPORTED, PARAMETERS).born == 1981


def test_unknown_is_no_key_and_every_year() -> None:
    nobody = Profile()
    assert stored_keys(nobody, PARAMETERS).keys == frozenset()
    wanted = wanted_keys(nobody, PARAMETERS)
    assert (wanted.first, wanted.last, wanted.keys) == (UNKNOWN_YEAR, UNKNOWN_YEAR, ())


def test_an_age_judged_by_eye_opens_a_wider_window() -> None:
    seen = Profile(age=Known(45.0, Basis.ESTIMATED, DAY))
    by_eye, said = wanted_keys(seen, PARAMETERS), wanted_keys(REPORTED, PARAMETERS)
    assert said.first > by_eye.first
    assert said.last < by_eye.last
    assert by_eye.last - by_eye.first <= 2 * load_tables().most + 1


def test_the_most_telling_keys_are_asked_for_first() -> None:
    many = Profile(names=tuple(Name(f"王{one}国", NameKind.FULL, Basis.REPORTED) for one in "建海立志卫爱保兴振"))
    wanted = wanted_keys(many, PARAMETERS)
    kinds = [one.key[0] for one in wanted.keys]
    assert kinds == sorted(kinds, key=list(load_tables().share).index)


@settings(deadline=None)
@given(st.integers(1, 60))
def test_any_number_of_names_is_asked_for_within_the_bound(count: int) -> None:
    names = tuple(Name(chr(0x4E00 + 37 * one) * 3, NameKind.FULL, Basis.HEARD) for one in range(count))
    assert len(wanted_keys(Profile(names=names), PARAMETERS).keys) <= MOST_KEYS
