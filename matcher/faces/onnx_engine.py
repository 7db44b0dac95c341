"""The face engine over onnxruntime: dlib's weights, without dlib's code.

Detector: dlib's CNN, faces of at least 80 pixels seen from any side. Landmarks: 5 points. Embedding: dlib's ResNet, 128
values, of the face and of its mirror image, brought to length 1; or any other `FaceEmbedder`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from matcher.faces.aligner import LandmarkPredictor
from matcher.faces.cnn_detector import CnnDetector, Detection
from matcher.faces.dlib_networks import read_descriptor, read_detector
from matcher.faces.embedder import DlibEmbedder, Embedder, FaceEmbedder
from matcher.faces.engine import Box, DetectedFace
from matcher.faces.intake import Pixels, resize_to_fit
from matcher.faces.kept import kept
from matcher.faces.landmark_weights import pack_landmarks, read_landmarks, unpack_landmarks
from matcher.faces.quality import assess
from matcher.faces.runner import CPU, Runner
from matcher.faces.turns import turn_back, turn_point_back
from matcher.faces.weights import (
    CNN_DETECTOR_FILE,
    EMBEDDING_FILE,
    LANDMARKS_FILE,
    detector_version,
    onnx_model_version,
    weights_directory,
)

# The CNN also sees faces that lie on their side, where the landmarks are of no use. Upright frontal faces score 1 and
# more, lying ones less; a profile below it costs three further looks.
_UPRIGHT = 1.0


@dataclass(frozen=True, slots=True)
class OnnxLocator:
    """What finds faces and their landmarks, each usable by several threads at once."""

    detector: CnnDetector
    predictor: LandmarkPredictor


@dataclass(frozen=True, slots=True)
class OnnxModels(OnnxLocator):
    """What dlib's three weight files are to us, each usable by several threads at once."""

    embedder: Embedder


def load_models(*, threads: int = 1, providers: Sequence[str] = (CPU,), cache: Path | None = None) -> OnnxModels:
    """The models of the installed weights; arguments and errors as of `OnnxFaceEngine`."""
    graph = kept(cache, weights_directory() / EMBEDDING_FILE, _build_descriptor)
    embedder = Embedder(Runner(graph, threads=threads, providers=providers))
    locator = load_locator(threads=threads, providers=providers, cache=cache)
    return OnnxModels(locator.detector, locator.predictor, embedder)


def load_locator(*, threads: int = 1, providers: Sequence[str] = (CPU,), cache: Path | None = None) -> OnnxLocator:
    """The detector and the landmarks of the installed weights; arguments and errors as of `OnnxFaceEngine`."""
    directory = weights_directory()
    network, options = read_detector((directory / CNN_DETECTOR_FILE).read_bytes())
    cells, scores = (
        Runner(
            kept(cache, directory / CNN_DETECTOR_FILE, partial(_build_detector, half), part),
            threads=threads,
            providers=providers,
            arena=True,
        )
        for half, part in enumerate(("cells", "scores"))
    )
    landmarks = kept(cache, directory / LANDMARKS_FILE, lambda data: pack_landmarks(read_landmarks(data)))
    return OnnxLocator(
        CnnDetector((cells, scores), network.colour_means, options), LandmarkPredictor(unpack_landmarks(landmarks))
    )


# The builder is imported when something is built: with everything kept, a process does without onnx (12 MB).
def _build_detector(half: int, data: bytes) -> bytes:
    from matcher.faces.graph import build_detector, detector_halves

    return build_detector(detector_halves(read_detector(data)[0])[half])


def _build_descriptor(data: bytes) -> bytes:
    from matcher.faces.graph import build_descriptor

    return build_descriptor(read_descriptor(data))


