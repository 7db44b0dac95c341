"""A clue of which its hearer was not sure says less, by one stated rule, and is told so."""

from dataclasses import replace
from math import log10
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from matcher.evidence.base import Parameters, load_parameters
from matcher.evidence.confidence import reliabilities, weakened
from matcher.evidence.terms import compare
from matcher.profile import Kin, Known, Name, Phone, Place, Profile
from matcher.vocabulary import Basis, ClueConfidence, EvidenceKind, KinRelation, NameKind, PlaceKind
from tests.factories.profiles import PROFILE

P = load_parameters()
HEARD = ("names", "places", "kin", "phones")
SINGLE = ("accent", "school", "employer")
OF_CLUES = frozenset(
    {
        EvidenceKind.NAME, EvidenceKind.KIN, EvidenceKind.PLACE, EvidenceKind.ACCENT, EvidenceKind.SCHOOL,
        EvidenceKind.EMPLOYER, EvidenceKind.PHONE,
    }
)  # fmt: skip


def of(profile: Profile, confidence: ClueConfidence | None) -> Profile:
    """The same, all of it heard in clues of that confidence."""
    parts: dict[str, Any] = {
        name: tuple(replace(one, confidence=confidence) for one in getattr(profile, name)) for name in HEARD
    }
    for name in SINGLE:
        known = getattr(profile, name)
        parts[name] = known and replace(known, confidence=confidence)
    return replace(profile, seen_at=None, **parts)


def trusting(reliability: float) -> Parameters:
    return replace(P, numbers=MappingProxyType({**P.numbers, "confidence.unsure": reliability}))


def told(probe: Profile, other: Profile, parameters: Parameters) -> dict[EvidenceKind, float]:
    return {one.kind: one.log10_lr for one in compare(probe, other, parameters)}


@settings(max_examples=60, deadline=None)
@given(PROFILE, PROFILE, st.floats(0.001, 1), st.floats(0.001, 1))
def test_every_term_of_clues_is_weakened_by_the_rule_and_no_other(a: Profile, b: Profile, c: float, d: float) -> None:
    other = of(b, None)
    whole = told(of(a, None), other, P)
    less, more = (told(of(a, ClueConfidence.UNSURE), other, trusting(one)) for one in sorted((c, d)))
    assert less.keys() == more.keys() == whole.keys()
    for kind, value in whole.items():
        if kind not in OF_CLUES:
            assert less[kind] == more[kind] == value
            continue
        assert less[kind] == pytest.approx(log10(min(c, d) * 10**value + 1 - min(c, d)), abs=1e-9), kind
        # The surer the clue, the farther from 0, and never beyond what the fact itself would say.
        assert abs(less[kind]) <= abs(more[kind]) + 1e-9
        assert abs(more[kind]) <= abs(value) + 1e-9
        assert less[kind] * value >= -1e-12


@settings(max_examples=30, deadline=None)
@given(PROFILE, PROFILE)
def test_certainty_changes_nothing_and_no_confidence_at_all_says_nothing(a: Profile, b: Profile) -> None:
    other = of(b, None)
    whole = told(of(a, None), other, P)
    assume(whole.keys() & OF_CLUES)
    assert told(of(a, ClueConfidence.UNSURE), other, trusting(1.0)) == whole
    nothing = told(of(a, ClueConfidence.UNSURE), other, trusting(1e-12))
    assert all(abs(nothing[kind]) < 1e-6 for kind in whole.keys() & OF_CLUES)


@given(st.floats(-4, 4), st.floats(0, 1), st.floats(0, 1))
def test_two_clues_have_both_to_be_right(value: float, c: float, d: float) -> None:
    once = weakened(np.array([value]), c * d)
    assert abs(once[0]) <= abs(weakened(np.array([value]), min(c, d))[0]) + 1e-9
    assert np.isnan(weakened(np.array([np.nan]), c)[0])


def test_the_shipped_figures_fall_with_the_confidence() -> None:
    none, sure, likely, unsure = reliabilities([0, 1, 2, 3], P)
    assert none == 1
    assert 1 >= sure >= likely >= unsure > 0
    assert all(P.sources[f"confidence.{one.value}"] for one in ClueConfidence)


PERSON = Profile(
    names=(Name("覃海琴", NameKind.HEARD, Basis.HEARD),),
    kin=(Kin(KinRelation.SON, "韦小军", Basis.HEARD),),
    phones=(Phone("1367788", Basis.HEARD),),
    places=(Place("450702", PlaceKind.NATIVE, Basis.HEARD),),
    accent=Known("4507", Basis.HEARD),
    school=Known("塘坑小学", Basis.HEARD),
    employer=Known("红星制衣厂", Basis.HEARD),
)


@pytest.mark.parametrize("kind", sorted(OF_CLUES))
def test_the_sentence_says_how_the_clue_was_counted(kind: EvidenceKind) -> None:
    found = {one.kind: one for one in compare(of(PERSON, ClueConfidence.UNSURE), of(PERSON, None), P)}
    assert "线索把握程度为“没把握”，按 50% 可信计算" in found[kind].sentence_zh
    assert "The clue is unsure: counted as 50% reliable." in found[kind].sentence_en
    for quiet in (None, ClueConfidence.SURE):
        plain = {one.kind: one for one in compare(of(PERSON, quiet), of(PERSON, None), P)}
        assert "线索" not in plain[kind].sentence_zh
        assert plain[kind].log10_lr > found[kind].log10_lr > 0
