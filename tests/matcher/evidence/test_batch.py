"""`matcher.evidence.batch`: all candidates at once is the same as one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.evidence.base import load_parameters, parse_parameters
from matcher.evidence.batch import KINDS, log10_lrs, prepare, score, with_templates
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
                assert weight == pytest.approx(terms[kind].weight, abs=1e-12), kind
        assert total == pytest.approx(fusion.log10_lr, abs=1e-9)


def test_the_templates_alone_can_be_exchanged() -> None:
    def with_face(*values: float) -> Profile:
        model = next(iter(P.calibrations))
        return Profile(templates=np.array([values], np.float32), template_model=model)

    probe, before, after = (prepare(with_face(*face), P) for face in ((1.0, 0.0), (0.0, 1.0), (0.8, 0.6)))
    exchanged = with_templates(before, after.profile)
    assert exchanged.profile is after.profile
    np.testing.assert_array_equal(log10_lrs(probe, [exchanged], P), log10_lrs(probe, [after], P))


def test_no_candidates_give_no_rows() -> None:
    assert log10_lrs(prepare(Profile(), P), [], P).shape == (0, len(KINDS))


def test_profiles_prepared_with_other_parameters_are_refused() -> None:
    other = parse_parameters('{"version": "other", "parameters": {}}')
    with pytest.raises(ValueError, match="prepare the profiles"):
        log10_lrs(prepare(Profile(), P), [prepare(Profile(), P)], other)
