"""Every state of a case is reached by the use cases and the worker, and by nothing else."""

from collections import Counter
from datetime import datetime

import pytest
from sqlalchemy import select

from models.case import TRANSITIONS, UNDOING, CaseState, CaseTransition
from tests.factories.stories import judged_case, state_of
from tests.factories.world import World
from tracing.platform.db import read_only
from tracing.services import Services


@pytest.mark.parametrize("state", sorted(set(CaseState) - {CaseState.IN_CARE}))  # known identities: test_admission
def test_every_state_can_be_reached(state: CaseState, services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, state, now=now)
    assert state_of(services, story.case_id) is state
    with read_only(services.db) as session:
        moves = session.scalars(select(CaseTransition).where(CaseTransition.case_id == story.case_id)).all()
    assert all(
        move.to_state in TRANSITIONS[move.from_state] | UNDOING.get(move.from_state, frozenset()) for move in moves
    )
    # One unbroken path from the draft to the present state: every other state is entered as often as it is left.
    balance = Counter(move.to_state for move in moves)
    balance.subtract(move.from_state for move in moves)
    expected = {} if state is CaseState.DRAFT else {CaseState.DRAFT: -1, state: 1}
    assert {one: count for one, count in balance.items() if count} == expected


@pytest.mark.postgres
def test_the_whole_way_on_postgresql(postgres_services: Services, world: World, now: datetime) -> None:
    story = judged_case(postgres_services, world, CaseState.CLOSED, now=now)
    assert state_of(postgres_services, story.case_id) is CaseState.CLOSED
