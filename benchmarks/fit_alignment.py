"""Where dlib's five landmarks belong in ArcFace's 112 x 112 template, for `matcher/parameters/alignment-1.json`.

    python -m benchmarks.fit_alignment FACES MODELS

FACES holds `lfw` (with pairs_fold10.txt), MODELS `yunet_2023mar.onnx` and `mobilefacenet.onnx`. Faces of LFW are
aligned ArcFace's way, on the eyes, nose and mouth that YuNet finds; dlib's landmarks of the same face are carried into
that picture; their mean is the answer. Then MobileFaceNet compares LFW's pairs, once with each alignment. The last line
is one JSON object.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from benchmarks.pairs import lfw_pairs, threshold_accuracy, true_accepts
from matcher.faces.alignment import align
from matcher.faces.card import ModelCard, ModelInput
from matcher.faces.card_embedder import CardEmbedder
from matcher.faces.engine import choose
from matcher.faces.intake import IntakeLimits, Pixels, decode
from matcher.faces.onnx_engine import OnnxFaceEngine
from matcher.faces.runner import CPU
from matcher.faces.transforms import Point, similarity

# insightface's reference points: the eyes, the tip of the nose, the corners of the mouth; left in the picture first.
ARCFACE_SIDE = 112
ARCFACE: tuple[Point, ...] = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
YUNET_SIDE = 640
LEAST_SCORE = 0.7


class Seen(NamedTuple):
    """One photograph's face: pixels, dlib's five points, and the five that YuNet finds."""

    pixels: Pixels
    dlib: tuple[Point, ...]
    yunet: tuple[Point, ...]


class Yunet:
    """YuNet 2023mar: five points of the face nearest to a place."""

    def __init__(self, path: Path) -> None:
        self._session = onnxruntime.InferenceSession(path, providers=[CPU])

    def __call__(self, pixels: Pixels, x: float, y: float) -> tuple[Point, ...] | None:
        """Points of the surest face whose box holds (x, y); None when there is none."""
        scale = YUNET_SIDE / max(pixels.shape[:2])
        size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
        canvas = np.zeros((YUNET_SIDE, YUNET_SIDE, 3), np.float32)
        canvas[: size[1], : size[0]] = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
        names = [output.name for output in self._session.get_outputs()]
        source = np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)[np.newaxis])
        found = dict(zip(names, self._session.run(None, {"input": source}), strict=True))
        best: tuple[float, NDArray[np.float32]] | None = None
        for stride in (8, 16, 32):
            cells = YUNET_SIDE // stride
            grid = np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), axis=-1).reshape(-1, 2)
            score = np.sqrt(np.clip(found[f"cls_{stride}"], 0, 1) * np.clip(found[f"obj_{stride}"], 0, 1))[0, :, 0]
            box = found[f"bbox_{stride}"][0]
            middle, half = (grid + box[:, :2]) * stride, np.exp(box[:, 2:]) * stride / 2
            holds = (np.abs(np.array([x, y]) * scale - middle) < half).all(axis=1)
            points = (grid[:, np.newaxis] + found[f"kps_{stride}"][0].reshape(-1, 5, 2)) * stride / scale
            at = int(np.argmax(np.where(holds, score, 0)))
            if holds[at] and score[at] >= LEAST_SCORE and (best is None or score[at] > best[0]):
                best = (float(score[at]), points[at])
        return None if best is None else tuple((float(a), float(b)) for a, b in best[1])


def look(root: Path, models: Path) -> dict[Path, Seen]:
    """The chosen face of every photograph in which both find it."""
    engine, yunet = OnnxFaceEngine(try_rotations=False), Yunet(models / "yunet_2023mar.onnx")
    seen = {}
    for path in sorted(root.glob("*/*.jpg")):
        pixels = decode(path.read_bytes(), IntakeLimits()).pixels
        faces = engine.detect(pixels)
        if not faces:
            continue
        face = faces[choose(faces, pixels.shape[1], pixels.shape[0])]
        points = yunet(pixels, (face.box.left + face.box.right) / 2, (face.box.top + face.box.bottom) / 2)
        if points is not None:
            seen[path] = Seen(pixels, face.landmarks, points)
    return seen


def card_of(file: Path, points: tuple[Point, ...]) -> ModelCard:
    """MobileFaceNet as it was trained, with one view."""
    network = ModelInput(ARCFACE_SIDE, "rgb", 1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "nchw")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return ModelCard("mobilefacenet", file, sha256, "measured only", "", "", network, points, 128, None, (), None)


def carried(face: Seen) -> NDArray[np.float64]:
    """dlib's points (5, 2) in the face that YuNet's points align."""
    fit = similarity(face.yunet, ARCFACE)
    return np.array([fit(x, y) for x, y in face.dlib])


def main(arguments: list[str]) -> int:
    """Measure, fit, check, print; the exit status."""
    if len(arguments) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    root, models = Path(arguments[0]) / "lfw", Path(arguments[1])
    seen = look(root, models)
    places = np.stack([carried(face) for face in seen.values()])
    template = places.mean(axis=0)
    halves = float(np.abs(places[::2].mean(axis=0) - places[1::2].mean(axis=0)).max())
    print(f"{len(seen)} faces; deviation of each point {places.std(axis=0).round(2).tolist()}")
    print(f"two halves of the photographs differ by at most {halves:.3f} pixels")
    points: tuple[Point, ...] = tuple((round(float(x), 3), round(float(y), 3)) for x, y in template)
    print("points", json.dumps(points))

    embedder = CardEmbedder(card_of(models / "mobilefacenet.onnx", points))
    aligned = {
        "dlib": {path: align(face.pixels, face.dlib, points, ARCFACE_SIDE) for path, face in seen.items()},
        "yunet": {path: align(face.pixels, face.yunet, ARCFACE, ARCFACE_SIDE) for path, face in seen.items()},
    }
    result: dict[str, float] = {"faces": len(seen)}
    for name, crops in aligned.items():
        raw = embedder.describe(np.stack(list(crops.values())))
        vectors = dict(zip(crops, raw / np.linalg.norm(raw, axis=1, keepdims=True), strict=True))
        accuracy, pairs = threshold_accuracy(*lfw_pairs(root, vectors))
        result |= {f"{name}_accuracy": accuracy, "pairs": pairs}
        result |= {f"{name}_{key}": value for key, value in true_accepts(vectors).items()}
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
