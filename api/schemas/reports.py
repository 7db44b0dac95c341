"""Missing-person reports over the wire. The family's details and the identity number go in and never come out."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Day, Division, Input, Line, Output, Text
from api.schemas.facts import FACTS_EXAMPLE, FactsIn, FactsOut, division_name, facts_out
from api.schemas.organisations import OrganisationRef, organisation_ref
from api.schemas.photos import PhotoOut, photo_out
from models.photo import Photo
from models.report import Report, ReportState
from tracing.reports import FamilyContact, LastSeen


class FamilyContactIn(Input):
    """Whom to tell; sealed from the moment it is given."""

    name: Line
    relation: Line | None = None
    telephone: Line | None = None
    address: Line | None = None
    note: Text | None = None


class ReportIn(FactsIn):
    """What the family says. When editing, a contact or identity number left out stays as it was."""

    last_seen_on: Day | None = None
    last_seen_division: Division | None = None
    last_seen_place: Line | None = None
    contact: FamilyContactIn | None = None
    identity_number: Line | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "last_seen_on": "2025-11-20",
                    "last_seen_division": "350203",
                    "contact": {"name": "陈丽", "relation": "sister", "telephone": "13800000000"},
                    **FACTS_EXAMPLE,
                }
            ]
        }
    )

    def last_seen(self) -> LastSeen:
        """As the use cases take it, unchecked."""
        return LastSeen(self.last_seen_on, self.last_seen_division or None, self.last_seen_place)

    def family_contact(self) -> FamilyContact | None:
        """As the use cases take it, unchecked."""
        return None if self.contact is None else FamilyContact(**self.contact.model_dump())


class ReportSummary(Output):
    """A report without its photographs; of sealed values only whether they are there."""

    id: uuid.UUID
    number: str = Field(examples=["R350203-2026-000007-1"])
    state: ReportState
    organisation: OrganisationRef
    last_seen_on: date | None
    last_seen_division: str | None
    last_seen_division_name: str | None
    last_seen_place: str | None
    has_contact: bool
    has_identity_number: bool
    facts: FactsOut
    created_at: datetime
    updated_at: datetime
    version: int = Field(description="The `ETag` is this number in quotes.")


class ReportOut(ReportSummary):
    """A report with its photographs."""

    photos: tuple[PhotoOut, ...]


def report_summary(report: Report) -> ReportSummary:
    """A report that was loaded with its organisation and facts."""
    return ReportSummary(
        id=report.id,
        number=report.number,
        state=report.state,
        organisation=organisation_ref(report.organisation),
        last_seen_on=report.last_seen_on,
        last_seen_division=report.last_seen_division,
        last_seen_division_name=division_name(report.last_seen_division),
        last_seen_place=report.last_seen_place,
        has_contact=report.family_contact_sealed is not None,
        has_identity_number=report.identity_number_sealed is not None,
        facts=facts_out(report.profile),
        created_at=report.created_at,
        updated_at=report.updated_at,
        version=report.version,
    )


def report_out(report: Report, photos: Iterable[Photo]) -> ReportOut:
    """The same with these photographs."""
    return ReportOut(**dict(report_summary(report)), photos=tuple(photo_out(photo) for photo in photos))