class OnnxFaceEngine:
    """`FaceEngine` over onnxruntime.

    Faces are looked for in a copy of at most `detection_side` pixels a side, and when there are none, in one of twice
    that size. With `try_rotations`, a copy without a clear upright face is also turned by 90, 270 and 180 degrees, and
    the turn with the clearest face is taken (photographs whose orientation was lost). Boxes and landmarks always
    belong to the photograph as given. Embeddings come from its full resolution.
    """

    def __init__(
        self,
        detection_side: int = 800,
        *,
        embedder: FaceEmbedder | None = None,
        try_rotations: bool = True,
        mirrored: bool = True,
        threads: int = 1,
        providers: Sequence[str] = (CPU,),
        cache: Path | None = None,
    ) -> None:
        """Load the models.

        Args:
            detection_side: longest side of the copy that is searched, in pixels.
            embedder: what turns a face into a vector; dlib's ResNet when None. It is part of the model version.
            try_rotations: whether to turn a photograph without a clear upright face.
            mirrored: whether dlib's embedding is the mean of two views; it is part of the model version.
            threads: threads that one network may use.
            providers: onnxruntime's execution providers, the preferred first.
            cache: folder for what is built of the weights at first use (30 MB); nothing is kept when None.

        Raises FaceEngineUnavailable when the weights are not installed, WeightsDamaged when they are not whole,
        ValueError when a provider is not installed.
        """
        self._detection_side = detection_side
        self._turns = (0, 1, 3, 2) if try_rotations else (0,)
        if embedder is None:
            models = load_models(threads=threads, providers=providers, cache=cache)
            self._model_version = onnx_model_version(mirrored=mirrored)
            self._models: OnnxLocator = models
            self._embedder: FaceEmbedder = DlibEmbedder(models.embedder, self._model_version, mirrored=mirrored)
        else:
            self._model_version = f"{embedder.name_in_version}-{detector_version()}"
            self._models = load_locator(threads=threads, providers=providers, cache=cache)
            self._embedder = embedder

    @property
    def model_version(self) -> str:
        """See `FaceEngine`."""
        return self._model_version

    @property
    def dimension(self) -> int:
        """The embedder's: 128 of dlib's."""
        return self._embedder.dimension

    def detect(self, pixels: Pixels) -> list[DetectedFace]:
        """See `FaceEngine`. Raises ValueError when `pixels` is not (h, w, 3) uint8."""
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise ValueError(f"expected (h, w, 3) uint8, got {pixels.shape} {pixels.dtype}")
        for copy, enlarged in self._copies(pixels):
            turns, found = self._locate(copy, enlarged)
            if found:
                scale = pixels.shape[1] / copy.shape[1]
                faces = self._describe(pixels, turns, [_scaled(face, scale) for face in found])
                return sorted(faces, key=lambda face: face.box.area, reverse=True)
        return []

    def _locate(self, copy: Pixels, enlarged: int) -> tuple[int, list[Detection]]:
        """The quarter turns at which the clearest face is seen, and the faces seen then."""
        best: tuple[int, list[Detection]] = (0, [])
        for turns in self._turns:
            found = self._models.detector.detect(np.ascontiguousarray(np.rot90(copy, turns)), enlarged=enlarged)
            if found and (not best[1] or found[0].score > best[1][0].score):
                best = (turns, found)
            if best[1] and best[1][0].score >= _UPRIGHT:
                break
        return best

    def _copies(self, pixels: Pixels) -> Iterator[tuple[Pixels, int]]:
        """Copies to search and how often each is to be doubled: details of a large photograph beat doubled pixels."""
        small = resize_to_fit(pixels, self._detection_side)
        yield small, 0
        large = resize_to_fit(pixels, 2 * self._detection_side)
        yield (large, 0) if large.shape[0] > 1.5 * small.shape[0] else (small, 1)

    def _describe(self, pixels: Pixels, turns: int, found: list[Detection]) -> list[DetectedFace]:
        height, width = pixels.shape[:2]
        turned = np.ascontiguousarray(np.rot90(pixels, turns))
        points = [self._models.predictor(turned, face[:4]) for face in found]
        vectors = self._embedder.embed(turned, points)
        faces = []
        for detection, landmarks, vector in zip(found, points, vectors, strict=True):
            box = _clipped(detection, turned.shape[1], turned.shape[0])
            faces.append(
                DetectedFace(
                    box=turn_back(box, turns, width, height),
                    landmarks=tuple(turn_point_back(x, y, turns, width, height) for x, y in landmarks),
                    quality=assess(turned, box, landmarks),
                    embedding=vector,
                    score=detection.score,
                )
            )
        return faces


def _scaled(found: Detection, scale: float) -> Detection:
    left, top, right, bottom = (round(edge * scale) for edge in found[:4])
    return Detection(left, top, right, bottom, found.score)


def _clipped(found: Detection, width: int, height: int) -> Box:
    """The box inside the photograph, at least one pixel of it; right and bottom just outside."""
    left, top = min(max(0, found.left), width - 1), min(max(0, found.top), height - 1)
    right, bottom = min(max(found.right + 1, left + 1), width), min(max(found.bottom + 1, top + 1), height)
    return Box(top, right, bottom, left)
