"""Faces to vectors: what every embedder does, and dlib's ResNet, run by onnxruntime."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matcher.faces.aligner import Landmarks, chip
from matcher.faces.dlib_engine import unit
from matcher.faces.dlib_networks import DESCRIPTOR_DIMENSION
from matcher.faces.runner import Runner

# Beyond this a larger batch is no faster, and takes 2 MB more for each chip.
BATCH = 16


class FaceEmbedder(Protocol):
    """Turns faces that were found into vectors. One instance may be used by several threads at once."""

    @property
    def name_in_version(self) -> str:
        """What it adds to a model version: its name, preprocessing, views and weights; at most 54 characters."""
        ...

    @property
    def dimension(self) -> int:
        """Length d of a vector."""
        ...

    def embed(self, pixels: NDArray[np.uint8], landmarks: Sequence[Landmarks]) -> NDArray[np.float32]:
        """Vectors (n, d) of Euclidean length 1, one for each face of an upright RGB photograph (h, w, 3).

        `landmarks` are five a face, in the order of `LandmarkPredictor`. Raises ValueError when a face's are all in
        one place, or its vector has no direction.
        """
        ...


class Embedder:
    """Describes faces. One instance may be used by several threads at once."""

    def __init__(self, runner: Runner) -> None:
        """`runner` holds the graph of `build_descriptor`."""
        self._runner = runner

    def describe(self, chips: NDArray[np.uint8], *, mirrored: bool = False) -> NDArray[np.float32]:
        """dlib's descriptors, (n, 128), of chips (n, 150, 150, 3) in RGB, as `compute_face_descriptor` gives them.

        With `mirrored`, the mean of each chip's descriptor and its mirror image's. Raises ValueError on other shapes.
        """
        if chips.ndim != 4 or chips.shape[1:] != (150, 150, 3) or chips.dtype != np.uint8:
            raise ValueError(f"expected (n, 150, 150, 3) uint8, got {chips.shape} {chips.dtype}")
        result = np.empty((len(chips), DESCRIPTOR_DIMENSION), np.float32)
        for start in range(0, len(chips), BATCH):
            batch = chips[start : start + BATCH]
            found = self._runner(np.ascontiguousarray(batch))
            if mirrored:
                found = (found + self._runner(np.ascontiguousarray(batch[:, :, ::-1]))) * np.float32(0.5)
            result[start : start + BATCH] = found
        return result


class DlibEmbedder:
    """`FaceEmbedder` over dlib's ResNet and dlib's chips."""

    def __init__(self, descriptor: Embedder, version: str, *, mirrored: bool) -> None:
        """`version` names the weights; with `mirrored`, a vector is of the mean of two views."""
        self._descriptor, self._version, self._mirrored = descriptor, version, mirrored

    @property
    def name_in_version(self) -> str:
        """See `FaceEmbedder`."""
        return self._version

    @property
    def dimension(self) -> int:
        """128."""
        return DESCRIPTOR_DIMENSION

    def embed(self, pixels: NDArray[np.uint8], landmarks: Sequence[Landmarks]) -> NDArray[np.float32]:
        """See `FaceEmbedder`."""
        if not landmarks:
            return np.empty((0, DESCRIPTOR_DIMENSION), np.float32)
        chips = np.stack([chip(pixels, points) for points in landmarks])
        vectors = self._descriptor.describe(chips, mirrored=self._mirrored)
        return np.stack([unit(vector.astype(np.float64)) for vector in vectors])
