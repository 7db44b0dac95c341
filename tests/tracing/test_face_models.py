"""Two model versions side by side: which is in force, the switch forward and back, and removing one."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from matcher.index.base import VectorIndex
from models.audit import AuditEvent
from models.candidate import MatchPass
from models.face import Face
from models.face_model import FaceModel, FaceModelState
from models.photo import AnalysisState
from tests.factories.face_models import (
    NEW,
    OLD,
    READY,
    SHADES,
    admit,
    analyses,
    build,
    change,
    current,
    face_candidates,
    photo_of,
    put_in_force,
    report,
    settle,
)
from tests.factories.faces import (
    DARK_RED,
    GREEN,
    RED,
    ColourFaceEngine,
    OtherColourFaceEngine,
    with_engines,
)
from tests.factories.stories import run_jobs
from tracing.access import Viewer
from tracing.face_engines import NO_ENGINE
from tracing.face_models import (
    FaceModelBusy,
    FaceModelIncomplete,
    FaceModelInForce,
    FaceModelUnknown,
    list_models,
    prune,
    version_in_force,
)
from tracing.gallery import Gallery
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services


def test_a_new_installation_begins_with_the_version_wanted(both: Services, staff: Viewer, now: datetime) -> None:
    assert current(both) == OLD
    case_id = admit(both, staff, now, RED)
    run_jobs(both, now)
    with read_only(both.db) as session:
        (model,) = session.scalars(select(FaceModel)).all()
    assert (model.model_version, model.state, model.dimension) == (OLD, FaceModelState.IN_FORCE, 3)
    assert photo_of(both, case_id).analysed_with == OLD


def test_another_wish_switches_nothing_by_itself_and_says_once_how_to(
    both: Services, staff: Viewer, now: datetime
) -> None:
    admit(both, staff, now, RED)
    run_jobs(both, now)
    wishing = with_engines(both, ColourFaceEngine(), OtherColourFaceEngine(), wanted=NEW)
    with capture_logs() as logs:
        case_id = admit(wishing, staff, now, GREEN)
        run_jobs(wishing, now)
    said = [entry for entry in logs if entry["event"] == "face_model_not_switched"]
    assert [(entry["model"], entry["remedy"]) for entry in said] == [(OLD, "tracing faces reembed")]
    assert analyses(wishing, photo_of(wishing, case_id).id) == {OLD: AnalysisState.READY}


def test_the_search_goes_on_while_another_version_is_built_and_then_uses_it(
    both: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    report_id = report(both, reporter, now, DARK_RED)
    run_jobs(both, now)
    assert build(both, NEW, now) == 1
    during = admit(both, staff, now, RED)  # while nothing has been built yet
    with pytest.raises(FaceModelIncomplete) as refused:
        put_in_force(both, NEW, now)
    assert refused.value.params["missing"] == 1  # the case is not searched for before its first pass
    assert str(photo_of(both, report_id).id) in str(refused.value.params["examples"])
    assert run_jobs(both, now) == 4  # the chunk, the new photograph under both versions, the match
    (found,) = face_candidates(both)
    assert (found.case_id, found.report_id, found.model_version) == (during, report_id, OLD)
    assert photo_of(both, during).analysed_with == OLD
    assert analyses(both, photo_of(both, during).id) == {OLD: AnalysisState.READY, NEW: AnalysisState.READY}

    put_in_force(both, NEW, now)
    assert current(both) == NEW
    assert photo_of(both, during).analysed_with == NEW
    assert [len(photo_of(both, one).shown_faces) for one in (during, report_id)] == [1, 1]
    settle(both)
    (after,) = face_candidates(both)
    assert (after.id, after.model_version) == (found.id, NEW)
    assert after.face_similarity == pytest.approx(found.face_similarity, abs=1e-5)
    with read_only(both.db) as session:
        stored = [(one.kind, one.model_version) for one in session.scalars(select(MatchPass))]
        events = session.scalars(select(AuditEvent).where(AuditEvent.action.startswith("face_model."))).all()
    assert sorted(version for _, version in stored) == [OLD, OLD, NEW, NEW]
    assert [event.action for event in sorted(events, key=lambda event: event.seq)] == [
        "face_model.adopt", "face_model.build", "face_model.switch",
    ]  # fmt: skip
    assert events[-1].detail["previous"] == OLD


def test_a_pass_that_a_switch_overtakes_does_not_write_over_the_new_one(
    both: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    report(both, reporter, now, DARK_RED)
    run_jobs(both, now)
    build(both, NEW, now)
    run_jobs(both, now)

    class Switching(Gallery):
        """The version changes while a pass holds its snapshot."""

        done = False

        def index(self, session: Session, model_version: str, dimension: int) -> VectorIndex:
            """The index that was asked for."""
            found = super().index(session, model_version, dimension)
            if not self.done:
                self.done = True
                assert model_version == OLD
                put_in_force(both, NEW, now)
                assert version_in_force(session, both) == OLD
            return found

    gallery = Switching(both.vault, both.db, both.db, both.gallery.store, both.settings.index)
    case_id = admit(both, staff, now, RED)
    settle(replace(both, gallery=gallery))
    assert gallery.done
    (found,) = face_candidates(both)
    assert (found.case_id, found.model_version) == (case_id, NEW)
    profile_id = photo_of(both, case_id).profile_id
    with read_only(both.db) as session:
        stored = session.scalars(select(MatchPass.model_version).where(MatchPass.profile_id == profile_id)).all()
    assert stored == [NEW]


def test_forward_back_and_forward_again_each_match_anew(
    both: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    report(both, reporter, now, DARK_RED)
    admit(both, staff, now, RED)
    run_jobs(both, now)
    for step, name in enumerate((NEW, OLD, "OtherColourFaceEngine", "ColourFaceEngine"), start=1):
        at = now + timedelta(minutes=step)
        change(both, name, at)
        (found,) = face_candidates(both)
        assert found.model_version == current(both)
        assert (current(both) == NEW) is (step % 2 == 1)


def test_back_is_refused_until_what_came_meanwhile_is_complete(both: Services, staff: Viewer, now: datetime) -> None:
    admit(both, staff, now, RED)
    run_jobs(both, now)
    change(both, NEW, now)
    case_id = admit(both, staff, now, GREEN)
    run_jobs(both, now)
    with pytest.raises(FaceModelIncomplete) as refused:
        put_in_force(both, OLD, now)
    assert refused.value.params == {"missing": 1, "examples": str(photo_of(both, case_id).id), "version": OLD}
    change(both, OLD, now)
    assert photo_of(both, case_id).analysed_with == OLD


def test_one_version_is_built_at_a_time_and_unknown_ones_are_refused(
    both: Services, staff: Viewer, now: datetime
) -> None:
    class Third(OtherColourFaceEngine):
        model_version = "colour-3"

    services = with_engines(both, ColourFaceEngine(), OtherColourFaceEngine(), Third())
    admit(services, staff, now, RED)
    build(services, NEW, now)
    with pytest.raises(FaceModelBusy):
        build(services, "colour-3", now)
    with pytest.raises(FaceModelUnknown):
        build(services, "arcface", now)
    with pytest.raises(FaceModelUnknown):
        put_in_force(services, "colour-3", now)
    with unit_of_work(services.db) as session, pytest.raises(FaceModelUnknown):
        prune(session, "arcface", limit=10, now=now)
    with read_only(services.db) as session:
        shown = {view.model_version: (view.state, view.name, view.wanted) for view in list_models(session, services)}
    assert shown == {
        OLD: (FaceModelState.IN_FORCE, "ColourFaceEngine", True),
        NEW: (FaceModelState.BUILDING, "OtherColourFaceEngine", False),
        "colour-3": (None, "Third", False),
    }


def test_pruned_faces_are_gone_and_can_be_built_again(both: Services, staff: Viewer, now: datetime) -> None:
    owners = [admit(both, staff, now, shade) for shade in SHADES[:3]]
    run_jobs(both, now)
    with unit_of_work(both.db) as session, pytest.raises(FaceModelInForce):
        prune(session, OLD, limit=10, now=now)
    change(both, NEW, now)
    removed = []
    for _ in range(3):
        with unit_of_work(both.db) as session:
            removed.append(prune(session, OLD, limit=2, now=now))
    assert removed == [2, 1, 0]
    with read_only(both.db) as session:
        assert set(session.scalars(select(Face.model_version))) == {NEW}
        assert [one.model_version for one in session.scalars(select(FaceModel))] == [NEW]
    assert photo_of(both, owners[0]).analysis is READY
    change(both, OLD, now)
    assert current(both) == OLD
    assert photo_of(both, owners[0]).analysed_with == OLD


def test_a_version_in_force_that_is_not_installed_leaves_attributes(
    both: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    before = admit(both, staff, now, RED)
    run_jobs(both, now)
    without = with_engines(both, OtherColourFaceEngine())
    with capture_logs() as logs:
        assert [current(without), current(without)] == [NO_ENGINE, NO_ENGINE]
        after = report(without, reporter, now, DARK_RED)
        run_jobs(without, now)
    assert [entry["event"] for entry in logs].count("face_model_not_installed") == 1
    assert not face_candidates(without)
    assert (photo_of(without, before).analysis, photo_of(without, after).analysis) == (READY, AnalysisState.UNAVAILABLE)
    # Installed again: what was left out is found by asking for the version in force.
    assert build(both, OLD, now) == 1
    run_jobs(both, now)
    assert photo_of(both, after).analysis is READY
