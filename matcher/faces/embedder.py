"""Chips to descriptors: dlib's ResNet, run by onnxruntime."""

import numpy as np
from numpy.typing import NDArray

from matcher.faces.dlib_networks import DESCRIPTOR_DIMENSION
from matcher.faces.runner import Runner

# Beyond this a larger batch is no faster, and takes 2 MB more for each chip.
_BATCH = 16


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
        for start in range(0, len(chips), _BATCH):
            batch = chips[start : start + _BATCH]
            found = self._runner(np.ascontiguousarray(batch))
            if mirrored:
                found = (found + self._runner(np.ascontiguousarray(batch[:, :, ::-1]))) * np.float32(0.5)
            result[start : start + _BATCH] = found
        return result
