"""`matcher.faces.quality` and the choice of a face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from matcher.faces.engine import Box, DetectedFace, choose
from matcher.faces.intake import Pixels
from matcher.faces.quality import FaceQuality, QualityAdvice, assess, load_parameters

BOX = Box(0, 200, 200, 0)
LANDMARKS = ((50.0, 80.0), (80.0, 80.0), (150.0, 80.0), (120.0, 80.0), (100.0, 120.0))


def texture(brightness: float = 128, spread: float = 50) -> Pixels:
    """Large patches with a fine grain, as a face has, around a brightness."""
    generator = np.random.default_rng(3)
    patches = np.kron(generator.normal(size=(20, 20)), np.ones((10, 10)))
    grain = patches + 0.4 * generator.normal(size=(200, 200))
    return np.clip(brightness + spread * grain, 0, 255).astype(np.uint8)[:, :, np.newaxis].repeat(3, axis=2)


def blurred(radius: float) -> Pixels:
    return np.array(Image.fromarray(texture()).filter(ImageFilter.GaussianBlur(radius)))


def test_a_good_face() -> None:
    quality = assess(texture(), BOX, LANDMARKS)
    assert quality.overall == 100
    assert quality.advice == ()
    assert set(quality.components) == {"size", "sharpness", "dark", "bright", "contrast", "frontal"}


@pytest.mark.parametrize(
    ("pixels", "advice"),
    [
        (texture(brightness=20, spread=10), QualityAdvice.TOO_DARK),
        (texture(brightness=250, spread=10), QualityAdvice.TOO_BRIGHT),
        (texture(spread=4), QualityAdvice.LOW_CONTRAST),
        (np.full((200, 200, 3), 128, np.uint8), QualityAdvice.HOLD_STILL),
    ],
)
def test_advice(pixels: Pixels, advice: QualityAdvice) -> None:
    quality = assess(pixels, BOX, LANDMARKS)
    assert advice.value in quality.advice
    assert quality.overall < load_parameters().advice_below


def test_a_small_face_and_a_turned_face() -> None:
    small = tuple((x / 6, y / 6) for x, y in LANDMARKS)
    assert QualityAdvice.COME_CLOSER.value in assess(texture(), BOX, small).advice
    turned = (*LANDMARKS[:4], (135.0, 120.0))
    assert QualityAdvice.FACE_THE_CAMERA.value in assess(texture(), BOX, turned).advice


def test_more_blur_is_never_sharper() -> None:
    values = [assess(blurred(radius), BOX, LANDMARKS).components["sharpness"] for radius in (0, 1, 2, 4, 8)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]


EDGE, POINT = st.integers(-50, 300), st.tuples(st.floats(0, 300), st.floats(0, 300))


@given(st.tuples(EDGE, EDGE, EDGE, EDGE), st.lists(POINT, min_size=5, max_size=5))
def test_any_box_gives_figures_in_range(box: tuple[int, int, int, int], landmarks: list[tuple[float, float]]) -> None:
    quality = assess(texture(), box, landmarks)
    assert all(0 <= value <= 100 for value in (quality.overall, *quality.components.values()))
    assert quality.overall == min(quality.components.values())


def face(box: Box) -> DetectedFace:
    return DetectedFace(box, LANDMARKS, FaceQuality(100, {}, ()), np.ones(1, np.float32), None)


def test_choose_takes_the_largest_near_the_middle() -> None:
    middle, edge, large = face(Box(40, 60, 60, 40)), face(Box(0, 22, 22, 0)), face(Box(0, 60, 60, 0))
    assert choose([edge, middle], 100, 100) == 1
    assert choose([middle, large], 100, 100) == 1
    assert choose([middle, middle], 100, 100) == 0
    with pytest.raises(ValueError, match="no faces"):
        choose([], 100, 100)
