"""Identity claims (身份核查结果): recording what systems outside say, withdrawing, settling, reading it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.candidate import Candidate, CandidateState
from models.case import Case, CaseState
from models.claim import GRADES, ClaimGrade, ClaimMethod, IdentityClaim
from models.confirmation import Confirmation
from models.notification import NotificationKind
from models.profile import Profile
from models.report import Report
from models.review import Review
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.candidates import load_candidate
from tracing.cases import CaseClosed, check_reason, load_case
from tracing.claim_gate import standing_claims
from tracing.confirmation import (
    CandidateIsCase,
    NotThisCase,
    ReferenceMissing,
    ReportTaken,
    standing_confirmation,
)
from tracing.facts import InvalidFacts, check_day, check_optional_text, check_text, collecting
from tracing.notifications import notify
from tracing.platform import errors
from tracing.reports import BadIdentityNumber, identity_purpose, is_identity_number
from tracing.review_assignment import police_of
from tracing.review_seeds import find_seed
from tracing.services import Services
from tracing.trail import note

CUSTODY_LIMIT = 1000


class ClaimNamesNobody(errors.Invalid):
    """Neither a candidate nor a name, or both."""

    slug = "claim_names_nobody"
    message = "Say whom the result names: one of this case's candidates, or a name outside the service, not both."


class ClaimNumberMissing(errors.Invalid):
    """A result of confirmed grade on somebody outside the service, without an identity number."""

    slug = "claim_number_missing"
    message = (
        "A fingerprint, DNA, register, papers or official result names a person by identity number. Give it, or "
        "register a missing-person report for this person and choose it among the candidates."
    )


class CustodyMissing(errors.Invalid):
    """A DNA result without its chain of custody."""

    slug = "custody_missing"
    message = "Say who took the sample, when, how it was kept, and which laboratory compared it."


class ClaimEnded(errors.Conflict):
    """A withdrawal or settlement of a claim that was withdrawn or set aside already."""

    slug = "claim_ended"
    message = "This result has been withdrawn or set aside already. Reload the page."


class ClaimInUse(errors.Conflict):
    """A confirmation rests on the claim."""

    slug = "claim_in_use"
    message = "The confirmation rests on this result. The supervisor has to recall the confirmation first."


class LeadBlocksNothing(errors.Conflict):
    """A settlement of a lead."""

    slug = "lead_blocks_nothing"
    message = "This result is a lead and blocks nothing, so there is nothing to settle. Withdraw it if it is wrong."


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """A result as it is given. It names `candidate_id`, or `name` (with `identity_number`) outside the service."""

    method: ClaimMethod
    obtained_on: date
    officer: str
    candidate_id: uuid.UUID | None = None
    name: str | None = None
    identity_number: str | None = None
    reference: str | None = None
    custody: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimedIdentity:
    """Whom a claim names outside the service, opened."""

    name: str
    identity_number: str | None


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim as one viewer sees it.

    `sealed`: it names a candidate on which this examiner has yet to commit an opinion, so whom it names is withheld.
    `conflicts`: it stands against another standing result of confirmed grade, or against the confirmation.
    """

    claim: IdentityClaim
    sealed: bool
    conflicts: bool
    report_number: str | None

    @property
    def candidate_id(self) -> uuid.UUID | None:
        """The candidate it names, unless that is withheld."""
        return None if self.sealed else self.claim.candidate_id

    @property
    def outside(self) -> bool:
        """Whether it names somebody outside the service."""
        return self.claim.candidate_id is None


def claim_purpose(claim_id: uuid.UUID) -> str:
    """Purpose under which the vault seals whom a claim names."""
    return f"claim:{claim_id}"


def record_claim(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, given: ClaimResult, *, now: datetime
) -> IdentityClaim:
    """Record a result. One on a number that a candidate's report has names that candidate from then on.

    Raises Forbidden, NotFound, CaseClosed, NotThisCase, CandidateIsCase, InvalidFacts.
    """
    access.require(viewer, Permission.CLAIM)
    case = load_case(session, viewer, case_id, lock=True)
    if case.state is CaseState.CLOSED:
        raise CaseClosed()
    checked = _check(given, services.local_day(now))
    identity, number = uuid.uuid4(), checked.identity_number
    candidate = _named(session, services, viewer, case, checked)
    subject_id = case.profile.subject_id
    if candidate is not None:
        number = _number_of(session, services, candidate)
    outside = {"name": checked.name, "identity_number": checked.identity_number}
    claim = IdentityClaim(
        id=identity,
        case_id=case.id,
        method=checked.method,
        grade=GRADES[checked.method],
        candidate_id=candidate.id if candidate else None,
        identity_sealed=None
        if candidate
        else services.vault.seal_json(session, subject_id, claim_purpose(identity), outside),
        person_digest=services.vault.digest(session, subject_id, number.encode()) if number else None,
        reference=checked.reference,
        custody=checked.custody,
        officer=checked.officer,
        obtained_on=checked.obtained_on,
        recorded_by_id=viewer.user_id,
        recorded_at=now,
    )
    session.add(claim)
    session.flush()
    if claim.id in _conflicting(session, case.id):
        told = [one.id for one in police_of(session, case, {Role.POLICE_SUPERVISOR})]
        notify(session, told, NotificationKind.CLAIMS_CONFLICT, "case", case.id, now=now)
    note(
        session, viewer, "claim.record", "case", case.id, at=now,
        claim=claim.id, method=claim.method.value, grade=claim.grade.value, candidate=claim.candidate_id,
    )  # fmt: skip
    return claim


