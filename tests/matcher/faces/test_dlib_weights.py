"""Readers of dlib's weight files: whole files are read, damaged ones refused at once with the place of the damage."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.faces import weights
from matcher.faces.dlib_networks import (
    AffineSpec,
    ConvolutionSpec,
    descriptor_specs,
    detector_specs,
    read_descriptor,
    read_detector,
)
from matcher.faces.dlib_stream import DlibStream, WeightsDamaged
from matcher.faces.landmark_weights import read_landmarks
from tests.factories.dlib_files import DlibFile, detector_file, landmark_file

DETECTOR = detector_file()
LANDMARKS = landmark_file()
READERS: dict[str, tuple[DlibFile, Callable[[bytes], object]]] = {
    "detector": (DETECTOR, read_detector),
    "batch_norm": (detector_file(batch_norm=True), read_detector),
    "landmarks": (LANDMARKS, read_landmarks),
}
REAL: dict[str, Callable[[bytes], object]] = {
    weights.EMBEDDING_FILE: read_descriptor,
    weights.CNN_DETECTOR_FILE: read_detector,
    weights.LANDMARKS_FILE: read_landmarks,
}


@pytest.fixture(scope="module")
def directory() -> Path:
    try:
        return weights.weights_directory()
    except weights.FaceEngineUnavailable as error:
        pytest.skip(str(error))


def test_a_whole_detector_is_read() -> None:
    network, options = read_detector(bytes(DETECTOR.data))
    assert [layer.spec for layer in network.layers] == list(detector_specs())
    assert options.window == (80, 80)
    assert options.iou == pytest.approx(0.34)
    assert network.layers[0].weights.shape == (16, 3, 5, 5)


def test_running_values_make_scale_and_shift() -> None:
    file, _ = READERS["batch_norm"]
    network, _ = read_detector(bytes(file.data))
    affine = next(layer for layer in network.layers if isinstance(layer.spec, AffineSpec))
    start = next(offset for offset, kind in file.fields if kind == "name" and file.data[offset:].startswith(b"bn_con2"))
    values = [offset for offset, kind in file.fields if kind == "values" and offset > start]
    gamma_beta, _, _, mean = (
        np.frombuffer(file.data, "<f4", size, at) for at, size in zip(values, (32, 16, 16, 16), strict=False)
    )
    expected = gamma_beta[:16] / np.sqrt(0.5001)
    assert affine.weights == pytest.approx(expected, rel=1e-5)
    assert affine.bias == pytest.approx(gamma_beta[16:] - expected * mean, abs=1e-6)


def test_whole_landmarks_are_read() -> None:
    found = read_landmarks(bytes(LANDMARKS.data))
    assert found.initial.shape == (10,)
    assert [cascade.leaves.shape for cascade in found.cascades] == [(3, 4, 10)] * 2
    assert [cascade.deltas.shape for cascade in found.cascades] == [(4, 2)] * 2


@pytest.mark.parametrize("name", READERS)
def test_a_file_cut_at_any_field_is_refused(name: str) -> None:
    file, read = READERS[name]
    data = bytes(file.data)
    for offset, _ in file.fields:
        for cut in (offset, offset + 1):
            if cut < len(data):
                with pytest.raises(WeightsDamaged) as caught:
                    read(data[:cut])
                assert 0 <= caught.value.offset <= cut


def test_landmarks_cut_at_any_byte_are_refused() -> None:
    data = bytes(LANDMARKS.data)
    for cut in range(len(data)):
        with pytest.raises(WeightsDamaged):
            read_landmarks(data[:cut])


@pytest.mark.parametrize("name", READERS)
def test_more_bytes_than_the_file_has_are_refused(name: str) -> None:
    file, read = READERS[name]
    with pytest.raises(WeightsDamaged):
        read(bytes(file.data) + b"\x01\x00")


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("number", [2**62, 2**31, 2**63 - 1, 2**64 - 1])
def test_an_endless_count_costs_nothing(name: str, number: int) -> None:
    file, read = READERS[name]
    data = bytes(file.data)
    counts = [offset for offset, kind in file.fields if kind in {"length", "size"}][:40]
    tracemalloc.start()
    for offset in counts:
        end = offset + 1 + (data[offset] & 15)
        with pytest.raises(WeightsDamaged):
            read(data[:offset] + b"\x08" + number.to_bytes(8, "little") + data[end:])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 * len(data) + 1_000_000


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150, deadline=None)
@given(draw=st.data())
def test_altered_bytes_give_values_or_a_refusal(name: str, draw: st.DataObject) -> None:
    file, read = READERS[name]
    data = bytearray(file.data)
    for _ in range(draw.draw(st.integers(1, 3))):
        offset, _ = file.fields[draw.draw(st.integers(0, len(file.fields) - 1))]
        position = min(len(data) - 1, offset + draw.draw(st.integers(0, 8)))
        data[position] = draw.draw(st.integers(0, 255))
    try:
        read(bytes(data))
    except WeightsDamaged as damage:
        damaged_at = damage.offset
    else:
        damaged_at = 0
    assert 0 <= damaged_at <= len(data)


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300), head=st.integers(0, 400))
def test_any_bytes_give_a_refusal(data: bytes, head: int) -> None:
    for file, read in READERS.values():
        with pytest.raises(WeightsDamaged):
            read(bytes(file.data[:head]) + data)


@given(value=st.integers(-(2**63) + 1, 2**63 - 1))
def test_integers_of_every_size(value: int) -> None:
    file = DlibFile()
    file.integer(value)
    stream = DlibStream(bytes(file.data))
    assert stream.integer("a value") == value
    stream.end()


@given(value=st.floats(-(2.0**90), 2.0**90, width=32))
def test_floating_point_numbers(value: float) -> None:
    file = DlibFile()
    file.real(value)
    assert DlibStream(bytes(file.data)).real("a value") == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("exponent", [128, 32000, 32001, 32002, 2**40])
def test_numbers_that_are_not_finite_are_refused(exponent: int) -> None:
    file = DlibFile()
    file.integer(1, exponent)
    with pytest.raises(WeightsDamaged, match="at byte 0 expected a value, a finite number"):
        DlibStream(bytes(file.data)).real("a value")


def test_the_refusal_names_place_and_expectation() -> None:
    data = bytes(DETECTOR.data).replace(b"loss_mmod_", b"loss_mmox_", 1)
    with pytest.raises(WeightsDamaged, match="at byte 2 expected the name loss_mmod_, found b'loss_mmox_'") as caught:
        read_detector(data)
    assert caught.value.offset == 2


@pytest.mark.parametrize("file", REAL)
def test_the_installed_files_are_whole(directory: Path, file: str) -> None:
    REAL[file](directory.joinpath(file).read_bytes())


@pytest.mark.parametrize("file", REAL)
def test_an_installed_file_cut_short_is_refused(directory: Path, file: str) -> None:
    data = directory.joinpath(file).read_bytes()
    cuts = np.random.default_rng(3).integers(0, len(data), 10 if file == weights.LANDMARKS_FILE else 40)
    for cut in (0, 1, len(data) - 1, *map(int, cuts)):
        with pytest.raises(WeightsDamaged):
            REAL[file](data[:cut])


def test_the_descriptor_has_29_convolutions() -> None:
    assert sum(isinstance(spec, ConvolutionSpec) for spec in descriptor_specs()) == 29
