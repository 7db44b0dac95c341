"""Several photographs a side: the best pair, the mean template, or the mean of the likelihood ratios?

    python -m benchmarks.several_photos FACES [--cache FOLDER] [--repeats 6]

FACES is a folder of sets. Of everybody with four photographs or more, two sides of at most three are drawn; each side
is compared with everybody's other side, under `dlib_onnx` and its packaged calibration. By set: equal error rate and
least Cllr of each way to one figure, and the Cllr of those that are likelihood ratios. The last line is a JSON object.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher.calibration import FaceCalibration, load_calibrations
from matcher.evaluation.calibration_metrics import cllr, min_cllr
from matcher.evaluation.datasets import Dataset, read_sets
from matcher.evaluation.templates import EngineSource, Templates, embed
from matcher.evaluation.verification import equal_error_rate
from matcher.face_cohorts import Circumstances, age_pair
from matcher.faces.onnx_engine import OnnxFaceEngine
from matcher.faces.template import fuse

Values = NDArray[np.float64]
Side = NDArray[np.int64]

MOST, LEAST = 3, 4
"""Photographs a side at most; photographs that a person needs."""


def ways(dataset: Dataset, templates: Templates, calibration: FaceCalibration, a: Side, b: Side) -> dict[str, float]:
    """One figure for two sides, by each way."""
    first, second = (templates.vectors[side].astype(np.float64) for side in (a, b))
    quality = templates.quality["overall"].astype(np.float64)
    cosines = first @ second.T
    ratios = np.array([[_log10_lr(dataset, quality, calibration, i, j, cosines[x, y]) for y, j in enumerate(b)]
                       for x, i in enumerate(a)])  # fmt: skip
    even, heavy = (
        [fuse(templates.vectors[side], weights[side]) for side in (a, b)] for weights in (0 * quality, quality)
    )
    return {
        "best cosine": float(cosines.max()),
        "mean template": float(even[0] @ even[1]),
        "mean template by quality": float(heavy[0] @ heavy[1]),
        "LR of the best cosine": float(ratios.flat[int(np.argmax(cosines))]),
        "mean of log LRs": float(ratios.mean()),
        "mean of LRs": float(np.log10((10**ratios).mean())),
    }


def _log10_lr(dataset: Dataset, quality: Values, calibration: FaceCalibration, i: int, j: int, cosine: float) -> float:
    one, two = dataset.photos[i].age, dataset.photos[j].age
    years = None if one is None or two is None else abs(one - two)
    return calibration.log10_lr(cosine, Circumstances(years, age_pair(one, two), float(min(quality[i], quality[j]))))


def sides(dataset: Dataset, templates: Templates, rng: np.random.Generator) -> Iterator[tuple[Side, Side]]:
    """Two sides of everybody who has enough photographs with a face."""
    by_person: dict[str, list[int]] = {}
    for at in np.flatnonzero(templates.found).tolist():
        by_person.setdefault(dataset.photos[at].person, []).append(at)
    for held in by_person.values():
        if len(held) >= LEAST:
            drawn = rng.permutation(held)
            size = min(MOST, len(held) // 2)
            yield drawn[:size], drawn[size : 2 * size]


def measure(dataset: Dataset, templates: Templates, calibration: FaceCalibration, repeats: int) -> dict[str, object]:
    """Figures of each way on one set."""
    rng = np.random.default_rng(0)
    found: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    for _ in range(repeats):
        drawn = list(sides(dataset, templates, rng))
        for x, (a, _) in enumerate(drawn):
            for y, (_, b) in enumerate(drawn):
                found[x == y].append(ways(dataset, templates, calibration, a, b))
    figures: dict[str, object] = {"people": len(found[True]) // repeats}
    for way in found[True][0]:
        same, strangers = (np.array([one[way] for one in found[kind]]) for kind in (True, False))
        row = {"equal_error_rate": equal_error_rate(same, strangers), "least_cllr": min_cllr(same, strangers)}
        figures[way] = row | ({"cllr": cllr(same, strangers)} if "LR" in way else {})
    return figures


def main() -> None:
    """Measure every set of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--repeats", type=int, default=6)
    options = parser.parse_args()
    engine = OnnxFaceEngine(cache=options.cache and options.cache / "models")
    calibration = load_calibrations()[engine.model_version]
    report = {}
    for dataset in read_sets(options.faces):
        kept = options.cache and options.cache / "templates"
        templates = embed(dataset.photos, EngineSource(engine), kept=kept)
        report[dataset.name] = figures = measure(dataset, templates, calibration, options.repeats)
        print(f"{dataset.name}, {figures['people']} people")
        for way, row in figures.items():
            if isinstance(row, dict):
                print(f"  {way:26}" + " ".join(f"{name} {value:.3f}" for name, value in row.items()), flush=True)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
