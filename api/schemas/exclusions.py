"""Exclusions over the wire."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Output
from models.exclusion import Exclusion, ExclusionEvidence


class EvidenceIn(Input):
    """What excludes a pair, or reopens it, and why. `reference` is needed for DNA, fingerprints, official records."""

    evidence: ExclusionEvidence
    reference: Annotated[Line, Field(max_length=120)] | None = None
    reason: Line

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"evidence": "dna", "reference": "D-2026-7", "reason": "no kinship"}]}
    )


class ExclusionOut(Output):
    """One exclusion, and its reopening if there was one."""

    id: uuid.UUID
    case_id: uuid.UUID
    candidate_id: uuid.UUID
    evidence: ExclusionEvidence
    reference: str | None
    reason: str
    excluded_by_id: uuid.UUID
    excluded_at: datetime
    reopen_evidence: ExclusionEvidence | None
    reopen_reference: str | None
    reopen_reason: str | None
    reopened_by_id: uuid.UUID | None
    reopened_at: datetime | None


def exclusion_out(row: Exclusion) -> ExclusionOut:
    """All of an exclusion."""
    return ExclusionOut(**{name: getattr(row, name) for name in ExclusionOut.model_fields})
