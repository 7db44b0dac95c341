"""Any ONNX face model that a card describes, put in by an operator."""

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher.faces.aligner import Landmarks
from matcher.faces.alignment import align
from matcher.faces.card import ModelCard, embedding_version
from matcher.faces.card_fields import CardInvalid
from matcher.faces.dlib_engine import unit
from matcher.faces.embedder import BATCH
from matcher.faces.kept import Built, kept
from matcher.faces.runner import CPU, RUNTIME_ERRORS, Runner, Signature

_FLOAT = "tensor(float)"


class CardEmbedder:
    """`FaceEmbedder` over the ONNX model of a card."""

    def __init__(
        self, card: ModelCard, *, threads: int = 1, providers: Sequence[str] = (CPU,), cache: Path | None = None
    ) -> None:
        """Load the model and try it on a grey picture. Arguments as of `OnnxFaceEngine`.

        Raises CardInvalid when the file is not the one that the card was read with, is no ONNX model, or takes or
        gives other than the card says; ValueError when a provider is not installed.
        """
        self._card = card
        graph = _graph(card, cache)
        try:
            self._runner = Runner(graph, threads=threads, providers=providers)
        except RUNTIME_ERRORS as error:
            raise _invalid(card, "file", f"onnxruntime cannot load it ({error})", "export the model anew") from error
        self._batch = BATCH if _check_input(card, self._runner.inputs) else 1
        self._output = _check_output(card, self._runner.outputs)
        self._try()

    @property
    def name_in_version(self) -> str:
        """See `FaceEmbedder`."""
        return embedding_version(self._card)

    @property
    def dimension(self) -> int:
        """As the card says."""
        return self._card.dimension

    def embed(self, pixels: NDArray[np.uint8], landmarks: Sequence[Landmarks]) -> NDArray[np.float32]:
        """See `FaceEmbedder`."""
        if not landmarks:
            return np.empty((0, self.dimension), np.float32)
        size = self._card.input.size
        faces = np.stack([align(pixels, points, self._card.points, size) for points in landmarks])
        total = self.describe(faces)
        if "mirror" in self._card.views:
            total = total + self.describe(faces[:, :, ::-1])
        return np.stack([unit(vector.astype(np.float64)) for vector in total])

    def describe(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the network gives, (n, d), for aligned faces (n, size, size, 3) in RGB. Raises ValueError otherwise."""
        size = self._card.input.size
        if faces.ndim != 4 or faces.shape[1:] != (size, size, 3) or faces.dtype != np.uint8:
            raise ValueError(f"expected (n, {size}, {size}, 3) uint8, got {faces.shape} {faces.dtype}")
        result = np.empty((len(faces), self.dimension), np.float32)
        for start in range(0, len(faces), self._batch):
            values = self._prepared(faces[start : start + self._batch])
            result[start : start + self._batch] = self._runner(values, self._output)
        return result

    def _prepared(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        source = self._card.input
        channels = faces if source.colour == "rgb" else faces[..., ::-1]
        mean, std = (np.array(values, np.float32) for values in (source.mean, source.std))
        values = (channels.astype(np.float32) * np.float32(source.scale) - mean) / std
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if source.layout == "nchw" else values)

    def _try(self) -> None:
        """One grey face: what a file says of its shapes may be open, and it may use operators that fail."""
        grey = np.full((1, self._card.input.size, self._card.input.size, 3), 128, np.uint8)
        try:
            found = self._runner(self._prepared(grey), self._output)
        except RUNTIME_ERRORS as error:
            raise _invalid(self._card, "input", f"the model fails on it ({error})", "correct the input") from error
        if found.shape != (1, self.dimension):
            remedy = f"write what the model gives: {' x '.join(map(str, found.shape))}"
            raise _invalid(self._card, "output.dimension", f"it is not {self.dimension}", remedy)
        if not np.isfinite(found).all():
            raise _invalid(self._card, "input.scale", "a grey face gives no finite numbers", "correct the input")


def _invalid(card: ModelCard, field: str, reason: str, remedy: str) -> CardInvalid:
    return CardInvalid(card.name, field, reason, remedy)


def _graph(card: ModelCard, cache: Path | None) -> Built:
    """The card's model with a batch of any size where that is possible."""
    try:
        return kept(cache, card.file, partial(_build, card))
    except OSError as error:
        raise _invalid(card, "file", f"cannot be read ({error.strerror})", "check its rights") from error


def _build(card: ModelCard, data: bytes) -> bytes:
    # onnx is for building alone: 12 MB that a process with a kept model does without.
    from matcher.faces.batching import ModelUnreadable, build_batched

    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise _invalid(card, "file", "it has changed since the card was read", "start again")
    try:
        return build_batched(data)
    except ModelUnreadable as error:
        raise _invalid(card, "file", str(error), "export the model as one ONNX file") from error


def _check_input(card: ModelCard, inputs: Sequence[Signature]) -> bool:
    """Whether the batch may have any size. Raises CardInvalid when the model does not take what the card says."""
    if len(inputs) != 1:
        raise _invalid(card, "file", f"it has {len(inputs)} inputs", "use a model that reads one picture")
    _, kind, shape = inputs[0]
    if kind != _FLOAT:
        raise _invalid(card, "file", f"its input is {kind}", "export the model with a float32 input")
    size = card.input.size
    expected = (3, size, size) if card.input.layout == "nchw" else (size, size, 3)
    if len(shape) != 4 or any(side not in (None, wanted) for side, wanted in zip(shape[1:], expected, strict=True)):
        field = "input.layout" if sorted(map(str, shape[1:])) == sorted(map(str, expected)) else "input.size"
        stated = " x ".join("any" if side is None else str(side) for side in shape)
        raise _invalid(card, field, f"the model reads {stated}", "write the size and layout that it reads")
    return shape[0] is None


def _check_output(card: ModelCard, outputs: Sequence[Signature]) -> str:
    """The name of the output to read. Raises CardInvalid when it is not what the card says."""
    names = [output.name for output in outputs]
    if card.output is None and len(outputs) != 1:
        raise _invalid(card, "output.name", f"the model has {len(outputs)} outputs", f"name one of {', '.join(names)}")
    if card.output is not None and card.output not in names:
        raise _invalid(card, "output.name", f"there is no {card.output!r}", f"name one of {', '.join(names)}")
    name, kind, shape = outputs[names.index(card.output) if card.output else 0]
    if kind != _FLOAT:
        raise _invalid(card, "output.name", f"it is {kind}", "name an output of float32")
    if shape and (len(shape) != 2 or shape[1] not in (None, card.dimension)):
        stated = " x ".join("any" if side is None else str(side) for side in shape)
        raise _invalid(card, "output.dimension", f"the model gives {stated}", "write the number that it gives a face")
    return name
