"""Ours against dlib itself, on the same pixels: boxes and chips the same, descriptors within 1e-5."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlib
import numpy as np
import pytest
from PIL import Image

from matcher.faces import weights
from matcher.faces.aligner import MEAN_FACE, PADDING, chip
from matcher.faces.cnn_detector import CnnDetector
from matcher.faces.dlib_networks import read_detector
from matcher.faces.graph import build_detector, detector_halves
from matcher.faces.intake import IntakeLimits, Pixels, decode, resize_to_fit
from matcher.faces.onnx_engine import load_models
from matcher.faces.runner import Runner

REPOSITORY = Path(__file__).parents[3]
DEMO = REPOSITORY / "var" / "demo-photos"
SHARED = REPOSITORY.parent / "shared" / "data" / "faces"
SIDE = 360


class Both:
    """Each part twice: ours and dlib's."""

    def __init__(self, directory: Path) -> None:
        detector = directory / weights.CNN_DETECTOR_FILE
        descriptor = directory / weights.EMBEDDING_FILE
        landmarks = directory / weights.LANDMARKS_FILE
        models = load_models()
        self.detector, self.predictor, self.embedder = models.detector, models.predictor, models.embedder
        self.dlib_detector: Any = dlib.cnn_face_detection_model_v1(str(detector))
        self.dlib_descriptor: Any = dlib.face_recognition_model_v1(str(descriptor))
        self.dlib_predictor: Any = dlib.shape_predictor(str(landmarks))

    def boxes(self, pixels: Pixels, enlarged: int = 0) -> list[tuple[int, int, int, int]]:
        """Boxes that both give alike, with scores that agree."""
        ours = self.detector.detect(pixels, enlarged=enlarged)
        theirs = [(found.rect, found.confidence) for found in self.dlib_detector(pixels, enlarged)]
        boxes = [(rect.left(), rect.top(), rect.right(), rect.bottom()) for rect, _ in theirs]
        assert [found[:4] for found in ours] == boxes
        assert [found.score for found in ours] == pytest.approx([score for _, score in theirs], abs=1e-4)
        return boxes

    def chip(self, pixels: Pixels, box: tuple[int, int, int, int]) -> tuple[Pixels, Any]:
        """The chip that both cut alike, bit for bit, and dlib's landmarks."""
        shape = self.dlib_predictor(pixels, dlib.rectangle(*box))
        landmarks = self.predictor(pixels, box)
        assert landmarks == tuple((point.x, point.y) for point in shape.parts())
        ours = chip(pixels, landmarks)
        assert np.array_equal(ours, dlib.get_face_chip(pixels, shape, 150, 0.25))
        return ours, shape

    def descriptors(self, chips: list[Pixels]) -> float:
        """Largest difference of any value."""
        theirs = np.array([self.dlib_descriptor.compute_face_descriptor(one) for one in chips])
        return float(np.abs(self.embedder.describe(np.stack(chips)) - theirs).max())


@pytest.fixture(scope="module")
def both() -> Both:
    try:
        return Both(weights.weights_directory())
    except weights.FaceEngineUnavailable as error:
        pytest.skip(str(error))


def photographs(paths: list[Path]) -> Iterator[Pixels]:
    limits = IntakeLimits(min_side=16)
    for path in paths:
        yield resize_to_fit(decode(path.read_bytes(), limits).pixels, SIDE)


def blotches(side: tuple[int, int], seed: int) -> Pixels:
    """Coloured blotches with even areas and edges, (height, width, 3)."""
    random = np.random.default_rng(seed)
    coarse = random.choice(np.array([0, 30, 128, 200, 255], np.uint8), (9, 7, 3))
    method = Image.Resampling.BICUBIC if seed % 2 else Image.Resampling.NEAREST
    return np.array(Image.fromarray(coarse).resize(side[::-1], method))


