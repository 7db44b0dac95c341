"""What further views of a face, and templates of several photographs, are worth.

    python -m benchmarks.face_views FACES MODELS

FACES holds `lfw` and `asian_celeb`, MODELS `mobilefacenet.onnx`. Views: the face, its mirror image, and small fixed
shifts and scales of both, averaged. Templates: of people with three photographs or more, each photograph in turn is
compared with the others of its person and with everybody else's, by the best single cosine, the plain mean and the mean
by quality. True-accept rates at false-accept rates over all pairs; a gain is over the mirrored view (of that: over one
view), with the bounds of 95 % of resampled people. The last line is one JSON object.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.fit_alignment import ARCFACE_SIDE, card_of
from benchmarks.pairs import Vectors, best_of, gain, people_of, true_accept_rate, true_accepts
from matcher.faces.aligner import chip
from matcher.faces.alignment import align, load_templates
from matcher.faces.card_embedder import CardEmbedder
from matcher.faces.engine import choose
from matcher.faces.intake import ImageRefused, IntakeLimits, Pixels, decode
from matcher.faces.onnx_engine import OnnxFaceEngine, load_models
from matcher.faces.template import fuse
from matcher.faces.transforms import Point

Describe = Callable[[Pixels], NDArray[np.float32]]
Cut = Callable[[Pixels, Sequence[Point]], Pixels]
Jitter = tuple[float, float, float]

# Scale, and shift as a share of the distance between the eyes; the first is the face as it is.
JITTERS: tuple[Jitter, ...] = (
    (1.0, 0.0, 0.0),
    (1.0, 0.06, 0.0),
    (1.0, -0.06, 0.0),
    (1.05, 0.0, 0.04),
    (0.95, 0.0, -0.04),
)
# How many of the jitters, and whether their mirror images too.
PLANS = {
    "one": (1, False),
    "mirror": (1, True),
    "mirror and 2 shifts": (3, True),
    "mirror and 4": (5, True),
    "4 without mirror": (5, False),
}
KEPT = "mirror"


class Face(NamedTuple):
    """The chosen face of a photograph: pixels, landmarks, quality 0 to 100."""

    pixels: Pixels
    landmarks: tuple[Point, ...]
    quality: int


def faces_of(folder: Path) -> dict[Path, Face]:
    """The chosen face of every photograph that has one."""
    engine, found = OnnxFaceEngine(try_rotations=False), {}
    for path in sorted(folder.glob("*/*.jpg")):
        try:
            pixels = decode(path.read_bytes(), IntakeLimits()).pixels
        except ImageRefused:
            continue
        faces = engine.detect(pixels)
        if faces:
            face = faces[choose(faces, pixels.shape[1], pixels.shape[0])]
            found[path] = Face(pixels, face.landmarks, face.quality.overall)
    return found


def moved(points: Sequence[Point], jitter: Jitter) -> tuple[Point, ...]:
    """The landmarks as if the face were elsewhere, so that a chip of them is shifted and scaled."""
    scale, across, down = jitter
    places = np.array(points, np.float64)
    eyes = float(np.linalg.norm(places[0:2].mean(axis=0) - places[2:4].mean(axis=0)))
    middle = places.mean(axis=0)
    result = middle + (places - middle) * scale + np.array([across, down]) * eyes
    return tuple((float(x), float(y)) for x, y in result)


def arcface_chip(pixels: Pixels, points: Sequence[Point]) -> Pixels:
    """The face over ArcFace's template."""
    return align(pixels, points, load_templates()["arcface"].points, ARCFACE_SIDE)


def views_of(faces: dict[Path, Face], cut: Cut, describe: Describe) -> dict[Path, NDArray[np.float32]]:
    """Raw vectors (2, jitters, d) a photograph: of each jitter, and of its mirror image."""
    result = {}
    for path, face in faces.items():
        places = [face.landmarks, *(moved(face.landmarks, jitter) for jitter in JITTERS[1:])]
        chips = np.stack([cut(face.pixels, points) for points in places])
        result[path] = np.stack([describe(chips), describe(chips[:, :, ::-1])])
    return result


def averaged(views: dict[Path, NDArray[np.float32]], jitters: int, *, mirror: bool) -> dict[Path, NDArray[np.float32]]:
    """One unit vector a photograph: the mean over some of its views."""
    result = {}
    for path, each in views.items():
        mean = each[: 1 + mirror, :jitters].astype(np.float64).mean(axis=(0, 1))
        result[path] = (mean / np.linalg.norm(mean)).astype(np.float32)
    return result


def templates(vectors: Vectors, faces: dict[Path, Face], least: int = 3) -> dict[str, float]:
    """True-accept rates at 1e-3 and 1e-2 of three ways to compare a photograph with several of one person."""
    people = people_of(vectors, least)
    scores: dict[str, tuple[list[float], list[float]]] = {way: ([], []) for way in ("best", "mean", "quality")}
    for path, vector in vectors.items():
        for name, paths in people.items():
            others = [each for each in paths if each != path]
            stack = np.stack([vectors[each] for each in others])
            qualities = np.array([faces[each].quality for each in others], np.float64)
            found = {
                "best": best_of(vector[np.newaxis], stack),
                "mean": float(vector @ fuse(stack, np.full(len(others), 50.0))),
                "quality": float(vector @ fuse(stack, qualities)),
            }
            for way, score in found.items():
                scores[way][path.parent.name != name].append(score)
    result: dict[str, float] = {"people": len(people)}
    for way, (same, different) in scores.items():
        result |= {"same": len(same), "different": len(different)}
        for rate in (1e-2, 1e-3, 1e-4):
            result[f"{way}_{rate:g}"] = round(true_accept_rate(np.array(same), np.array(different), rate), 4)
    return result


def main(arguments: list[str]) -> int:
    """Measure and print; the exit status."""
    if len(arguments) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    root, models = Path(arguments[0]), Path(arguments[1])
    sets = {name: faces_of(root / name) for name in ("lfw", "asian_celeb")}
    sets["both"] = sets["lfw"] | sets["asian_celeb"]
    card = card_of(models / "mobilefacenet.onnx", load_templates()["arcface"].points)
    embedders: dict[str, tuple[Cut, Describe]] = {
        "dlib": (chip, load_models().embedder.describe),
        "mobilefacenet": (arcface_chip, CardEmbedder(card).describe),
    }
    result: dict[str, dict[str, float]] = {}
    for model, (cut, describe) in embedders.items():
        views = views_of(sets["both"], cut, describe)
        plans = {plan: averaged(views, jitters, mirror=mirror) for plan, (jitters, mirror) in PLANS.items()}
        for plan, vectors in plans.items():
            base = plans["one" if plan == KEPT else KEPT]
            for name, faces in sets.items():
                chosen, compared = ({path: each[path] for path in faces} for each in (vectors, base))
                key = f"{model}, {plan}, {name}"
                result[key] = true_accepts(chosen)
                if plan != "one" and name == "both":
                    for rate in (1e-2, 1e-3):
                        found = [round(value, 4) for value in gain(compared, chosen, rate)]
                        result[key] |= dict(
                            zip((f"gain_{rate:g}", f"low_{rate:g}", f"high_{rate:g}"), found, strict=True)
                        )
                print(key, result[key], flush=True)
        result[f"{model}, templates"] = templates(plans[KEPT], sets["both"])
        print(f"{model}, templates", result[f"{model}, templates"], flush=True)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
