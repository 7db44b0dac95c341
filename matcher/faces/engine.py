"""What a face engine gives, whichever library is behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from matcher.faces.quality import FaceQuality


class Box(NamedTuple):
    """Bounds of a face in pixels of the photograph; right and bottom are just outside."""

    top: int
    right: int
    bottom: int
    left: int

    @property
    def area(self) -> int:
        """Pixels covered; 0 for an empty box."""
        return max(0, self.right - self.left) * max(0, self.bottom - self.top)


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """One face found in a photograph.

    Attributes:
        box: where it is, clipped to the photograph.
        landmarks: (x, y) in pixels: the person's left eye (outer, inner corner), right eye (outer, inner), nose.
        quality: how usable it is.
        embedding: float32, shape (d,), Euclidean length 1; comparable within one model version only.
        score: the detector's own confidence, None when it gives none.
    """

    box: Box
    landmarks: tuple[tuple[float, float], ...]
    quality: FaceQuality
    embedding: NDArray[np.float32]
    score: float | None


class FaceEngine(Protocol):
    """Finds faces and turns each into a vector. One instance may be used by several threads at once."""

    @property
    def model_version(self) -> str:
        """Names the embedding space: vectors of different versions are never compared."""
        ...

    @property
    def dimension(self) -> int:
        """Length d of an embedding."""
        ...

    def detect(self, pixels: NDArray[np.uint8]) -> list[DetectedFace]:
        """Faces of an upright RGB photograph (h, w, 3), largest first; an empty list when there are none."""
        ...


def choose(faces: Sequence[DetectedFace], width: int, height: int) -> int:
    """Index of the face that the photograph is probably of: the largest, those near the edge counting half.

    `width` and `height` are the photograph's, in pixels. Raises ValueError when there are no faces.
    """
    if not faces:
        raise ValueError("no faces to choose from")

    def prominence(index: int) -> tuple[float, int]:
        box = faces[index].box
        across = ((box.left + box.right) / 2 - width / 2) / max(width / 2, 1)
        down = ((box.top + box.bottom) / 2 - height / 2) / max(height / 2, 1)
        return box.area * (1 - 0.5 * min(1.0, (across**2 + down**2) ** 0.5)), -index

    return max(range(len(faces)), key=prominence)
