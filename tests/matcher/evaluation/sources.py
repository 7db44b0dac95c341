"""Small sets of photographs on disk, and a source of templates that reads a person off the colour."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matcher.evaluation.templates import Metric, Template, Templates

SIDE = 64


def paint(path: Path, colour: tuple[int, int, int]) -> Path:
    """A photograph of one colour; black has no face."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (SIDE, SIDE), colour).save(path, "PNG")
    return path


class ColourSource:
    """The mean colour's direction as template, and how bright it is as quality; counts what it is asked."""

    metric = Metric.COSINE

    def __init__(self, name: str = "colour-1") -> None:
        self.name = name
        self.asked = 0

    def template(self, pixels: NDArray[np.uint8]) -> Template | None:
        """None for black."""
        self.asked += 1
        mean = pixels.reshape(-1, 3).mean(axis=0)
        if mean.max() == 0:
            return None
        vector = (mean / np.linalg.norm(mean)).astype(np.float32)
        return Template(vector, {"overall": float(mean.max() / 2.55)})


def templates_of(vectors: list[list[float]], *, metric: Metric = Metric.COSINE) -> Templates:
    """Templates with these vectors; an empty one is a photograph without a face."""
    dimension = max(len(vector) for vector in vectors)
    rows = np.array([vector or [0.0] * dimension for vector in vectors], np.float32)
    return Templates("made", metric, np.array([bool(vector) for vector in vectors]), rows, {})
