"""Exclusions (排除): a pair that is not the same person is never listed again, until new evidence reopens it."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.candidate import Candidate, CandidateState
from models.case import Case
from models.confirmation import Confirmation
from models.exclusion import EXCLUDING, WITH_REFERENCE, Exclusion, ExclusionEvidence
from models.review import Review
from models.review_protocol import ReviewSeed, SeedExclusion
from tracing import access
from tracing.access import Permission, Viewer
from tracing.candidates import load_candidate
from tracing.cases import check_reason, load_case
from tracing.confirmation import ReferenceMissing, agreeing_examiners, refuse_untold, standing_confirmation
from tracing.duplicate_links import closed_by_link
from tracing.facts import check_optional_text
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.review import refuse_own_case
from tracing.review_seeds import as_candidate, as_exclusion, exclusions_of, find_seed
from tracing.trail import note


class NotExcluding(errors.Invalid):
    """Evidence that cannot exclude."""

    slug = "not_excluding"
    message = (
        "A photograph or a statement excludes nobody. State a fingerprint, DNA or official result, or two examiners."
    )


class ExaminersMissing(errors.Conflict):
    """Fewer than two examiners oppose, or one agrees."""

    slug = "examiners_missing"
    message = (
        "Two different examiners must first judge, each alone, that they are not the same, and none that they are "
        "({opposing} so far). Otherwise state a fingerprint, DNA or official result."
    )


class ExclusionStands(errors.Conflict):
    """The pair is excluded already."""

    slug = "exclusion_stands"
    message = "This pair is excluded. Only a police supervisor can reopen it, by naming new evidence."


class CandidateConfirmed(errors.Conflict):
    """The pair is confirmed to be one person."""

    slug = "candidate_confirmed"
    message = "This candidate is confirmed. The supervisor has to recall the confirmation before it can be excluded."


class ExclusionReopened(errors.Conflict):
    """An exclusion that was reopened already."""

    slug = "exclusion_reopened"
    message = "This exclusion has been reopened already. Reload the page."


def exclude(
    session: Session,
    viewer: Viewer,
    candidate_id: uuid.UUID,
    evidence: ExclusionEvidence,
    *,
    reference: str | None,
    reason: str,
    now: datetime,
) -> Exclusion:
    """Put a candidate out of the case's list for good.

    Raises Forbidden, NotFound, ConflictOfInterest, NotExcluding, ReferenceMissing, ReasonMissing, ExaminersMissing,
    OpinionsMissing, ExclusionStands, CandidateConfirmed.
    """
    access.require(viewer, Permission.EXCLUDE)
    seed = find_seed(session, viewer, candidate_id)
    case_id = seed.case_id if seed else load_candidate(session, viewer, candidate_id).case_id
    case = session.scalars(select(Case).where(Case.id == case_id).with_for_update()).one()
    candidate = (
        as_candidate(session, seed, judged=True) if seed else load_candidate(session, viewer, candidate_id, lock=True)
    )
    refuse_own_case(viewer, case)
    if candidate.state is CandidateState.EXCLUDED:
        raise ExclusionStands()
    if candidate.state is CandidateState.CONFIRMED:
        raise CandidateConfirmed()
    reference, reason = _checked(evidence, reference, reason)
    if evidence not in EXCLUDING:
        raise NotExcluding(field="evidence")
    if evidence is ExclusionEvidence.EXAMINERS_AGREED:
        agreeing, opposing = agreeing_examiners(session, seed or candidate, case, blind=False)
        if opposing < 2 or agreeing:
            refuse_untold(session, viewer, candidate.id, field="evidence")
            raise ExaminersMissing(field="evidence", opposing=opposing)
    given = {
        "id": uuid.uuid4(),
        "evidence": evidence,
        "reference": reference,
        "reason": reason,
        "excluded_by_id": viewer.user_id,
        "excluded_at": now,
    }
    exclusion = _exclude_seed(session, seed, given) if seed else _exclude(session, candidate, given)
    note(session, viewer, "exclusion.exclude", "case", case.id, at=now, candidate=candidate.id, evidence=evidence.value)
    return exclusion


def _exclude(session: Session, candidate: Candidate, given: Mapping[str, Any]) -> Exclusion:
    exclusion = Exclusion(case_id=candidate.case_id, candidate_id=candidate.id, **given)
    candidate.state, candidate.listed, candidate.closed_by_id = CandidateState.EXCLUDED, False, None
    session.flush()
    session.add(exclusion)  # after the candidate has left the list: with the row, the database refuses it there
    session.flush()
    return exclusion


def _exclude_seed(session: Session, seed: ReviewSeed, given: Mapping[str, Any]) -> Exclusion:
    row = SeedExclusion(seed_id=seed.id, **given)
    session.add(row)
    session.flush()
    return as_exclusion(row, seed.case_id)


def _checked(evidence: ExclusionEvidence, reference: str | None, reason: str) -> tuple[str | None, str]:
    reference = check_optional_text(reference, field="reference", limit=120)
    if evidence in WITH_REFERENCE and reference is None:
        raise ReferenceMissing(field="reference")
    return reference, check_reason(reason)


def reopen(
    session: Session,
    viewer: Viewer,
    exclusion_id: uuid.UUID,
    evidence: ExclusionEvidence,
    *,
    reference: str | None,
    reason: str,
    now: datetime,
) -> Exclusion:
    """Bring an excluded candidate back, on new evidence that is named; the exclusion stays on record. For supervisors.

    Raises Forbidden, NotFound, ReferenceMissing, ReasonMissing, ExclusionReopened.
    """
    access.require(viewer, Permission.EXCLUSION_REOPEN)
    found = session.execute(
        select(Exclusion.case_id, Exclusion.candidate_id).where(Exclusion.id == exclusion_id)
    ).one_or_none()
    if found is None:
        raise errors.NotFound()
    load_candidate(session, viewer, found.candidate_id)
    session.execute(select(Case.id).where(Case.id == found.case_id).with_for_update())
    exclusion = session.get_one(Exclusion, exclusion_id, populate_existing=True)
    if exclusion.reopened_at is not None:
        raise ExclusionReopened()
    reference, reason = _checked(evidence, reference, reason)
    candidate = session.get_one(Candidate, found.candidate_id, with_for_update=True, populate_existing=True)
    exclusion.reopen_evidence, exclusion.reopen_reference, exclusion.reopen_reason = evidence, reference, reason
    exclusion.reopened_by_id, exclusion.reopened_at = viewer.user_id, now
    session.flush()
    closing = _closing(session, candidate)
    closed = closing is not None or closed_by_link(session, candidate.id)
    candidate.state = CandidateState.CLOSED if closed else state_when_open(session, candidate)
    candidate.closed_by_id, candidate.listed = closing, True
    session.flush()
    note(
        session, viewer, "exclusion.reopen", "case", exclusion.case_id, at=now,
        exclusion=exclusion.id, candidate=candidate.id, evidence=evidence.value,
    )  # fmt: skip
    return exclusion


def state_when_open(session: Session, candidate: Candidate) -> CandidateState:
    """Judged when an opinion stands, else open."""
    judged = select(Review.id).where(Review.candidate_id == candidate.id, Review.withdrawn_at.is_(None)).limit(1)
    return CandidateState.OPEN if session.scalar(judged) is None else CandidateState.JUDGED


def _closing(session: Session, candidate: Candidate) -> uuid.UUID | None:
    """The standing confirmation of the case, the other case, or the report, that leaves this candidate closed."""
    for case_id in (candidate.case_id, candidate.other_case_id):
        standing = standing_confirmation(session, case_id) if case_id else None
        if standing is not None:
            return standing.id
    if candidate.report_id is None:
        return None
    return session.scalar(
        select(Confirmation.id).where(
            Confirmation.report_id == candidate.report_id, Confirmation.recalled_at.is_(None)
        )
    )  # fmt: skip


def list_exclusions(
    session: Session,
    viewer: Viewer,
    case_id: uuid.UUID,
    *,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[Exclusion]:
    """A case's exclusions, newest first, reopened ones among them. Raises Forbidden, NotFound."""
    access.require(viewer, Permission.CANDIDATE_READ)
    case = load_case(session, viewer, case_id)
    statement = select(Exclusion).where(Exclusion.case_id == case.id).execution_options(populate_existing=True)
    page = page_of(session, statement, Exclusion.excluded_at, Exclusion.id, cursor=cursor, limit=limit)
    # Few, and so all on the first page.
    sown = [] if cursor else exclusions_of(session, viewer, case.id)
    items = tuple(sorted([*page.items, *sown], key=lambda one: (one.excluded_at, one.id), reverse=True))
    note(session, viewer, "exclusion.list", "case", case.id, at=now, count=len(items))
    return Page(items, page.next_cursor)
