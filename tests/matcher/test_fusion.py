"""`matcher.fusion`: terms to a judgement."""

from math import log10

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
    assert fusion.parameters_version == "evidence-3"


def test_the_weaker_of_place_and_accent_counts_half() -> None:
    fusion = fuse([term(EvidenceKind.PLACE, 1.0), term(EvidenceKind.ACCENT, 2.0), term(EvidenceKind.SEX, 0.3)], 10, P)
    assert [counted.weight for counted in fusion.terms] == [0.5, 1.0, 1.0]
    assert fusion.log10_lr == pytest.approx(2.8)
    assert fusion.posterior == pytest.approx(10**1.8 / (1 + 10**1.8))


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
