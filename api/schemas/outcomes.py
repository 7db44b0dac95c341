"""Outcomes over the wire, with their papers; the dossier of a settlement; the return-home ledger."""

import uuid
from datetime import date, datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.base import Day, Division, Input, Line, Moment, Output, Text
from models.home_notice import HomeAnswer
from models.outcome import EscortTrip, Handover, Outcome, OutcomeKind, OutcomeRoute, Transport
from tracing.dossier import DossierLine
from tracing.ledger import LedgerRow
from tracing.outcome_papers import Papers, Receiver, Transfer, Trip

Number = Annotated[Line, Field(max_length=120)]


class HandoverIn(Input):
    """Who signed for the person: sealed. An official has a unit, a relative a relation."""

    name: Annotated[Line, Field(max_length=100)]
    unit: Number | None = None
    relation: Annotated[Line, Field(max_length=40)] | None = None
    reference: Number | None = Field(None, description="Number of the signed paper.")


class TripIn(Input):
    """An escort home."""

    escorts: Line
    transport: Transport
    from_division: Division
    to_division: Division
    departed_at: Moment
    arrived_at: Moment


class TransferIn(Input):
    """The written notice of a transfer: to a station of the service, or the name of one outside it."""

    document_number: Number
    organisation_id: uuid.UUID | None = None
    receiver: Number | None = None
    sent_on: Day | None = None


class OutcomeIn(Input):
    """How a stay ended; `route` says what found the name."""

    kind: OutcomeKind
    route: OutcomeRoute | None = None
    occurred_on: Day
    note: Text | None = None
    handover: HandoverIn | None = Field(None, description="Needed for every return home.")
    trip: TripIn | None = Field(None, description="Needed for an escort home.")
    transfer: TransferIn | None = Field(None, description="Needed for a transfer.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "reunited",
                    "route": "face",
                    "occurred_on": "2026-03-06",
                    "handover": {"name": "韦桂英", "relation": "姐姐", "reference": "JJ-2026-1"},
                }
            ]
        }
    )

    def papers(self) -> Papers:
        """As the use case takes them."""
        return Papers(
            handover=Receiver(**self.handover.model_dump()) if self.handover else None,
            trip=Trip(**self.trip.model_dump()) if self.trip else None,
            transfer=Transfer(**self.transfer.model_dump()) if self.transfer else None,
        )


class OutcomeOut(Output):
    """One outcome. Who signed is opened at its own route."""

    id: uuid.UUID
    kind: OutcomeKind
    route: OutcomeRoute | None
    occurred_on: date
    note: str | None
    dossier_version: str | None
    recorded_by_id: uuid.UUID
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


class HandoverOut(Output):
    """Who signed for the person, opened; every opening is on record."""

    name: str
    unit: str | None
    relation: str | None
    reference: str | None
    signed_on: date


class PaperIn(Input):
    """A paper of the dossier that is there."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"item": "photos", "done_on": "2026-06-02"}]})

    item: Annotated[Line, Field(max_length=40, examples=["dna_result"])]
    done_on: Day
    reference: Number | None = None


class PaperOut(Output):
    """A paper of the list. `entry_id` is null while it is missing."""

    item: str
    required: bool
    zh: str
    en: str
    source: str
    entry_id: uuid.UUID | None
    done_on: date | None
    reference: str | None


class TripOut(Output):
    """An escort home."""

    escorts: str
    transport: Transport
    from_division: str
    to_division: str
    departed_at: datetime
    arrived_at: datetime


class LedgerRowOut(Output):
    """One return home, traceable to its case."""

    outcome_id: uuid.UUID
    case_id: uuid.UUID
    case_number: str
    organisation: str
    outcome: OutcomeKind
    route: OutcomeRoute | None
    admitted_on: date
    returned_on: date
    days: int
    handover_signed: bool
    trip: TripOut | None
    notice_number: str | None
    receiver: str | None
    notice_answer: HomeAnswer | None


def outcome_out(row: Outcome) -> OutcomeOut:
    """All of an outcome but its sealed parts."""
    return OutcomeOut(**{name: getattr(row, name) for name in OutcomeOut.model_fields})


def handover_out(row: Handover, receiver: Receiver) -> HandoverOut:
    """The opened signature."""
    return HandoverOut(
        name=receiver.name, unit=receiver.unit, relation=receiver.relation, reference=receiver.reference,
        signed_on=row.signed_on,
    )  # fmt: skip


def paper_out(line: DossierLine) -> PaperOut:
    """A line of the dossier."""
    paper, entry = line.paper, line.entry
    return PaperOut(
        item=paper.key, required=paper.required, zh=paper.zh, en=paper.en, source=paper.source,
        entry_id=entry.id if entry else None, done_on=entry.done_on if entry else None,
        reference=entry.reference if entry else None,
    )  # fmt: skip


def _trip_out(trip: EscortTrip) -> TripOut:
    return TripOut(**{name: getattr(trip, name) for name in TripOut.model_fields})


def ledger_row_out(row: LedgerRow) -> LedgerRowOut:
    """A line of the ledger."""
    notice = row.notice
    receiver = None
    if notice is not None:
        receiver = notice.organisation.name_zh if notice.organisation else notice.receiver
    return LedgerRowOut(
        outcome_id=row.outcome.id,
        case_id=row.case.id,
        case_number=row.case.number,
        organisation=row.case.organisation.name_zh,
        outcome=row.outcome.kind,
        route=row.outcome.route,
        admitted_on=row.case.admitted_on,
        returned_on=row.outcome.occurred_on,
        days=row.days,
        handover_signed=row.signed,
        trip=_trip_out(row.trip) if row.trip else None,
        notice_number=notice.document_number if notice else None,
        receiver=receiver,
        notice_answer=notice.answer if notice else None,
    )
