"""Duplicates over the wire. Values are shown only of records that the viewer sees."""

import uuid
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Output
from api.schemas.referrals import PartyOut, party_out
from matcher.fusion import strength
from matcher.vocabulary import EvidenceKind, GalleryKind, Strength
from models.duplicate import DuplicateBasis, DuplicateDecision, DuplicateVerdict
from tracing.duplicates import PairView


class DecisionIn(Input):
    """What a human decides on a pair."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"verdict": "same", "reason": "同一疤痕，同一乳名"}]})

    verdict: DuplicateVerdict
    reason: Line


class LinkIn(Input):
    """Two records that nobody proposed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "report",
                    "first_id": "0b9f6a52-7c1e-4f0e-9a53-5f0c6a1d2e3f",
                    "second_id": "5d7d0b1e-2f60-4f0b-8f0a-90a1c2b3d4e5",
                    "reason": "姐姐和叔叔各报一次",
                }
            ]
        }
    )

    kind: GalleryKind
    first_id: uuid.UUID
    second_id: uuid.UUID
    reason: Line


class SideOut(Output):
    """One record; outside the viewer's scope the organisation alone, so that it can be called."""

    id: uuid.UUID | None
    number: str | None
    state: str | None
    organisation: PartyOut


class DecisionOut(Output):
    """One decision."""

    id: uuid.UUID
    verdict: DuplicateVerdict
    reason: str
    decided_by_id: uuid.UUID
    decided_at: datetime
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


class DuplicateTermOut(Output):
    """One term; its values and sentences only when both records are the viewer's to see."""

    kind: EvidenceKind
    log10_lr: float
    weight: float
    first_value: str | None = Field(description="As the pass compared them: of either record.")
    second_value: str | None
    sentence_zh: str | None
    sentence_en: str | None


class DuplicateOut(Output):
    """A pair. `strength` is null when it was not proposed by evidence."""

    id: uuid.UUID
    kind: GalleryKind
    basis: DuplicateBasis
    strength: Strength | None
    log10_lr: float | None
    sides: tuple[SideOut, SideOut]
    decisions: tuple[DecisionOut, ...]
    terms: tuple[DuplicateTermOut, ...]
    proposed_at: datetime


def _term_out(row: dict[str, Any], shown: bool) -> DuplicateTermOut:
    values = {
        "first_value": row["probe_value"],
        "second_value": row["other_value"],
        "sentence_zh": row["sentence_zh"],
        "sentence_en": row["sentence_en"],
    }
    return DuplicateTermOut(
        kind=EvidenceKind(row["kind"]),
        log10_lr=float(row["log10_lr"]),
        weight=float(row["weight"]),
        **{name: value if shown else None for name, value in values.items()},
    )


def _decision_out(row: DuplicateDecision) -> DecisionOut:
    return DecisionOut(**{name: getattr(row, name) for name in DecisionOut.model_fields})


def duplicate_out(view: PairView) -> DuplicateOut:
    """As this viewer may see it."""
    pair = view.pair
    first, second = (
        SideOut(id=one.id, number=one.number, state=one.state, organisation=party_out(one.organisation))
        for one in view.sides
    )
    return DuplicateOut(
        id=pair.id,
        kind=pair.kind,
        basis=pair.basis,
        strength=None if pair.log10_lr is None else strength(pair.log10_lr),
        log10_lr=pair.log10_lr,
        sides=(first, second),
        decisions=tuple(_decision_out(one) for one in view.decisions),
        terms=tuple(_term_out(row, view.open) for row in pair.terms or ()),
        proposed_at=pair.proposed_at,
    )
