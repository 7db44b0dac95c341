"""`matcher.faces.graph`: graphs of small networks."""

import numpy as np
import pytest

from matcher.faces.dlib_networks import (
    AddSpec,
    AffineSpec,
    ConvolutionSpec,
    Layer,
    Network,
    PoolSpec,
    RecallSpec,
    RememberSpec,
    read_detector,
)
from matcher.faces.graph import build_descriptor, build_detector, detector_halves
from matcher.faces.runner import Runner
from tests.factories.dlib_files import detector_file

NOTHING = np.empty(0, np.float32)


def plain(spec: PoolSpec | RememberSpec | RecallSpec | AddSpec) -> Layer:
    return Layer(spec, NOTHING, NOTHING)


def test_scale_and_shift_are_folded_into_the_convolution() -> None:
    random = np.random.default_rng(1)
    weights, bias, scale, shift = (
        random.normal(size=size).astype(np.float32) for size in ((4, 3, 1, 1), (4,), (4,), (4,))
    )
    network = Network(
        (Layer(ConvolutionSpec(4, 3, 1, 1, 0), weights, bias), Layer(AffineSpec(4), scale, shift)), (0.0, 0.0, 0.0)
    )
    pixels = random.normal(size=(2, 3, 5, 7)).astype(np.float32)
    expected = np.einsum("fc,nchw->nfhw", weights[:, :, 0, 0], pixels) + bias[:, None, None]
    expected = expected * scale[:, None, None] + shift[:, None, None]
    assert Runner(build_detector(network))(pixels) == pytest.approx(expected, abs=1e-5)


def test_the_smaller_of_two_is_filled_up_with_zeros() -> None:
    ones = np.ones((5, 3, 3, 3), np.float32)
    network = Network(
        (
            plain(RememberSpec(1)),
            Layer(ConvolutionSpec(5, 3, 3, 2, 0), ones, np.zeros(5, np.float32)),
            plain(RememberSpec(2)),
            plain(RecallSpec(1)),
            plain(PoolSpec("avg_pool_2", 2, 2)),
            plain(AddSpec(2)),
        ),
        (0.0, 0.0, 0.0),
    )
    chips = np.full((1, 150, 150, 3), 128, np.uint8)
    found = Runner(build_descriptor(network))(chips)
    assert found.shape == (1, 5, 75, 75)
    assert np.allclose(found[0, :3, :74, :74], 27 * 0.5 + 0.5)
    assert np.allclose(found[0, 3:, :74, :74], 27 * 0.5)
    assert np.allclose(found[0, :3, 74, :], 0.5)
    assert not found[0, 3:, 74, :].any()


def test_a_scale_without_a_convolution_is_refused() -> None:
    lonely = Network((Layer(AffineSpec(3), np.ones(3, np.float32), np.ones(3, np.float32)),), (0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="follows no convolution"):
        build_detector(lonely)


def test_a_detector_reads_pictures_of_any_size() -> None:
    network, _ = read_detector(bytes(detector_file().data))
    runner = Runner(build_detector(network))
    assert runner(np.zeros((1, 3, 100, 60), np.float32)).shape == (1, 1, 9, 4)
    assert runner(np.zeros((2, 3, 61, 203), np.float32)).shape == (2, 1, 5, 22)


def test_the_halves_of_a_detector_make_the_whole() -> None:
    network, _ = read_detector(bytes(detector_file().data))
    whole, first, second = (Runner(build_detector(part)) for part in (network, *detector_halves(network)))
    pixels = np.random.default_rng(2).normal(size=(1, 3, 90, 131)).astype(np.float32)
    cells = first(pixels)
    assert cells.shape == (1, 32, 8, 13)
    assert second(cells) == pytest.approx(whole(pixels), abs=1e-5)


def test_an_unknown_provider_is_refused() -> None:
    network, _ = read_detector(bytes(detector_file().data))
    with pytest.raises(ValueError, match="onnxruntime has no AbacusExecutionProvider here"):
        Runner(build_detector(network), providers=("AbacusExecutionProvider",))