def _check(given: ClaimResult, today: date) -> ClaimResult:
    problems: list[errors.Invalid] = []
    texts: dict[str, str | None] = {}
    for name, limit in (("name", 100), ("reference", 120), ("custody", CUSTODY_LIMIT)):
        with collecting(problems):
            texts[name] = check_optional_text(getattr(given, name), field=name, limit=limit)
    officer, number = given.officer, (given.identity_number or "").replace(" ", "").upper() or None
    with collecting(problems):
        officer = check_text(given.officer, field="officer", limit=120)
    with collecting(problems):
        check_day(given.obtained_on, today=today, field="obtained_on")
    confirmed = GRADES[given.method] is ClaimGrade.CONFIRMED
    outside = texts.get("name") is not None
    if outside == (given.candidate_id is not None) or (number and not outside):
        problems.append(ClaimNamesNobody(field="candidate_id"))
    elif outside and confirmed and number is None:
        problems.append(ClaimNumberMissing(field="identity_number"))
    if number is not None and not is_identity_number(number):
        problems.append(BadIdentityNumber(field="identity_number"))
    if confirmed and not texts.get("reference"):
        problems.append(ReferenceMissing(field="reference"))
    if given.method is ClaimMethod.DNA and not texts.get("custody"):
        problems.append(CustodyMissing(field="custody"))
    if problems:
        raise InvalidFacts(tuple(problems))
    return ClaimResult(
        given.method, given.obtained_on, officer, given.candidate_id, identity_number=number, **texts
    )  # fmt: skip


def _named(session: Session, services: Services, viewer: Viewer, case: Case, given: ClaimResult) -> Candidate | None:
    if given.candidate_id is not None:
        if find_seed(session, viewer, given.candidate_id) is not None:
            raise ReportTaken(field="candidate_id")
        candidate = load_candidate(session, viewer, given.candidate_id)
        if candidate.case_id != case.id:
            raise NotThisCase(field="candidate_id")
        if candidate.report_id is None:
            raise CandidateIsCase(field="candidate_id")
        return candidate
    if given.identity_number is None:
        return None
    candidates = session.scalars(
        select(Candidate)
        .join(Report, Report.id == Candidate.report_id)
        .where(Candidate.case_id == case.id, Report.identity_number_sealed.is_not(None))
        .order_by(Candidate.id)
    )
    return next((one for one in candidates if _number_of(session, services, one) == given.identity_number), None)


def _number_of(session: Session, services: Services, candidate: Candidate) -> str | None:
    row = session.execute(
        select(Report.id, Report.identity_number_sealed, Profile.subject_id)
        .join(Profile, Profile.id == Report.profile_id)
        .where(Report.id == candidate.report_id)
    ).one()
    if row.identity_number_sealed is None:
        return None
    return services.vault.open(
        session, row.subject_id, identity_purpose(row.id), row.identity_number_sealed
    ).decode()  # fmt: skip


def _standing(session: Session, viewer: Viewer, claim_id: uuid.UUID, reason: str) -> tuple[IdentityClaim, str]:
    case_id = session.scalar(select(IdentityClaim.case_id).where(IdentityClaim.id == claim_id))
    if case_id is None:
        raise errors.NotFound()
    load_case(session, viewer, case_id, lock=True)
    claim = session.get_one(IdentityClaim, claim_id, populate_existing=True)
    reason = check_reason(reason)
    used = select(Confirmation.id).where(Confirmation.claim_id == claim.id, Confirmation.recalled_at.is_(None))
    if session.scalar(used) is not None:
        raise ClaimInUse()
    return claim, reason


