"""Face models: every pair of states, and that the database itself allows one version in force."""

import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError

from models.face_model import FACE_MODEL_TRANSITIONS, FaceModel, FaceModelState, IllegalFaceModelMove
from tests.models.sql import insert
from tracing.services import Services

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("current", FaceModelState)
@pytest.mark.parametrize("wanted", FaceModelState)
def test_only_the_moves_of_the_table(current: FaceModelState, wanted: FaceModelState) -> None:
    model = FaceModel(model_version="v", state=current, dimension=3, created_at=AT)
    if wanted not in FACE_MODEL_TRANSITIONS[current]:
        with pytest.raises(IllegalFaceModelMove) as refused:
            model.move_to(wanted, at=AT)
        assert (refused.value.current, refused.value.wanted, model.state) == (current, wanted, current)
        return
    model.move_to(wanted, at=AT)
    assert model.state is wanted
    assert (model.in_force_at == AT) is (wanted is FaceModelState.IN_FORCE)
    assert (model.retired_at == AT) is (wanted is FaceModelState.RETIRED)


def test_no_state_is_a_dead_end_and_none_moves_to_itself() -> None:
    assert set(FACE_MODEL_TRANSITIONS) == set(FaceModelState)
    assert all(moves and state not in moves for state, moves in FACE_MODEL_TRANSITIONS.items())


def put(services: Services, version: str, state: str, dimension: int = 3) -> None:
    insert(
        services.db, "face_model", id=uuid.uuid4(), model_version=version, state=state, dimension=dimension,
        created_at=AT,
    )  # fmt: skip


def test_the_database_holds_one_version_in_force(any_services: Services) -> None:
    put(any_services, "a", "in_force")
    put(any_services, "b", "building")
    put(any_services, "c", "retired")
    put(any_services, "d", "retired")
    for version, state, dimension in (
        ("e", "in_force", 3),
        ("a", "building", 3),
        ("f", "unknown", 3),
        ("g", "retired", 0),
    ):
        with pytest.raises(IntegrityError):
            put(any_services, version, state, dimension)
