"""`matcher.evidence`: what holds for every comparator."""

from datetime import date
from math import isfinite
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import evidence
from matcher.evidence.base import Parameters, interpolate, load_parameters, parse_parameters
from matcher.evidence.terms import COMPARATORS, compare
from matcher.profile import Known, Mark, Name, Place, Profile
from matcher.vocabulary import (
    Basis,
    BloodGroup,
    BodyRegion,
    BodySide,
    Build,
    EvidenceKind,
    GalleryKind,
    MarkKind,
    NameKind,
    PlaceKind,
    Sex,
)

P = load_parameters()
CODES = st.sampled_from(["45", "4507", "450702", "11", "110101", "429004", "999999", "71"])
DAYS = st.dates(date(1920, 1, 1), date(2025, 12, 31))


def known(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    uncertainty = st.none() | st.floats(0, 20)
    return st.none() | st.builds(Known, values, st.sampled_from(Basis), st.none() | DAYS, uncertainty)


@st.composite
def unit_templates(draw: st.DrawFn) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    count = draw(st.integers(0, 3))
    if not count:
        return np.empty((0, 0), np.float32)
    raw = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(count, 4))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


NAME = st.builds(Name, st.text("王李覃小阿强伟 wangl", max_size=4), st.sampled_from(NameKind), st.sampled_from(Basis))
PLACE = st.builds(Place, CODES, st.sampled_from(PlaceKind), st.sampled_from(Basis))
MARK = st.builds(
    Mark,
    st.sampled_from(MarkKind),
    st.sampled_from(list(BodyRegion)[:3]),
    st.none() | st.sampled_from(BodySide),
    st.booleans(),
)
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
    names=st.lists(NAME, max_size=3).map(tuple),
    places=st.lists(PLACE, max_size=3).map(tuple),
    marks=st.lists(MARK, max_size=4).map(tuple),
    no_marks=st.booleans(),
    seen_on=st.none() | DAYS,
    seen_at=st.none() | CODES,
    templates=unit_templates(),
    template_model=st.none() | st.sampled_from([*P.calibrations, "unknown-1"]),
    kind=st.none() | st.sampled_from(GalleryKind),
)


@settings(max_examples=250, deadline=None)
@given(PROFILE, PROFILE)
def test_terms_are_finite_worded_and_symmetrical(a: Profile, b: Profile) -> None:
    ours, theirs = compare(a, b, P), compare(b, a, P)
    assert [term.kind for term in ours] == [term.kind for term in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert isfinite(one.log10_lr)
        assert one.log10_lr == pytest.approx(other.log10_lr, abs=1e-9)
        assert one.sentence_zh.endswith("。")
        assert one.sentence_en.endswith(".")
        assert one.probe_value
        assert one.other_value


@settings(max_examples=100, deadline=None)
@given(PROFILE)
def test_nothing_known_says_nothing(profile: Profile) -> None:
    assert compare(profile, Profile(), P) == ()


@settings(max_examples=100, deadline=None)
@given(PROFILE, PROFILE)
def test_no_contradiction_is_a_veto(a: Profile, b: Profile) -> None:
    assert all(-3 <= term.log10_lr <= 4 for term in compare(a, b, P))


def test_one_comparator_for_each_kind_of_evidence() -> None:
    modules = [comparator.__module__.rsplit(".", 1)[1] for comparator in COMPARATORS]
    assert sorted(modules) == sorted(kind.value for kind in EvidenceKind)
    folder = Path(str(evidence.__file__)).parent
    assert {path.stem for path in folder.glob("*.py")} == {*modules, "__init__", "base", "terms"}


def test_every_parameter_has_a_source() -> None:
    assert P.version == "evidence-2"
    assert set(P.sources) == set(P.numbers) | set(P.curves)
    with pytest.raises(ValueError, match="source"):
        parse_parameters('{"version": "x", "parameters": {"a": {"value": 1, "source": ""}}}')
    with pytest.raises(KeyError):
        P["no.such"]


@pytest.mark.parametrize("prefix", ["place.home.same", "place.mentioned.same", "place.seen.same", "accent.same"])
def test_level_shares_are_distributions(prefix: str) -> None:
    assert sum(P[f"{prefix}.{level}"] for level in range(4)) == pytest.approx(1)
    assert sum(P[f"place.chance.{level}"] for level in range(4)) == pytest.approx(1)


def test_build_and_blood_shares_are_distributions() -> None:
    for prefix in ("build.same", "build.chance"):
        assert sum(P[f"{prefix}.{steps}"] for steps in range(3)) == pytest.approx(1)
    assert sum(P[f"blood_group.share.{group.value}"] for group in BloodGroup) == pytest.approx(1)


@given(st.floats(-1e5, 1e5))
def test_curves_stay_within_their_knots(x: float) -> None:
    values = [y for _, y in P.curves["time.curve"]]
    assert min(values) <= P.curve("time.curve", x) <= max(values)


def test_interpolation() -> None:
    knots = ((0.0, 0.0), (10.0, 5.0))
    assert [interpolate(knots, x) for x in (-1, 0, 4, 10, 99)] == [0, 0, 2, 5, 5]


def test_parameters_are_frozen() -> None:
    assert isinstance(P, Parameters)
    with pytest.raises(TypeError):
        P.numbers["sex.same"] = 1.0  # type: ignore[index]
