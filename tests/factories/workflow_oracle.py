"""What must hold of the workflow whatever anybody does, asked of the database alone and not of the code under test."""

import re
import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import Base
from models.candidate import Candidate
from models.case import Case, CaseState, CaseTransition
from models.claim import IdentityClaim
from models.clue import Clue
from models.confirmation import Confirmation
from models.contact import ContactAttempt, ContactRelease, ContactScreening
from models.exclusion import Exclusion
from models.home_notice import HomeNotice
from models.kin import KinVerification
from models.outcome import Outcome
from models.review import Review
from models.review_protocol import FeatureNote, ReviewAssignment, ReviewRequest
from tests.architecture.source import ROOT
from tracing.platform.audit import verify

DECISIVE = {"fingerprint", "dna", "household_register", "official_document"}
GATED = {"identified", "contact_released", "family_contacted", "reunified"}
RELEASED = GATED - {"identified"}
DIAGRAM = (ROOT / "docs" / "workflow.md").read_text("utf-8").split("```mermaid")[1].split("```")[0]
LEGAL = frozenset(re.findall(r"^ +(\w+) --> (\w+)$", DIAGRAM, re.MULTILINE))
"""The moves of the published diagram."""
KEPT: tuple[tuple[type[Base], tuple[str, ...]], ...] = (
    (Review, ("candidate_id", "examiner_id", "opinion", "grade", "committed_at")),
    (Confirmation, ("case_id", "candidate_id", "method", "reference", "claim_id", "confirmed_by_id")),
    (IdentityClaim, ("case_id", "candidate_id", "method", "grade", "reference", "recorded_by_id")),
    (Clue, ("case_id", "kind", "text", "recorded_at")),
    (CaseTransition, ("case_id", "from_state", "to_state", "at")),
    (ContactRelease, ("case_id", "confirmation_id", "released_by_id")),
    (ContactAttempt, ("case_id", "result", "attempted_at")),
    (FeatureNote, ("case_id", "examiner_id", "basis", "noted_at")),
    (ReviewAssignment, ("case_id", "place", "examiner_id", "assigned_at", "due_at")),
    (ReviewRequest, ("case_id", "candidate_id", "examiner_id", "kind", "requested_at")),
    (Outcome, ("case_id", "kind", "occurred_on")),
    (ContactScreening, ("case_id", "ordinal", "wish", "danger")),
    (KinVerification, ("case_id", "confirmation_id", "result", "dna_required")),
    (Exclusion, ("case_id", "candidate_id", "evidence", "excluded_by_id")),
    (HomeNotice, ("case_id", "kind", "division", "organisation_id")),
)
"""What is judged or done, and the columns that never change."""


def contact_is_released(session: Session, case_id: uuid.UUID) -> bool:
    """Whether a release rests on the confirmation that stands, and the case is in a state for it."""
    return bool(
        session.scalar(
            select(Case.id)
            .join(Confirmation, Confirmation.case_id == Case.id)
            .join(ContactRelease, ContactRelease.confirmation_id == Confirmation.id)
            .where(Case.id == case_id, Confirmation.recalled_at.is_(None), Case.state.in_(RELEASED))
        )
    )


def contact_is_stopped(session: Session, case_id: uuid.UUID) -> bool:
    """Whether the person objected, or danger was suspected, when it was last asked."""
    rows = session.scalars(select(ContactScreening).where(ContactScreening.case_id == case_id)).all()
    last = max(rows, key=lambda one: one.ordinal, default=None)
    return last is not None and (last.wish.value == "objects" or last.danger.value == "suspected")


def check_handovers(session: Session) -> None:
    """Assert that nobody was handed over without verified kin, and that no excluded pair is listed or confirmed."""
    verified = {(one.case_id, one.verified_at) for one in session.scalars(select(KinVerification))
                if one.result.value == "verified"}  # fmt: skip
    for outcome in session.scalars(select(Outcome)):
        if outcome.kind.value in ("reunited", "escorted_home"):
            assert any(case_id == outcome.case_id and at <= outcome.recorded_at for case_id, at in verified), (
                "handed over without verified kin"
            )
        if outcome.kind.value == "settled":
            assert outcome.dossier_version, "settled without a dossier"
    for exclusion in session.scalars(select(Exclusion)):
        if exclusion.reopened_at is None:
            candidate = session.get_one(Candidate, exclusion.candidate_id, populate_existing=True)
            assert (candidate.state.value, candidate.listed) == ("excluded", False), "an excluded pair came back"


