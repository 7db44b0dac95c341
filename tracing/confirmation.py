"""Confirmation (身份确认): the police's decision, what it rests on, and its recall: the only way to the family."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import NoReturn

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased

from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateState
from models.case import TRANSITIONS, Case, CaseState
from models.confirmation import DECISIVE_METHODS, Confirmation, ConfirmationMethod
from models.profile import Profile
from models.report import Report, ReportState
from models.review import AGREEING_GRADE, Review
from models.review_protocol import ReviewSeed, SeedReview
from tracing import access, duplicates
from tracing.access import Permission, Viewer
from tracing.candidates import load_candidate
from tracing.cases import ReasonMissing, load_case
from tracing.claim_gate import claim_behind, refuse_conflicting
from tracing.confirmation_news import tell_identified, tell_recalled
from tracing.deadline_plan import refresh as refresh_deadlines
from tracing.duplicate_links import close_found, hold_links, refuse_linked
from tracing.facts import check_optional_text, check_text
from tracing.matching import request_match
from tracing.outcome_withdrawal import take_back_resting
from tracing.platform import errors
from tracing.profiles import next_revision
from tracing.reports import move_report
from tracing.review import refuse_own_case, standing_review
from tracing.review_seeds import as_candidate, find_seed
from tracing.services import Services
from tracing.trail import note
from tracing.transitions import illegal_move, move


class ReviewsMissing(errors.Conflict):
    """Fewer than two agreeing opinions, and no decisive method."""

    slug = "reviews_missing"
    message = (
        "Two different examiners must first agree, each alone ({agreeing} so far). "
        "Otherwise state a fingerprint, DNA, household register or official document result."
    )


class OpinionsMissing(errors.Conflict):
    """What the examiners have said is not enough, told to one who must not learn it before judging alone."""

    slug = "opinions_missing"
    message = (
        "Two different examiners must first agree, each alone, and not as many as clearly disagree. "
        "Otherwise state a fingerprint, DNA or official result."
    )


class DisagreementStands(errors.Conflict):
    """As many examiners oppose as agree."""

    slug = "disagreement_stands"
    message = "Examiners disagree on this candidate. A further examiner, or a decisive method, has to settle it."


class ReferenceMissing(errors.Invalid):
    """A decisive method without the document that shows it."""

    slug = "reference_missing"
    message = "Give the number of the document or report that this method rests on."


class NotThisCase(errors.Invalid):
    """A candidate of another case."""

    slug = "not_this_case"
    message = "This candidate belongs to another case. Choose one of this case's candidates."


class CandidateIsCase(errors.Conflict):
    """The candidate is a case, which has no family behind it."""

    slug = "candidate_is_case"
    message = "This candidate is an unnamed person of another station. Only a missing-person report gives a name."


class ReportTaken(errors.Conflict):
    """The report is resolved, withdrawn, or confirmed for another case."""

    slug = "report_taken"
    message = "This report is no longer open: it was withdrawn, or confirmed for another case. Reload the page."


class CandidateExcluded(errors.Conflict):
    """A candidate that was excluded."""

    slug = "candidate_excluded"
    message = "This candidate was excluded. A police supervisor has to reopen it first, by naming new evidence."


class AlreadyConfirmed(errors.Conflict):
    """Somebody has been confirmed for this case, perhaps a moment ago by a colleague."""

    slug = "already_confirmed"
    message = "Somebody has been confirmed for this case already. Reload the page; only a recall can undo it."


def agreeing_examiners(
    session: Session, candidate: Candidate | ReviewSeed, case: Case, *, blind: bool = True
) -> tuple[int, int]:
    """How many examiners agree, and how many oppose as clearly; whoever entered the case does not count.

    `blind`: neither does one who agrees after having been able to read a colleague's opinion on the candidate.
    """
    kind, about = _opinions_on(candidate)
    rows = session.execute(
        select(kind.examiner_id, kind.grade).where(
            getattr(kind, about) == candidate.id,
            kind.withdrawn_at.is_(None),
            kind.examiner_id.not_in([one for one in (case.submitted_by_id, case.created_by_id) if one]),
        )
    ).all()
    saw = _not_blind(session, candidate) if blind else frozenset()
    agreeing = {examiner for examiner, grade in rows if grade is not None and grade >= AGREEING_GRADE} - saw
    opposing = {examiner for examiner, grade in rows if grade is not None and grade <= -AGREEING_GRADE}
    return len(agreeing), len(opposing)


def _opinions_on(candidate: Candidate | ReviewSeed) -> tuple[type[Review] | type[SeedReview], str]:
    """Where opinions on a candidate, or on what passes for one, are kept, and the column that names it."""
    return (SeedReview, "seed_id") if isinstance(candidate, ReviewSeed) else (Review, "candidate_id")


def _not_blind(session: Session, candidate: Candidate | ReviewSeed) -> frozenset[uuid.UUID]:
    """Who withdrew an opinion after a colleague's stood beside it: a committed opinion opens those of the others."""
    kind, about = _opinions_on(candidate)
    mine, other = aliased(kind), aliased(kind)
    beside = exists().where(
        getattr(other, about) == getattr(mine, about),
        other.examiner_id != mine.examiner_id,
        other.committed_at < mine.withdrawn_at,
        or_(other.withdrawn_at.is_(None), other.withdrawn_at > mine.committed_at),
    )
    return frozenset(session.scalars(select(mine.examiner_id).where(getattr(mine, about) == candidate.id, beside)))


