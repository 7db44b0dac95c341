"""The quality measures on real faces: as they are, and spoilt in known ways."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.fit_quality import Photo, auc, read
from benchmarks.spoilt_faces import blurred, closed_eyes, cloth, dark_bar, exposed, half_shaded, rotated
from matcher.faces.engine import DetectedFace
from matcher.faces.intake import Pixels
from matcher.faces.onnx_engine import OnnxFaceEngine
from matcher.faces.quality import FaceQuality, QualityAdvice, assess, load_parameters
from matcher.faces.quality_pose import Pose, estimate
from matcher.faces.weights import FaceEngineUnavailable

REPOSITORY = Path(__file__).parents[3]
DEMO = REPOSITORY / "var" / "demo-photos"
CFP = REPOSITORY.parent / "shared" / "data" / "faces" / "cfp"


@pytest.fixture(scope="module")
def engine() -> OnnxFaceEngine:
    try:
        return OnnxFaceEngine()
    except FaceEngineUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def portraits(engine: OnnxFaceEngine) -> list[Photo]:
    found = list(read(engine, sorted(DEMO.glob("*/*.*"))))
    if not found:
        pytest.skip("the demonstration's portraits are not here: make run fetches them")
    return found


def judged(photo: Photo, pixels: Pixels | None = None) -> FaceQuality:
    return assess(photo.pixels if pixels is None else pixels, photo.face.box, photo.face.landmarks)


def posed(landmarks: tuple[tuple[float, float], ...]) -> Pose:
    pose = estimate(landmarks, load_parameters().model)
    assert pose is not None
    return pose


def test_good_portraits_get_no_advice(portraits: list[Photo]) -> None:
    for photo in portraits:
        assert judged(photo).advice == ()
        assert judged(photo).overall > 60


def test_the_persons_left_eye_comes_first(portraits: list[Photo]) -> None:
    for photo in portraits:
        left, right = (np.mean([x for x, _ in photo.face.landmarks[eye]]) for eye in (slice(0, 2), slice(2, 4)))
        assert left > right, "the person's left is on the right of the picture"


def test_blur(portraits: list[Photo]) -> None:
    for photo in portraits:
        values = [
            judged(photo, blurred(photo.pixels, photo.face.landmarks, strength)).measures["sharpness"]
            for strength in (0.01, 0.03, 0.06, 0.1)
        ]
        assert values == sorted(values, reverse=True)
        assert values[-1] < values[0] - 3
        worst = judged(photo, blurred(photo.pixels, photo.face.landmarks, 0.2))
        assert QualityAdvice.HOLD_STILL.value in worst.advice


def test_exposure(portraits: list[Photo]) -> None:
    for photo in portraits:
        darker = [judged(photo, exposed(photo.pixels, gamma)) for gamma in (1, 2, 4, 8, 14)]
        lighter = [judged(photo, exposed(photo.pixels, 1 / gamma)) for gamma in (1, 2, 4, 8, 14)]
        dark = [quality.components["dark"] for quality in darker]
        bright = [quality.components["bright"] for quality in lighter]
        assert dark == sorted(dark, reverse=True)
        assert bright == sorted(bright, reverse=True)
        assert QualityAdvice.TOO_DARK.value in darker[-1].advice
        assert QualityAdvice.TOO_BRIGHT.value in lighter[-1].advice


def test_a_shadow_over_one_half(portraits: list[Photo]) -> None:
    for photo in portraits:
        marks = photo.face.landmarks
        shaded = [judged(photo, half_shaded(photo.pixels, marks, level)) for level in (0.6, 0.4, 0.25, 0.1)]
        values = [quality.components["light_across"] for quality in shaded]
        assert values == sorted(values, reverse=True)
        assert QualityAdvice.EVEN_LIGHT.value in shaded[-1].advice


@pytest.mark.parametrize("degrees", [-20, -10, 10, 20])
def test_a_known_rotation(portraits: list[Photo], engine: OnnxFaceEngine, degrees: float) -> None:
    """Landmarks are found anew in the turned picture."""
    found = 0
    for photo in portraits:
        pixels, marks = rotated(photo.pixels, photo.face.landmarks, degrees)
        before = posed(photo.face.landmarks).roll
        assert posed(marks).roll - before == pytest.approx(degrees, abs=0.5)
        nearest = _nearest(engine.detect(pixels), marks)
        if nearest is not None:
            found += 1
            assert posed(nearest.landmarks).roll - before == pytest.approx(degrees, abs=5)
    assert found >= len(portraits) - 1


def _nearest(faces: list[DetectedFace], marks: tuple[tuple[float, float], ...]) -> DetectedFace | None:
    """The face whose nose is within an eye's width of where it must be."""
    width = abs(complex(*marks[0]) - complex(*marks[1]))
    near = [face for face in faces if abs(complex(*face.landmarks[4]) - complex(*marks[4])) < width]
    return near[0] if near else None


def test_covered_eyes_and_mouth(portraits: list[Photo]) -> None:
    generator = np.random.default_rng(5)
    for photo in portraits:
        marks = photo.face.landmarks
        barred = judged(photo, dark_bar(photo.pixels, marks, generator))
        masked = judged(photo, cloth(photo.pixels, marks, generator))
        assert QualityAdvice.UNCOVER_EYES.value in barred.advice
        assert QualityAdvice.UNCOVER_MOUTH.value in masked.advice
        assert QualityAdvice.UNCOVER_MOUTH.value not in barred.advice
        assert QualityAdvice.UNCOVER_EYES.value not in masked.advice
        # A guess from pixels costs something, and leaves something.
        assert 0 < barred.overall < judged(photo).overall
        assert 0 < masked.overall < judged(photo).overall


def test_closed_eyes_have_less_contrast(portraits: list[Photo]) -> None:
    lower = [
        judged(photo, closed_eyes(photo.pixels, photo.face.landmarks)).measures["eyes_open"]
        < judged(photo).measures["eyes_open"]
        for photo in portraits
    ]
    assert all(lower)


def test_yaw_tells_profiles_from_frontal_faces(engine: OnnxFaceEngine) -> None:
    people = sorted(CFP.glob("*"))[:14]
    if not people:
        pytest.skip("the shared photographs are not here")
    yaws = {}
    for side in ("frontal", "profile"):
        photos = list(read(engine, [photo for person in people for photo in sorted((person / side).glob("*"))[:1]]))
        assert len(photos) >= 12
        yaws[side] = np.array([judged(photo).measures["yaw"] for photo in photos])
    assert auc(yaws["profile"], yaws["frontal"]) > 0.9
    assert np.median(yaws["frontal"]) < 15 < 30 < np.median(yaws["profile"])
