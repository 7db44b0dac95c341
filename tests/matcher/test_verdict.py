"""`matcher.verdict`: what a candidate and a list come to."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.evidence.base import Evidence, load_parameters
from matcher.fusion import CORRELATED, fuse, term_weights
from matcher.verdict import SENTENCES, list_verdict, verdict_of
from matcher.vocabulary import EvidenceKind, ListVerdict, Verdict

P = load_parameters()
K = EvidenceKind
LR = st.floats(-5, 5)


def of(log10_lrs: Mapping[str, float], size: int = 100) -> Verdict:
    terms = [Evidence(EvidenceKind(kind), value, "", "", "", "") for kind, value in log10_lrs.items()]
    fusion = fuse(terms, size, P)
    values = {EvidenceKind(kind): value for kind, value in log10_lrs.items()}
    return verdict_of(values, fusion.log10_lr, fusion.posterior, P)


def test_a_candidate_is_supported_when_it_is_more_likely_than_not() -> None:
    assert of({"face": 2.6}) is Verdict.SUPPORTED
    assert of({"face": 2.6}, 1000) is Verdict.UNDECIDED
    assert of({"face": 2.6, "name": 1.0}, 1000) is Verdict.SUPPORTED
    assert of({"face": -1.0}) is Verdict.UNLIKELY
    assert of({}) is Verdict.UNDECIDED


@pytest.mark.parametrize("kind", ["sex", "age", "name"])
def test_a_high_likeness_that_the_rest_contradicts_is_kin_or_a_twin(kind: str) -> None:
    assert of({"face": 3.0, kind: -0.9}) is Verdict.POSSIBLE_RELATIVE
    assert of({"face": 3.0, "place": 2.0, kind: -0.4}) is Verdict.POSSIBLE_RELATIVE
    assert of({"face": 3.0, kind: -0.1}) is Verdict.SUPPORTED
    assert of({"face": 1.0, kind: -0.9}) is not Verdict.POSSIBLE_RELATIVE
    assert of({"face": 3.0, "height": -0.9}) is not Verdict.POSSIBLE_RELATIVE


def test_a_list() -> None:
    v = Verdict
    assert list_verdict([]) is ListVerdict.NONE_RELIABLE
    assert list_verdict([v.UNDECIDED, v.UNLIKELY]) is ListVerdict.NONE_RELIABLE
    assert list_verdict([v.UNLIKELY, v.POSSIBLE_RELATIVE]) is ListVerdict.POSSIBLE_RELATIVES
    assert list_verdict([v.POSSIBLE_RELATIVE, v.SUPPORTED]) is ListVerdict.CANDIDATES


def test_every_verdict_has_a_sentence_in_both_languages() -> None:
    assert set(SENTENCES) == {*Verdict, *ListVerdict}
    for zh, en in SENTENCES.values():
        assert zh.endswith(("。", "询问线索。"))
        assert en.endswith(".")


def test_no_term_is_in_two_groups() -> None:
    members = [kind for group in CORRELATED for kind in group]
    assert len(members) == len(set(members))


@given(st.dictionaries(st.sampled_from(EvidenceKind), LR, min_size=1, max_size=10), st.data(), st.floats(0, 3))
def test_a_stronger_term_never_lowers_the_sum(
    values: dict[EvidenceKind, float], data: st.DataObject, more: float
) -> None:
    kind = data.draw(st.sampled_from(sorted(values)))

    def total(of_kind: float) -> float:
        terms = [Evidence(one, of_kind if one is kind else value, "", "", "", "") for one, value in values.items()]
        return fuse(terms, 10, P).log10_lr

    assert total(values[kind] + more) >= total(values[kind]) - 1e-9


def test_terms_that_say_nothing_weigh_one_and_change_no_other_weight() -> None:
    kinds = [K.PLACE, K.ACCENT, K.TRAVEL, K.SEX]
    said = np.array([[1.0, np.nan, -0.5, 2.0], [np.nan, 0.2, np.nan, np.nan]])
    found = term_weights(said, kinds, P)
    assert found[0, 1:3].tolist() == [1.0, P["fusion.correlated"]]
    assert found[1, [0, 2, 3]].tolist() == [1.0, 1.0, 1.0]
    alone = term_weights(said[:1, [0, 2, 3]], [K.PLACE, K.TRAVEL, K.SEX], P)
    assert found[0, [0, 2, 3]].tolist() == alone[0].tolist()