def confirm(
    session: Session,
    viewer: Viewer,
    case_id: uuid.UUID,
    candidate_id: uuid.UUID,
    method: ConfirmationMethod,
    *,
    reference: str | None,
    grounds: str,
    now: datetime,
) -> Confirmation:
    """Confirm that the case's person is the reported one; rivals are closed in the same transaction.

    A decisive method rests on the recorded result that shows it, when there is one: its reference is taken if none is
    given. Raises AlreadyConfirmed, CandidateExcluded, ClaimsConflict, ReviewsMissing, OpinionsMissing,
    DisagreementStands, ReferenceMissing, ConflictOfInterest, CandidateIsCase, ReportTaken, IllegalMove. The
    database refuses the same by triggers.
    """
    access.require(viewer, Permission.CONFIRM)
    case = load_case(session, viewer, case_id, lock=True)
    refuse_own_case(viewer, case)
    if standing_confirmation(session, case.id) is not None:
        raise AlreadyConfirmed()
    seed = find_seed(session, viewer, candidate_id)
    if seed is not None:
        _refuse_seed(session, viewer, case, seed, method, reference, grounds)
    candidate = load_candidate(session, viewer, candidate_id)
    if candidate.case_id != case.id:
        raise NotThisCase(field="candidate_id")
    if candidate.report_id is None:
        raise CandidateIsCase(field="candidate_id")
    report = _open_report(session, candidate)
    hold_links(session, report.id)
    candidate = load_candidate(session, viewer, candidate_id, lock=True)
    if candidate.state is CandidateState.EXCLUDED:
        raise CandidateExcluded(field="candidate_id")
    close_found(session, {report.id}, now=now)  # a match may have proposed the candidate since the link
    refuse_linked(session, candidate.id)
    grounds = check_text(grounds, limit=4000, field="grounds")
    reference, claim_id = _basis(session, viewer, case, candidate, method, reference)
    if CaseState.IDENTIFIED not in TRANSITIONS[case.state]:
        raise illegal_move(case.state, CaseState.IDENTIFIED)
    confirmation = Confirmation(
        id=uuid.uuid4(),
        case_id=case.id,
        candidate_id=candidate.id,
        report_id=report.id,
        method=method,
        reference=reference,
        claim_id=claim_id,
        grounds=grounds,
        confirmed_by_id=viewer.user_id,
        confirmed_at=now,
    )
    session.add(confirmation)
    session.flush()
    candidate.state = CandidateState.CONFIRMED
    for rival in _rivals(session, candidate):
        rival.state, rival.closed_by_id = CandidateState.CLOSED, confirmation.id
    move(session, case, CaseState.IDENTIFIED, viewer, now=now)
    move_report(session, report, ReportState.RESOLVED, viewer, now=now)
    session.flush()
    note(
        session, viewer, "confirmation.confirm", "case", case.id, at=now,
        candidate=candidate.id, report=report.id, method=method.value,
    )  # fmt: skip
    tell_identified(session, case, now=now)
    duplicates.on_confirmed(session, confirmation, now=now)
    return confirmation


