"""Admissions and hospital handovers over the wire. What is sealed has a route of its own."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Moment, Output, Text
from models.admission import AdmissionRecord, BiometricBasis, Fingerprints, Guardianship, SafetyCheck
from models.case import AdmissionKind, Case
from tracing.admission import Admission, Belonging, Guardian, SealedAdmission, StatedIdentity
from tracing.handovers import HandoverView


class BelongingIn(Input):
    """One thing, and where it is kept."""

    item: Line
    quantity: int = Field(1, ge=1, le=10_000)
    kept: Line | None = None


class StatedIdentityIn(Input):
    """Who the person says to be."""

    name: Line
    identity_number: Line | None = None
    home: Line | None = None


class GuardianIn(Input):
    """A minor's guardian."""

    name: Line
    telephone: Line | None = None


class AdmissionIn(Input):
    """How a person came in. Findings, belongings, guardian and stated identity are sealed under the person's key."""

    kind: AdmissionKind
    medical_first: bool = Field(default=False, description="The hospital comes first; see the handovers.")
    safety_check: SafetyCheck = SafetyCheck.NOT_YET
    safety_checked_at: Moment | None = None
    safety_checker: Line | None = None
    findings: Text | None = None
    belongings: Annotated[tuple[BelongingIn, ...], Field(max_length=200)] = ()
    fingerprints: Fingerprints = Fingerprints.NOT_TAKEN
    fingerprint_reason: Line | None = Field(None, description="Needed when none were taken.")
    handover_officer: Line | None = None
    handover_unit: Line | None = None
    basis: BiometricBasis = BiometricBasis.NONE
    basis_article: Text | None = Field(None, description="The article as text; left out: that of the policy file.")
    minor: bool = False
    guardianship: Guardianship | None = None
    guardian: GuardianIn | None = None
    identity: StatedIdentityIn | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "known_identity",
                    "safety_check": "done",
                    "safety_checked_at": "2026-03-02T10:00:00+08:00",
                    "safety_checker": "陈某",
                    "fingerprints": "not_taken",
                    "fingerprint_reason": "identity known",
                    "identity": {"name": "梁某"},
                }
            ]
        }
    )

    def given(self) -> Admission:
        """As the use case takes it."""
        values = dict(self)
        values["belongings"] = tuple(Belonging(**dict(one)) for one in self.belongings)
        values["guardian"] = Guardian(**dict(self.guardian)) if self.guardian else None
        values["identity"] = StatedIdentity(**dict(self.identity)) if self.identity else None
        return Admission(**values)


class AdmissionRecordOut(Output):
    """One record; the first of the list stands, the others were superseded."""

    id: uuid.UUID
    medical_first: bool
    safety_check: SafetyCheck
    safety_checked_at: datetime | None
    safety_checker: str | None
    has_findings: bool
    belongings_count: int
    fingerprints: Fingerprints
    fingerprint_reason: str | None
    handover_officer: str | None
    handover_unit: str | None
    basis: BiometricBasis
    basis_article: str | None
    minor: bool
    guardianship: Guardianship | None
    has_guardian: bool
    has_identity: bool
    recorded_by_id: uuid.UUID
    recorded_at: datetime
    superseded_at: datetime | None


class AdmissionOut(Output):
    """The admission of a case."""

    kind: AdmissionKind
    records: tuple[AdmissionRecordOut, ...]


class BelongingOut(Output):
    """One thing."""

    item: str
    quantity: int
    kept: str | None


class StatedIdentityOut(Output):
    """Who the person says to be."""

    name: str
    identity_number: str | None
    home: str | None


class GuardianOut(Output):
    """A minor's guardian."""

    name: str
    telephone: str | None


class SealedAdmissionOut(Output):
    """What is sealed, opened."""

    findings: str | None
    belongings: tuple[BelongingOut, ...]
    guardian: GuardianOut | None
    identity: StatedIdentityOut | None


class HandoverIn(Input):
    """A person brought to a designated hospital."""

    hospital_id: uuid.UUID
    officer: Line
    complaint: Text = Field(description="What the hospital must know. Sealed under the person's key.")
    handed_at: Moment

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "hospital_id": "77f0b4a4-5f0b-4c6e-b7f4-6d1f2a9f5c31",
                    "officer": "陈某",
                    "complaint": "肾功能衰竭，下肢水肿",
                    "handed_at": "2026-03-02T10:00:00+08:00",
                }
            ]
        }
    )


class ReceiptIn(Input):
    """The person has arrived."""

    received_at: Moment
    ward: Line | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"received_at": "2026-03-02T10:30:00+08:00"}]})


class HandoverOut(Output):
    """A handover; of the case its number alone."""

    id: uuid.UUID
    case_number: str
    hospital_id: uuid.UUID
    handed_at: datetime
    officer: str
    complaint: str | None = Field(description="For the station, its supervisors and the hospital; null to others.")
    recorded_at: datetime
    received_at: datetime | None
    ward: str | None
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


def admission_out(case: Case, records: list[AdmissionRecord]) -> AdmissionOut:
    """The records of a case."""
    return AdmissionOut(kind=case.admission_kind, records=tuple(_record(one) for one in records))


def _record(record: AdmissionRecord) -> AdmissionRecordOut:
    sealed = {"has_findings", "has_guardian", "has_identity"}
    return AdmissionRecordOut(
        **{name: getattr(record, name) for name in AdmissionRecordOut.model_fields if name not in sealed},
        has_findings=record.findings_sealed is not None,
        has_guardian=record.guardian_sealed is not None,
        has_identity=record.identity_sealed is not None,
    )


def sealed_out(opened: SealedAdmission) -> SealedAdmissionOut:
    """What is sealed."""
    guardian, identity = opened.guardian, opened.identity
    return SealedAdmissionOut(
        findings=opened.findings,
        belongings=tuple(
            BelongingOut(item=one.item, quantity=one.quantity, kept=one.kept) for one in opened.belongings
        ),
        guardian=GuardianOut(name=guardian.name, telephone=guardian.telephone) if guardian else None,
        identity=StatedIdentityOut(name=identity.name, identity_number=identity.identity_number, home=identity.home)
        if identity
        else None,
    )


def handover_out(view: HandoverView) -> HandoverOut:
    """A handover."""
    own = {"case_number", "complaint"}
    return HandoverOut(
        **{name: getattr(view.handover, name) for name in HandoverOut.model_fields if name not in own},
        case_number=view.case_number,
        complaint=view.complaint,
    )
