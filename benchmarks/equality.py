"""Ours against dlib itself on every photograph of a folder: the same boxes, chips bit for bit, descriptors within 1e-5.

    python -m benchmarks.equality [--photos DIR] [--side 480] [--every 1] [--limit N]

dlib needs a second and more for a photograph. Files that cannot be read are counted and passed over. The last line is
one JSON object; the exit status is 1 when anything differs.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from matcher.faces.aligner import chip
from matcher.faces.intake import ImageRefused, IntakeLimits, Pixels, decode, resize_to_fit
from matcher.faces.onnx_engine import OnnxModels, load_models
from matcher.faces.weights import CNN_DETECTOR_FILE, EMBEDDING_FILE, LANDMARKS_FILE, weights_directory

PHOTOS = Path("../shared/data/faces")
SUFFIXES = {".jpg", ".jpeg", ".png"}
MOST = 1e-5


class Theirs:
    """dlib's own models."""

    def __init__(self) -> None:
        import dlib

        directory = weights_directory()
        self.library: Any = dlib
        self.detector: Any = dlib.cnn_face_detection_model_v1(str(directory / CNN_DETECTOR_FILE))
        self.predictor: Any = dlib.shape_predictor(str(directory / LANDMARKS_FILE))
        self.embedder: Any = dlib.face_recognition_model_v1(str(directory / EMBEDDING_FILE))


def compare(pixels: Pixels, ours: OnnxModels, theirs: Theirs) -> tuple[Counter[str], float]:
    """What is alike and what differs in one photograph, and the largest difference of a descriptor's value."""
    rects = [found.rect for found in theirs.detector(pixels, 0)]
    boxes = [(rect.left(), rect.top(), rect.right(), rect.bottom()) for rect in rects]
    same = boxes == [found[:4] for found in ours.detector.detect(pixels)]
    counts = Counter({"photographs": 1, "faces": len(boxes), "boxes_differ": int(not same)})
    largest = 0.0
    for box, rect in zip(boxes, rects, strict=True):
        shape = theirs.predictor(pixels, rect)
        landmarks = ours.predictor(pixels, box)
        counts["landmarks_differ"] += int(landmarks != tuple((point.x, point.y) for point in shape.parts()))
        cut = chip(pixels, landmarks)
        counts["chips_differ"] += int(not np.array_equal(cut, theirs.library.get_face_chip(pixels, shape, 150, 0.25)))
        vector = np.array(theirs.embedder.compute_face_descriptor(pixels, shape))
        largest = max(largest, float(np.abs(ours.embedder.describe(cut[np.newaxis])[0] - vector).max()))
    return counts, largest


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument(
        "--side", type=int, default=480, help="larger photographs are shrunk to this many pixels a side"
    )
    parser.add_argument("--every", type=int, default=1, help="take one photograph of so many")
    parser.add_argument("--limit", type=int, help="take at most so many")
    options = parser.parse_args(arguments)
    paths = [path for path in sorted(options.photos.rglob("*")) if path.suffix.lower() in SUFFIXES]
    ours, theirs = load_models(), Theirs()
    totals: Counter[str] = Counter()
    largest = 0.0
    for number, path in enumerate(paths[:: options.every][: options.limit], start=1):
        try:
            pixels = resize_to_fit(decode(path.read_bytes(), IntakeLimits()).pixels, options.side)
        except ImageRefused:
            totals["unreadable"] += 1
            continue
        counts, difference = compare(pixels, ours, theirs)
        totals += counts
        largest = max(largest, difference)
        if number % 100 == 0:
            print(f"{number}: {dict(totals)}, largest difference {largest:.1e}", flush=True)
    names = ("photographs", "unreadable", "faces", "boxes_differ", "landmarks_differ", "chips_differ")
    print(json.dumps({name: totals[name] for name in names} | {"descriptor_difference": largest}))
    differs = totals["boxes_differ"] + totals["landmarks_differ"] + totals["chips_differ"]
    return int(not totals["photographs"] or differs > 0 or largest > MOST)


if __name__ == "__main__":
    sys.exit(main())
