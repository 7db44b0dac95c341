"""What must hold of the workflow whatever anybody does, asked of the database alone and not of the code under test."""

import re
import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.admission import AdmissionRecord, IdentityDisproof
from models.base import Base
from models.candidate import Candidate
from models.case import Case, CaseState, CaseTransition
from models.claim import IdentityClaim
from models.clue import Clue
from models.confirmation import Confirmation
from models.contact import ContactAttempt, ContactRelease, ContactScreening
from models.duplicate import DuplicateClosure, DuplicateDecision
from models.exclusion import Exclusion
from models.home_notice import HomeNotice
from models.kin import KinVerification
from models.lookout import Lookout, LookoutAnswer
from models.outcome import Outcome
from models.photo import Photo
from models.review import Review
from models.review_protocol import FeatureNote, ReviewAssignment, ReviewRequest
from models.sighting import Sighting, SightingLink
from tests.architecture.source import ROOT
from tracing.platform.audit import verify

DECISIVE = {"fingerprint", "dna", "household_register", "official_document"}
GATED = {"identified", "contact_released", "family_contacted", "reunified"}
RELEASED = GATED - {"identified"}
UNTRACED = {"draft", "in_care", "left", "transferred", "deceased", "closed"}
DIAGRAM = (ROOT / "docs" / "workflow.md").read_text("utf-8").split("```mermaid")[1].split("```")[0]
EDGES = re.findall(r"^ +(\w+) --> (\w+)(?: : ([\w ]+))?$", DIAGRAM, re.MULTILINE)
LEGAL = frozenset((before, after) for before, after, _ in EDGES)
"""The moves of the published diagram, those that undo a decision among them."""
UNDONE = {(before, after): by for before, after, by in EDGES if by}
"""Those that undo a decision, and what alone makes them."""
BROUGHT_BY = {
    "reunified": {"reunited", "escorted_home"}, "transferred": {"transferred"}, "settled": {"settled"},
}  # fmt: skip
"""States that only an outcome brings, and which outcomes do."""
OF_FAMILY = {"reunited", "escorted_home", "transferred", "refused_contact"}
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
    (AdmissionRecord, ("case_id", "basis", "fingerprints", "recorded_by_id", "recorded_at")),
    (IdentityDisproof, ("case_id", "recorded_by_id", "recorded_at")),
    (Sighting, ("seen_at", "division", "recorded_by_id", "recorded_at")),
    (Lookout, ("sighting_id", "case_id", "opened_by_id", "opened_at")),
    (LookoutAnswer, ("lookout_id", "user_id", "seen", "sighting_id")),
    (DuplicateDecision, ("pair_id", "verdict", "decided_by_id", "decided_at")),
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
    verified = [one for one in session.scalars(select(KinVerification)) if one.result.value == "verified"]
    for outcome in session.scalars(select(Outcome)):
        if outcome.kind.value in ("reunited", "escorted_home"):
            at = outcome.recorded_at
            assert any(
                one.case_id == outcome.case_id
                and one.verified_at <= at
                and (one.withdrawn_at is None or one.withdrawn_at >= at)
                for one in verified
            ), "handed over without verified kin"
        if outcome.kind.value == "settled":
            assert outcome.dossier_version, "settled without a dossier"
    for exclusion in session.scalars(select(Exclusion)):
        if exclusion.reopened_at is None:
            candidate = session.get_one(Candidate, exclusion.candidate_id, populate_existing=True)
            assert (candidate.state.value, candidate.listed) == ("excluded", False), "an excluded pair came back"


def check_known(session: Session) -> None:
    """Assert that nobody whose identity is known is searched for, and that nobody stays without one."""
    named = set(session.scalars(select(AdmissionRecord.case_id).where(AdmissionRecord.identity_sealed.is_not(None))))
    for case in session.scalars(select(Case).execution_options(populate_existing=True)):
        if case.state.value == "in_care":
            assert case.admission_kind.value == "known_identity", "in care without a known identity"
            assert case.id in named, "in care without a name"
        if case.admission_kind.value == "known_identity":
            assert case.state.value in UNTRACED, f"known identity, and yet {case.state}"
    pairs = select(Candidate.case_id, Candidate.other_case_id).where(Candidate.listed)
    known = set(session.scalars(select(Case.id).where(Case.admission_kind == "known_identity")))
    for pair in session.execute(pairs).all():
        assert not known & set(pair), "a candidate for somebody whose identity is known"