@pytest.mark.parametrize("seed", range(8))
def test_landmarks_and_chips_of_any_picture_and_box(both: Both, seed: int) -> None:
    random = np.random.default_rng(seed)
    height, width = (int(value) for value in random.integers(60, 900, 2))
    pixels = blotches((height, width), seed)
    for _ in range(6):
        size = int(random.integers(20, 1000))
        left, top = int(random.integers(-size // 2, width)), int(random.integers(-size // 2, height))
        both.chip(pixels, (left, top, left + size, top + size))


def test_a_face_wholly_outside_gives_a_black_chip(both: Both) -> None:
    pixels = blotches((100, 120), 1)
    for left, top in ((-900, 0), (0, -900), (900, 900), (-900, 900)):
        landmarks = both.predictor(pixels, (left, top, left + 100, top + 100))
        assert not chip(pixels, landmarks).any()


@pytest.mark.parametrize("seed", range(6))
def test_chips_of_any_landmarks(seed: int) -> None:
    """To the last bit: in an even area it decides which way a value is cut."""
    rng = np.random.default_rng(seed)
    # Few grey levels and long ramps bring many interpolated values next to a whole number.
    ramp = np.linspace(0, 255, 240).astype(np.uint8)[np.newaxis, :, np.newaxis]
    picture = np.ascontiguousarray(np.broadcast_to(ramp, (200, 240, 3))) // 16 * 16
    face = np.array([((PADDING + x) * 100, (PADDING + y) * 100) for x, y in MEAN_FACE])
    for number in range(60):
        angle = 0.0 if number % 2 else rng.normal(0, 0.3)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        moved = rng.uniform(0.3, 2.5) * face @ turn.T + rng.uniform(-30, 120, 2) + rng.normal(0, 1.5, face.shape)
        points = tuple((round(x), round(y)) for x, y in moved.tolist())
        shape = dlib.full_object_detection(
            dlib.rectangle(0, 0, 100, 100), dlib.points([dlib.point(x, y) for x, y in points])
        )
        np.testing.assert_array_equal(chip(picture, points), dlib.get_face_chip(picture, shape, 150, 0.25))


def test_landmarks_in_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="one place"):
        chip(blotches((100, 100), 1), ((5, 5),) * 5)


def test_descriptors_of_any_chip(both: Both) -> None:
    chips = [blotches((150, 150), seed) for seed in range(4)]
    assert both.descriptors(chips) < 1e-5


def test_more_chips_than_a_batch_are_described_one_like_the_other(both: Both) -> None:
    chips = np.stack([blotches((150, 150), seed) for seed in range(19)])
    together, alone = both.embedder.describe(chips), np.concatenate([both.embedder.describe(chips[17:18])])
    assert together.shape == (19, 128)
    assert together[17] == pytest.approx(alone[0], abs=1e-6)
    assert both.embedder.describe(chips[:0]).shape == (0, 128)


def test_a_mirrored_chip_has_the_same_mirrored_descriptor(both: Both) -> None:
    chips = np.stack([blotches((150, 150), 3)])
    ours, turned = (both.embedder.describe(view, mirrored=True) for view in (chips, chips[:, :, ::-1]))
    assert ours == pytest.approx(turned, abs=1e-6)


@pytest.mark.parametrize("shape", [(150, 150, 3), (1, 149, 150, 3), (1, 150, 150, 1)])
def test_chips_of_another_shape_are_refused(both: Both, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        both.embedder.describe(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("size", [(40, 40), (10, 90), (97, 61), (90, 10), (200, 133)])
def test_pictures_without_faces(both: Both, size: tuple[int, int]) -> None:
    both.boxes(blotches(size, 4))


@pytest.mark.demo_photos
def test_portraits_are_found_cut_and_described_alike(both: Both) -> None:
    paths = [path for path in sorted(DEMO.glob("*/*.*")) if path.suffix in {".jpg", ".png"}]
    if not paths:
        pytest.skip(f"no photographs in {DEMO}: `make run` fetches them")
    chips = []
    for pixels in photographs(paths):
        for box in both.boxes(pixels):
            chips.append(both.chip(pixels, box)[0])
    assert len(chips) >= 3
    assert both.descriptors(chips) < 1e-5


@pytest.mark.demo_photos
def test_strips_find_what_the_whole_does() -> None:
    paths = sorted(DEMO.glob("*/*.jpg"))
    if not paths:
        pytest.skip(f"no photographs in {DEMO}: `make run` fetches them")
    try:
        directory = weights.weights_directory()
    except weights.FaceEngineUnavailable as error:
        pytest.skip(str(error))
    network, options = read_detector(directory.joinpath(weights.CNN_DETECTOR_FILE).read_bytes())
    halves = detector_halves(network)
    runners = Runner(build_detector(halves[0])), Runner(build_detector(halves[1]))
    whole, *strips = (
        CnnDetector(runners, network.colour_means, options, strip_pixels) for strip_pixels in (10**9, 150_000, 10_000)
    )
    faces = 0
    for pixels in photographs(paths):
        expected = whole.detect(pixels, threshold=-0.5)
        faces += len(expected)
        for detector in strips:
            found = detector.detect(pixels, threshold=-0.5)
            assert [face[:4] for face in found] == [face[:4] for face in expected]
            assert [face.score for face in found] == pytest.approx([face.score for face in expected], abs=1e-5)
    assert faces


@pytest.mark.demo_photos
def test_an_enlarged_portrait_is_found_alike(both: Both) -> None:
    paths = sorted(DEMO.glob("obama/obama.jpg"))
    if not paths:
        pytest.skip(f"no photographs in {DEMO}: `make run` fetches them")
    small = resize_to_fit(next(photographs(paths)), 171)
    assert both.boxes(small, enlarged=1)


@pytest.mark.shared
def test_photographs_of_every_set_are_found_cut_and_described_alike(both: Both) -> None:
    sets = [sorted(folder.rglob("*.jpg")) for folder in sorted(SHARED.glob("*")) if folder.is_dir()]
    paths = [paths[len(paths) * part // 4] for paths in sets if paths for part in (1, 2, 3)]
    if not paths:
        pytest.skip(f"no photographs in {SHARED}")
    # Some files of the sets are other formats under a JPEG's name.
    readable = [path for path in paths if path.read_bytes().startswith(b"\xff\xd8")]
    chips = []
    for pixels in photographs(readable):
        for box in both.boxes(pixels):
            chips.append(both.chip(pixels, box)[0])
    assert chips
    assert both.descriptors(chips) < 1e-5
