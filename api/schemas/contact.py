"""Contact with the family over the wire."""

import uuid
from datetime import datetime

from pydantic import ConfigDict

from api.schemas.base import Input, Moment, Output, Text
from models.contact import ContactAttempt, ContactChannel, ContactResult, DangerScreen, PersonWish
from tracing.reports import FamilyContact


class ReleaseIn(Input):
    """What was asked before the family's details are opened."""

    wish: PersonWish
    danger: DangerScreen

    model_config = ConfigDict(json_schema_extra={"examples": [{"wish": "wants_contact", "danger": "no_sign"}]})


class FamilyContactOut(Output):
    """The family's details, opened; every reading is on record."""

    name: str
    relation: str | None
    telephone: str | None
    address: str | None
    note: str | None


class AttemptIn(Input):
    """One attempt to reach the family."""

    channel: ContactChannel
    result: ContactResult
    note: Text | None = None
    attempted_at: Moment

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "channel": "local_police",
                    "result": "reached",
                    "note": "the sister will come on Friday",
                    "attempted_at": "2026-03-02T09:00:00+08:00",
                }
            ]
        }
    )


class AttemptOut(Output):
    """One attempt, with its note opened."""

    id: uuid.UUID
    channel: ContactChannel
    result: ContactResult
    note: str | None
    attempted_at: datetime
    recorded_by_id: uuid.UUID
    recorded_at: datetime


def family_contact_out(contact: FamilyContact) -> FamilyContactOut:
    """The opened details."""
    return FamilyContactOut(
        name=contact.name,
        relation=contact.relation,
        telephone=contact.telephone,
        address=contact.address,
        note=contact.note,
    )


def attempt_out(attempt: ContactAttempt, note: str | None) -> AttemptOut:
    """An attempt with its opened note."""
    return AttemptOut(
        id=attempt.id,
        channel=attempt.channel,
        result=attempt.result,
        note=note,
        attempted_at=attempt.attempted_at,
        recorded_by_id=attempt.recorded_by_id,
        recorded_at=attempt.recorded_at,
    )
