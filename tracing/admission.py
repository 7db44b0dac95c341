"""Admissions (入站登记): how a person came in; care of people of known identity; an identity that was false."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.vocabulary import GalleryKind
from models.admission import (
    AdmissionRecord,
    BiometricBasis,
    Fingerprints,
    Guardianship,
    IdentityDisproof,
    SafetyCheck,
)
from models.case import AdmissionKind, Case, CaseState
from tracing import access
from tracing.access import Permission, Viewer
from tracing.admission_errors import (
    AdmissionKindFixed,
    BasisMissing,
    FingerprintReasonMissing,
    GuardianshipMissing,
    IdentityNotKnown,
    SafetyCheckIncomplete,
    StatedIdentityMissing,
    TooManyBelongings,
)
from tracing.cases import CaseClosed, check_reason, load_case
from tracing.deadline_plan import refresh as refresh_deadlines
from tracing.faces import request_analysis
from tracing.facts import InvalidFacts, check_optional_text, check_text, collecting
from tracing.matching import request_match
from tracing.milestones import check_moment
from tracing.photos import list_photos
from tracing.platform import errors
from tracing.policy_files import COUNTRY, PACKAGED
from tracing.profiles import next_revision
from tracing.reports import BadIdentityNumber, is_identity_number
from tracing.services import Services
from tracing.trail import note
from tracing.transitions import illegal_move, move

BELONGINGS_MAX = 100


@dataclass(frozen=True, slots=True)
class Belonging:
    """One thing that the person had, and where it is kept."""

    item: str
    quantity: int = 1
    kept: str | None = None


@dataclass(frozen=True, slots=True)
class StatedIdentity:
    """Who the person says to be."""

    name: str
    identity_number: str | None = None
    home: str | None = None


@dataclass(frozen=True, slots=True)
class Guardian:
    """A minor's guardian."""

    name: str
    telephone: str | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """An admission as it is given. `basis_article` None: the article of the policy file."""

    kind: AdmissionKind
    medical_first: bool = False
    safety_check: SafetyCheck = SafetyCheck.NOT_YET
    safety_checked_at: datetime | None = None
    safety_checker: str | None = None
    findings: str | None = None
    belongings: tuple[Belonging, ...] = ()
    fingerprints: Fingerprints = Fingerprints.NOT_TAKEN
    fingerprint_reason: str | None = None
    handover_officer: str | None = None
    handover_unit: str | None = None
    basis: BiometricBasis = BiometricBasis.NONE
    basis_article: str | None = None
    minor: bool = False
    guardianship: Guardianship | None = None
    guardian: Guardian | None = None
    identity: StatedIdentity | None = None


@dataclass(frozen=True, slots=True)
class SealedAdmission:
    """What of an admission is sealed, opened."""

    findings: str | None
    belongings: tuple[Belonging, ...]
    guardian: Guardian | None
    identity: StatedIdentity | None


@cache
def basis_articles() -> Mapping[BiometricBasis, str]:
    """The article that each basis rests on, from the policy file."""
    content = json.loads((PACKAGED / f"admission-{COUNTRY}.json").read_text("utf-8"))
    return MappingProxyType({BiometricBasis(row["basis"]): str(row["article"]) for row in content["bases"]})


def admission_purpose(record_id: uuid.UUID, part: str) -> str:
    """Purpose under which the vault seals a part of an admission record."""
    return f"admission:{record_id}:{part}"


def record_admission(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    given: Admission,
    *,
    version: int | None,
    now: datetime,
) -> AdmissionRecord:
    """Record how the person came in; a record before is superseded, never changed. The kind changes in a draft alone.

    Raises Forbidden, NotFound, CaseClosed, StaleVersion, AdmissionKindFixed, StatedIdentityMissing, InvalidFacts.
    """
    access.require(viewer, Permission.CASE_WRITE)
    case = load_case(session, viewer, case_id, lock=True)
    if version is not None and version != case.version:
        raise errors.StaleVersion(field="version")
    if case.state is CaseState.CLOSED:
        raise CaseClosed()
    if given.kind is not case.admission_kind and case.state is not CaseState.DRAFT:
        raise AdmissionKindFixed(field="kind")
    checked = _check(given, now)
    if checked.identity is None and case.state is not CaseState.DRAFT and not case.traced:
        raise StatedIdentityMissing(field="identity")
    before = current_admission(session, case.id)
    if before is not None:
        before.superseded_at = now
        session.flush()
    record = _record(session, services, viewer, case, checked, now)
    session.add(record)
    case.admission_kind = checked.kind
    case.updated_at = now
    case.version += 1
    session.flush()
    note(
        session, viewer, "admission.record", "case", case.id, at=now, admission=record.id, kind=checked.kind.value,
        basis=checked.basis.value, fingerprints=checked.fingerprints.value, belongings=record.belongings_count,
    )  # fmt: skip
    refresh_deadlines(session, services, case.id, now=now)
    return record


