"""Fit log10 LR = slope * cosine + offset to pairs of faces, for `face` in `matcher/parameters/evidence-1.json`.

Usage: `python -m benchmarks.fit_face_logistic FACES`, where FACES holds `lfw` (with pairs_fold10.txt), `asian_celeb`
and `fgnet` (with labels.csv). Prints one line a cohort and one for the parameters to use. The two classes weigh alike
in each fit, so that the fitted log-odds are a log likelihood ratio.
"""

import csv
import sys
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher.faces.dlib_engine import DlibFaceEngine
from matcher.faces.engine import choose
from matcher.faces.intake import ImageRefused, IntakeLimits, decode

Vectors = dict[Path, NDArray[np.float32]]


def embed(paths: Iterable[Path]) -> Vectors:
    """The chosen face's embedding for every photograph that has one."""
    engine = DlibFaceEngine(try_rotations=False)
    vectors: Vectors = {}
    for path in paths:
        try:
            pixels = decode(path.read_bytes(), IntakeLimits()).pixels
        except ImageRefused:
            continue
        faces = engine.detect(pixels)
        if faces:
            vectors[path] = faces[choose(faces, pixels.shape[1], pixels.shape[0])].embedding
    return vectors


def fit(same: NDArray[np.float64], different: NDArray[np.float64]) -> tuple[float, float]:
    """(slope, offset) of log10 LR by balanced logistic regression, Newton's method with a slight ridge."""
    x = np.concatenate([same, different])
    y = np.concatenate([np.ones(len(same)), np.zeros(len(different))])
    weight = np.where(y == 1, 0.5 / len(same), 0.5 / len(different))
    design = np.stack([x, np.ones_like(x)], axis=1)
    theta = np.zeros(2)
    for _ in range(100):
        p = 1 / (1 + np.exp(-design @ theta))
        gradient = design.T @ (weight * (y - p)) - 1e-6 * theta
        hessian = (design * (weight * p * (1 - p))[:, np.newaxis]).T @ design + 1e-6 * np.eye(2)
        theta = theta + np.linalg.solve(hessian, gradient)
    return float(theta[0] / np.log(10)), float(theta[1] / np.log(10))


def report(cohort: str, same: list[float], different: list[float]) -> None:
    """Print the cohort's fit, its error rates and the tail of its strangers."""
    m, u = np.array(same), np.array(different)
    slope, offset = fit(m, u)
    thresholds = np.unique(np.concatenate([m, u]))
    gap = [abs(float((m < t).mean()) - float((u >= t).mean())) for t in thresholds]
    at = thresholds[int(np.argmin(gap))]
    tail = " ".join(f"u{q}={np.quantile(u, q):.4f}" for q in (0.9, 0.99, 0.999))
    print(
        f"{cohort}: same {len(m)} different {len(u)}; slope {slope:.1f} offset {offset:.1f},"
        f" LR 1 at {-offset / slope:.4f}; EER {(m < at).mean():.3f} at {at:.4f};"
        f" same median {np.median(m):.4f} 5% {np.quantile(m, 0.05):.4f}; {tail}"
    )


def all_pairs(vectors: Vectors, person: dict[Path, str]) -> tuple[list[float], list[float]]:
    """Cosines of every same-person and every different-person pair."""
    same: list[float] = []
    different: list[float] = []
    for a, b in combinations(vectors, 2):
        (same if person[a] == person[b] else different).append(float(vectors[a] @ vectors[b]))
    return same, different


def lfw_pairs(folder: Path, vectors: Vectors) -> tuple[list[float], list[float]]:
    """Cosines of the official pairs whose two photographs both gave a face."""
    same: list[float] = []
    different: list[float] = []
    for line in (folder / "pairs_fold10.txt").read_text("utf-8").splitlines():
        parts = line.split()
        if len(parts) not in (3, 4):
            continue
        first, second = (parts[0], parts[1]), (parts[0], parts[2]) if len(parts) == 3 else (parts[2], parts[3])
        a, b = (folder / name / f"{name}_{int(number):04d}.jpg" for name, number in (first, second))
        if a in vectors and b in vectors:
            (same if len(parts) == 3 else different).append(float(vectors[a] @ vectors[b]))
    return same, different


def main(arguments: list[str]) -> int:
    """Embed, fit, print; the exit status."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    root = Path(arguments[0])
    lfw = embed(sorted((root / "lfw").glob("*/*.jpg")))
    report("lfw official pairs", *lfw_pairs(root / "lfw", lfw))
    report("lfw all pairs", *all_pairs(lfw, {path: path.parent.name for path in lfw}))
    asian = embed(sorted((root / "asian_celeb").glob("*/*.jpg")))
    report("asian_celeb all pairs", *all_pairs(asian, {path: path.parent.name for path in asian}))
    with (root / "fgnet" / "labels.csv").open(encoding="utf-8") as stream:
        rows = [(root / "fgnet" / row["file"], row["subject"], float(row["age"])) for row in csv.DictReader(stream)]
    subjects, ages = {path: subject for path, subject, _ in rows}, {path: age for path, _, age in rows}
    fgnet = embed(path for path, _, _ in rows)
    report("fgnet all pairs", *all_pairs(fgnet, subjects))
    adults = {path: vector for path, vector in fgnet.items() if ages[path] >= 18}
    report("fgnet from 18 years", *all_pairs(adults, subjects))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
