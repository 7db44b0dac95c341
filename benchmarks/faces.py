"""The face models side by side: ours over onnxruntime, face_recognition over dlib; the same weights and pictures.

    python -m benchmarks.faces [--photos DIR] [--rounds 7] [--size 640x480]

Each side is a process of its own, held to one processor and one thread; they take turns, round by round, so that
whatever else the machine does falls on both. Medians over the rounds. What is built of the weights at first use is
kept beforehand. The last line is one JSON object of ratios: how many times faster ours is, how much more two workers do
than one, and our peak memory as a share of theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

# Each side imports its own modules where it is made, so that neither process holds the other's.
if TYPE_CHECKING:
    from matcher.faces.intake import Pixels

PHOTOS = Path("var/demo-photos")
MOST_PHOTOS = 5
TASKS = ("descriptor", "detector", "end_to_end")
ALL = "all"  # end to end, of several pictures


class Answer(NamedTuple):
    """What a side says of one task on one picture: its result (boxes, or vectors) and the seconds it took."""

    result: list[Any]
    seconds: float


def ours(cache: str) -> dict[str, Callable[[Pixels], list[Any]]]:
    """Our side's tasks."""
    from matcher.faces.aligner import chip
    from matcher.faces.onnx_engine import load_models

    models = load_models(cache=Path(cache))

    def descriptor(chips: Pixels) -> list[Any]:
        return [models.embedder.describe(chips[np.newaxis])[0].tolist()]

    def detector(pixels: Pixels) -> list[Any]:
        return [list(found[:4]) for found in models.detector.detect(pixels)]

    def end_to_end(pixels: Pixels) -> list[Any]:
        chips = [chip(pixels, models.predictor(pixels, found[:4])) for found in models.detector.detect(pixels)]
        vectors: list[Any] = models.embedder.describe(np.stack(chips)).tolist() if chips else []
        return vectors

    return {"descriptor": descriptor, "detector": detector, "end_to_end": end_to_end}


def theirs(cache: str) -> dict[str, Callable[[Pixels], list[Any]]]:
    """face_recognition's tasks: its CNN model, 5 points, one view."""
    from matcher.faces.weights import load_face_recognition

    load_face_recognition()
    from face_recognition import api

    def descriptor(chips: Pixels) -> list[Any]:
        return [list(api.face_encoder.compute_face_descriptor(chips))]

    def detector(pixels: Pixels) -> list[Any]:
        rects = [found.rect for found in api.cnn_face_detector(pixels, 0)]
        return [[rect.left(), rect.top(), rect.right(), rect.bottom()] for rect in rects]

    def end_to_end(pixels: Pixels) -> list[Any]:
        vectors = []
        for found in api.cnn_face_detector(pixels, 0):
            landmarks = api.pose_predictor_5_point(pixels, found.rect)
            vectors.append(list(api.face_encoder.compute_face_descriptor(pixels, landmarks)))
        return vectors

    return {"descriptor": descriptor, "detector": detector, "end_to_end": end_to_end}


SIDES = {"ours": ours, "face_recognition": theirs}


def serve(name: str, cache: str, processor: int | None, line: Connection) -> None:
    """A side's process: answers (task, pixels) until it is told to stop, then with its peak memory in bytes."""
    if processor is not None:
        os.sched_setaffinity(0, {processor})
    tasks = SIDES[name](cache)
    line.send("ready")
    while (request := line.recv()) is not None:
        task, pixels = request
        start = time.perf_counter()
        result = [tasks["end_to_end"](each) for each in pixels] if task == ALL else tasks[task](pixels)
        line.send(Answer(result, time.perf_counter() - start))
    line.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


class Side:
    """A side's process, seen from here."""

    def __init__(self, name: str, cache: str, processor: int | None) -> None:
        context = get_context("spawn")
        self._line, other = context.Pipe()
        self._process = context.Process(target=serve, args=(name, cache, processor, other), daemon=True)
        self._process.start()
        other.close()
        self._line.recv()

    def begin(self, task: str, pixels: Pixels) -> None:
        """Hand out work."""
        self._line.send((task, pixels))

    def end(self) -> Answer:
        """Wait for its answer."""
        answer: Answer = self._line.recv()
        return answer

    def ask(self, task: str, pixels: Pixels) -> Answer:
        """Both."""
        self.begin(task, pixels)
        return self.end()

    def stop(self) -> int:
        """End the process; its peak memory in bytes."""
        self._line.send(None)
        peak: int = self._line.recv()
        self._process.join()
        return peak


