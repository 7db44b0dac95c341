"""`matcher.faces.quality` on drawn faces, and the choice of a face."""

import json
import math
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from matcher.faces.aligner import MEAN_FACE
from matcher.faces.engine import Box, DetectedFace, choose
from matcher.faces.intake import Pixels
from matcher.faces.quality import ADVICE, FaceQuality, QualityAdvice, QualityComponent, assess, load_parameters
from matcher.faces.quality_chip import CHIP_SIDE, cut_chip
from matcher.faces.quality_pose import estimate

SIDE = 400
BOX = Box(0, SIDE, SIDE, 0)
# The mean face, 200 pixels wide, in the middle.
LANDMARKS = tuple((100 + 200 * x, 100 + 200 * y) for x, y in MEAN_FACE)
MODEL = load_parameters().model


def texture(brightness: float = 128, spread: float = 40, cells: int = 40) -> Pixels:
    """Patches with a fine grain, as a face has, around a brightness."""
    generator = np.random.default_rng(3)
    patches = np.kron(generator.normal(size=(cells, cells)), np.ones((SIDE // cells, SIDE // cells)))
    grain = patches + 0.4 * generator.normal(size=(SIDE, SIDE))
    return np.clip(brightness + spread * grain, 0, 255).astype(np.uint8)[:, :, np.newaxis].repeat(3, axis=2)


def seen(yaw: float = 0, pitch: float = 0, roll: float = 0, size: float = 40) -> tuple[tuple[float, float], ...]:
    """Landmarks of the model's head turned by these degrees, in parallel projection."""
    y, p, r = (math.radians(angle) for angle in (yaw, pitch, roll))
    aside = np.array([[math.cos(y), 0, -math.sin(y)], [0, 1, 0], [math.sin(y), 0, math.cos(y)]])
    upward = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    tilted = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    points = MODEL @ (tilted @ upward @ aside).T
    return tuple((200 + size * x, 200 + size * y) for x, y, _ in points)


def test_a_good_face() -> None:
    quality = assess(texture(), BOX, LANDMARKS)
    assert set(quality.components) == {component.value for component in QualityComponent}
    assert set(quality.measures) == set(quality.components)
    assert quality.advice == ()
    assert quality.overall > 90


@pytest.mark.parametrize(
    ("pixels", "advice"),
    [
        (texture(brightness=20, spread=10), QualityAdvice.TOO_DARK),
        (texture(brightness=250, spread=10), QualityAdvice.TOO_BRIGHT),
        (texture(spread=4), QualityAdvice.LOW_CONTRAST),
        (np.full((SIDE, SIDE, 3), 128, np.uint8), QualityAdvice.HOLD_STILL),
        (np.full((SIDE, SIDE, 3), 128, np.uint8), QualityAdvice.EYES_OPEN),
    ],
)
def test_advice(pixels: Pixels, advice: QualityAdvice) -> None:
    quality = assess(pixels, BOX, LANDMARKS)
    assert advice.value in quality.advice
    assert quality.overall <= 70


@pytest.mark.parametrize(
    ("landmarks", "advice"),
    [
        (seen(size=4), QualityAdvice.COME_CLOSER),
        (seen(yaw=40, size=15), QualityAdvice.FACE_THE_CAMERA),
        (seen(yaw=-40, size=15), QualityAdvice.FACE_THE_CAMERA),
        (seen(pitch=40, size=15), QualityAdvice.CAMERA_AT_EYE_LEVEL),
        (seen(pitch=-40, size=15), QualityAdvice.CAMERA_AT_EYE_LEVEL),
        (seen(roll=60, size=15), QualityAdvice.HEAD_UPRIGHT),
    ],
)
def test_advice_from_landmarks_alone(landmarks: tuple[tuple[float, float], ...], advice: QualityAdvice) -> None:
    assert assess(texture(), BOX, landmarks).advice == (advice.value,)


def test_a_tilt_alone_costs_nothing() -> None:
    tilted = assess(texture(), BOX, seen(roll=80, size=20))
    assert tilted.components["roll"] == 0
    assert tilted.overall > 90


def test_a_shadow_from_the_side() -> None:
    shaded = texture(spread=15)
    shaded[:, :195] = (shaded[:, :195] * 0.3).astype(np.uint8)
    assert QualityAdvice.EVEN_LIGHT.value in assess(shaded, BOX, LANDMARKS).advice
    both = texture(spread=15)
    both[:195] = (both[:195] * 0.25).astype(np.uint8)
    both[:, :195] = (both[:, :195] * 0.25).astype(np.uint8)
    assert list(assess(both, BOX, LANDMARKS).advice).count(QualityAdvice.EVEN_LIGHT.value) == 1


def test_the_overall_figure_is_the_worst_weighted_shortfall() -> None:
    weights = {key: given.weight for key, given in load_parameters().components.items()}
    for pixels, marks in (
        (texture(), seen(yaw=30, size=20)),
        (texture(spread=9), LANDMARKS),
        (texture(), seen(pitch=35, size=20)),
    ):
        quality = assess(pixels, BOX, marks)
        worst = max(weights[key] * (100 - value) for key, value in quality.components.items())
        assert quality.overall == round(100 - worst) < 100
    assert weights["roll"] == 0
    assert all(weights[key] < 1 for key in ("pitch", "eyes_open", "eyes_clear", "mouth_clear"))


def test_more_blur_is_never_sharper() -> None:
    pictures = [
        np.array(Image.fromarray(texture(cells=10)).filter(ImageFilter.GaussianBlur(radius)))
        for radius in (0, 1, 2, 4, 8)
    ]
    values = [assess(picture, BOX, LANDMARKS).measures["sharpness"] for picture in pictures]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)


@given(st.floats(-45, 45), st.floats(-25, 25), st.floats(-170, 170), st.floats(2, 80))
def test_the_pose_of_a_projected_head_is_found(yaw: float, pitch: float, roll: float, size: float) -> None:
    pose = estimate(seen(yaw, pitch, roll, size), MODEL)
    assert pose is not None
    assert pose.yaw == pytest.approx(yaw, abs=0.5)
    assert pose.pitch == pytest.approx(pitch, abs=0.5)
    assert pose.roll == pytest.approx(roll, abs=0.5)


def test_the_signs_of_a_pose() -> None:
    # The nose base to the right of the picture: the head faces the right of the picture.
    nose_right = (*LANDMARKS[:4], (LANDMARKS[4][0] + 25, LANDMARKS[4][1]))
    lower_right = tuple((x, y + 0.3 * (x - 200)) for x, y in LANDMARKS)
    nose_up = (*LANDMARKS[:4], (LANDMARKS[4][0], LANDMARKS[4][1] - 25))
    aside, tilted, up, down = (
        estimate(marks, MODEL)
        for marks in (nose_right, lower_right, nose_up, (*LANDMARKS[:4], (LANDMARKS[4][0], LANDMARKS[4][1] + 15)))
    )
    assert aside is not None
    assert tilted is not None
    assert up is not None
    assert down is not None
    assert aside.yaw > 15
    assert tilted.roll > 10
    # A nose that looks short is seen from below, or the head is thrown back; a long one is bent down.
    assert abs(up.pitch) > 15
    assert up.pitch * down.pitch < 0


def test_the_model_is_the_mean_faces_own() -> None:
    """dlib's order: the first two points, the person's left eye, are on the right of the picture."""
    assert MODEL[0, 0] > MODEL[1, 0] > 0 > MODEL[3, 0] > MODEL[2, 0]
    assert MEAN_FACE[0][0] > MEAN_FACE[1][0] > 0.5 > MEAN_FACE[3][0] > MEAN_FACE[2][0]
    pose = estimate(LANDMARKS, MODEL)
    assert pose is not None
    assert max(abs(pose.yaw), abs(pose.roll)) < 2
    assert abs(pose.pitch) < 8


@pytest.mark.parametrize("turn", [1, 1j, -1, -1j, complex(0.8, 0.6)])
@pytest.mark.parametrize("scale", [0.3, 1.0, 2.6])
def test_the_chip_does_not_depend_on_turn_and_size(turn: complex, scale: float) -> None:
    """A smooth picture, evaluated at each place: what sampling costs is all that may differ."""

    def at(places: np.ndarray) -> np.ndarray:
        grey: np.ndarray = 128 + 60 * np.sin(places.real / 30) + 50 * np.cos(places.imag / 25)
        return grey

    def pictured(turn: complex, shift: complex, side: int) -> Pixels:
        rows, columns = np.mgrid[:side, :side]
        grey = at((columns + 1j * rows - shift) / turn)
        return grey.round().astype(np.uint8)[:, :, np.newaxis].repeat(3, axis=2)

    plain = cut_chip(pictured(1, 0, SIDE), BOX, LANDMARKS)
    turn, side = turn * scale, round(SIDE * scale * 1.5)
    shift = complex(side, side) / 2 - turn * complex(SIDE, SIDE) / 2
    moved = [turn * complex(*point) + shift for point in LANDMARKS]
    other = cut_chip(pictured(turn, shift, side), BOX, tuple((point.real, point.imag) for point in moved))
    assert plain.grey.shape == (CHIP_SIDE, CHIP_SIDE)
    assert plain.inside.all()
    assert other.inside.all()
    assert np.abs(plain.grey - other.grey).mean() < 4


def test_a_face_outside_of_the_picture_is_worth_nothing() -> None:
    far = tuple((x + 5000, y) for x, y in LANDMARKS)
    quality = assess(texture(), BOX, far)
    assert quality.overall == 0
    assert quality.components["sharpness"] == 0
    assert "sharpness" not in quality.measures
    assert quality.components["size"] == 100


def test_landmarks_in_one_place() -> None:
    quality = assess(texture(), BOX, ((50.0, 50.0),) * 5)
    assert quality.overall == 0
    assert quality.components["size"] == quality.components["yaw"] == 0
    assert quality.components["contrast"] == 100


EDGE, POINT = st.integers(-50, 500), st.tuples(st.floats(-500, 900), st.floats(-500, 900))


@given(st.tuples(EDGE, EDGE, EDGE, EDGE), st.lists(POINT, min_size=5, max_size=5))
def test_any_box_gives_figures_in_range(box: tuple[int, int, int, int], landmarks: list[tuple[float, float]]) -> None:
    quality = assess(texture(), box, landmarks)
    assert all(0 <= value <= 100 for value in (quality.overall, *quality.components.values()))
    assert all(math.isfinite(value) for value in quality.measures.values())
    assert all(QualityAdvice(advice) for advice in quality.advice)


def test_parameters_name_their_sources_and_every_component_its_advice() -> None:
    data = json.loads(files("matcher.parameters").joinpath("face_quality-2.json").read_text("utf-8"))
    assert set(data["components"]) == {component.value for component in QualityComponent} == set(ADVICE)
    assert all(given["source"] and given["unit"] for given in (*data["components"].values(),))
    assert data["model"]["source"]
    assert all(given["zero"] != given["full"] for given in data["components"].values())
    assert set(ADVICE.values()) == set(QualityAdvice)


def face(box: Box) -> DetectedFace:
    return DetectedFace(box, LANDMARKS, FaceQuality(100, {}, ()), np.ones(1, np.float32), None)


def test_choose_takes_the_largest_near_the_middle() -> None:
    middle, edge, large = face(Box(40, 60, 60, 40)), face(Box(0, 22, 22, 0)), face(Box(0, 60, 60, 0))
    assert choose([edge, middle], 100, 100) == 1
    assert choose([middle, large], 100, 100) == 1
    assert choose([middle, middle], 100, 100) == 0
    with pytest.raises(ValueError, match="no faces"):
        choose([], 100, 100)
