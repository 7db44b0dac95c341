"""`matcher.faces.card_embedder`: the network sees what the card says, and gives what the card says."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from matcher.faces.card import CardInvalid, read_card
from matcher.faces.card_embedder import CardEmbedder
from matcher.faces.intake import Pixels
from matcher.faces.runner import Runner
from tests.factories.onnx_models import SIDE, model, write

# A face in a photograph of 40 x 40, dlib's five points.
FACE = ((28, 15), (24, 15), (12, 15), (16, 15), (20, 24))


def faces(count: int = 3, seed: int = 1) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def embedder(folder: Path, content: bytes | None = None, /, **changes: str) -> CardEmbedder:
    return CardEmbedder(read_card(write(folder, content, **changes)))


def photograph() -> Pixels:
    """40 x 40, the left much brighter in red than the right."""
    pixels = np.random.default_rng(2).integers(0, 120, (40, 40, 3), np.uint8)
    pixels[:, :20, 0] += 130
    return pixels


def means(values: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    channels = values.mean(axis=(1, 2))
    return np.hstack([channels, channels.sum(axis=1, keepdims=True)])


def test_channels_come_in_the_cards_order(tmp_path: Path) -> None:
    values = faces()
    rgb = embedder(tmp_path).describe(values)
    bgr = embedder(tmp_path, colour='colour = "bgr"').describe(values)
    assert rgb == pytest.approx(means(values), rel=1e-5)
    assert bgr == pytest.approx(means(values[..., ::-1]), rel=1e-5)


@pytest.mark.parametrize("colour", ["rgb", "bgr"])
def test_scale_mean_and_deviation_go_with_the_channels(tmp_path: Path, colour: str) -> None:
    values = faces()
    found = embedder(
        tmp_path,
        colour=f'colour = "{colour}"',
        scale="scale = 0.5",
        mean="mean = [1.0, 2.0, 3.0]",
        std="std = [2.0, 4.0, 8.0]",
    ).describe(values)
    seen = values if colour == "rgb" else values[..., ::-1]
    expected = (seen.mean(axis=(1, 2)) * 0.5 - np.array([1, 2, 3])) / np.array([2, 4, 8])
    assert found[:, :3] == pytest.approx(expected, rel=1e-4)


def test_channels_last(tmp_path: Path) -> None:
    values = faces()
    content = model(layout="nhwc")
    assert embedder(tmp_path, content, colour='colour = "rgb"\nlayout = "nhwc"').describe(values) == pytest.approx(
        means(values), rel=1e-5
    )
    with pytest.raises(CardInvalid) as caught:
        embedder(tmp_path, content)
    assert caught.value.field == "input.layout"


@pytest.mark.parametrize(
    ("content", "batched"),
    [
        (model(batch="n", shapes=[(0, 3)]), True),
        (model(), True),
        (model(shapes=[(1, -1)]), True),
        (model(shapes=[(1, -1)], inline=True), True),
        (model(shapes=[(1, 3, 1), (1, 3)]), True),
        (model(shapes=[(3,), (1, 3)]), False),
        (model(mixed=True), False),
        (model(batch="n", mixed=True), False),
    ],
)
def test_a_fixed_batch_is_opened_or_faces_go_one_by_one(tmp_path: Path, content: bytes, *, batched: bool) -> None:
    values = faces(19)
    path = write(tmp_path, content)
    kept = tmp_path / "kept"
    for _ in range(2):
        ours = CardEmbedder(read_card(path), cache=kept)
        assert ours.describe(values) == pytest.approx(means(values), rel=1e-5)
    assert ours.describe(values[:0]).shape == (0, 4)
    (graph,) = kept.iterdir()
    assert (Runner(graph).inputs[0].shape[0] is None) == batched


@pytest.mark.parametrize(
    ("content", "changes", "field"),
    [
        (model(), {"dimension": "dimension = 5"}, "output.dimension"),
        (model(), {"size": "size = 17"}, "input.size"),
        (model(kind=TensorProto.UINT8), {}, "file"),
        (model(outputs=2), {}, "output.name"),
        (model(), {"dimension": 'dimension = 4\nname = "other"'}, "output.name"),
        (model(external=True), {}, "file"),
        (b"", {}, "file"),
        (b"no model", {}, "file"),
        (model()[:200], {}, "file"),
    ],
)
def test_a_model_that_is_not_as_the_card_says_is_refused(
    tmp_path: Path, content: bytes, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(CardInvalid, match="Remedy") as caught:
        embedder(tmp_path, content, **changes)
    assert caught.value.field == field


def test_one_of_several_outputs(tmp_path: Path) -> None:
    values = faces()
    found = embedder(tmp_path, model(outputs=2), dimension='dimension = 4\nname = "vector_1"').describe(values)
    assert found == pytest.approx(means(values), rel=1e-5)


def test_a_file_that_was_exchanged_since_is_refused(tmp_path: Path) -> None:
    card = read_card(write(tmp_path))
    card.file.write_bytes(model(batch="n"))
    for cache in (None, tmp_path / "kept"):
        with pytest.raises(CardInvalid, match="changed"):
            CardEmbedder(card, cache=cache)


def test_other_shapes_are_refused(tmp_path: Path) -> None:
    ours = embedder(tmp_path)
    for values in (faces()[0], faces()[:, 1:], faces().astype(np.float32)):
        with pytest.raises(ValueError, match="expected"):
            ours.describe(values)  # type: ignore[arg-type]


def test_a_vector_has_length_one(tmp_path: Path) -> None:
    ours = embedder(tmp_path)
    found = ours.embed(photograph(), [FACE, FACE])
    assert found.shape == (2, 4)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx([1, 1], abs=1e-6)
    assert (found[0] == found[1]).all()
    assert ours.embed(photograph(), []).shape == (0, 4)


def test_the_mirror_image_counts_as_much_as_the_face(tmp_path: Path) -> None:
    """A network that looks at the left half sees the whole face in two views."""
    half, mirror = model(half=True), 'name = "tiny"\nviews = ["mirror"]'
    whole = embedder(tmp_path).embed(photograph(), [FACE])
    one, two = embedder(tmp_path, half), embedder(tmp_path, half, name=mirror)
    assert two.embed(photograph(), [FACE]) == pytest.approx(whole, abs=1e-6)
    assert np.abs(one.embed(photograph(), [FACE]) - whole).max() > 1e-3
    assert one.name_in_version != two.name_in_version


def test_a_black_face_has_no_direction(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="direction"):
        embedder(tmp_path).embed(np.zeros((40, 40, 3), np.uint8), [FACE])