def pictures(folder: Path, size: tuple[int, int]) -> list[Pixels]:
    """The first photographs of the folder, filling the size from the top."""
    from matcher.faces.intake import IntakeLimits, decode

    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in {".jpg", ".png"}][:MOST_PHOTOS]
    if not paths:
        raise SystemExit(f"No photographs in {folder}: `make bench-faces` fetches the samples, --photos names others.")
    return [_fill(decode(path.read_bytes(), IntakeLimits()).pixels, size) for path in paths]


def _fill(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    width, height = size
    scale = max(width / pixels.shape[1], height / pixels.shape[0])
    sides = (max(width, round(pixels.shape[1] * scale)), max(height, round(pixels.shape[0] * scale)))
    large = np.array(Image.fromarray(pixels).resize(sides, Image.Resampling.LANCZOS))
    left = (sides[0] - width) // 2
    return np.ascontiguousarray(large[:height, left : left + width])


def side_by_side(
    sides: dict[str, Side], task: str, inputs: Sequence[Pixels], rounds: int
) -> tuple[dict[str, float], float]:
    """Median seconds of each side, and the largest difference between their results."""
    difference = 0.0
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for round_number in range(rounds + 1):
        for pixels in inputs:
            answers = {name: side.ask(task, pixels) for name, side in sides.items()}
            first, second = (answer.result for answer in answers.values())
            if len(first) != len(second):
                raise SystemExit(f"{task}: {len(first)} results against {len(second)}")
            if first:
                difference = max(difference, float(np.abs(np.array(first) - np.array(second)).max()))
            if round_number:  # the first round warms up
                for name, answer in answers.items():
                    seconds[name].append(answer.seconds)
    return {name: statistics.median(values) for name, values in seconds.items()}, difference


def throughput(workers: Sequence[Side], inputs: Sequence[Pixels], rounds: int) -> float:
    """Photographs a second that the workers do together, end to end; each does all of them."""
    several = np.stack([pixels for _ in range(rounds) for pixels in inputs])
    start = time.perf_counter()
    for worker in workers:
        worker.begin(ALL, several)
    for worker in workers:
        worker.end()
    return len(workers) * len(several) / (time.perf_counter() - start)


def two_workers(cache: str, inputs: Sequence[Pixels], rounds: int) -> tuple[float, float]:
    """Photographs a second of one worker and of two, in turns; the median of each."""
    processors = sorted(os.sched_getaffinity(0))[:2]
    workers = [Side("ours", cache, processor) for processor in processors]
    figures: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds + 1):
        for number in figures:
            figures[number].append(throughput(workers[:number], inputs, 2))
    for worker in workers:
        worker.stop()
    return statistics.median(figures[1][1:]), statistics.median(figures[2][1:])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", default="640x480", help="width and height in pixels")
    options = parser.parse_args(arguments)
    width, height = map(int, options.size.split("x"))
    inputs = pictures(options.photos, (width, height))
    chips = [np.ascontiguousarray(pixels[:150, :150]) for pixels in inputs]
    packages = ("onnxruntime", "onnx", "numpy", "dlib-bin", "face-recognition")
    print(f"{len(inputs)} photographs of {options.size}, {options.rounds} rounds, one thread a side")
    print(", ".join(f"{package} {version(package)}" for package in packages), flush=True)
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as cache:
        Side("ours", cache, None).stop()
        last = max(os.sched_getaffinity(0))
        sides = {name: Side(name, cache, last) for name in SIDES}
        print(f"\n{'':<12} {'ours':>9} {'theirs':>9} {'ratio':>7}  {'difference':>10}")
        for task in TASKS:
            medians, difference = side_by_side(sides, task, chips if task == "descriptor" else inputs, options.rounds)
            mine, other = medians.values()
            ratios[f"{task}_ratio"] = round(other / mine, 2)
            print(f"{task:<12} {mine * 1e3:>6.1f} ms {other * 1e3:>6.1f} ms {other / mine:>7.1f}  {difference:>10.1e}")
        mine_peak, other_peak = (side.stop() for side in sides.values())
        one, two = two_workers(cache, inputs, options.rounds)
    ratios["two_worker_ratio"] = round(two / one, 2)
    ratios["peak_memory_ratio"] = round(mine_peak / other_peak, 2)
    print(f"{'peak memory':<12} {mine_peak / 1e6:>6.0f} MB {other_peak / 1e6:>6.0f} MB {mine_peak / other_peak:>7.2f}")
    print(f"{'workers':<12} one {one:.1f}, two {two:.1f} photographs a second, end to end: {two / one:.2f} times")
    print(json.dumps(ratios))
    return 0


if __name__ == "__main__":
    sys.exit(main())
