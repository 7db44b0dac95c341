"""Figures learned from pairs of profiles: counted, weighed, and drawn towards what was there before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.evidence.base import load_parameters
from matcher.linkage.learning import FAMILIES, Pair, learn
from matcher.profile import Known, Mark, Place, Profile
from matcher.vocabulary import Basis, BloodGroup, BodyRegion, BodySide, Build, MarkKind, PlaceKind, Sex

FIGURES = load_parameters().numbers


def person(
    sex: Sex | None = None,
    build: Build | None = None,
    blood: BloodGroup | None = None,
    home: str | None = None,
    talk: str | None = None,
    accent: str | None = None,
    basis: Basis = Basis.DOCUMENTED,
) -> Profile:
    places = [(home, PlaceKind.NATIVE), (talk, PlaceKind.MENTIONED)]
    return Profile(
        sex=Known(sex, basis) if sex else None,
        build=Known(build, basis) if build else None,
        blood_group=Known(blood, basis) if blood else None,
        accent=Known(accent, basis) if accent else None,
        places=tuple(Place(division, kind, basis) for division, kind in places if division),
    )


def value(key: str, pairs: list[Pair], weights: list[float] | None = None, prior: float = 10) -> float:
    found = learn(FIGURES, pairs, np.array(weights or [1.0] * len(pairs)), pairs, prior)
    return found[key].value if key in found else FIGURES[key]


MAN, WOMAN = person(sex=Sex.MALE), person(sex=Sex.FEMALE)


def test_a_share_is_counted_and_drawn_back() -> None:
    pairs = [(MAN, MAN)] * 3 + [(MAN, WOMAN)]
    before = FIGURES["sex.same"]
    assert value("sex.same", pairs) == pytest.approx((3 + 10 * before) / 14)
    assert value("sex.same", pairs, [1, 1, 0, 0]) == pytest.approx((2 + 10 * before) / 12)
    assert value("sex.same", pairs * 1000) == pytest.approx(0.75, abs=0.002)
    assert value("sex.same", [(MAN, person())] * 9) == before
    with pytest.raises(ValueError, match="more than 0 pairs"):
        value("sex.same", pairs, prior=0)


def test_what_certain_and_what_said_are_told_apart() -> None:
    paper, said = (person(blood=BloodGroup.A, basis=basis) for basis in (Basis.DOCUMENTED, Basis.REPORTED))
    other = person(blood=BloodGroup.B)
    assert value("blood_group.same", [(paper, other)]) < FIGURES["blood_group.same"]
    assert value("blood_group.same_said", [(paper, other)]) == FIGURES["blood_group.same_said"]
    assert value("blood_group.same_said", [(said, other)]) < FIGURES["blood_group.same_said"]


def test_levels_of_places() -> None:
    county, city, elsewhere = person(home="350203"), person(home="350205"), person(home="450702")
    rough = person(home="35")
    for other, key in ((county, "3"), (city, "2"), (elsewhere, "0")):
        assert value(f"place.home.same.{key}", [(county, other)]) > FIGURES[f"place.home.same.{key}"]
    # Where one ends at the province, how much deeper they agree is not known.
    found = learn(FIGURES, [(county, rough)], np.ones(1), [], 10)
    assert not any(key.startswith("place.home") for key in found)
    found = learn(FIGURES, [(elsewhere, rough)], np.ones(1), [], 10)
    assert found["place.home.same.0"].value > FIGURES["place.home.same.0"]
    talk = person(talk="350203", accent="350203")
    found = learn(FIGURES, [(talk, county)], np.ones(1), [], 10)
    assert found["place.mentioned.same.3"].value > FIGURES["place.mentioned.same.3"]
    assert found["accent.same.3"].value > FIGURES["accent.same.3"]


def test_marks_count_by_the_share_that_both_records_have() -> None:
    scar = Mark(MarkKind.SCAR, BodyRegion.FACE, None)
    mole = Mark(MarkKind.MOLE, BodyRegion.NECK, BodySide.LEFT)
    both, one = Profile(marks=(scar, mole)), Profile(marks=(scar,))
    before = FIGURES["marks.recorded"]
    assert value("marks.recorded", [(both, one)]) == pytest.approx((2 / 3 + 10 * before) / 11)
    assert value("marks.recorded", [(both, Profile(no_marks=True))]) == before


PROFILES = st.builds(
    person,
    st.none() | st.sampled_from(Sex),
    st.none() | st.sampled_from(Build),
    st.none() | st.sampled_from(BloodGroup),
    *[st.none() | st.sampled_from(["35", "3502", "350203", "450702"])] * 3,
    st.sampled_from(Basis),
)
WEIGHED = st.lists(st.tuples(PROFILES, PROFILES, st.floats(0, 1)), max_size=6)


@settings(deadline=None, max_examples=60)
@given(WEIGHED)
def test_what_is_learned_stays_a_distribution(rows: list[tuple[Profile, Profile, float]]) -> None:
    pairs = [(a, b) for a, b, _ in rows]
    found = learn(FIGURES, pairs, np.array([weight for *_, weight in rows]), pairs, 50)
    after = dict(FIGURES) | {key: one.value for key, one in found.items()}
    for family in FAMILIES:
        for levels in (family.same, family.chance or ()):
            keys = [key for level in levels for key in level if key in FIGURES]
            assert sum(after[key] for key in keys) <= max(1.0, sum(FIGURES[key] for key in keys)) + 1e-9
            if all(levels):
                assert sum(after[key] for key in keys) == pytest.approx(sum(FIGURES[key] for key in keys))
    assert all(0 < one.value < 1 for one in found.values())


@settings(deadline=None, max_examples=60)
@given(PROFILES, PROFILES)
def test_observations_are_symmetrical(a: Profile, b: Profile) -> None:
    for family in FAMILIES:
        ours, theirs = family.observe(a, b), family.observe(b, a)
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            assert list(ours) == pytest.approx(list(theirs))
            assert sum(ours) == pytest.approx(1)
