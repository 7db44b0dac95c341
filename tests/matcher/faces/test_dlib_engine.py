"""`matcher.faces.weights` and `matcher.faces.dlib_engine`, on real photographs where there are some."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFile

from matcher.faces import weights
from matcher.faces.dlib_engine import DlibFaceEngine, unit
from matcher.faces.engine import DetectedFace, FaceEngine, choose
from matcher.faces.intake import IntakeLimits, Pixels, decode

REPOSITORY = Path(__file__).parents[3]
DEMO = REPOSITORY / "var" / "demo-photos"
SHARED = REPOSITORY.parent / "shared" / "data" / "faces"


@pytest.fixture(scope="module")
def engine() -> FaceEngine:
    try:
        return DlibFaceEngine()
    except weights.FaceEngineUnavailable as error:
        pytest.skip(str(error))


def photograph(path: Path) -> Pixels:
    return decode(path.read_bytes(), IntakeLimits()).pixels


def best(engine: FaceEngine, pixels: Pixels) -> DetectedFace:
    faces = engine.detect(pixels)
    return faces[choose(faces, pixels.shape[1], pixels.shape[0])]


def readable(folder: Path) -> list[Pixels]:
    """The folder's JPEGs; some files of the set are other formats under a JPEG's name."""
    paths = [path for path in sorted(folder.glob("*.jpg")) if path.read_bytes().startswith(b"\xff\xd8")]
    return [photograph(path) for path in paths]


def person(name: str) -> list[Pixels]:
    paths = sorted((DEMO / name).glob("*.*"))
    if not paths:
        pytest.skip(f"no photographs in {DEMO / name}: `make run` fetches them")
    return [photograph(path) for path in paths]


def test_the_68_point_weights_are_never_opened() -> None:
    program = (
        "import sys; opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        "from matcher.faces.weights import load_face_recognition, model_version\n"
        "library = load_face_recognition(); version = model_version()\n"
        "import face_recognition_models as stand_in\n"
        "assert '68' not in stand_in.pose_predictor_model_location()\n"
        "assert not [path for path in opened if '68_face' in path]\n"
        "assert 'pkg_resources' not in sys.modules\n"
        "print(version)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("dlib-resnet-v1-l2-")


def test_missing_weights_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, weights.PACKAGE, raising=False)
    monkeypatch.setattr(weights, "find_spec", lambda _: None)
    with pytest.raises(weights.FaceEngineUnavailable, match=r"requirements\.txt"):
        weights.weights_directory()


def test_importing_matcher_loads_no_model() -> None:
    program = (
        "import sys, matcher.faces.dlib_engine, matcher.faces.weights\n"
        "assert not {'dlib', 'face_recognition'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True)


def test_contract(engine: FaceEngine) -> None:
    assert engine.dimension == 128
    assert engine.model_version == weights.model_version()
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    assert engine.detect(np.zeros((120, 160, 3), np.uint8)) == []
    for wrong in (np.zeros((10, 10), np.uint8), np.zeros((10, 10, 3), np.float32)):
        with pytest.raises(ValueError, match="expected"):
            engine.detect(wrong)  # type: ignore[arg-type]


def test_unit() -> None:
    assert np.linalg.norm(unit(np.array([3.0, 4.0]))) == pytest.approx(1)
    for bad in (np.zeros(3), np.array([np.nan, 1.0])):
        with pytest.raises(ValueError, match="direction"):
            unit(bad)


@pytest.mark.demo_photos
def test_one_person_is_more_alike_than_two(engine: FaceEngine) -> None:
    first, second = person("obama")[:2]
    other = person("biden")[0]
    a, b, c = (best(engine, pixels) for pixels in (first, second, other))
    assert all(face.embedding.shape == (128,) and face.embedding.dtype == np.float32 for face in (a, b, c))
    assert all(np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5) for face in (a, b, c))
    assert float(a.embedding @ b.embedding) > 0.93 > float(a.embedding @ c.embedding)
    assert len(a.landmarks) == 5
    assert a.quality.overall > 50


@pytest.mark.demo_photos
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_photograph(engine: FaceEngine, turns: int) -> None:
    upright = person("biden")[0]
    a, b = best(engine, upright), best(engine, np.ascontiguousarray(np.rot90(upright, turns)))
    assert float(a.embedding @ b.embedding) > 0.99
    cover = np.zeros(upright.shape[:2], bool)
    cover[a.box.top : a.box.bottom, a.box.left : a.box.right] = True
    turned = np.rot90(cover, turns)
    assert turned[b.box.top : b.box.bottom, b.box.left : b.box.right].mean() > 0.9
    assert all(turned[round(y), round(x)] for x, y in b.landmarks)


@pytest.mark.demo_photos
def test_threads_get_what_one_thread_gets(engine: FaceEngine) -> None:
    pixels = person("astronaut")[0]
    alone = best(engine, pixels).embedding
    with ThreadPoolExecutor(2) as pool:
        for face in pool.map(lambda _: best(engine, pixels), range(4)):
            assert np.array_equal(face.embedding, alone)


@pytest.mark.demo_photos
def test_engines_of_one_process_do_not_meet_inside_dlib(engine: FaceEngine) -> None:
    """They share the library's objects: without one lock for all of them the heap is damaged and the process ends."""
    pictures = [pixels for name in ("astronaut", "biden", "obama") for pixels in person(name)]
    alone = [best(engine, pixels).embedding for pixels in pictures]

    def look(other: DlibFaceEngine) -> list[bool]:
        return [np.array_equal(best(other, pixels).embedding, one) for pixels, one in zip(pictures, alone, strict=True)]

    with ThreadPoolExecutor(3) as pool:
        assert all(same for found in pool.map(look, [DlibFaceEngine() for _ in range(6)]) for same in found)


@pytest.mark.shared
def test_east_asian_faces_are_told_apart_beyond_chance(engine: FaceEngine) -> None:
    folders = sorted((SHARED / "asian_celeb").glob("cn_*"))[:3]
    if not folders:
        pytest.skip(f"no photographs in {SHARED}")
    people = [[best(engine, pixels).embedding for pixels in readable(folder)[:2]] for folder in folders]
    same = [float(a @ b) for a, b in people]
    different = [float(people[i][0] @ people[j][1]) for i in range(3) for j in range(3) if i != j]
    assert np.mean(same) > np.mean(different) + 0.02