def is_grounded(session: Session, confirmation: Confirmation) -> bool:
    """Whether it names a decisive method's document, or two examiners agree who did not enter the case."""
    if confirmation.method.value in DECISIVE:
        return bool(confirmation.reference)
    case = session.get_one(Case, confirmation.case_id)
    agreeing = session.scalars(
        select(Review.examiner_id).where(
            Review.candidate_id == confirmation.candidate_id, Review.withdrawn_at.is_(None), Review.grade >= 2
        )
    )
    return len(set(agreeing) - {case.created_by_id, case.submitted_by_id}) >= 2


def contradicted(session: Session, confirmation: Confirmation) -> bool:
    """Whether a standing result of confirmed grade names another candidate, or somebody outside."""
    named = session.scalars(
        select(IdentityClaim).where(
            IdentityClaim.case_id == confirmation.case_id, IdentityClaim.withdrawn_at.is_(None),
            IdentityClaim.settled_at.is_(None), IdentityClaim.grade == "confirmed",
        )
    )  # fmt: skip
    return any(one.candidate_id != confirmation.candidate_id for one in named)


def kept(session: Session) -> dict[uuid.UUID, tuple[Any, ...]]:
    """Every row of what is kept, by id."""
    found: dict[uuid.UUID, tuple[Any, ...]] = {}
    for kind, names in KEPT:
        table = kind.__table__
        for row in session.execute(select(table.c.id, *(table.c[name] for name in names))):
            found[row[0]] = (kind.__tablename__, *row[1:])
    return found


def check(session: Session, before: dict[uuid.UUID, tuple[Any, ...]]) -> dict[uuid.UUID, tuple[Any, ...]]:
    """Assert every invariant but the audit chain's; `before` is what was kept, the answer what is kept now."""
    standing = {one.case_id: one for one in session.scalars(select(Confirmation)) if one.recalled_at is None}
    for confirmation in standing.values():
        assert is_grounded(session, confirmation), "a confirmation rests on too little"
    for case_id, state in session.execute(select(Case.id, Case.state)).all():
        if state.value in GATED:
            assert case_id in standing, f"{state} without a confirmation"
        if state.value in RELEASED:
            assert contact_is_released(session, case_id), f"{state} without a release"
    check_handovers(session)
    now = kept(session)
    assert before.items() <= now.items(), "something judged was lost or changed"
    for table, *row in now.values():
        if table == "case_transition":
            assert (row[1].value, row[2].value) in LEGAL, f"an illegal move {row[1]} -> {row[2]}"
    return now


def check_audit(session: Session) -> None:
    """Assert that the audit chain is whole."""
    assert verify(session).ok, "the audit chain is broken"


def candidate_of(session: Session, case_id: uuid.UUID, report_id: uuid.UUID) -> uuid.UUID | None:
    """The candidate of a pair, if the search has proposed it."""
    return session.scalar(select(Candidate.id).where(Candidate.case_id == case_id, Candidate.report_id == report_id))


ENDED = (CaseState.CLOSED, CaseState.TRANSFERRED, CaseState.DECEASED)


def described(session: Session, case_id: uuid.UUID, examiner_id: uuid.UUID) -> bool:
    """Whether this examiner has noted the features of the case's person."""
    noted = select(FeatureNote.id).where(FeatureNote.case_id == case_id, FeatureNote.examiner_id == examiner_id)
    return session.scalars(noted.limit(1)).first() is not None


def check_assignments(session: Session) -> None:
    """Nobody was given a case that they entered, and nobody holds two places of one."""
    rows = session.execute(
        select(ReviewAssignment, Case.created_by_id, Case.submitted_by_id).join(
            Case, Case.id == ReviewAssignment.case_id
        )
    ).all()
    assert not [row for row, *entered in rows if row.examiner_id in entered], "given to whoever entered it"
    running = [(row.case_id, row.examiner_id) for row, *_ in rows if row.ended_at is None]
    assert len(running) == len(set(running)), "one examiner in two places"


def open_cases(session: Session, case_ids: list[uuid.UUID]) -> list[uuid.UUID]:
    """Those that may still come home, in the given order."""
    ended = set(session.scalars(select(Case.id).where(Case.state.in_(ENDED))))
    return [one for one in case_ids if one not in ended]
