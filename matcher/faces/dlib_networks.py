"""The two networks of the weight files: dlib's face descriptor (ResNet, 29 convolutions) and its CNN face detector.

The files hold no architecture, only the layers' values in order, so the architecture is written here (as in dlib's
`tools/python/src/face_recognition.cpp` and `cnn_face_detector.cpp`) and every field of a file is checked against it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from matcher.faces.dlib_stream import DlibStream, Floats, WeightsDamaged

DESCRIPTOR_DIMENSION = 128
CHIP_SIDE = 150
_TINY = 1e-30
_NOTHING: Floats = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class ConvolutionSpec:
    """A convolution as the architecture has it; `inputs` are channels."""

    filters: int
    inputs: int
    side: int
    stride: int
    pad: int


@dataclass(frozen=True, slots=True)
class AffineSpec:
    """A scale and shift of each channel."""

    channels: int


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """Largest or mean value of a window; side 0 is the whole picture."""

    kind: str
    side: int
    stride: int


@dataclass(frozen=True, slots=True)
class ReluSpec:
    """max(0, x)."""


@dataclass(frozen=True, slots=True)
class RememberSpec:
    """Remembers what has come so far under a slot (dlib's tag layer)."""

    slot: int


@dataclass(frozen=True, slots=True)
class RecallSpec:
    """Goes on from what a slot remembers (dlib's skip layer)."""

    slot: int


@dataclass(frozen=True, slots=True)
class AddSpec:
    """Adds what a slot remembers; the smaller of the two is filled up with zeros, in channels and in space."""

    slot: int


@dataclass(frozen=True, slots=True)
class FullySpec:
    """A matrix product without a bias."""

    outputs: int
    inputs: int


Spec = ConvolutionSpec | AffineSpec | PoolSpec | ReluSpec | RememberSpec | RecallSpec | AddSpec | FullySpec


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A layer with its values.

    Attributes:
        spec: what it is.
        weights: convolution (filters, inputs, side, side); affine (channels,); fully connected (inputs, outputs);
            empty otherwise.
        bias: convolution (filters,); affine (channels,); empty otherwise.
    """

    spec: Spec
    weights: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """What the detector file says besides its layers.

    Attributes:
        window: width and height in pixels of the box that a cell of the output stands for.
        iou: boxes whose intersection, divided by the box that encloses both, is above this are one face.
        covered: so are boxes of which one is covered to more than this share.
    """

    window: tuple[int, int]
    iou: float
    covered: float


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Layers from the input to the output, and what is taken off each colour (red, green, blue) before."""

    layers: tuple[Layer, ...]
    colour_means: tuple[float, float, float]


def descriptor_specs() -> tuple[Spec, ...]:
    """Layers of `dlib_face_recognition_resnet_model_v1.dat`, from the input to the output."""

    def block(filters: int, inputs: int, *, down: bool) -> Iterator[Spec]:
        yield RememberSpec(1)
        yield ConvolutionSpec(filters, inputs, 3, 2 if down else 1, 0 if down else 1)
        yield AffineSpec(filters)
        yield ReluSpec()
        yield ConvolutionSpec(filters, filters, 3, 1, 1)
        yield AffineSpec(filters)
        if down:
            yield RememberSpec(2)
            yield RecallSpec(1)
            yield PoolSpec("avg_pool_2", 2, 2)
        yield AddSpec(2 if down else 1)
        yield ReluSpec()

    specs: list[Spec] = [ConvolutionSpec(32, 3, 7, 2, 0), AffineSpec(32), ReluSpec(), PoolSpec("max_pool_2", 3, 2)]
    inputs = 32
    for filters, blocks, down in ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True)):
        for number in range(blocks):
            specs.extend(block(filters, inputs, down=down and number == 0))
            inputs = filters
    return (*specs, PoolSpec("avg_pool_2", 0, 1), FullySpec(DESCRIPTOR_DIMENSION, 256))


