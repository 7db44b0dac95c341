"""Small ONNX face models: the mean of each channel, and their sum."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 16

CARD = """
name = "tiny"
file = "tiny.onnx"
licence = "CC0-1.0"
[input]
size = 16
colour = "rgb"
scale = 1.0
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
[alignment]
template = "arcface"
[output]
dimension = 4
"""


def model(
    *,
    batch: int | str = 1,
    layout: str = "nchw",
    kind: int = TensorProto.FLOAT,
    shapes: Sequence[Sequence[int]] = ((1, 3),),
    mixed: bool = False,
    half: bool = False,
    inline: bool = False,
    outputs: int = 1,
    external: bool = False,
) -> bytes:
    """A model from (batch, 3, 16, 16) to (batch, 4): the channels' means in their order, and the sum of the means.

    `shapes` are those that the means are brought to one after the other; with `inline`, they are nodes. With `mixed`,
    all faces of a batch give the mean of their values. With `half`, the means are of the left half. With `external`,
    its weights are said to be in another file.
    """
    sides = [3, SIDE, SIDE] if layout == "nchw" else [SIDE, SIDE, 3]
    axes = [2, 3] if layout == "nchw" else [1, 2]
    weights = np.hstack([np.eye(3), np.ones((3, 1))]).astype(np.float32)
    constants = [numpy_helper.from_array(weights, "weights")]
    for name, value in (("start", 0), ("end", SIDE // 2 if half else SIDE), ("axis", axes[1])):
        constants.append(numpy_helper.from_array(np.array([value], np.int64), name))
    nodes = [
        helper.make_node("Cast", ["picture"], ["whole"], to=TensorProto.FLOAT),
        helper.make_node("Slice", ["whole", "start", "end", "axis"], ["values"]),
        helper.make_node("ReduceMean", ["values"], ["means_0"], axes=[0, *axes] if mixed else axes, keepdims=1),
    ]
    for index, shape in enumerate(shapes):
        constant = numpy_helper.from_array(np.array(shape, np.int64), f"shape_{index}")
        if inline:
            nodes.append(helper.make_node("Constant", [], [constant.name], value=constant))
        else:
            constants.append(constant)
        nodes.append(helper.make_node("Reshape", [f"means_{index}", f"shape_{index}"], [f"means_{index + 1}"]))
    last = f"means_{len(shapes)}"
    names = [f"vector_{index}" for index in range(outputs)]
    nodes += [helper.make_node("MatMul", [last, "weights"], [name]) for name in names]
    if external:
        constants[0].data_location = TensorProto.EXTERNAL
        entry = constants[0].external_data.add()
        entry.key, entry.value = "location", "elsewhere.bin"
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("picture", kind, [batch, *sides])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, 4]) for name in names],
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    if not external:
        onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def write(folder: Path, content: bytes | None = None, /, **changes: str) -> Path:
    """A card and its model in the folder; `changes` replace the whole line of a field. Returns the card's path."""
    (folder / "tiny.onnx").write_bytes(model() if content is None else content)
    lines = CARD.strip().splitlines()
    for field, line in changes.items():
        (at,) = (index for index, each in enumerate(lines) if each.startswith(f"{field} "))
        lines[at] = line
    path = folder / "tiny.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path
