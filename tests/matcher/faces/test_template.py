"""`matcher.faces.template`: several photographs of a person as one vector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from matcher.faces.template import fuse


def units(count: int, seed: int = 1) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    values = np.random.default_rng(seed).normal(1, 1, (count, 8)).astype(np.float32)
    result: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = values / np.linalg.norm(values, axis=1, keepdims=True)
    return result


@given(
    arrays.arrays(np.float64, st.integers(1, 9), elements=st.floats(0, 100)),
    st.integers(0, 1000),
    st.randoms(use_true_random=False),
)
def test_a_template_has_length_one_and_knows_no_order(
    qualities: np.ndarray[tuple[int, ...], np.dtype[np.float64]], seed: int, random: np.random.Generator
) -> None:
    embeddings = np.abs(units(len(qualities), seed))
    found = fuse(embeddings, qualities)
    assert found.shape == (8,)
    assert found.dtype == np.float32
    assert float(np.linalg.norm(found)) == pytest.approx(1, abs=1e-6)
    order = list(range(len(qualities)))
    random.shuffle(order)
    assert fuse(embeddings[order], qualities[order]) == pytest.approx(found, abs=1e-6)


def test_one_photograph_is_its_own_template() -> None:
    (one,) = units(1)
    for quality in (0.0, 3.0, 100.0):
        assert fuse(one[np.newaxis], np.array([quality])) == pytest.approx(one, abs=1e-7)


def test_quality_pulls() -> None:
    first, second = units(2)
    pair = np.stack([first, second])
    good, even, bad = (fuse(pair, np.array([q, 50.0])) for q in (90.0, 50.0, 5.0))
    assert good @ first > even @ first > bad @ first
    assert fuse(pair, np.array([0.0, 50.0])) == pytest.approx(second, abs=1e-6)
    assert even @ first == pytest.approx(even @ second, abs=1e-6)


def test_only_useless_photographs_count_alike() -> None:
    pair = units(2)
    assert fuse(pair, np.zeros(2)) == pytest.approx(fuse(pair, np.full(2, 70.0)), abs=1e-6)


def test_weights_are_the_qualities() -> None:
    found = fuse(np.eye(3, dtype=np.float32), np.array([10.0, 20.0, 40.0]))
    assert found == pytest.approx(np.array([1, 2, 4]) / 21**0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("shape", "qualities"),
    [
        ((0, 8), []),
        ((2, 8), [1.0]),
        ((2, 8), [1.0, 101.0]),
        ((2, 8), [-1.0, 5.0]),
        ((2, 8), [np.nan, 5.0]),
        ((8,), [1.0]),
    ],
)
def test_other_arguments_are_refused(shape: tuple[int, ...], qualities: list[float]) -> None:
    with pytest.raises(ValueError, match=r"expected|qualities"):
        fuse(np.ones(shape, np.float32), np.array(qualities))


def test_opposites_have_no_mean() -> None:
    first = units(1)[0]
    with pytest.raises(ValueError, match="cancel"):
        fuse(np.stack([first, -first]), np.array([50.0, 50.0]))
