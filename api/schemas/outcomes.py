"""Outcomes over the wire."""

import uuid
from datetime import date, datetime

from pydantic import ConfigDict

from api.schemas.base import Day, Input, Output, Text
from models.outcome import Outcome, OutcomeKind, OutcomeRoute


class OutcomeIn(Input):
    """How a stay ended; `route` says what found the name."""

    kind: OutcomeKind
    route: OutcomeRoute | None = None
    occurred_on: Day
    note: Text | None = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "reunited", "route": "face", "occurred_on": "2026-03-06"}]}
    )


class OutcomeOut(Output):
    """One outcome."""

    id: uuid.UUID
    kind: OutcomeKind
    route: OutcomeRoute | None
    occurred_on: date
    note: str | None
    recorded_by_id: uuid.UUID
    recorded_at: datetime


def outcome_out(row: Outcome) -> OutcomeOut:
    """All of an outcome."""
    return OutcomeOut(
        id=row.id,
        kind=row.kind,
        route=row.route,
        occurred_on=row.occurred_on,
        note=row.note,
        recorded_by_id=row.recorded_by_id,
        recorded_at=row.recorded_at,
    )
