"""`matcher.fusion`: terms to a judgement."""

from dataclasses import replace
from math import exp, log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.evidence.base import Evidence, load_parameters
from matcher.fusion import fuse, probability, strength
from matcher.vocabulary import EvidenceKind, Strength

P = load_parameters()
LR = st.floats(-5, 5)


def term(kind: EvidenceKind, log10_lr: float) -> Evidence:
    return Evidence(kind, log10_lr, "", "", "", "")


def test_nothing_known_leaves_the_prior() -> None:
    fusion = fuse([], 1000, P)
    assert fusion.posterior == pytest.approx(1 / 1001)
    assert (fusion.log10_lr, fusion.strength) == (0, Strength.NONE)
    assert fusion.parameters_version == "evidence-4"


def paid(agreement: float) -> float:
    """What agreement of so much log10 LR has to pay, by the formula of the module."""
    return P["fusion.first_agreement"] * (1 - exp(-agreement / P["fusion.first_agreement_scale"]))


def test_the_weaker_of_place_and_accent_counts_a_quarter_and_agreement_pays_in_proportion() -> None:
    fusion = fuse([term(EvidenceKind.PLACE, 1.0), term(EvidenceKind.ACCENT, 2.0), term(EvidenceKind.SEX, 0.3)], 10, P)
    share = 1 - paid(2.55) / 2.55
    assert [counted.weight for counted in fusion.terms] == pytest.approx([0.25 * share, share, share])
    assert fusion.log10_lr == pytest.approx(2.55 - paid(2.55))
    assert fusion.posterior == pytest.approx(probability(fusion.log10_lr - 1))


def test_what_speaks_against_counts_in_full_beside_agreement() -> None:
    fusion = fuse([term(EvidenceKind.NAME, 3.0), term(EvidenceKind.SEX, -1.5)], 10, P)
    assert fusion.terms[1].weight == 1
    assert fusion.log10_lr == pytest.approx(3.0 - paid(3.0) - 1.5)


@given(st.lists(st.tuples(st.sampled_from(EvidenceKind), LR), max_size=8, unique_by=lambda one: one[0]))
def test_agreement_never_pays_more_than_the_figure_nor_than_it_is(terms: list[tuple[EvidenceKind, float]]) -> None:
    free = replace(P, numbers={**P.numbers, "fusion.first_agreement": 0.0})
    evidence = [term(*each) for each in terms]
    before, after = (fuse(evidence, 10, parameters) for parameters in (free, P))
    assert -1e-9 <= before.log10_lr - after.log10_lr <= P["fusion.first_agreement"] + 1e-9
    for one, other in zip(before.terms, after.terms, strict=True):
        assert 0 <= other.weight <= one.weight
        assert one.log10_lr * other.log10_lr >= 0
        assert other.log10_lr == one.log10_lr or one.log10_lr > 0


def test_a_set_without_the_figure_takes_nothing() -> None:
    """Sets that an operator put in force before the figure was there."""
    older = replace(P, numbers={key: value for key, value in P.numbers.items() if "first_agreement" not in key})
    assert fuse([term(EvidenceKind.FACE, 2.0)], 10, older).log10_lr == 2.0


def test_a_scale_of_nothing_takes_nothing() -> None:
    wrong = replace(P, numbers={**P.numbers, "fusion.first_agreement_scale": 0.0})
    assert fuse([term(EvidenceKind.FACE, 2.0)], 10, wrong).log10_lr == 2.0


def test_an_offset_above_its_scale_is_held_to_it() -> None:
    wrong = replace(P, numbers={**P.numbers, "fusion.first_agreement": 9.0})
    sums = [fuse([term(EvidenceKind.FACE, step / 10)], 10, wrong).log10_lr for step in range(1, 50)]
    assert sums == sorted(sums)
    assert sums[0] > 0


@pytest.mark.parametrize(
    ("ratio", "word"),
    [
        (0.99, Strength.AGAINST),
        (1.01, Strength.NONE),
        (2.01, Strength.WEAK),
        (10.1, Strength.MODERATE),
        (101, Strength.MODERATELY_STRONG),
        (1001, Strength.STRONG),
        (10_001, Strength.VERY_STRONG),
        (1_000_001, Strength.EXTREMELY_STRONG),
    ],
)
def test_verbal_scale(ratio: float, word: Strength) -> None:
    assert strength(log10(ratio)) is word


def test_an_empty_gallery_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        fuse([], 0, P)


@given(st.lists(st.tuples(st.sampled_from(EvidenceKind), LR), max_size=6), st.integers(1, 10**7))
def test_posterior_is_a_probability_and_terms_explain_the_sum(
    terms: list[tuple[EvidenceKind, float]], size: int
) -> None:
    fusion = fuse([term(*each) for each in terms], size, P)
    assert 0 <= fusion.posterior <= 1
    assert sum(counted.log10_lr for counted in fusion.terms) == pytest.approx(fusion.log10_lr)


@given(LR, LR, st.integers(1, 10**6))
def test_more_evidence_is_never_less_probable(a: float, b: float, size: int) -> None:
    low, high = sorted([a, b])
    kind = EvidenceKind.FACE
    assert fuse([term(kind, low)], size, P).posterior <= fuse([term(kind, high)], size, P).posterior


@given(st.floats(-1e6, 1e6))
def test_probability_never_overflows(odds: float) -> None:
    assert probability(odds) + probability(-odds) == pytest.approx(1)
