"""Photographs to templates, by any face engine, kept in a folder so that the next measurement is quick."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.datasets import Labelled
from matcher.faces.engine import FaceEngine, choose
from matcher.faces.intake import ImageRefused, IntakeLimits, Pixels, decode
from matcher.faces.quality import load_parameters

_SAVE_EVERY = 200


class Metric(StrEnum):
    """How two templates are compared."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A face as an engine describes it.

    Attributes:
        vector: float32, shape (d,).
        quality: 0 to 100 by component, with "overall"; empty when the engine says nothing of it.
    """

    vector: NDArray[np.float32]
    quality: dict[str, float] = field(default_factory=dict)


class TemplateSource(Protocol):
    """What turns a photograph into one template."""

    @property
    def name(self) -> str:
        """Names the source and everything that shapes its vectors; what is kept is kept under it."""
        ...

    @property
    def metric(self) -> Metric:
        """How its templates are compared."""
        ...

    def template(self, pixels: Pixels) -> Template | None:
        """Template of the face that the photograph (h, w, 3) RGB is of; None when no face is found."""
        ...


class EngineSource:
    """A face engine as the service uses it: the most prominent face, cosine."""

    metric = Metric.COSINE

    def __init__(self, engine: FaceEngine) -> None:
        """Use that engine."""
        self._engine = engine

    @property
    def name(self) -> str:
        """The model version and that of the quality measures."""
        return f"{self._engine.model_version}+{load_parameters().version}"

    def template(self, pixels: Pixels) -> Template | None:
        """See `TemplateSource`."""
        faces = self._engine.detect(pixels)
        if not faces:
            return None
        face = faces[choose(faces, pixels.shape[1], pixels.shape[0])]
        quality = {name: float(value) for name, value in face.quality.components.items()}
        return Template(face.embedding, quality | {"overall": float(face.quality.overall)})


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """Templates of a row of photographs.

    Attributes:
        source: name of their source.
        metric: how two of them are compared.
        found: shape (n,), False where no face was found or the file was refused.
        vectors: float32, shape (n, d); zeros where not found.
        quality: 0 to 100, shape (n,) by measure; NaN where not known.
    """

    source: str
    metric: Metric
    found: NDArray[np.bool_]
    vectors: NDArray[np.float32]
    quality: dict[str, NDArray[np.float32]]

    def scores(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """How alike each of `rows` is to each of `columns`: shape (rows, columns), higher is more alike.

        Cosine, or the Euclidean distance below 0. -inf where a face is missing.
        """
        a, b = self.vectors[rows].astype(np.float64), self.vectors[columns].astype(np.float64)
        result = a @ b.T
        if self.metric is Metric.EUCLIDEAN:
            squared = (a**2).sum(axis=1)[:, np.newaxis] + (b**2).sum(axis=1)[np.newaxis] - 2 * result
            result = -np.sqrt(np.maximum(squared, 0))
        result[~self.found[rows], :] = -np.inf
        result[:, ~self.found[columns]] = -np.inf
        return result

    def pair_scores(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """The same for each pair of positions (m, 2): shape (m,)."""
        result = np.empty(len(pairs))
        for start in range(0, len(pairs), 100_000):
            part = pairs[start : start + 100_000]
            a, b = self.vectors[part[:, 0]].astype(np.float64), self.vectors[part[:, 1]].astype(np.float64)
            if self.metric is Metric.EUCLIDEAN:
                result[start : start + len(part)] = -np.sqrt(((a - b) ** 2).sum(axis=1))
            else:
                result[start : start + len(part)] = (a * b).sum(axis=1)
        result[~(self.found[pairs[:, 0]] & self.found[pairs[:, 1]])] = -np.inf
        return result


def embed(
    photos: Sequence[Labelled],
    source: TemplateSource,
    *,
    kept: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Templates:
    """Templates of the photographs.

    Args:
        photos: whose files are read; one that the intake refuses counts as a photograph without a face.
        source: what describes the faces.
        kept: folder in which templates are kept by source and SHA-256 of the file, made when missing; None keeps none.
        progress: told how many are done after each.

    Raises OSError when a file cannot be read or the folder cannot be written.
    """
    shelf = _Shelf(kept, source.name)
    digests = []
    for done, photo in enumerate(photos, start=1):
        data = photo.path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if digest not in shelf.templates:
            shelf.templates[digest] = _describe(data, source)
            shelf.changed += 1
            if shelf.changed >= _SAVE_EVERY:
                shelf.save()
        digests.append(digest)
        if progress is not None:
            progress(done)
    shelf.save()
    return _stack([shelf.templates[digest] for digest in digests], source)


def _describe(data: bytes, source: TemplateSource) -> Template | None:
    try:
        pixels = decode(data, IntakeLimits()).pixels
    except ImageRefused:
        return None
    return source.template(pixels)


def _stack(templates: Sequence[Template | None], source: TemplateSource) -> Templates:
    found = np.array([template is not None for template in templates], bool)
    dimension = next((len(template.vector) for template in templates if template is not None), 0)
    vectors = np.zeros((len(templates), dimension), np.float32)
    names = sorted({name for template in templates if template is not None for name in template.quality})
    quality = {name: np.full(len(templates), np.nan, np.float32) for name in names}
    for at, template in enumerate(templates):
        if template is not None:
            vectors[at] = template.vector
            for name, value in template.quality.items():
                quality[name][at] = value
    return Templates(source.name, source.metric, found, vectors, quality)


class _Shelf:
    """What one source has made so far, in one .npz file without pickled objects."""

    def __init__(self, folder: Path | None, source: str) -> None:
        self.templates: dict[str, Template | None] = {}
        self.changed = 0
        self._file: Path | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            readable = re.sub(r"[^A-Za-z0-9.-]+", "_", source)[:60]
            self._file = folder / f"{readable}-{hashlib.sha256(source.encode()).hexdigest()[:12]}.npz"
            if self._file.is_file():
                self._load(self._file)

    def _load(self, file: Path) -> None:
        with np.load(file, allow_pickle=False) as held:
            measures = [str(name) for name in held["measures"]]
            rows = zip(held["photos"], held["found"], held["vectors"], held["quality"], strict=True)
            for digest, found, vector, values in rows:
                known = {name: float(value) for name, value in zip(measures, values, strict=True) if np.isfinite(value)}
                self.templates[str(digest)] = Template(vector, known) if found else None

    def save(self) -> None:
        """Write the file anew beside the old one, then take its place."""
        if self._file is None or not self.changed:
            return
        held = list(self.templates.values())
        measures = sorted({name for template in held if template is not None for name in template.quality})
        dimension = next((len(template.vector) for template in held if template is not None), 0)
        vectors = np.zeros((len(held), dimension), np.float32)
        quality = np.full((len(held), len(measures)), np.nan, np.float32)
        for at, template in enumerate(held):
            if template is not None:
                vectors[at] = template.vector
                quality[at] = [template.quality.get(name, np.nan) for name in measures]
        beside = self._file.with_suffix(".part")
        with beside.open("wb") as stream:
            np.savez_compressed(
                stream,
                photos=np.array(list(self.templates), dtype="U64"),
                found=np.array([template is not None for template in held], bool),
                vectors=vectors,
                quality=quality,
                measures=np.array(measures, dtype="U40"),
            )
        beside.replace(self._file)
        self.changed = 0
