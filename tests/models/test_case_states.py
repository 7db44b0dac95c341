"""The transition table: every pair of states through `move_to`, and what the table as a whole promises."""

import uuid
from datetime import UTC, datetime

import pytest

from models.case import (
    CONTACT_OPEN,
    GATED,
    SEARCHED,
    TRANSITIONS,
    UNDOING,
    Case,
    CaseState,
    IllegalTransition,
)

S = CaseState
AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
BEFORE = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)


def case_in(state: CaseState) -> Case:
    return Case(id=uuid.uuid4(), state=state, state_since=BEFORE, updated_at=BEFORE)


@pytest.mark.parametrize("undoing", [False, True])
@pytest.mark.parametrize("wanted", list(S))
@pytest.mark.parametrize("current", list(S))
def test_every_pair(current: CaseState, wanted: CaseState, *, undoing: bool) -> None:
    case, actor = case_in(current), uuid.uuid4()
    if (undoing and wanted in UNDOING.get(current, ())) or wanted in TRANSITIONS[current]:
        row = case.move_to(wanted, actor_id=actor, at=AT, reason="家属来接", undoing=undoing)
        assert (case.state, case.state_since, case.updated_at) == (wanted, AT, AT)
        assert (row.case_id, row.from_state, row.to_state) == (case.id, current, wanted)
        assert (row.actor_id, row.at, row.reason) == (actor, AT, "家属来接")
    else:
        with pytest.raises(IllegalTransition) as refused:
            case.move_to(wanted, actor_id=actor, at=AT, undoing=undoing)
        assert (refused.value.current, refused.value.wanted) == (current, wanted)
        assert (case.state, case.state_since, case.updated_at) == (current, BEFORE, BEFORE)


def test_the_table_names_every_state_and_no_state_leads_to_itself() -> None:
    assert set(TRANSITIONS) == set(S)
    assert not [state for state in S if state in TRANSITIONS[state] | UNDOING.get(state, frozenset())]
    assert not [state for state in UNDOING if UNDOING[state] & TRANSITIONS[state]]


def test_every_state_is_reached_from_the_draft_and_leads_to_the_end() -> None:
    def reached(start: CaseState) -> set[CaseState]:
        found, waiting = {start}, [start]
        while waiting:
            state = waiting.pop()
            new = (TRANSITIONS[state] | UNDOING.get(state, frozenset())) - found
            found |= new
            waiting.extend(new)
        return found

    assert reached(S.DRAFT) == set(S)
    assert all(S.CLOSED in reached(state) for state in S)


def test_the_way_to_the_family_has_one_door_a_state() -> None:
    def doors(state: CaseState) -> set[CaseState]:
        return {before for before, after in TRANSITIONS.items() if state in after}

    assert doors(S.CONTACT_RELEASED) == {S.IDENTIFIED}
    assert doors(S.FAMILY_CONTACTED) == {S.CONTACT_RELEASED}
    assert doors(S.REUNIFIED) == {S.FAMILY_CONTACTED}
    assert S.IDENTIFIED not in TRANSITIONS[S.DRAFT] | TRANSITIONS[S.SUBMITTED] | TRANSITIONS[S.RECALLED]


def test_whoever_may_be_confirmed_can_be_recalled_and_a_closed_case_does_nothing_else() -> None:
    unconfirmed = {S.DRAFT, S.IN_CARE, S.SUBMITTED, S.RECALLED}
    assert {state for state in S if S.RECALLED in UNDOING.get(state, ())} == set(S) - unconfirmed
    assert not any(S.RECALLED in after for after in TRANSITIONS.values())
    assert not TRANSITIONS[S.CLOSED]
    assert UNDOING[S.CLOSED] == {S.RECALLED}


def test_undoing_an_end_leads_to_a_state_that_had_led_to_it() -> None:
    for state, after in UNDOING.items():
        assert all(state in TRANSITIONS[before] for before in after - {S.RECALLED}), state


def test_the_sets_of_states() -> None:
    assert CONTACT_OPEN | {S.IDENTIFIED} == GATED
    assert not GATED & SEARCHED
    assert {S.DRAFT, S.IN_CARE, S.SUBMITTED, S.CLOSED}.isdisjoint(GATED | SEARCHED)


def test_care_of_known_identity_begins_in_a_draft_and_leads_to_the_search_by_handing_in_alone() -> None:
    assert {before for before, after in TRANSITIONS.items() if S.IN_CARE in after} == {S.DRAFT}
    assert TRANSITIONS[S.IN_CARE] == {S.SUBMITTED, S.LEFT, S.TRANSFERRED, S.DECEASED, S.CLOSED}