def detector_specs() -> tuple[Spec, ...]:
    """Layers of `mmod_human_face_detector.dat`, from the input to the output."""
    specs: list[Spec] = []
    shapes = ((16, 3, 2), (32, 16, 2), (32, 32, 2), (45, 32, 1), (45, 45, 1), (45, 45, 1))
    for filters, inputs, stride in shapes:
        specs += [ConvolutionSpec(filters, inputs, 5, stride, 0 if stride > 1 else 2), AffineSpec(filters), ReluSpec()]
    return (*specs, ConvolutionSpec(1, 45, 9, 1, 4))


def read_descriptor(data: bytes, specs: Sequence[Spec] | None = None) -> Network:
    """The descriptor network: 150 x 150 chips to 128 values; with `specs`, of those layers. Raises WeightsDamaged."""
    stream = DlibStream(data)
    stream.exactly(1, "the version of the network")
    stream.name(["loss_metric_2"])
    stream.real("the loss's margin")
    stream.real("the loss's distance threshold")
    specs = specs or descriptor_specs()
    last = _wrappers(stream, specs)
    stream.name(["input_rgb_image_sized"])
    means = _colour_means(stream)
    stream.exactly(CHIP_SIDE, "rows of the input")
    stream.exactly(CHIP_SIDE, "columns of the input")
    network = Network(tuple(_layers(stream, specs, last)), means)
    stream.end()
    return network


def read_detector(data: bytes, specs: Sequence[Spec] | None = None) -> tuple[Network, DetectorOptions]:
    """The detector network, for pictures of any size, and its options; `specs` as above. Raises WeightsDamaged."""
    stream = DlibStream(data)
    stream.exactly(1, "the version of the network")
    stream.name(["loss_mmod_"])
    stream.exactly(1, "the version of the detector's options")
    window = (stream.count("the window's width", 1, 10_000), stream.count("the window's height", 1, 10_000))
    for what in ("false alarm loss", "missed target loss", "truth match threshold"):
        stream.real(f"the {what}")
    iou, covered = _share(stream, "the overlap threshold"), _share(stream, "the covered threshold")
    for what in ("overlap", "covered"):
        _share(stream, f"the {what} threshold of ignored boxes")
    specs = specs or detector_specs()
    last = _wrappers(stream, specs)
    stream.name(["input_rgb_image_pyramid"])
    means = _colour_means(stream)
    network = Network(tuple(_layers(stream, specs, last)), means)
    stream.end()
    return network, DetectorOptions(window, iou, covered)


def _share(stream: DlibStream, what: str) -> float:
    start = stream.offset
    value = stream.real(what)
    if not 0 <= value <= 1:
        raise WeightsDamaged(start, f"{what} from 0 to 1, found {value}")
    return value


def _colour_means(stream: DlibStream) -> tuple[float, float, float]:
    red, green, blue = (stream.real(f"the mean of {colour}") for colour in ("red", "green", "blue"))
    return red, green, blue


def _wrappers(stream: DlibStream, specs: Sequence[Spec]) -> int:
    """Reads the versions of the layers' wrappers, outermost first; returns that of the innermost layer."""
    for spec in reversed(specs[1:]):
        unvalued = isinstance(spec, RememberSpec | RecallSpec)
        stream.exactly(1 if unvalued else 2, f"the wrapper version of {type(spec).__name__}")
    return stream.count("the wrapper version of the innermost layer", 2, 3)


def _layers(stream: DlibStream, specs: Sequence[Spec], innermost_version: int) -> Iterator[Layer]:
    for number, spec in enumerate(specs):
        if isinstance(spec, RememberSpec | RecallSpec):
            yield Layer(spec, _NOTHING, _NOTHING)
            continue
        yield _layer(stream, spec)
        for what in ("setup", "stale gradient", "disabled output"):
            stream.boolean(f"the {what} flag")
        for what in ("x_grad", "cached_output", "params_grad"):
            stream.tensor(what)
        if number == 0 and innermost_version == 3:
            stream.exactly(1, "the sample expansion factor")