def withdraw_claim(
    session: Session, viewer: Viewer, claim_id: uuid.UUID, *, reason: str, now: datetime
) -> IdentityClaim:
    """Take back a result that was wrong or belongs elsewhere; it stays on record.

    Raises Forbidden, NotFound, ReasonMissing, ClaimInUse, ClaimEnded.
    """
    access.require(viewer, Permission.CLAIM)
    claim, text = _standing(session, viewer, claim_id, reason)
    if claim.withdrawn_at is not None:
        raise ClaimEnded()
    claim.withdrawn_at, claim.withdrawn_by_id, claim.withdrawal_reason = now, viewer.user_id, text
    session.flush()
    note(session, viewer, "claim.withdraw", "case", claim.case_id, at=now, claim=claim.id)
    return claim


def settle_claim(session: Session, viewer: Viewer, claim_id: uuid.UUID, *, reason: str, now: datetime) -> IdentityClaim:
    """Set a result aside to settle a conflict: it was obtained, but does not count. For police supervisors.

    Raises Forbidden, NotFound, ReasonMissing, ClaimInUse, ClaimEnded, LeadBlocksNothing.
    """
    access.require(viewer, Permission.CLAIM_SETTLE)
    claim, text = _standing(session, viewer, claim_id, reason)
    if not claim.stands:
        raise ClaimEnded()
    if claim.grade is ClaimGrade.LEAD:
        raise LeadBlocksNothing()
    claim.settled_at, claim.settled_by_id, claim.settlement_reason = now, viewer.user_id, text
    session.flush()
    note(session, viewer, "claim.settle", "case", claim.case_id, at=now, claim=claim.id)
    return claim


def list_claims(session: Session, viewer: Viewer, case_id: uuid.UUID, *, now: datetime) -> list[ClaimView]:
    """The results of a case, newest first, ended ones among them; the look is logged. Raises NotFound."""
    case = load_case(session, viewer, case_id)
    rows = session.execute(
        select(IdentityClaim, Report.number, Candidate.state)
        .outerjoin(Candidate, Candidate.id == IdentityClaim.candidate_id)
        .outerjoin(Report, Report.id == Candidate.report_id)
        .where(IdentityClaim.case_id == case.id)
        .order_by(IdentityClaim.recorded_at.desc(), IdentityClaim.id)
        .execution_options(populate_existing=True)
    ).all()
    against = _conflicting(session, case.id)
    judged = _judged(session, viewer, [claim.candidate_id for claim, _, _ in rows if claim.candidate_id])
    note(session, viewer, "claim.list", "case", case.id, at=now, count=len(rows))
    views = []
    for claim, number, state in rows:
        sealed = (
            state in (CandidateState.OPEN, CandidateState.JUDGED)
            and viewer.may(Permission.REVIEW)
            and claim.candidate_id not in judged
            and claim.recorded_by_id != viewer.user_id
            # Who has to settle a conflict must see it, and no longer judges blind.
            and not (against and viewer.may(Permission.CLAIM_SETTLE))
        )
        views.append(ClaimView(claim, sealed, claim.id in against, None if sealed else number))
    return views


def _conflicting(session: Session, case_id: uuid.UUID) -> frozenset[uuid.UUID]:
    claims = standing_claims(session, case_id)
    confirmation = standing_confirmation(session, case_id)
    return frozenset(
        one.id
        for one in claims
        if any(not one.names_the_same(other) for other in claims if other is not one)
        or (confirmation is not None and one.candidate_id != confirmation.candidate_id)
    )


def _judged(session: Session, viewer: Viewer, candidates: Sequence[uuid.UUID]) -> frozenset[uuid.UUID]:
    own = select(Review.candidate_id).where(
        Review.candidate_id.in_(candidates), Review.examiner_id == viewer.user_id, Review.withdrawn_at.is_(None)
    )
    return frozenset(session.scalars(own))


def open_identity(
    session: Session, services: Services, viewer: Viewer, claim_id: uuid.UUID, *, now: datetime
) -> ClaimedIdentity:
    """Name and identity number of whom a claim names outside the service, for the police; every opening is logged.

    Raises Forbidden, NotFound (also for a claim that names a candidate).
    """
    access.require(viewer, Permission.CLAIM)
    claim = session.get(IdentityClaim, claim_id)
    if claim is None or claim.identity_sealed is None:
        raise errors.NotFound()
    case = load_case(session, viewer, claim.case_id)
    opened = services.vault.open_json(
        session, case.profile.subject_id, claim_purpose(claim.id), claim.identity_sealed
    )  # fmt: skip
    note(session, viewer, "claim.open", "case", case.id, at=now, claim=claim.id)
    return ClaimedIdentity(**opened)
