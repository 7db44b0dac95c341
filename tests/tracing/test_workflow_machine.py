"""The workflow under random hands: the invariants hold, a planted fault is found (`make drill-workflow` does more)."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models import case as case_module
from models.case import TRANSITIONS, UNDOING, Case, CaseState
from models.profile import Profile
from models.report import Report
from tests.conftest import NOW
from tests.factories.rivals import Copies, postgres_copies, sqlite_copies
from tests.factories.workflow_machine import workflow_test
from tests.factories.workflow_oracle import LEGAL
from tracing import confirmation, contact, kin, lookouts, outcomes, review
from tracing.platform import errors


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    """SQLite databases with the ground of the machine."""
    with sqlite_copies(tmp_path_factory.mktemp("copies"), NOW) as made:
        yield made


def test_the_invariants_hold(copies: Copies) -> None:
    assert workflow_test(copies, seed_of_run=1, examples=4, steps=30) >= 60


@pytest.mark.postgres
def test_the_invariants_hold_on_postgresql(postgres_server: Engine, tmp_path: Path, now: datetime) -> None:
    with postgres_copies(postgres_server, tmp_path, now) as made:
        assert workflow_test(made, seed_of_run=2, examples=3, steps=30) >= 30


def test_the_oracle_reads_the_published_diagram() -> None:
    moves = (*TRANSITIONS.items(), *UNDOING.items())
    edges = {(before.value, after.value) for before, reached in moves for after in reached}
    assert edges == LEGAL - {("closed", "*")}


def found(copies: Copies, *rules: str) -> str:
    """The words of what the machine finds within a small budget, its hands narrowed to what is near the fault."""
    with pytest.raises(Exception) as failed:  # noqa: PT011 - an assertion of the oracle, or a gate that closed
        workflow_test(copies, seed_of_run=3, examples=20, steps=10, only=frozenset(rules))
    return repr(failed.value)


def _table(monkeypatch: pytest.MonkeyPatch, before: CaseState, after: CaseState) -> None:
    mutated = {**TRANSITIONS, before: TRANSITIONS[before] | {after}}
    for module in (case_module, outcomes):  # both look it up by name
        monkeypatch.setattr(module, "TRANSITIONS", MappingProxyType(mutated))


def test_a_way_around_the_confirmation_is_found(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    _table(monkeypatch, CaseState.IN_REVIEW, CaseState.REUNIFIED)
    monkeypatch.setattr(outcomes, "refuse_unverified", lambda *_, **__: None)
    assert "gate: nobody is handed over" in found(copies, "end")


def test_a_move_that_no_gate_guards_is_found(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    _table(monkeypatch, CaseState.IN_REVIEW, CaseState.CLOSED)
    assert "an illegal move" in found(copies, "move")


def test_a_confirmation_without_opinions_is_found(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmation, "agreeing_examiners", lambda *_: (2, 0))
    assert "gate: two agreeing examiners" in found(copies, "confirm")


def test_a_confirmation_against_a_result_is_found(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmation, "refuse_conflicting", lambda *_: None)
    assert "gate: a claim of confirmed grade names somebody else" in found(copies, "contradict")


def test_details_read_before_the_release_are_found(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_release(session: Session, case: Case) -> tuple[Report, uuid.UUID]:
        standing = confirmation.standing_confirmation(session, case.id)
        if standing is None:
            raise contact.ContactSealed()
        report = session.get_one(Report, standing.report_id)
        return report, session.get_one(Profile, report.profile_id).subject_id

    monkeypatch.setattr(contact, "released_report", without_release)
    assert "before release" in found(copies, "step_home")


def test_a_handover_without_verified_kin_is_found(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise errors.NotFound()

    monkeypatch.setattr(kin, "verify_kin", nobody)
    monkeypatch.setattr(outcomes, "refuse_unverified", lambda *_, **__: None)
    assert "kin" in found(copies, "step_home")


def test_a_case_left_where_a_withdrawn_outcome_had_brought_it_is_found(
    copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "state_before", lambda *_: None)
    assert "by an outcome that was withdrawn" in found(copies, "end", "unend")


def test_an_opinion_before_the_features_is_found(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "require_noted", lambda *_: None)
    assert "features" in found(copies, "judge_unprepared")


def test_a_photograph_kept_after_the_finding_is_found(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookouts, "erase_sighting", lambda *_, **__: None)
    assert "kept after its person was found" in found(copies, "look_for")


def test_tracing_somebody_whose_identity_is_known_is_found(copies: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Case, "traced", property(lambda _: True))
    words = found(copies, "care", "trace_known")
    assert "known identity, and yet submitted" in words or "gate: " in words