def _layer(stream: DlibStream, spec: Spec) -> Layer:
    match spec:
        case ConvolutionSpec():
            return _convolution(stream, spec)
        case AffineSpec():
            return _affine(stream, spec)
        case FullySpec():
            return _fully(stream, spec)
        case PoolSpec(kind=kind, side=side, stride=stride):
            stream.name([kind])
            for value, what in ((side, "rows"), (side, "columns"), (stride, "stride y"), (stride, "stride x")):
                stream.exactly(value, f"{what} of {kind}")
            stream.exactly(0, f"pad y of {kind}")
            stream.exactly(0, f"pad x of {kind}")
        case AddSpec():
            stream.name(["add_prev_"])
        case _:
            stream.name(["relu_"])
    return Layer(spec, _NOTHING, _NOTHING)


def _convolution(stream: DlibStream, spec: ConvolutionSpec) -> Layer:
    stream.name(["con_4"])
    shape = (spec.filters, spec.inputs, spec.side, spec.side)
    weights = spec.filters * spec.inputs * spec.side**2
    values = stream.tensor("the convolution's values", weights + spec.filters)
    fields = {"filters": spec.filters, "rows": spec.side, "columns": spec.side}
    fields |= {"stride y": spec.stride, "stride x": spec.stride, "pad y": spec.pad, "pad x": spec.pad}
    for what, value in fields.items():
        stream.exactly(value, f"{what} of the convolution")
    stream.alias("the filters", shape)
    stream.alias("the biases", (1, spec.filters, 1, 1))
    _multipliers(stream)
    return Layer(spec, values[:weights].reshape(shape), values[weights:])


def _affine(stream: DlibStream, spec: AffineSpec) -> Layer:
    """An affine layer, or a batch normalization (`bn_con2`) whose running values make one."""
    channels, shape = spec.channels, (1, spec.channels, 1, 1)
    kind = stream.name(["affine_", "bn_con2"])
    values = stream.tensor("the scales and shifts", 2 * channels)
    stream.alias("the scales", shape)
    stream.alias("the shifts", shape)
    gamma, beta = values[:channels], values[channels:]
    if kind == "affine_":
        stream.exactly(0, "the mode of a layer over channels")
        return Layer(spec, gamma, beta)
    for what in ("means", "inverse deviations"):
        stream.tensor(what)
    mean = stream.tensor("running means", channels)
    start = stream.offset
    variance = stream.tensor("running variances", channels)
    stream.integer("updates")
    stream.integer("the window")
    _multipliers(stream)
    eps = stream.real("eps")
    with np.errstate(over="ignore", invalid="ignore"):
        if not (variance + eps > _TINY).all():
            raise WeightsDamaged(start, "variances above zero")
        scale = gamma / np.sqrt(variance + eps)
        shift = beta - scale * mean
    if not np.isfinite([scale, shift]).all():
        raise WeightsDamaged(start, "variances that make a finite scale and shift")
    return Layer(spec, scale.astype(np.float32), shift.astype(np.float32))


def _fully(stream: DlibStream, spec: FullySpec) -> Layer:
    stream.name(["fc_2"])
    stream.exactly(spec.outputs, "outputs of the last layer")
    stream.exactly(spec.inputs, "inputs of the last layer")
    values = stream.tensor("the last layer's values", spec.inputs * spec.outputs)
    stream.alias("the last layer's weights", (spec.inputs, spec.outputs, 1, 1))
    stream.alias("the last layer's biases", (0, 0, 0, 0))
    stream.exactly(1, "the mode without a bias")
    _multipliers(stream)
    return Layer(spec, values.reshape(spec.inputs, spec.outputs), _NOTHING)


def _multipliers(stream: DlibStream) -> None:
    for _ in range(4):
        stream.real("a training rate")
