"""dlib's networks as ONNX graphs.

An affine layer is folded into the convolution before it (W' = scale W, b' = scale b + shift), in float64. The batch is
dynamic; the detector's picture is of any size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from matcher.faces.dlib_networks import (
    CHIP_SIDE,
    AddSpec,
    AffineSpec,
    ConvolutionSpec,
    FullySpec,
    Layer,
    Network,
    PoolSpec,
    RecallSpec,
    RememberSpec,
)

# Operators as of ONNX 1.8; IR version 8 is read by every onnxruntime since 1.10.
_OPSET, _IR_VERSION = 13, 8

Shape = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of the graph: name, channels, side in pixels (0 when it is not known before the graph runs)."""

    name: str
    channels: int
    side: int


class _Builder:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """A constant of the graph; its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def node(self, operator: str, inputs: Sequence[str], **attributes: int | Sequence[int]) -> str:
        """One operation; the name of its output."""
        name = f"v{len(self.nodes)}"
        node = helper.make_node(operator, list(inputs), [name])
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return name

    def layers(self, layers: Sequence[Layer], value: _Value) -> _Value:
        """The layers one after the other, and the value they end in."""
        slots: dict[int, _Value] = {}
        at = 0
        while at < len(layers):
            layer = layers[at]
            match layer.spec:
                case ConvolutionSpec() as spec:
                    folded = at + 1 < len(layers) and isinstance(layers[at + 1].spec, AffineSpec)
                    value = self._convolution(spec, layer, layers[at + 1] if folded else None, value)
                    at += folded
                case AffineSpec():
                    raise ValueError("an affine layer that follows no convolution")
                case PoolSpec():
                    value = self._pool(layer.spec, value)
                case RememberSpec(slot):
                    slots[slot] = value
                case RecallSpec(slot):
                    value = slots[slot]
                case AddSpec(slot):
                    value = self._add(value, slots[slot])
                case FullySpec():
                    product = self.node("MatMul", [self.node("Flatten", [value.name]), self.constant(layer.weights)])
                    value = _Value(product, layer.spec.outputs, 1)
                case _:
                    value = _Value(self.node("Relu", [value.name]), value.channels, value.side)
            at += 1
        return value

    def _convolution(self, spec: ConvolutionSpec, layer: Layer, affine: Layer | None, value: _Value) -> _Value:
        weights, bias = layer.weights.astype(np.float64), layer.bias.astype(np.float64)
        if affine is not None:
            scale = affine.weights.astype(np.float64)
            weights, bias = weights * scale[:, None, None, None], bias * scale + affine.bias
        constants = [self.constant(array.astype(np.float32)) for array in (weights, bias)]
        name = self.node(
            "Conv",
            [value.name, *constants],
            kernel_shape=[spec.side] * 2,
            strides=[spec.stride] * 2,
            pads=[spec.pad] * 4,
        )
        side = (value.side + 2 * spec.pad - spec.side) // spec.stride + 1 if value.side else 0
        return _Value(name, spec.filters, side)

    def _pool(self, spec: PoolSpec, value: _Value) -> _Value:
        if spec.side == 0:
            return _Value(self.node("GlobalAveragePool", [value.name]), value.channels, 1)
        operator = "MaxPool" if spec.kind.startswith("max") else "AveragePool"
        name = self.node(operator, [value.name], kernel_shape=[spec.side] * 2, strides=[spec.stride] * 2)
        return _Value(name, value.channels, (value.side - spec.side) // spec.stride + 1)

    def _add(self, first: _Value, second: _Value) -> _Value:
        channels, side = max(first.channels, second.channels), max(first.side, second.side)
        name = self.node("Add", [self._fill(value, channels, side) for value in (first, second)])
        return _Value(name, channels, side)

    def _fill(self, value: _Value, channels: int, side: int) -> str:
        """The value with zeros behind its channels, rows and columns."""
        if (value.channels, value.side) == (channels, side):
            return value.name
        more = side - value.side
        pads = np.array([0, 0, 0, 0, 0, channels - value.channels, more, more], np.int64)
        return self.node("Pad", [value.name, self.constant(pads)])

    def model(self, source: tuple[str, int, Shape], output: tuple[str, Shape]) -> bytes:
        """The serialized graph from `source` (name, type, shape) to `output` (name, shape)."""
        name, kind, shape = source
        result, result_shape = output
        graph = helper.make_graph(
            self.nodes,
            "guitu",
            [helper.make_tensor_value_info(name, kind, shape)],
            [helper.make_tensor_value_info(result, TensorProto.FLOAT, result_shape)],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def build_descriptor(network: Network) -> bytes:
    """Graph from `chips` (n, 150, 150, 3) uint8 RGB to descriptors (n, 128) float32."""
    builder = _Builder()
    means = builder.constant(np.array(network.colour_means, np.float32).reshape(1, 3, 1, 1))
    scale = builder.constant(np.array(1 / 256, np.float32))
    planes = builder.node("Transpose", [builder.node("Cast", ["chips"], to=TensorProto.FLOAT)], perm=[0, 3, 1, 2])
    start = builder.node("Mul", [builder.node("Sub", [planes, means]), scale])
    last = builder.layers(network.layers, _Value(start, 3, CHIP_SIDE))
    shape: Shape = ("n", CHIP_SIDE, CHIP_SIDE, 3)
    return builder.model(("chips", int(TensorProto.UINT8), shape), (last.name, ["n", last.channels]))


def detector_halves(network: Network) -> tuple[Network, Network]:
    """The detector up to its last convolution with a stride, whose picture is large, and from there on.

    Each half can be given strips of its own height: the first looks at few rows around a place, the second at many.
    """
    strides = [isinstance(layer.spec, ConvolutionSpec) and layer.spec.stride > 1 for layer in network.layers]
    last = len(strides) - strides[::-1].index(True)
    convolutions = [number for number, layer in enumerate(network.layers) if isinstance(layer.spec, ConvolutionSpec)]
    middle = next(number for number in convolutions if number >= last)
    first, second = network.layers[:middle], network.layers[middle:]
    return Network(first, network.colour_means), Network(second, network.colour_means)


def build_detector(network: Network) -> bytes:
    """Graph from `pyramid` (n, channels, height, width) float32 to (n, filters, rows, columns) float32.

    Of the whole detector, `channels` are 3 colours and there is one filter, the scores; or of one of its halves.
    """
    builder = _Builder()
    channels = next((layer.spec.inputs for layer in network.layers if isinstance(layer.spec, ConvolutionSpec)), 3)
    last = builder.layers(network.layers, _Value("pyramid", channels, 0))
    shape: Shape = ("n", channels, "height", "width")
    return builder.model(
        ("pyramid", int(TensorProto.FLOAT), shape), (last.name, ["n", last.channels, "rows", "columns"])
    )
