"""Identity claims over the wire. Whom one names outside the service has a route of its own, for the police."""

import uuid
from datetime import date, datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Output, Text
from models.claim import ClaimGrade, ClaimMethod
from tracing.claims import ClaimedIdentity, ClaimResult, ClaimView


class ClaimIn(Input):
    """A result. It names a candidate of the case, or a name (with identity number) outside the service."""

    method: ClaimMethod
    obtained_on: date
    officer: Line
    candidate_id: uuid.UUID | None = None
    name: Line | None = Field(None, description="Sealed under the person's key.")
    identity_number: Line | None = Field(None, description="Sealed likewise; needed for results of confirmed grade.")
    reference: Line | None = Field(None, description="Number of the document; needed for results of confirmed grade.")
    custody: Text | None = Field(None, description="Chain of custody of a DNA sample; needed for DNA.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "method": "fingerprint",
                    "obtained_on": "2026-03-02",
                    "officer": "王警官",
                    "candidate_id": "77f0b4a4-5f0b-4c6e-b7f4-6d1f2a9f5c31",
                    "reference": "QZ-2026-0192",
                }
            ]
        }
    )

    def given(self) -> ClaimResult:
        """As the use case takes it."""
        return ClaimResult(**self.model_dump())


class ClaimOut(Output):
    """One result. `sealed`: this examiner learns whom it names after the own opinion. `conflicts`: it blocks."""

    id: uuid.UUID
    method: ClaimMethod
    grade: ClaimGrade
    sealed: bool
    conflicts: bool
    outside: bool
    candidate_id: uuid.UUID | None
    report_number: str | None
    reference: str | None
    custody: str | None
    officer: str
    obtained_on: date
    recorded_by_id: uuid.UUID
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdrawal_reason: str | None
    settled_at: datetime | None
    settlement_reason: str | None


class ClaimedIdentityOut(Output):
    """Whom a result names outside the service."""

    name: str
    identity_number: str | None


def claim_out(view: ClaimView) -> ClaimOut:
    """All that this viewer may know of a result."""
    own = {"sealed", "conflicts", "outside", "candidate_id", "report_number"}
    return ClaimOut(
        **{name: getattr(view if name in own else view.claim, name) for name in ClaimOut.model_fields},
    )


def identity_out(opened: ClaimedIdentity) -> ClaimedIdentityOut:
    """Name and number."""
    return ClaimedIdentityOut(name=opened.name, identity_number=opened.identity_number)