def _record(
    session: Session, services: Services, viewer: Viewer, case: Case, given: Admission, now: datetime
) -> AdmissionRecord:
    identity = uuid.uuid4()

    def seal(part: str, value: object) -> bytes | None:
        if not value:
            return None
        return services.vault.seal_json(session, case.profile.subject_id, admission_purpose(identity, part), value)

    return AdmissionRecord(
        id=identity,
        case_id=case.id,
        **{name: getattr(given, name) for name in _PLAIN},
        findings_sealed=seal("findings", given.findings),
        belongings_sealed=seal("belongings", [asdict(one) for one in given.belongings]),
        belongings_count=len(given.belongings),
        guardian_sealed=seal("guardian", given.guardian and asdict(given.guardian)),
        identity_sealed=seal("identity", given.identity and asdict(given.identity)),
        recorded_by_id=viewer.user_id,
        recorded_at=now,
    )


_PLAIN = (
    "medical_first", "safety_check", "safety_checked_at", "safety_checker", "fingerprints", "fingerprint_reason",
    "handover_officer", "handover_unit", "basis", "basis_article", "minor", "guardianship",
)  # fmt: skip
_TEXTS = (
    ("safety_checker", 120), ("findings", 4000), ("fingerprint_reason", 200), ("handover_officer", 120),
    ("handover_unit", 120), ("basis_article", 400),
)  # fmt: skip


def _check(given: Admission, now: datetime) -> Admission:
    problems: list[errors.Invalid] = []
    values = {name: getattr(given, name) for name in Admission.__dataclass_fields__}
    for name, limit in _TEXTS:
        with collecting(problems):
            values[name] = check_optional_text(values[name], field=name, limit=limit)
    if given.safety_check is SafetyCheck.DONE:
        if given.safety_checked_at is None or not values["safety_checker"]:
            problems.append(SafetyCheckIncomplete(field="safety_check"))
        else:
            with collecting(problems):
                check_moment(given.safety_checked_at, now=now, field="safety_checked_at")
    else:
        values["safety_checked_at"] = None
    if given.fingerprints is Fingerprints.NOT_TAKEN and not values["fingerprint_reason"]:
        problems.append(FingerprintReasonMissing(field="fingerprint_reason"))
    if given.fingerprints is Fingerprints.TAKEN and given.basis is BiometricBasis.NONE:
        problems.append(BasisMissing(field="basis"))
    if given.basis is not BiometricBasis.NONE and not values["basis_article"]:
        values["basis_article"] = basis_articles()[given.basis]
    if given.minor and given.guardianship is None:
        problems.append(GuardianshipMissing(field="guardianship"))
    if len(given.belongings) > BELONGINGS_MAX:
        problems.append(TooManyBelongings(field="belongings", limit=BELONGINGS_MAX))
    _check_people(given, values, problems)
    if problems:
        raise InvalidFacts(tuple(problems))
    return Admission(**values)


def _check_people(given: Admission, values: dict[str, object], problems: list[errors.Invalid]) -> None:
    with collecting(problems):
        values["belongings"] = tuple(
            Belonging(
                check_text(one.item, limit=200, field="belongings.item"), one.quantity,
                check_optional_text(one.kept, field="belongings.kept", limit=200),
            )
            for one in given.belongings[:BELONGINGS_MAX]
        )  # fmt: skip
    if given.guardian is not None:
        with collecting(problems):
            values["guardian"] = Guardian(
                check_text(given.guardian.name, limit=100, field="guardian.name"),
                check_optional_text(given.guardian.telephone, field="guardian.telephone", limit=40),
            )
    if given.identity is not None:
        number = (given.identity.identity_number or "").replace(" ", "").upper() or None
        if number is not None and not is_identity_number(number):
            problems.append(BadIdentityNumber(field="identity.identity_number"))
        with collecting(problems):
            values["identity"] = StatedIdentity(
                check_text(given.identity.name, limit=100, field="identity.name"), number,
                check_optional_text(given.identity.home, field="identity.home", limit=200),
            )  # fmt: skip


