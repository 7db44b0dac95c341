"""What the quality measures say of real faces, and of the same faces spoilt: what the thresholds were set from.

Usage: `python -m benchmarks.fit_quality FACES [--every N]`, where FACES holds `lfw`, `asian_celeb` and `cfp`. Prints
the quantiles of each measure for each set, the share of faces that get each advice, the milliseconds a face, and how
well each spoiling is told from the untouched face (area under the ROC curve; share that gets the advice before and
after). Engine: dlib's CNN boxes and landmarks. Seeded.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.spoilt_faces import blurred, closed_eyes, cloth, dark_bar, exposed, half_shaded
from matcher.faces.engine import DetectedFace, choose
from matcher.faces.intake import ImageRefused, IntakeLimits, Pixels, decode
from matcher.faces.onnx_engine import OnnxFaceEngine
from matcher.faces.quality import QualityComponent, assess, load_parameters

SETS = {
    "lfw": "lfw/*/*.jpg",
    "asian_celeb": "asian_celeb/*/*",
    "cfp frontal": "cfp/*/frontal/*",
    "cfp profile": "cfp/*/profile/*",
}
QUANTILES = (0.01, 0.05, 0.5, 0.95, 0.99)

Spoil = Callable[[Pixels, Sequence[tuple[float, float]], np.random.Generator], Pixels]
SPOILS: dict[str, tuple[QualityComponent, Spoil]] = {
    "blur of 0.1 eye distances": (QualityComponent.SHARPNESS, lambda p, marks, _: blurred(p, marks, 0.1)),
    "gamma 8": (QualityComponent.DARK, lambda p, _, __: exposed(p, 8)),
    "gamma 1/12": (QualityComponent.BRIGHT, lambda p, _, __: exposed(p, 1 / 12)),
    "half at 0.3": (QualityComponent.LIGHT_ACROSS, lambda p, marks, _: half_shaded(p, marks, 0.3)),
    "closed eyes": (QualityComponent.EYES_OPEN, lambda p, marks, _: closed_eyes(p, marks)),
    "dark bar": (QualityComponent.EYES_CLEAR, dark_bar),
    "cloth": (QualityComponent.MOUTH_CLEAR, cloth),
}


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A photograph and its chosen face."""

    pixels: Pixels
    face: DetectedFace


def main(arguments: list[str]) -> int:
    """Find, measure, spoil, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args(arguments)
    engine = OnnxFaceEngine()
    yaws: dict[str, NDArray[np.float64]] = {}
    for name, pattern in SETS.items():
        photos = list(read(engine, sorted(given.faces.glob(pattern))[:: given.every]))
        if photos:
            print(f"\n{name}: {len(photos)} faces")
            yaws[name] = describe(photos)
        if photos and name != "cfp profile":
            compare(photos)
    if {"cfp frontal", "cfp profile"} <= set(yaws):
        print(f"\nyaw, CFP profile against frontal: AUC {auc(yaws['cfp profile'], yaws['cfp frontal']):.3f}")
    return 0


def read(engine: OnnxFaceEngine, paths: list[Path]) -> Iterator[Photo]:
    """The photographs in which a face is found."""
    for path in paths:
        try:
            pixels = decode(path.read_bytes(), IntakeLimits()).pixels
        except ImageRefused as refused:
            print(f"{path}: {refused}")
            continue
        faces = engine.detect(pixels)
        if faces:
            yield Photo(pixels, faces[choose(faces, pixels.shape[1], pixels.shape[0])])


def describe(photos: list[Photo]) -> NDArray[np.float64]:
    """Print quantiles, advice and time of untouched faces; their yaws."""
    started = time.perf_counter()
    found = [assess(photo.pixels, photo.face.box, photo.face.landmarks) for photo in photos]
    spent = (time.perf_counter() - started) / len(photos)
    print(f"  {'':12} " + " ".join(f"{quantile:>8.0%}" for quantile in QUANTILES))
    for component in QualityComponent:
        values = [quality.measures[component] for quality in found if component in quality.measures]
        print(f"  {component.value:12} " + " ".join(f"{value:8.3f}" for value in np.quantile(values, QUANTILES)))
    advice = Counter(advice for quality in found for advice in quality.advice)
    print("  advice: " + ", ".join(f"{name} {number / len(photos):.1%}" for name, number in advice.most_common()))
    print(f"  overall: median {np.median([quality.overall for quality in found]):.0f}; {1000 * spent:.2f} ms a face")
    return np.array([quality.measures["yaw"] for quality in found])


def compare(photos: list[Photo]) -> None:
    """Print how each spoiling shows."""
    generator = np.random.default_rng(11)
    for name, (component, spoil) in SPOILS.items():
        given = load_parameters().components[component]
        sign = 1 if given.full > given.zero else -1
        rows = []
        for photo in photos:
            box, marks = photo.face.box, photo.face.landmarks
            both = assess(photo.pixels, box, marks), assess(spoil(photo.pixels, marks, generator), box, marks)
            rows.append([(sign * one.measures.get(component, 0), one.components[component] < 50) for one in both])
        table = np.array(rows, np.float64)
        before, after = table[:, :, 1].mean(axis=0)
        print(
            f"  {name}: {component.value} AUC {auc(table[:, 0, 0], table[:, 1, 0]):.3f}, advice for {before:.1%} before"
            f" and {after:.1%} after",
            flush=True,
        )


def auc(higher: NDArray[np.float64], lower: NDArray[np.float64]) -> float:
    """How often a value of the first is above one of the second; ties count half."""
    difference = higher[:, np.newaxis] - lower[np.newaxis, :]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
