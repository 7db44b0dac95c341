"""`matcher.evidence.batch`: all candidates at once is the same as one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.evidence.base import load_parameters, parse_parameters
from matcher.evidence.batch import KINDS, log10_lrs, prepare, score
from matcher.evidence.terms import compare
from matcher.fusion import fuse
from matcher.profile import Profile
from tests.factories.profiles import PROFILE

P = load_parameters()


@settings(max_examples=40, deadline=None)
@given(PROFILE, st.lists(PROFILE, max_size=4))
def test_the_batch_is_compare_and_fuse(probe: Profile, others: list[Profile]) -> None:
    found = score(prepare(probe, P), [prepare(other, P) for other in others], P)
    assert found.log10_lrs.shape == found.weights.shape == (len(others), len(KINDS))
    for other, ratios, weights, total in zip(others, found.log10_lrs, found.weights, found.totals, strict=True):
        fusion = fuse(compare(probe, other, P), 1000, P)
        terms = {term.evidence.kind: term for term in fusion.terms}
        for kind, ratio, weight in zip(KINDS, ratios, weights, strict=True):
            if kind not in terms:
                assert np.isnan(ratio), kind
            else:
                assert ratio == pytest.approx(terms[kind].evidence.log10_lr, abs=1e-9), kind
                assert weight == terms[kind].weight, kind
        assert total == pytest.approx(fusion.log10_lr, abs=1e-9)


def test_no_candidates_give_no_rows() -> None:
    assert log10_lrs(prepare(Profile(), P), [], P).shape == (0, len(KINDS))


def test_profiles_prepared_with_other_parameters_are_refused() -> None:
    other = parse_parameters('{"version": "other", "parameters": {}}')
    with pytest.raises(ValueError, match="prepare the profiles"):
        log10_lrs(prepare(Profile(), P), [prepare(Profile(), P)], other)