def refuse_untold(session: Session, viewer: Viewer, candidate_id: uuid.UUID, *, field: str) -> None:
    """Raise OpinionsMissing for an examiner who has yet to judge: a refusal tells nothing of colleagues' opinions."""
    if viewer.may(Permission.REVIEW) and standing_review(session, viewer, candidate_id) is None:
        raise OpinionsMissing(field=field)


def _refuse_seed(
    session: Session,
    viewer: Viewer,
    case: Case,
    seed: ReviewSeed,
    method: ConfirmationMethod,
    reference: str | None,
    grounds: str,
) -> NoReturn:
    """Nobody is confirmed as a seed. What would refuse a candidate refuses it, in the same order and words; where
    nothing would, the answer is the plain truth: that report is confirmed for another case.
    """
    if seed.case_id != case.id:
        raise NotThisCase(field="candidate_id")
    if as_candidate(session, seed, judged=True).state is CandidateState.EXCLUDED:
        raise CandidateExcluded(field="candidate_id")
    check_text(grounds, limit=4000, field="grounds")
    reference = check_optional_text(reference, field="reference", limit=120)
    refuse_conflicting(session, case.id, seed.id)
    if method in DECISIVE_METHODS and reference is None:
        raise ReferenceMissing(field="reference")
    if method not in DECISIVE_METHODS:
        _refuse_disagreeing(session, viewer, seed, case)
    raise ReportTaken(field="candidate_id")


