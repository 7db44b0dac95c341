"""Networks whose file says a batch of one, made to take any number of faces."""

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.external_data_helper import uses_external_data

from matcher.faces.runner import RUNTIME_ERRORS, Runner

_BATCH = "n"
# Of a trial: ValueError when outputs cannot be put one after the other.
_FAILURES: tuple[type[Exception], ...] = (*RUNTIME_ERRORS, ValueError)
_SIDE = 112  # tried where a network takes pictures of any size
_TOLERANCE = 1e-3  # of the largest value; another order of summing gives about 1e-6


class ModelUnreadable(ValueError):
    """A file is no ONNX model that is whole in itself. The message says why."""


def build_batched(data: bytes) -> bytes:
    """The ONNX model with a batch of any size, its values the same; with a batch of one where that is impossible.

    The first side of the input and of the outputs becomes open, and so does that of every Reshape to a constant shape
    that begins with 1. Two faces together must then give what each gives alone, or the change is dropped. Raises
    ModelUnreadable when the data is no ONNX model or keeps weights in further files.
    """
    candidate = _opened(_parsed(data))
    if candidate is not None and _holds(data, candidate):
        return candidate
    model = _parsed(data)
    _set_batch(model, None)
    return bytes(model.SerializeToString())


def _parsed(data: bytes) -> onnx.ModelProto:
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelUnreadable("not an ONNX model") from error
    if not model.graph.input or not model.graph.output:
        raise ModelUnreadable("not an ONNX model with an input and an output")
    inside = (item.t for node in model.graph.node for item in node.attribute if item.HasField("t"))
    if any(uses_external_data(tensor) for tensor in (*model.graph.initializer, *inside)):
        raise ModelUnreadable("its weights are in further files")
    return model


def _opened(model: onnx.ModelProto) -> bytes | None:
    """The model with an open batch, itself altered; None when an input is not a tensor of known rank."""
    if not all(value.type.tensor_type.shape.dim for value in _ends(model)):
        return None
    _set_batch(model, _BATCH)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            constants.update((node.output[0], item.t) for item in node.attribute if item.name == "value")
    for index, node in enumerate(model.graph.node):
        if node.op_type != "Reshape" or len(node.input) != 2 or node.input[1] not in constants:
            continue
        shape = numpy_helper.to_array(constants[node.input[1]]).copy()
        zero_is_a_side = any(item.name == "allowzero" and item.i for item in node.attribute)
        if shape.ndim == 1 and len(shape) > 1 and shape[0] == 1 and not (zero_is_a_side and 0 in shape):
            # Zero repeats the input's own first side; -1 may be taken by another side already.
            shape[0] = 0
            kept = [item for item in node.attribute if item.name != "allowzero"]
            del node.attribute[:]
            node.attribute.extend(kept)
            node.input[1] = f"guitu_batched_{index}"
            model.graph.initializer.append(numpy_helper.from_array(shape, node.input[1]))
    return bytes(model.SerializeToString())


def _ends(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The input and the outputs; old files list weights among the inputs."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return [*(value for value in model.graph.input if value.name not in weights), *model.graph.output]


def _set_batch(model: onnx.ModelProto, name: str | None) -> None:
    """Open the first side of what goes in and comes out, or set it to one."""
    for value in _ends(model):
        if value.type.tensor_type.shape.dim:
            side = value.type.tensor_type.shape.dim[0]
            side.Clear()
            if name is None:
                side.dim_value = 1
            else:
                side.dim_param = name
    # Shapes noted inside would still speak of one face.
    del model.graph.value_info[:]


def _holds(data: bytes, candidate: bytes) -> bool:
    """Whether two inputs together give what each gives alone in the model as it was."""
    try:
        alone, together = Runner(data), Runner(candidate)
        source = alone.inputs[0]
        if source.type != "tensor(float)":
            return False
        values = np.random.default_rng(1).random((2, *(side or _SIDE for side in source.shape[1:])), np.float32)
        return all(
            _close(together(values, name), np.concatenate([alone(values[i : i + 1], name) for i in range(2)]))
            for name, _, _ in alone.outputs
        )
    except _FAILURES:
        return False


def _close(found: NDArray[np.float32], expected: NDArray[np.float32]) -> bool:
    largest = float(np.abs(expected).max(initial=0.0))
    return found.shape == expected.shape and bool(np.abs(found - expected).max(initial=0.0) <= _TOLERANCE * largest)
