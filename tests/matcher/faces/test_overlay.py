"""`matcher.faces.overlay`."""

import numpy as np
import pytest

from matcher.faces.engine import Box, DetectedFace
from matcher.faces.overlay import CHOSEN, OTHER, POINT, draw
from matcher.faces.quality import FaceQuality


def face(box: Box) -> DetectedFace:
    middle = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    return DetectedFace(box, (middle,) * 5, FaceQuality(100, {}, ()), np.ones(1, np.float32), 1.0)


def test_boxes_points_and_numbers_are_drawn_on_a_copy() -> None:
    pixels = np.full((300, 400, 3), 77, np.uint8)
    drawn = draw(pixels, [face(Box(40, 160, 160, 40)), face(Box(100, 380, 280, 200))], 1)
    assert (pixels == 77).all()
    assert drawn.shape == pixels.shape
    assert tuple(drawn[159, 100]) == tuple(drawn[100, 159]) == OTHER
    assert tuple(drawn[279, 300]) == tuple(drawn[200, 379]) == CHOSEN
    assert tuple(drawn[160, 160]) == (77, 77, 77)
    assert tuple(drawn[100, 100]) == tuple(drawn[190, 290]) == POINT
    plates = drawn[41:60, 41:60], drawn[101:120, 201:220]
    assert all((plate < 60).all(axis=2).any() for plate in plates)
    assert not np.array_equal(plates[0] < 60, plates[1] < 60)


@pytest.mark.parametrize("box", [Box(0, 20, 20, 0), Box(0, 1, 1, 0), Box(-30, 500, 400, -30), Box(299, 400, 300, 399)])
def test_faces_at_the_edge(box: Box) -> None:
    pixels = np.zeros((300, 400, 3), np.uint8)
    assert (draw(pixels, [face(box)], None) != 0).any()


def test_no_face_leaves_the_photograph_as_it_is() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    assert np.array_equal(draw(pixels, [], None), pixels)