def current_admission(session: Session, case_id: uuid.UUID) -> AdmissionRecord | None:
    """The record that stands, if there is one."""
    return session.scalars(
        select(AdmissionRecord).where(AdmissionRecord.case_id == case_id, AdmissionRecord.superseded_at.is_(None))
    ).one_or_none()


def get_admissions(
    session: Session, viewer: Viewer, case_id: uuid.UUID, *, now: datetime
) -> tuple[Case, list[AdmissionRecord]]:
    """The case, and its admission records, newest first: the first one stands. What is sealed stays sealed."""
    case = load_case(session, viewer, case_id)
    rows = session.scalars(
        select(AdmissionRecord)
        .where(AdmissionRecord.case_id == case.id)
        .order_by(AdmissionRecord.recorded_at.desc(), AdmissionRecord.superseded_at.is_not(None))
    ).all()
    note(session, viewer, "admission.view", "case", case.id, at=now, count=len(rows))
    return case, list(rows)


def open_admission(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime
) -> SealedAdmission:
    """Findings, belongings, guardian and stated identity, for the station; every opening is logged.

    Raises Forbidden, NotFound (also without a record).
    """
    access.require(viewer, Permission.ADMISSION)
    case = load_case(session, viewer, case_id)
    record = current_admission(session, case.id)
    if record is None:
        raise errors.NotFound()
    subject_id = case.profile.subject_id

    def opened(part: str, sealed: bytes | None) -> object:
        purpose = admission_purpose(record.id, part)
        return None if sealed is None else services.vault.open_json(session, subject_id, purpose, sealed)

    findings = opened("findings", record.findings_sealed)
    belongings = opened("belongings", record.belongings_sealed)
    guardian = opened("guardian", record.guardian_sealed)
    identity = opened("identity", record.identity_sealed)
    note(session, viewer, "admission.open", "case", case.id, at=now, admission=record.id)
    return SealedAdmission(
        findings=str(findings) if findings is not None else None,
        belongings=tuple(Belonging(**one) for one in belongings) if isinstance(belongings, list) else (),
        guardian=Guardian(**guardian) if isinstance(guardian, dict) else None,
        identity=StatedIdentity(**identity) if isinstance(identity, dict) else None,
    )


def take_into_care(session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime) -> Case:
    """A person of known identity stays without being traced (在站照料); again is harmless.

    Raises Forbidden, NotFound, IllegalMove, StatedIdentityMissing.
    """
    access.require(viewer, Permission.CASE_WRITE)
    case = load_case(session, viewer, case_id, lock=True)
    if case.state is CaseState.IN_CARE:
        return case
    record = current_admission(session, case.id)
    if case.traced or record is None or record.identity_sealed is None:
        raise StatedIdentityMissing()
    move(session, case, CaseState.IN_CARE, viewer, now=now)
    session.flush()
    refresh_deadlines(session, services, case.id, now=now)
    return case


def disprove_identity(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, reason: str, now: datetime
) -> Case:
    """The stated identity is false: from now on the family is traced, and the clocks of tracing run.

    From care the case is handed in; one who has left is searched for. Raises Forbidden, NotFound, ReasonMissing,
    IdentityNotKnown, IllegalMove.
    """
    access.require(viewer, Permission.CASE_WRITE)
    case = load_case(session, viewer, case_id, lock=True)
    reason = check_reason(reason)
    if case.traced:
        raise IdentityNotKnown()
    after = {CaseState.IN_CARE: CaseState.SUBMITTED, CaseState.LEFT: CaseState.SEARCHING, CaseState.DRAFT: None}
    if case.state not in after:
        raise illegal_move(case.state, CaseState.SUBMITTED)
    disproof = IdentityDisproof(
        id=uuid.uuid4(), case_id=case.id, reason=reason, recorded_by_id=viewer.user_id, recorded_at=now
    )
    session.add(disproof)
    session.flush()  # the database asks for it when the kind changes
    case.admission_kind = AdmissionKind.UNKNOWN_IDENTITY
    case.version += 1
    wanted = after[case.state]
    if wanted is not None:
        case.submitted_by_id = case.submitted_by_id or viewer.user_id
        move(session, case, wanted, viewer, now=now)
    next_revision(case.profile)
    session.flush()
    note(session, viewer, "admission.disprove", "case", case.id, at=now, disproof=disproof.id)
    for photo in list_photos(session, case.profile_id):
        request_analysis(session, services, photo.id, now=now)
    refresh_deadlines(session, services, case.id, now=now)
    request_match(session, services, GalleryKind.CASE, case.id, now=now)
    return case
