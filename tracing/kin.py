"""Verification of kin (亲属核实): open questions, papers, DNA where it is required; before anybody is handed over."""

import uuid
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.vocabulary import AttributeKind
from models.case import Case
from models.claim import ClaimMethod
from models.confirmation import Confirmation, ConfirmationMethod
from models.contact import ContactRelease, PersonWish
from models.kin import DnaReason, KinDocument, KinResult, KinVerification
from models.profile import ProfileAttribute
from models.report import Report
from models.review import Opinion, Review
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import check_reason, load_case
from tracing.claim_gate import refuse_conflicting, standing_claims
from tracing.confirmation import standing_confirmation
from tracing.contact import ContactSealed, released_report
from tracing.facts import InvalidFacts, check_optional_text, check_text, collecting
from tracing.homeward_policy import KinPolicy
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.screenings import last_screening, refuse_stopped
from tracing.services import Services
from tracing.trail import note

QUESTIONS_MAX = 20
DAYS_A_YEAR = 365.25


class QuestionsMissing(errors.Conflict):
    """Too few answers agree."""

    slug = "kin_questions_missing"
    message = (
        "At least {wanted} open questions must be answered in a way that agrees ({agreeing} so far). Ask further ones, "
        "or record the kinship as not verified."
    )


class DocumentsMissing(errors.Conflict):
    """Too few papers were seen."""

    slug = "kin_documents_missing"
    message = (
        "At least {wanted} paper of the relative must be seen. Ask for one, or record the kinship as not verified."
    )


class DnaMissing(errors.Conflict):
    """DNA is required and there is no result."""

    slug = "kin_dna_missing"
    message = (
        "The kinship has to be shown by DNA here ({reasons}). Ask the police to record the DNA result among the "
        "results of outside systems, then verify again."
    )


class TooManyQuestions(errors.Invalid):
    """More questions than a record takes."""

    slug = "too_many_questions"
    message = "A record takes at most {limit} questions. Write the rest into the note."


class KinNotVerified(errors.Conflict):
    """A handover before the kin are verified."""

    slug = "kin_not_verified"
    message = (
        "Nobody is handed over before the kin are verified: record the verification (questions, papers, DNA where it "
        "is required) on the page of the family contact first."
    )


class KinEnded(errors.Conflict):
    """A second withdrawal."""

    slug = "kin_withdrawn"
    message = "This verification has been withdrawn already. Reload the page."


@dataclass(frozen=True, slots=True)
class Question:
    """An open question, the answer, and whether it agrees with what is known."""

    question: str
    answer: str
    agrees: bool


@dataclass(frozen=True, slots=True)
class SeenDocument:
    """A paper that was seen, and its number."""

    kind: KinDocument
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class KinEvidence:
    """A verification as it is given. All of it is sealed but kinds and counts."""

    relative: str
    relation: str
    questions: tuple[Question, ...]
    documents: tuple[SeenDocument, ...]
    verified: bool
    doubtful: bool = False
    note: str | None = None


