"""Small files in dlib's serialization, with random values, and where each of their fields begins."""

from collections.abc import Sequence

import numpy as np

from matcher.faces import dlib_networks as networks
from matcher.faces.dlib_networks import Spec
from matcher.faces.landmark_weights import POINTS


class DlibFile:
    """Bytes being written; `fields` are (offset, kind) of each field."""

    def __init__(self, seed: int = 7) -> None:
        self.data = bytearray()
        self.fields: list[tuple[int, str]] = []
        self._random = np.random.default_rng(seed)

    def _field(self, kind: str, content: bytes) -> None:
        self.fields.append((len(self.data), kind))
        self.data += content

    def integer(self, *values: int, kind: str = "integer") -> None:
        for value in values:
            size = max(1, (abs(value).bit_length() + 7) // 8)
            self._field(kind, bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little"))

    def flags(self, digits: bytes) -> None:
        for digit in digits:
            self._field("boolean", bytes([digit]))

    def real(self, *values: float) -> None:
        for value in values:
            mantissa, exponent = np.frexp(value)
            self.integer(int(mantissa * 2**24), kind="mantissa")
            self.integer(int(exponent) - 24, kind="exponent")

    def name(self, text: str) -> None:
        self.integer(len(text), kind="length")
        self._field("name", text.encode("ascii"))

    def tensor(self, *sizes: int) -> None:
        self.integer(2, kind="version")
        self.integer(*sizes, kind="size")
        values = self._random.normal(0, 0.05, int(np.prod(sizes))).astype("<f4")
        self._field("values", values.tobytes())

    def alias(self, *sizes: int) -> None:
        self.integer(1, kind="version")
        self.integer(*sizes, kind="size")

    def layer(self, spec: Spec, *, batch_norm: bool = False) -> None:
        """One layer with everything that stands after it."""
        match spec:
            case networks.RememberSpec() | networks.RecallSpec():
                return
            case networks.ConvolutionSpec(filters, inputs, side, stride, pad):
                self.name("con_4")
                self.tensor(filters * inputs * side * side + filters, 1, 1, 1)
                self.integer(filters, side, side, stride, stride, pad, pad)
                self.alias(filters, inputs, side, side)
                self.alias(1, filters, 1, 1)
                self.real(1, 1, 1, 0)
            case networks.AffineSpec(channels):
                self.name("bn_con2" if batch_norm else "affine_")
                self.tensor(1, 2 * channels, 1, 1)
                self.alias(1, channels, 1, 1)
                self.alias(1, channels, 1, 1)
                if batch_norm:
                    for _ in range(3):
                        self.tensor(1, channels, 1, 1)
                    self.integer(2, kind="version")
                    self.integer(1, channels, 1, 1, kind="size")
                    self._field("values", np.full(channels, 0.5, "<f4").tobytes())
                    self.integer(100, 1000)
                    self.real(1, 1, 1, 0, 0.0001)
                else:
                    self.integer(0)
            case networks.FullySpec(outputs, inputs):
                self.name("fc_2")
                self.integer(outputs, inputs)
                self.tensor(inputs, outputs, 1, 1)
                self.alias(inputs, outputs, 1, 1)
                self.alias(0, 0, 0, 0)
                self.integer(1)
                self.real(1, 1, 1, 0)
            case networks.PoolSpec(kind, side, stride):
                self.name(kind)
                self.integer(side, side, stride, stride, 0, 0)
            case networks.AddSpec():
                self.name("add_prev_")
            case _:
                self.name("relu_")
        self.flags(b"110")
        for _ in range(3):
            self.tensor(0, 0, 0, 0)


SMALL_DETECTOR: tuple[Spec, ...] = (
    networks.ConvolutionSpec(2, 3, 1, 2, 0),
    networks.AffineSpec(2),
    networks.ReluSpec(),
    networks.ConvolutionSpec(1, 2, 1, 1, 0),
)
"""Every kind of layer that the detector has."""

SMALL_DESCRIPTOR: tuple[Spec, ...] = (
    networks.ConvolutionSpec(2, 3, 1, 2, 0),
    networks.AffineSpec(2),
    networks.ReluSpec(),
    networks.PoolSpec("max_pool_2", 3, 2),
    networks.RememberSpec(1),
    networks.ConvolutionSpec(2, 2, 1, 2, 0),
    networks.AffineSpec(2),
    networks.RememberSpec(2),
    networks.RecallSpec(1),
    networks.PoolSpec("avg_pool_2", 2, 2),
    networks.AddSpec(2),
    networks.PoolSpec("avg_pool_2", 0, 1),
    networks.FullySpec(3, 2),
)
"""Every kind of layer that the descriptor has."""


def detector_file(*, batch_norm: bool = False, seed: int = 7, specs: Sequence[Spec] | None = None) -> DlibFile:
    """A detector with random values; with `batch_norm`, as a network that was not made into affine layers."""
    file, specs = DlibFile(seed), specs or networks.detector_specs()
    file.integer(1, kind="version")
    file.name("loss_mmod_")
    file.integer(1, kind="version")
    file.integer(80, 80)
    file.real(1, 1, 0.5, 0.34, 1, 0.5, 1)
    file.integer(*[2] * (len(specs) - 1), 3, kind="version")
    file.name("input_rgb_image_pyramid")
    file.real(122.782, 117.001, 104.298)
    for number, spec in enumerate(specs):
        file.layer(spec, batch_norm=batch_norm)
        if number == 0:
            file.integer(1)
    return file


def descriptor_file(*, batch_norm: bool = False, seed: int = 7, specs: Sequence[Spec] | None = None) -> DlibFile:
    """A descriptor with random values; the whole one has 22 MB."""
    file, specs = DlibFile(seed), specs or networks.descriptor_specs()
    file.integer(1, kind="version")
    file.name("loss_metric_2")
    file.real(0.04, 0.6)
    for spec in reversed(specs[1:]):
        unvalued = isinstance(spec, networks.RememberSpec | networks.RecallSpec)
        file.integer(1 if unvalued else 2, kind="version")
    file.integer(2, kind="version")
    file.name("input_rgb_image_sized")
    file.real(122.782, 117.001, 104.298)
    file.integer(networks.CHIP_SIDE, networks.CHIP_SIDE, kind="size")
    for spec in specs:
        file.layer(spec, batch_norm=batch_norm)
    return file


def landmark_file(cascades: int = 2, trees: int = 3, splits: int = 3, pixels: int = 4, seed: int = 7) -> DlibFile:
    """A shape predictor with random values."""
    file, random = DlibFile(seed), np.random.default_rng(seed)
    file.integer(1, kind="version")
    file.integer(-2 * POINTS, -1, kind="size")
    file.real(*random.uniform(0, 1, 2 * POINTS))
    file.integer(cascades, kind="length")
    for _ in range(cascades):
        file.integer(trees, kind="length")
        for _ in range(trees):
            file.integer(splits, kind="length")
            for _ in range(splits):
                file.integer(*map(int, random.integers(0, pixels, 2)))
                file.real(float(random.normal()))
            file.integer(splits + 1, kind="length")
            for _ in range(splits + 1):
                file.integer(-2 * POINTS, -1, kind="size")
                file.real(*random.normal(0, 0.1, 2 * POINTS))
    file.integer(cascades, kind="length")
    for _ in range(cascades):
        file.integer(pixels, kind="length")
        file.integer(*map(int, random.integers(0, POINTS, pixels)))
    file.integer(cascades, kind="length")
    for _ in range(cascades):
        file.integer(pixels, kind="length")
        file.real(*random.normal(0, 0.1, 2 * pixels))
    return file