def lookout_is_open(session: Session, lookout_id: uuid.UUID) -> bool:
    """Whether the lookout is there and has not ended."""
    lookout = session.get(Lookout, lookout_id, populate_existing=True)
    return lookout is not None and lookout.ended_at is None


def check_lookouts(session: Session) -> None:
    """Assert that what was seen of somebody who was found is erased, unless a case or another lookout needs it."""
    links = session.scalars(select(SightingLink).execution_options(populate_existing=True)).all()
    accepted = [one for one in links if one.state.value == "accepted"]
    rows = session.scalars(select(Lookout).execution_options(populate_existing=True)).all()
    needed = {one.sighting_id for one in rows if one.ended_at is None}
    running = {one.id for one in rows if one.ended_at is None}
    needed |= {one.sighting_id for one in accepted if one.lookout_id in running or one.case_id is not None}
    shown = set(session.scalars(select(Photo.profile_id).where(Photo.removed_at.is_(None))))
    for lookout in rows:
        if lookout.end_kind is None or lookout.end_kind.value != "found":
            continue
        ids = {lookout.sighting_id} | {one.sighting_id for one in accepted if one.lookout_id == lookout.id}
        for sighting_id in ids - needed - {None}:
            sighting = session.get_one(Sighting, sighting_id, populate_existing=True)
            if sighting.withdrawn_at is None:
                assert sighting.erased_at is not None, "a photograph was kept after its person was found"
                assert sighting.profile_id not in shown, "an erased sighting has a photograph"


def check_links(session: Session) -> None:
    """Assert that a link closes the other report's candidates while a confirmation stands, and lifts with either."""
    standing = {one.id: one for one in session.scalars(select(Confirmation)) if one.recalled_at is None}
    decisions = {one.id: one for one in session.scalars(select(DuplicateDecision)) if one.withdrawn_at is None}
    for closure in session.scalars(select(DuplicateClosure).execution_options(populate_existing=True)):
        if closure.reopened_at is None:
            assert closure.decision_id in decisions, "closed by a link that was undone"
            assert closure.confirmation_id in standing, "closed by a confirmation that was recalled"
            candidate = session.get_one(Candidate, closure.candidate_id, populate_existing=True)
            assert candidate.state.value not in ("open", "judged", "confirmed"), "closed by a link, and yet open"


def check_undone(session: Session) -> None:
    """Assert that a decision is undone by what alone may, and wholly."""
    outcomes = session.scalars(select(Outcome).execution_options(populate_existing=True)).all()
    confirmations = session.scalars(select(Confirmation).execution_options(populate_existing=True)).all()
    when = {
        "recall": {(one.case_id, one.recalled_at) for one in confirmations},
        "outcome withdrawn": {(one.case_id, one.withdrawn_at) for one in outcomes},
    }
    for move in session.scalars(select(CaseTransition)):
        by = UNDONE.get((move.from_state.value, move.to_state.value))
        assert by is None or (move.case_id, move.at) in when[by], f"{move.from_state} -> {move.to_state} without {by}"
    for one in confirmations:
        resting = [
            outcome.withdrawn_at is not None
            for outcome in outcomes
            if outcome.case_id == one.case_id and outcome.kind.value in OF_FAMILY and one.recalled_at is not None
            and one.confirmed_at <= outcome.recorded_at <= one.recalled_at
        ]  # fmt: skip
        assert all(resting), "an outcome of a family that was recalled stands"
    standing = {one.case_id for one in confirmations if one.recalled_at is None}
    for case in session.scalars(select(Case).execution_options(populate_existing=True)):
        state = case.state.value
        assert state != "recalled" or case.id not in standing, "recalled, and yet confirmed"
        brought = any(
            one.case_id == case.id and one.withdrawn_at is None and one.kind.value in BROUGHT_BY.get(state, ())
            for one in outcomes
        )
        assert state not in BROUGHT_BY or brought, f"{state} by an outcome that was withdrawn"


def standing_outcome(session: Session, case_id: uuid.UUID) -> uuid.UUID | None:
    """The newest outcome of a case that was not withdrawn."""
    return session.scalar(
        select(Outcome.id)
        .where(Outcome.case_id == case_id, Outcome.withdrawn_at.is_(None))
        .order_by(Outcome.recorded_at.desc(), Outcome.id)
        .limit(1)
    )


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
    check_known(session)
    check_lookouts(session)
    check_links(session)
    check_undone(session)
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
