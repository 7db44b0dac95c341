"""`matcher.faces.onnx_engine`: the engine's contract, on real photographs where there are some."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from matcher.faces import weights
from matcher.faces.engine import Box, DetectedFace, FaceEngine, choose
from matcher.faces.intake import IntakeLimits, Pixels, decode, resize_to_fit
from matcher.faces.onnx_engine import OnnxFaceEngine
from matcher.faces.turns import turn_back, turn_point_back

DEMO = Path(__file__).parents[3] / "var" / "demo-photos"
SIDE = 400


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def engine(cache: Path) -> FaceEngine:
    try:
        return OnnxFaceEngine(SIDE, cache=cache)
    except weights.FaceEngineUnavailable as error:
        pytest.skip(str(error))


def portrait(name: str) -> Pixels:
    paths = sorted(DEMO.glob(f"*/{name}.*"))
    if not paths:
        pytest.skip(f"no photographs in {DEMO}: `make run` fetches them")
    return decode(paths[0].read_bytes(), IntakeLimits()).pixels


def best(engine: FaceEngine, pixels: Pixels) -> DetectedFace:
    faces = engine.detect(pixels)
    return faces[choose(faces, pixels.shape[1], pixels.shape[0])]


def test_the_version_names_weights_and_views(engine: FaceEngine) -> None:
    assert engine.dimension == 128
    assert engine.model_version.startswith("dlib-resnet-v1-cnn-mirror-l2-")
    versions = {engine.model_version, weights.onnx_model_version(mirrored=False), weights.model_version()}
    assert len(versions) == 3
    assert max(map(len, versions)) <= 80


def test_a_picture_without_a_face_has_none(engine: FaceEngine) -> None:
    assert engine.detect(np.full((64, 90, 3), 128, np.uint8)) == []
    assert engine.detect(np.zeros((3, 3, 3), np.uint8)) == []


@pytest.mark.parametrize("shape", [(10, 10), (10, 10, 4)])
def test_other_arrays_are_refused(engine: FaceEngine, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        engine.detect(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("turns", range(4))
def test_places_in_a_turned_photograph_are_told_in_the_photograph(turns: int) -> None:
    pixels = np.zeros((30, 50), np.uint8)
    pixels[4:9, 20:32] = 1
    pixels[6, 25] = 7
    turned = np.rot90(pixels, turns)
    rows, columns = np.nonzero(turned)
    box = Box(int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1, int(columns.min()))
    assert turn_back(box, turns, 50, 30) == Box(4, 32, 9, 20)
    ((row, column),) = np.argwhere(turned == 7)
    assert turn_point_back(float(column), float(row), turns, 50, 30) == (25.0, 6.0)


@pytest.mark.demo_photos
def test_a_face_is_found_measured_and_described(engine: FaceEngine) -> None:
    pixels = portrait("obama")
    face = best(engine, pixels)
    height, width = pixels.shape[:2]
    assert 0 <= face.box.left < face.box.right <= width
    assert 0 <= face.box.top < face.box.bottom <= height
    assert face.score is not None
    assert face.score > 0.9
    assert len(face.landmarks) == 5
    assert face.embedding.shape == (128,)
    assert face.embedding.dtype == np.float32
    assert float(np.linalg.norm(face.embedding)) == pytest.approx(1.0, abs=1e-6)
    assert face.quality.overall > 50


@pytest.mark.demo_photos
def test_one_person_is_nearer_than_another(engine: FaceEngine) -> None:
    first, second, other = (best(engine, portrait(name)).embedding for name in ("obama", "obama2", "biden"))
    assert first @ second > 0.93 > first @ other


@pytest.mark.demo_photos
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photograph_on_its_side_has_the_same_face(engine: FaceEngine, turns: int) -> None:
    pixels = resize_to_fit(portrait("obama2"), SIDE)
    upright, lying = best(engine, pixels), best(engine, np.ascontiguousarray(np.rot90(pixels, turns)))
    assert upright.embedding @ lying.embedding > 0.999
    back = turn_back(lying.box, turns, pixels.shape[1], pixels.shape[0])
    assert np.abs(np.array(back) - np.array(upright.box)).max() <= 2


@pytest.mark.demo_photos
def test_a_small_face_is_found_at_twice_the_size(engine: FaceEngine) -> None:
    small = resize_to_fit(portrait("obama2"), 150)
    assert best(engine, small).box.area < 80**2
    large = np.zeros((1500, 1500, 3), np.uint8)
    face = resize_to_fit(portrait("obama2"), 600)
    large[700 : 700 + face.shape[0], 100 : 100 + face.shape[1]] = face
    assert best(engine, large).embedding @ best(engine, portrait("obama2")).embedding > 0.99


@pytest.mark.demo_photos
def test_kept_models_give_the_same(engine: FaceEngine, cache: Path) -> None:
    assert len(list(cache.iterdir())) == 4
    pixels = resize_to_fit(portrait("biden"), SIDE)
    assert (best(OnnxFaceEngine(SIDE, cache=cache), pixels).embedding == best(engine, pixels).embedding).all()


@pytest.mark.demo_photos
def test_threads_may_share_an_engine(engine: FaceEngine) -> None:
    pixels = [resize_to_fit(portrait(name), SIDE) for name in ("obama", "biden", "obama2", "obama")]
    alone = [best(engine, each).embedding for each in pixels]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: best(engine, each).embedding, pixels))
    for first, second in zip(alone, together, strict=True):
        assert (first == second).all()
