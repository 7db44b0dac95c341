"""The face engine that comes with the software: face_recognition over dlib.

Detector: dlib's histogram of oriented gradients, frontal faces of at least 80 pixels (40 when enlarged once).
Landmarks: 5 points. Embedding: dlib's ResNet, 128 values, brought to length 1.
"""

from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from matcher.faces.engine import Box, DetectedFace
from matcher.faces.intake import Pixels, resize_to_fit
from matcher.faces.quality import assess
from matcher.faces.turns import turn_back, turn_point_back
from matcher.faces.weights import load_face_recognition, model_version

DIMENSION = 128
_LOCK = Lock()
"""dlib's objects keep scratch memory of their own, so two threads must not be inside them at once. They belong to the
library's module, so one lock serves all engines of the process."""


class DlibFaceEngine:
    """`FaceEngine` over face_recognition.

    Faces are looked for in a copy of at most `detection_side` pixels a side, first as it is, then enlarged twice; when
    there are none, and `try_rotations`, also turned by 90, 270 and 180 degrees (photographs whose orientation was
    lost). Boxes and landmarks always belong to the photograph as given. Embeddings come from its full resolution.
    """

    def __init__(self, detection_side: int = 800, *, try_rotations: bool = True) -> None:
        """Load the models (about half a second). Raises FaceEngineUnavailable when they are not installed."""
        self._library = load_face_recognition()
        # Importing face_recognition turns on the filling-in of truncated images for the whole process.
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        self._model_version = model_version()
        self._detection_side = detection_side
        self._turns = (0, 1, 3, 2) if try_rotations else (0,)

    @property
    def model_version(self) -> str:
        """See `FaceEngine`."""
        return self._model_version

    @property
    def dimension(self) -> int:
        """128."""
        return DIMENSION

    def detect(self, pixels: Pixels) -> list[DetectedFace]:
        """See `FaceEngine`. Raises ValueError when `pixels` is not (h, w, 3) uint8."""
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise ValueError(f"expected (h, w, 3) uint8, got {pixels.shape} {pixels.dtype}")
        small = resize_to_fit(pixels, self._detection_side)
        for turns in self._turns:
            for enlarge in (0, 1):
                boxes = self._locate(np.ascontiguousarray(np.rot90(small, turns)), enlarge)
                if boxes:
                    faces = self._describe(pixels, small.shape[1], turns, boxes)
                    return sorted(faces, key=lambda face: face.box.area, reverse=True)
        return []

    def _locate(self, pixels: Pixels, enlarge: int) -> list[Box]:
        with _LOCK:
            return [Box(*box) for box in self._library.face_locations(pixels, enlarge, model="hog")]

    def _describe(self, pixels: Pixels, small_width: int, turns: int, boxes: list[Box]) -> list[DetectedFace]:
        height, width = pixels.shape[:2]
        turned = np.ascontiguousarray(np.rot90(pixels, turns))
        scale = width / small_width
        full = [Box(*(round(edge * scale) for edge in box)) for box in boxes]
        with _LOCK:
            points = self._library.face_landmarks(turned, full, model="small")
            vectors = self._library.face_encodings(turned, full, model="small")
        faces = []
        for box, features, vector in zip(full, points, vectors, strict=True):
            landmarks = (*features["right_eye"], *features["left_eye"], *features["nose_tip"])
            faces.append(
                DetectedFace(
                    box=turn_back(box, turns, width, height),
                    landmarks=tuple(turn_point_back(x, y, turns, width, height) for x, y in landmarks),
                    quality=assess(turned, box, landmarks),
                    embedding=unit(np.asarray(vector)),
                    score=None,
                )
            )
        return faces


def unit(vector: NDArray[np.float64]) -> NDArray[np.float32]:
    """The vector (d,) at Euclidean length 1. Raises ValueError when it has no direction."""
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        raise ValueError("a vector without a direction")
    return (vector / length).astype(np.float32)