def kin_purpose(verification_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a verification's evidence."""
    return f"kin:{verification_id}"


def verify_kin(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, given: KinEvidence, *, now: datetime
) -> KinVerification:
    """Record a verification. "Verified" needs the questions, papers and DNA that the policy asks for.

    Raises Forbidden, NotFound, ContactSealed, PersonObjects, DangerSuspected, ClaimsConflict, InvalidFacts,
    QuestionsMissing, DocumentsMissing, DnaMissing.
    """
    access.require(viewer, Permission.CONTACT)
    case = load_case(session, viewer, case_id, lock=True)
    report, subject_id = released_report(session, case)
    refuse_stopped(session, case.id)
    confirmation = standing_confirmation(session, case.id)
    if confirmation is None:
        raise ContactSealed()
    refuse_conflicting(session, case.id, confirmation.candidate_id)
    checked, policy = _check(given), services.homeward.kin
    reasons = dna_reasons(session, services, case, report, confirmation, doubtful=checked.doubtful, now=now)
    agreeing = sum(one.agrees for one in checked.questions)
    if checked.verified:
        _require(policy, agreeing, len(checked.documents))
        if reasons and not dna_shown(session, confirmation):
            raise DnaMissing(field="verified", reasons=reasons)
    identity = uuid.uuid4()
    verification = KinVerification(
        id=identity,
        case_id=case.id,
        confirmation_id=confirmation.id,
        result=KinResult.VERIFIED if checked.verified else KinResult.NOT_VERIFIED,
        evidence_sealed=services.vault.seal_json(session, subject_id, kin_purpose(identity), asdict(checked)),
        questions_asked=len(checked.questions),
        questions_agreeing=agreeing,
        documents=[one.kind.value for one in checked.documents],
        dna_required=bool(reasons),
        dna_reasons=[one.value for one in reasons],
        policy_version=policy.version,
        verified_by_id=viewer.user_id,
        verified_at=now,
    )
    session.add(verification)
    session.flush()
    note(
        session, viewer, "kin.verify", "case", case.id, at=now,
        verification=identity, result=verification.result.value, dna=bool(reasons),
    )  # fmt: skip
    return verification


def _check(given: KinEvidence) -> KinEvidence:
    problems: list[errors.Invalid] = []
    relative, relation, text = given.relative, given.relation, given.note
    questions: list[Question] = []
    documents: list[SeenDocument] = []
    with collecting(problems):
        relative = check_text(given.relative, field="relative", limit=100)
    with collecting(problems):
        relation = check_text(given.relation, field="relation", limit=40)
    with collecting(problems):
        text = check_optional_text(given.note, field="note", limit=4000)
    if len(given.questions) > QUESTIONS_MAX:
        problems.append(TooManyQuestions(field="questions", limit=QUESTIONS_MAX))
    for position, one in enumerate(given.questions[:QUESTIONS_MAX]):
        with collecting(problems):
            asked = check_text(one.question, field=f"questions.{position}.question", limit=300)
            answer = check_text(one.answer, field=f"questions.{position}.answer", limit=1000)
            questions.append(Question(asked, answer, one.agrees))
    for position, paper in enumerate(dict.fromkeys(given.documents)):
        with collecting(problems):
            reference = check_optional_text(paper.reference, field=f"documents.{position}.reference", limit=120)
            documents.append(SeenDocument(paper.kind, reference))
    if problems:
        raise InvalidFacts(tuple(problems))
    return KinEvidence(
        relative, relation, tuple(questions), tuple(documents), given.verified, given.doubtful, text
    )  # fmt: skip


def _require(policy: KinPolicy, agreeing: int, documents: int) -> None:
    if agreeing < policy.questions_agreeing.count:
        raise QuestionsMissing(field="questions", wanted=policy.questions_agreeing.count, agreeing=agreeing)
    if documents < policy.documents.count:
        raise DocumentsMissing(field="documents", wanted=policy.documents.count)


def dna_reasons(
    session: Session,
    services: Services,
    case: Case,
    report: Report,
    confirmation: Confirmation,
    *,
    doubtful: bool,
    now: datetime,
) -> list[DnaReason]:
    """Why the policy wants DNA here; empty when it does not."""
    policy, today = services.homeward.kin, services.local_day(now)
    minor, absence = policy.rule(DnaReason.MINOR), policy.rule(DnaReason.LONG_ABSENCE)
    found: list[DnaReason] = []
    ages = _ages(session, [case.profile_id, report.profile_id], today)
    if minor and minor.under_age and any(age < minor.under_age for age in ages):
        found.append(DnaReason.MINOR)
    if policy.rule(DnaReason.CANNOT_CONSENT) and _cannot_express(session, case.id, confirmation):
        found.append(DnaReason.CANNOT_CONSENT)
    seen = report.last_seen_on
    if absence and absence.years and seen and (today - seen).days >= absence.years * DAYS_A_YEAR:
        found.append(DnaReason.LONG_ABSENCE)
    if policy.rule(DnaReason.DOUBTFUL_KINSHIP) and (doubtful or _relative_or_twin(session, confirmation)):
        found.append(DnaReason.DOUBTFUL_KINSHIP)
    return found


def _ages(session: Session, profile_ids: list[uuid.UUID], today: date) -> list[float]:
    """Ages today by every standing fact; one without a day counts from the day on which it was recorded."""
    rows = session.scalars(
        select(ProfileAttribute).where(
            ProfileAttribute.profile_id.in_(profile_ids), ProfileAttribute.superseded_at.is_(None),
            ProfileAttribute.kind.in_((AttributeKind.AGE, AttributeKind.BIRTH_DATE)),
        )
    )  # fmt: skip
    found = []
    for row in rows:
        if row.kind is AttributeKind.BIRTH_DATE:
            found.append((today - date.fromisoformat(row.value)).days / DAYS_A_YEAR)
        else:
            found.append(float(row.value) + (today - (row.as_of or row.recorded_at.date())).days / DAYS_A_YEAR)
    return found


def _cannot_express(session: Session, case_id: uuid.UUID, confirmation: Confirmation) -> bool:
    last = last_screening(session, case_id)
    if last is not None:
        return last.wish is PersonWish.CANNOT_EXPRESS
    wish = session.scalar(select(ContactRelease.wish).where(ContactRelease.confirmation_id == confirmation.id))
    return wish is PersonWish.CANNOT_EXPRESS


def _relative_or_twin(session: Session, confirmation: Confirmation) -> bool:
    """Whether an examiner answered that the candidate may be a relative or a twin."""
    told = select(Review.id).where(
        Review.candidate_id == confirmation.candidate_id, Review.withdrawn_at.is_(None),
        Review.opinion == Opinion.POSSIBLE_RELATIVE,
    )  # fmt: skip
    return session.scalar(told.limit(1)) is not None


def dna_shown(session: Session, confirmation: Confirmation) -> bool:
    """Whether DNA shows the confirmed person: the confirmation rests on it, or a standing result says so."""
    return confirmation.method is ConfirmationMethod.DNA or any(
        one.method is ClaimMethod.DNA and one.candidate_id == confirmation.candidate_id
        for one in standing_claims(session, confirmation.case_id)
    )


def refuse_unverified(session: Session, case_id: uuid.UUID) -> None:
    """Raise KinNotVerified unless a verification stands for the standing confirmation; ClaimsConflict, PersonObjects or
    DangerSuspected when that stops contact. One that DNA was required for stands only while DNA still shows the person.
    """
    refuse_stopped(session, case_id)
    confirmation = standing_confirmation(session, case_id)
    if confirmation is None:
        raise KinNotVerified(field="kind")
    refuse_conflicting(session, case_id, confirmation.candidate_id)
    verified = select(KinVerification.id).where(
        KinVerification.confirmation_id == confirmation.id, KinVerification.withdrawn_at.is_(None),
        KinVerification.result == KinResult.VERIFIED,
    )  # fmt: skip
    if not dna_shown(session, confirmation):  # the result may have been withdrawn since
        verified = verified.where(KinVerification.dna_required.is_(False))
    if session.scalar(verified.limit(1)) is None:
        raise KinNotVerified(field="kind")


def withdraw_kin(
    session: Session, viewer: Viewer, verification_id: uuid.UUID, *, reason: str, now: datetime
) -> KinVerification:
    """Take a wrong verification back; it stays on record, opens nothing. Raises NotFound, ReasonMissing, KinEnded."""
    access.require(viewer, Permission.CONTACT)
    case_id = session.scalar(select(KinVerification.case_id).where(KinVerification.id == verification_id))
    if case_id is None:
        raise errors.NotFound()
    load_case(session, viewer, case_id, lock=True)
    verification = session.get_one(KinVerification, verification_id, populate_existing=True)
    reason = check_reason(reason)
    if verification.withdrawn_at is not None:
        raise KinEnded()
    verification.withdrawn_at, verification.withdrawn_by_id = now, viewer.user_id
    verification.withdrawal_reason = reason
    session.flush()
    note(session, viewer, "kin.withdraw", "case", case_id, at=now, verification=verification.id)
    return verification


def list_kin(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    *,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[tuple[KinVerification, KinEvidence | None]]:
    """A case's verifications, newest first; opened while contact is released, for the confirmation that stands. Logged.

    Raises Forbidden, NotFound.
    """
    access.require(viewer, Permission.CONTACT)
    case = load_case(session, viewer, case_id)
    statement = select(KinVerification).where(KinVerification.case_id == case.id)
    page = page_of(
        session, statement.execution_options(populate_existing=True), KinVerification.verified_at, KinVerification.id,
        cursor=cursor, limit=limit,
    )  # fmt: skip
    opened: dict[uuid.UUID, KinEvidence] = {}
    confirmation = standing_confirmation(session, case.id)
    try:
        refuse_stopped(session, case.id)
        _, subject_id = released_report(session, case)
    except errors.TracingError:
        confirmation = None
    for one in page.items if confirmation else ():
        if confirmation and one.confirmation_id == confirmation.id:
            opened[one.id] = _opened(
                services.vault.open_json(session, subject_id, kin_purpose(one.id), one.evidence_sealed)
            )
    note(session, viewer, "kin.list", "case", case.id, at=now, count=len(page.items), opened=len(opened))
    return Page(tuple((one, opened.get(one.id)) for one in page.items), page.next_cursor)


def _opened(values: dict[str, Any]) -> KinEvidence:
    return KinEvidence(
        **{
            **values,
            "questions": tuple(Question(**one) for one in values["questions"]),
            "documents": tuple(
                SeenDocument(KinDocument(one["kind"]), one["reference"]) for one in values["documents"]
            ),
        }
    )  # fmt: skip
