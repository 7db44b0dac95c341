"""`matcher.evaluation.templates`: what is embedded once is kept, and compared as its source says."""

from pathlib import Path

import numpy as np
import pytest

from matcher.evaluation.datasets import read_dataset
from matcher.evaluation.templates import EngineSource, Metric, embed
from tests.factories.faces import ColourFaceEngine, make_photo_bytes
from tests.matcher.evaluation.sources import ColourSource, paint, templates_of

ALL = np.arange(3)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two of Ann in reds, one of Bo without a face, one that is no photograph."""
    root = tmp_path / "set"
    paint(root / "Ann" / "1.png", (200, 0, 0))
    paint(root / "Ann" / "2.png", (220, 30, 0))
    paint(root / "Bo" / "1.png", (0, 0, 0))
    (root / "Bo" / "2.png").write_bytes(b"no photograph")
    return root


def test_templates_and_what_was_not_found(photos: Path) -> None:
    seen: list[int] = []
    found = embed(read_dataset(photos).photos, ColourSource(), progress=seen.append)
    assert list(found.found) == [True, True, False, False]
    assert found.vectors.shape == (4, 3)
    assert found.vectors[0] == pytest.approx([1, 0, 0])
    assert found.quality["overall"][0] == pytest.approx(200 / 2.55)
    assert np.isnan(found.quality["overall"][2:]).all()
    assert seen == [1, 2, 3, 4]


def test_kept_templates_are_not_made_again(photos: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = embed(read_dataset(photos).photos, ColourSource(), kept=kept)
    again = ColourSource()
    second = embed(read_dataset(photos).photos, again, kept=kept)
    assert again.asked == 0
    assert np.array_equal(first.vectors, second.vectors)
    assert np.array_equal(first.found, second.found)
    assert np.array_equal(first.quality["overall"], second.quality["overall"], equal_nan=True)
    paint(photos / "Ann" / "2.png", (0, 220, 0))
    third = embed(read_dataset(photos).photos, again, kept=kept)
    assert again.asked == 1
    assert third.vectors[1] == pytest.approx([0, 1, 0])
    other = ColourSource("colour-2")
    embed(read_dataset(photos).photos, other, kept=kept)
    assert other.asked == 3
    assert len(list(kept.glob("*.npz"))) == 2
    for file in kept.glob("*.npz"):
        with np.load(file, allow_pickle=False) as held:
            assert set(held) == {"photos", "found", "vectors", "quality", "measures"}


def test_an_engine_as_a_source(tmp_path: Path) -> None:
    photo = tmp_path / "set" / "Ann" / "1.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(make_photo_bytes((230, 30, 30), (30, 230, 30), width=100))
    found = embed(read_dataset(tmp_path / "set").photos, EngineSource(ColourFaceEngine()))
    assert found.source.startswith("colour-1+")
    assert (found.metric, list(found.found)) == (Metric.COSINE, [True])
    assert set(found.quality) == {"size", "overall"}


def test_scores_of_pairs_are_those_of_the_table() -> None:
    rows: list[list[float]] = [[1, 0], [0.6, 0.8], []]
    for metric, expected in ((Metric.COSINE, 0.6), (Metric.EUCLIDEAN, -(0.8**0.5))):
        templates = templates_of(rows, metric=metric)
        table = templates.scores(ALL, ALL)
        assert table[0, 1] == pytest.approx(expected)
        assert table[0, 0] == pytest.approx(1 if metric is Metric.COSINE else 0)
        assert (table[2] == -np.inf).all()
        assert (table[:, 2] == -np.inf).all()
        pairs = np.array([[0, 1], [1, 2]])
        assert templates.pair_scores(pairs) == pytest.approx([expected, -np.inf])
