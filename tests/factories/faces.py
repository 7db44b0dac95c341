"""A face engine for tests in which faces are not the point: a face is a panel of colour, its embedding the colour."""

from dataclasses import replace
from io import BytesIO
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matcher.calibration import FaceCalibration
from matcher.faces.engine import Box, DetectedFace
from matcher.faces.quality import FaceQuality
from tracing.face_engines import FaceEngines, KnownEngine
from tracing.services import Services

Colour = tuple[int, int, int]
RED: Colour = (230, 30, 30)
DARK_RED: Colour = (190, 40, 50)
GREEN: Colour = (30, 230, 30)
BLUE: Colour = (30, 30, 230)
YELLOW: Colour = (230, 230, 30)
GREY: Colour = (128, 128, 128)
"""Not a face."""

PANEL_WIDTH = 100
PANEL_HEIGHT = 120


def make_photo_bytes(*colours: Colour, width: int = PANEL_WIDTH, height: int = PANEL_HEIGHT) -> bytes:
    """A JPEG of panels side by side, one a colour: each that is not grey is a face to `ColourFaceEngine`."""
    pixels = np.zeros((height, width * len(colours), 3), np.uint8)
    for position, colour in enumerate(colours):
        pixels[:, position * width : (position + 1) * width] = colour
    target = BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=95, subsampling=0)
    return target.getvalue()


class ColourFaceEngine:
    """Panels of 100 pixels as faces. Embedding: the mean colour's direction from grey, so like colours are alike."""

    model_version = "colour-1"
    dimension = 3

    def detect(self, pixels: NDArray[np.uint8]) -> list[DetectedFace]:
        """One face for each panel that has a colour, left to right."""
        faces = []
        for left in range(0, pixels.shape[1], PANEL_WIDTH):
            panel = pixels[:, left : left + PANEL_WIDTH].reshape(-1, 3).astype(np.float64)
            mean = panel.mean(axis=0)
            if mean.max() - mean.min() < 40:
                continue
            direction = mean - 128.0
            faces.append(
                DetectedFace(
                    box=Box(0, left + PANEL_WIDTH, pixels.shape[0], left),
                    landmarks=((left + 30.0, 40.0), (left + 70.0, 40.0)),
                    quality=FaceQuality(80, {"size": 80}, ()),
                    embedding=(direction / np.linalg.norm(direction)).astype(np.float32),
                    score=None,
                )
            )
        return faces


class OtherColourFaceEngine(ColourFaceEngine):
    """Another version of it: boxes a tenth narrower, faces from right to left, embeddings of six values."""

    model_version = "colour-2"
    dimension = 6

    def detect(self, pixels: NDArray[np.uint8]) -> list[DetectedFace]:
        """See `ColourFaceEngine.detect`."""
        return [
            replace(
                face,
                box=face.box._replace(left=face.box.left + PANEL_WIDTH // 10),
                embedding=(np.concatenate([face.embedding, face.embedding[::-1]]) / np.sqrt(2)).astype(np.float32),
            )
            for face in reversed(super().detect(pixels))
        ]


def with_engines(services: Services, *engines: ColourFaceEngine, wanted: str | None = None) -> Services:
    """The same services with these engines, and calibrations of theirs, instead of the installed ones.

    The first is wanted unless told otherwise.
    """
    known = {engine.model_version: known_engine(engine) for engine in engines}
    return replace(
        services,
        faces=FaceEngines(wanted or engines[0].model_version, MappingProxyType(known)),
        parameters=replace(
            services.parameters, calibrations=MappingProxyType({version: colours(version) for version in known})
        ),
    )


def colours(version: str) -> FaceCalibration:
    """A calibration of colours, the same for every version."""
    return FaceCalibration(version, 50.0, 0.9434, 3.0, -1.5, "Made up, as the colours are.")


def known_engine(engine: ColourFaceEngine) -> KnownEngine:
    """The engine as services know it."""
    return KnownEngine(type(engine).__name__, engine.model_version, engine.dimension, lambda: engine)


def with_colour_faces(services: Services) -> Services:
    """The same services with the colour engine instead of the configured one."""
    return with_engines(services, ColourFaceEngine())
