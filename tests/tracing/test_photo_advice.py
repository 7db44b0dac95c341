"""What is told of a photograph, by the faces in it."""

import numpy as np
import pytest

from matcher.faces.engine import Box, DetectedFace
from matcher.faces.quality import FaceQuality
from tracing.photo_advice import GOOD, USABLE, PhotoAdvice, PhotoVerdict


def _faces(*overall: int) -> tuple[DetectedFace, ...]:
    embedding = np.array([1.0], np.float32)
    return tuple(
        DetectedFace(Box(0, 10, 10, 0), (), FaceQuality(quality, {}, ()), embedding, None) for quality in overall
    )


@pytest.mark.parametrize(
    ("faces", "verdict"),
    [
        (None, PhotoVerdict.UNCHECKED),
        ((), PhotoVerdict.NO_FACE),
        (_faces(90, 90), PhotoVerdict.SEVERAL_FACES),
        (_faces(GOOD), PhotoVerdict.GOOD),
        (_faces(GOOD - 1), PhotoVerdict.USABLE),
        (_faces(USABLE), PhotoVerdict.USABLE),
        (_faces(USABLE - 1), PhotoVerdict.POOR),
    ],
)
def test_the_verdict(faces: tuple[DetectedFace, ...] | None, verdict: PhotoVerdict) -> None:
    assert PhotoAdvice(200, 100, faces).verdict is verdict
