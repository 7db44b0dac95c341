"""The face that is the person's stays the person's under another model version."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from matcher.faces.engine import DetectedFace
from models.photo import AnalysisState
from tests.factories.face_models import (
    NEW,
    READY,
    admit,
    analyses,
    build,
    change,
    face_candidates,
    photo_of,
    put_in_force,
    report,
    settle,
)
from tests.factories.faces import (
    BLUE,
    DARK_RED,
    GREEN,
    RED,
    ColourFaceEngine,
    OtherColourFaceEngine,
    with_engines,
)
from tests.factories.stories import run_jobs
from tracing.access import Viewer
from tracing.faces import SAME_FACE_OVERLAP, overlap
from tracing.photos import choose_face
from tracing.platform.db import unit_of_work
from tracing.services import Services


@pytest.mark.parametrize("when", ["before", "during"])
def test_the_face_that_somebody_chose_stays_the_persons(
    both: Services, staff: Viewer, reporter: Viewer, now: datetime, when: str
) -> None:
    """The new version gives the faces in another order, so that ordinals alone would take the wrong one."""
    report(both, reporter, now, DARK_RED)
    case_id = admit(both, staff, now, GREEN, RED, BLUE)
    run_jobs(both, now)
    photo = photo_of(both, case_id)

    def choose() -> None:
        with unit_of_work(both.db) as session:
            assert choose_face(session, both, staff, photo.id, photo.faces[1].id, now=now).analysis is READY
        run_jobs(both, now)

    if when == "before":
        choose()
    build(both, NEW, now)
    run_jobs(both, now)
    if when == "during":
        assert analyses(both, photo.id)[NEW] is AnalysisState.SEVERAL_FACES
        choose()
    put_in_force(both, NEW, now)
    settle(both)
    after = photo_of(both, case_id)
    assert (after.analysis, after.analysed_with) == (READY, NEW)
    assert [(face.ordinal, face.box["left"]) for face in after.shown_faces if face.chosen] == [(1, 110)]
    (found,) = face_candidates(both)
    assert (found.case_id, found.model_version) == (case_id, NEW)
    assert found.log10_lr > 1


def test_a_choice_that_the_new_version_cannot_find_is_not_given_to_somebody_else(
    any_services: Services, staff: Viewer, now: datetime
) -> None:
    class FirstAlone(OtherColourFaceEngine):
        """Sees the leftmost face only."""

        def detect(self, pixels: NDArray[np.uint8]) -> list[DetectedFace]:
            """See `ColourFaceEngine.detect`."""
            return super().detect(pixels)[-1:]

    services = with_engines(any_services, ColourFaceEngine(), FirstAlone())
    case_id = admit(services, staff, now, GREEN, RED)
    run_jobs(services, now)
    photo = photo_of(services, case_id)
    with unit_of_work(services.db) as session:
        choose_face(session, services, staff, photo.id, photo.faces[1].id, now=now)
    change(services, NEW, now)
    after = photo_of(services, case_id)
    assert (after.analysis, [face.chosen for face in after.shown_faces]) == (AnalysisState.NO_FACE, [False])


def test_a_face_shown_before_the_switch_can_be_chosen_after_it(both: Services, staff: Viewer, now: datetime) -> None:
    case_id = admit(both, staff, now, GREEN, RED)
    run_jobs(both, now)
    seen = photo_of(both, case_id).shown_faces
    change(both, NEW, now)
    with unit_of_work(both.db) as session:
        choose_face(session, both, staff, seen[0].photo_id, seen[1].id, now=now)
    after = photo_of(both, case_id)
    assert [face.box["left"] for face in after.shown_faces if face.chosen] == [110]


BOXES = st.tuples(*(st.integers(0, 60) for _ in range(2)), *(st.integers(1, 60) for _ in range(2))).map(
    lambda at: {"top": at[0], "left": at[1], "bottom": at[0] + at[2], "right": at[1] + at[3]}
)


@given(BOXES, BOXES, st.integers(2, 5))
def test_overlap_is_a_share_that_neither_side_nor_scale_changes(
    one: dict[str, int], other: dict[str, int], scale: int
) -> None:
    found = overlap(one, other)
    assert 0 <= found <= 1
    assert found == overlap(other, one)
    assert (found == 1) is (one == other)
    assert overlap(one, one) == 1 > SAME_FACE_OVERLAP
    larger = [{edge: at * scale for edge, at in box.items()} for box in (one, other)]
    assert overlap(*larger) == pytest.approx(found)
