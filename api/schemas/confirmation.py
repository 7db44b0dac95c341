"""Confirmations and recalls over the wire."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Output, Text
from models.confirmation import Confirmation, ConfirmationMethod


class ConfirmationIn(Input):
    """The police's decision and what it rests on."""

    candidate_id: uuid.UUID
    method: ConfirmationMethod
    reference: Annotated[Line, Field(max_length=120)] | None = None
    grounds: Text

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "candidate_id": "77f0b4a4-5f0b-4c6e-b7f4-6d1f2a9f5c31",
                    "method": "fingerprint",
                    "reference": "QZ-2026-0192",
                    "grounds": "ten prints agree",
                }
            ]
        }
    )


class RecallIn(Input):
    """Why a confirmation was wrong."""

    reason: Text

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "DNA does not agree"}]})


class ConfirmationOut(Output):
    """A confirmation, and its recall if there was one."""

    id: uuid.UUID
    case_id: uuid.UUID
    candidate_id: uuid.UUID
    report_id: uuid.UUID
    method: ConfirmationMethod
    reference: str | None
    grounds: str
    confirmed_by_id: uuid.UUID
    confirmed_at: datetime
    recalled_by_id: uuid.UUID | None
    recalled_at: datetime | None
    recall_reason: str | None


def confirmation_out(row: Confirmation) -> ConfirmationOut:
    """All of a confirmation."""
    return ConfirmationOut(
        id=row.id,
        case_id=row.case_id,
        candidate_id=row.candidate_id,
        report_id=row.report_id,
        method=row.method,
        reference=row.reference,
        grounds=row.grounds,
        confirmed_by_id=row.confirmed_by_id,
        confirmed_at=row.confirmed_at,
        recalled_by_id=row.recalled_by_id,
        recalled_at=row.recalled_at,
        recall_reason=row.recall_reason,
    )
