"""`matcher.faces.embedder` and the engine: any embedder behind one detector."""

from pathlib import Path

import numpy as np
import pytest

from matcher.faces import weights
from matcher.faces.card import model_version, read_card
from matcher.faces.card_embedder import CardEmbedder
from matcher.faces.embedder import DlibEmbedder, FaceEmbedder
from matcher.faces.engine import DetectedFace, choose
from matcher.faces.intake import IntakeLimits, Pixels, decode, resize_to_fit
from matcher.faces.onnx_engine import OnnxFaceEngine, load_models
from matcher.faces.runner import Runner
from tests.factories.onnx_models import write

REPOSITORY = Path(__file__).parents[3]
DEMO = REPOSITORY / "var" / "demo-photos"
SHARED = REPOSITORY.parent / "shared"
SIDE = 400

MOBILEFACENET = """
name = "mobilefacenet"
file = "mobilefacenet.onnx"
licence = "measured only"
views = ["mirror"]
[input]
size = 112
colour = "rgb"
scale = 0.00392156862745098
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
[alignment]
template = "arcface"
[output]
dimension = 128
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> CardEmbedder:
    return CardEmbedder(read_card(write(tmp_path_factory.mktemp("tiny"))))


def engine(cache: Path, embedder: FaceEmbedder | None = None) -> OnnxFaceEngine:
    try:
        return OnnxFaceEngine(SIDE, embedder=embedder, cache=cache)
    except weights.FaceEngineUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def card_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = SHARED / "models" / "mobilefacenet.onnx"
    if not file.is_file():
        pytest.skip(f"no {file.name} in {file.parent}")
    folder = tmp_path_factory.mktemp("card")
    (folder / file.name).write_bytes(file.read_bytes())
    (folder / "mobilefacenet.toml").write_text(MOBILEFACENET, "utf-8")
    return folder


@pytest.fixture(scope="module")
def mobilefacenet(card_folder: Path) -> CardEmbedder:
    return CardEmbedder(read_card(card_folder / "mobilefacenet.toml"), cache=card_folder / "kept")


def portrait(name: str) -> Pixels:
    paths = sorted(DEMO.glob(f"*/{name}.*"))
    if not paths:
        pytest.skip(f"no photographs in {DEMO}: `make run` fetches them")
    return resize_to_fit(decode(paths[0].read_bytes(), IntakeLimits()).pixels, SIDE)


def best(found: list[DetectedFace], pixels: Pixels) -> DetectedFace:
    return found[choose(found, pixels.shape[1], pixels.shape[0])]


def test_an_engine_is_named_for_its_embedder_and_its_detector(cache: Path, tiny: CardEmbedder, tmp_path: Path) -> None:
    ours = engine(cache, tiny)
    assert ours.model_version == model_version(read_card(write(tmp_path)))
    assert ours.model_version == f"{tiny.name_in_version}-{weights.detector_version()}"
    assert ours.dimension == tiny.dimension == 4
    assert engine(cache).model_version == weights.onnx_model_version(mirrored=True)


def test_an_engine_with_another_embedder_leaves_dlibs_network_alone(tmp_path: Path, tiny: CardEmbedder) -> None:
    engine(tmp_path, tiny)
    assert list(tmp_path.iterdir())
    assert [path for path in tmp_path.iterdir() if path.name.startswith(Path(weights.EMBEDDING_FILE).stem)] == []


def test_dlibs_vectors_are_unit_means_of_two_views(cache: Path) -> None:
    try:
        models = load_models(cache=cache)
    except weights.FaceEngineUnavailable as error:
        pytest.skip(str(error))
    pixels = np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8)
    points = ((130, 80), (112, 80), (60, 80), (78, 80), (95, 120))
    one, two = (DlibEmbedder(models.embedder, "x", mirrored=mirrored) for mirrored in (False, True))
    assert one.dimension == 128
    assert one.embed(pixels, []).shape == (0, 128)
    vectors = np.concatenate([each.embed(pixels, [points]) for each in (one, two)])
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-6)
    assert 0.5 < vectors[0] @ vectors[1] < 0.999999


@pytest.mark.demo_photos
def test_the_faces_are_the_same_whichever_embedder(cache: Path, tiny: CardEmbedder) -> None:
    pixels = portrait("obama")
    ours, theirs = (best(engine(cache, embedder).detect(pixels), pixels) for embedder in (None, tiny))
    assert (ours.box, ours.landmarks, ours.score) == (theirs.box, theirs.landmarks, theirs.score)
    assert (ours.embedding.shape, theirs.embedding.shape) == ((128,), (4,))
    assert float(np.linalg.norm(theirs.embedding)) == pytest.approx(1, abs=1e-6)


@pytest.mark.shared
def test_a_real_model_takes_faces_together(mobilefacenet: CardEmbedder, card_folder: Path) -> None:
    faces = np.random.default_rng(1).integers(0, 256, (5, 112, 112, 3), np.uint8)
    alone = np.concatenate([mobilefacenet.describe(faces[index : index + 1]) for index in range(5)])
    together = mobilefacenet.describe(faces)
    assert together.shape == (5, 128)
    assert np.abs(together - alone).max() < 1e-4 * np.abs(alone).max()
    (graph,) = (card_folder / "kept").iterdir()
    assert Runner(graph).inputs[0].shape == (None, 3, 112, 112)


@pytest.mark.shared
@pytest.mark.demo_photos
def test_a_real_model_knows_a_person_again(cache: Path, mobilefacenet: CardEmbedder) -> None:
    ours = engine(cache, mobilefacenet)
    first, second, other = (
        best(ours.detect(pixels), pixels).embedding for pixels in map(portrait, ("obama", "obama2", "biden"))
    )
    assert first @ second > 0.5 > 0.25 > first @ other


@pytest.mark.shared
def test_a_real_model_tells_pairs_apart(cache: Path, mobilefacenet: CardEmbedder) -> None:
    """Six official pairs of each kind; one threshold parts them."""
    folder = SHARED / "data" / "faces" / "lfw"
    if not folder.is_dir():
        pytest.skip(f"no photographs in {folder}")
    ours = engine(cache, mobilefacenet)
    rows = [line.split() for line in (folder / "pairs_fold10.txt").read_text("utf-8").splitlines()]

    def vector(name: str, number: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        pixels = decode((folder / name / f"{name}_{int(number):04d}.jpg").read_bytes(), IntakeLimits()).pixels
        return best(ours.detect(pixels), pixels).embedding

    same = [vector(row[0], row[1]) @ vector(row[0], row[2]) for row in [row for row in rows if len(row) == 3][:6]]
    different = [vector(row[0], row[1]) @ vector(row[2], row[3]) for row in [row for row in rows if len(row) == 4][:6]]
    assert len(same) == len(different) == 6
    assert min(same) > max(different)