def _open_report(session: Session, candidate: Candidate) -> Report:
    # Case, report, candidates, in this order everywhere: two who confirm one report for two cases wait, not deadlock.
    # Not Session.get: with the candidate's report already loaded, it raises StaleDataError for the one who waited.
    report = session.scalars(
        select(Report)
        .where(Report.id == candidate.report_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if report.state is not ReportState.OPEN:
        raise ReportTaken(field="candidate_id")
    return report


def _basis(
    session: Session,
    viewer: Viewer,
    case: Case,
    candidate: Candidate,
    method: ConfirmationMethod,
    reference: str | None,
) -> tuple[str | None, uuid.UUID | None]:
    """Reference and recorded claim that the confirmation rests on; raises what is missing or stands against it."""
    reference = check_optional_text(reference, field="reference", limit=120)
    refuse_conflicting(session, case.id, candidate.id)
    if method in DECISIVE_METHODS:
        claim = claim_behind(session, candidate, method, reference)
        reference = reference or (claim.reference if claim else None)
        if reference is None:
            raise ReferenceMissing(field="reference")
        return reference, claim.id if claim else None
    _refuse_disagreeing(session, viewer, candidate, case)
    return reference, None


def _refuse_disagreeing(session: Session, viewer: Viewer, candidate: Candidate | ReviewSeed, case: Case) -> None:
    agreeing, opposing = agreeing_examiners(session, candidate, case)
    if agreeing < 2 or opposing >= agreeing:
        refuse_untold(session, viewer, candidate.id, field="method")
    if agreeing < 2:
        raise ReviewsMissing(field="method", agreeing=agreeing)
    if opposing >= agreeing:
        raise DisagreementStands(field="method")


def recall(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, reason: str, now: datetime
) -> Confirmation:
    """Undo a confirmation proved wrong, however far the case has come since: the family's details are sealed again at
    once, rivals and report reopen, what was recorded of the family or home is withdrawn, its notices are void.

    Everything stays on record, and everyone who acted on it is told. Raises NotFound when no confirmation stands.
    """
    access.require(viewer, Permission.RECALL)
    case = load_case(session, viewer, case_id, lock=True)
    confirmation = standing_confirmation(session, case.id)
    if confirmation is None:
        raise errors.NotFound()
    if not reason.strip():
        raise ReasonMissing(field="reason")
    text = check_text(reason, limit=4000, field="reason")
    move(session, case, CaseState.RECALLED, viewer, now=now, undoing=True)
    session.flush()
    report = session.get_one(Report, confirmation.report_id, with_for_update=True, populate_existing=True)
    hold_links(session, report.id)
    confirmation.recalled_by_id = viewer.user_id
    confirmation.recalled_at = now
    confirmation.recall_reason = text
    candidate = session.get_one(Candidate, confirmation.candidate_id, with_for_update=True)
    for rival in (candidate, *_rivals(session, candidate, closed=True)):
        judged = session.scalar(
            select(Review.id).where(Review.candidate_id == rival.id, Review.withdrawn_at.is_(None)).limit(1)
        )
        rival.state, rival.closed_by_id = (CandidateState.JUDGED if judged else CandidateState.OPEN), None
    _closed_by_others(session, confirmation)
    move_report(session, report, ReportState.OPEN, viewer, now=now)
    # A revision of its own: whoever came while the report was closed has not been compared with it.
    next_revision(session.get_one(Profile, report.profile_id))
    session.flush()
    take_back_resting(session, viewer, confirmation, text, now=now)
    refresh_deadlines(session, services, case.id, now=now)
    told = tell_recalled(session, case, confirmation, now=now)
    note(session, viewer, "confirmation.recall", "case", case.id, at=now, confirmation=confirmation.id, told=told)
    duplicates.on_recalled(session, confirmation, now=now)
    request_match(session, services, GalleryKind.REPORT, report.id, now=now)
    return confirmation


def _closed_by_others(session: Session, recalled: Confirmation) -> None:
    """Candidates that another confirmation keeps closed name that one as the reason from now on."""
    for candidate in session.scalars(
        select(Candidate).where(Candidate.closed_by_id == recalled.id).order_by(Candidate.id).with_for_update()
    ):
        candidate.closed_by_id = session.scalar(
            select(Confirmation.id)
            .where(
                Confirmation.recalled_at.is_(None),
                or_(
                    Confirmation.case_id.in_([one for one in (candidate.case_id, candidate.other_case_id) if one]),
                    Confirmation.report_id == candidate.report_id,
                ),
            )
            .limit(1)
        )


def standing_confirmation(session: Session, case_id: uuid.UUID) -> Confirmation | None:
    """The confirmation of a case that has not been recalled."""
    return session.scalars(
        select(Confirmation).where(Confirmation.case_id == case_id, Confirmation.recalled_at.is_(None))
    ).one_or_none()


def _rivals(session: Session, candidate: Candidate, *, closed: bool = False) -> Iterable[Candidate]:
    """The same case's other candidates and the same report's other cases, locked in one order.

    When they are restored, those that a confirmation of their own still closes stay closed.
    """
    states = (CandidateState.CLOSED,) if closed else (CandidateState.OPEN, CandidateState.JUDGED)
    statement = select(Candidate).where(
        or_(
            Candidate.case_id == candidate.case_id,
            Candidate.other_case_id == candidate.case_id,
            Candidate.report_id == candidate.report_id,
        ),
        Candidate.id != candidate.id,
        Candidate.state.in_(states),
    )
    if closed:
        standing = select(Confirmation).where(
            Confirmation.recalled_at.is_(None), Confirmation.candidate_id != candidate.id
        )
        others = standing.subquery()
        statement = statement.where(
            Candidate.case_id.not_in(select(others.c.case_id)),
            or_(Candidate.report_id.is_(None), Candidate.report_id.not_in(select(others.c.report_id))),
            or_(Candidate.other_case_id.is_(None), Candidate.other_case_id.not_in(select(others.c.case_id))),
        )
    return session.scalars(statement.order_by(Candidate.id).with_for_update()).all()
