"""`matcher.evidence`: what holds for every comparator."""

from math import isfinite
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import evidence
from matcher.evidence.base import Parameters, interpolate, load_parameters, parse_parameters
from matcher.evidence.place import LEVELS
from matcher.evidence.terms import COMPARATORS, compare
from matcher.profile import Profile
from matcher.vocabulary import BloodGroup, EvidenceKind, Glasses, Handedness
from tests.factories.profiles import PROFILE

P = load_parameters()


@settings(max_examples=80, deadline=None)
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


@settings(max_examples=50, deadline=None)
@given(PROFILE)
def test_nothing_known_says_nothing(profile: Profile) -> None:
    assert compare(profile, Profile(), P) == ()


@settings(max_examples=50, deadline=None)
@given(PROFILE, PROFILE)
def test_no_contradiction_is_a_veto(a: Profile, b: Profile) -> None:
    assert all(-3 <= term.log10_lr <= 4 for term in compare(a, b, P))


def test_one_comparator_for_each_kind_of_evidence() -> None:
    modules = [comparator.__module__.rsplit(".", 1)[1] for comparator in COMPARATORS]
    assert sorted(modules) == sorted(kind.value for kind in EvidenceKind)
    folder = Path(str(evidence.__file__)).parent
    shared = {
        "__init__", "base", "batch", "columns", "confidence", "likeness", "listed", "packing", "steps", "terms",
        "wording",
    }  # fmt: skip
    assert {path.stem for path in folder.glob("*.py")} == {*modules, *shared}


def test_every_parameter_has_a_source() -> None:
    assert P.version == "evidence-4"
    assert set(P.sources) == set(P.numbers) | set(P.curves)
    with pytest.raises(ValueError, match="source"):
        parse_parameters('{"version": "x", "parameters": {"a": {"value": 1, "source": ""}}}')
    with pytest.raises(KeyError):
        P["no.such"]


@pytest.mark.parametrize("prefix", ["place.home.same", "place.mentioned.same", "place.seen.same", "accent.same"])
def test_level_shares_are_distributions(prefix: str) -> None:
    assert sum(P[f"{prefix}.{level}"] for level in LEVELS) == pytest.approx(1)
    assert sum(P[f"place.chance.{level}"] for level in LEVELS) == pytest.approx(1)


@pytest.mark.parametrize("days", [0, 0.5, 1, 5, 30, 200, 365, 3650, 99999])
def test_travel_shares_are_distributions(days: float) -> None:
    levels = (*LEVELS, "farther")
    assert sum(P.curve(f"travel.same.{level}", days) for level in levels) == pytest.approx(1)
    assert sum(P[f"travel.chance.{level}"] for level in levels) == pytest.approx(1)


def test_build_and_blood_shares_are_distributions() -> None:
    for prefix in ("build.same", "build.chance", "literacy.same", "literacy.chance"):
        assert sum(P[f"{prefix}.{steps}"] for steps in range(3)) == pytest.approx(1)
    for prefix, members in (("blood_group", BloodGroup), ("handedness", Handedness), ("glasses", Glasses)):
        assert sum(P[f"{prefix}.share.{member.value}"] for member in members) == pytest.approx(1)


@given(st.floats(-1e5, 1e5))
def test_curves_stay_within_their_knots(x: float) -> None:
    values = [y for _, y in P.curves["school.curve"]]
    assert min(values) <= P.curve("school.curve", x) <= max(values)


def test_interpolation() -> None:
    knots = ((0.0, 0.0), (10.0, 5.0))
    assert [interpolate(knots, x) for x in (-1, 0, 4, 10, 99)] == [0, 0, 2, 5, 5]


def test_parameters_are_frozen() -> None:
    assert isinstance(P, Parameters)
    with pytest.raises(TypeError):
        P.numbers["sex.same"] = 1.0  # type: ignore[index]
