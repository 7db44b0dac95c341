"""Deadlines and milestones over the wire."""

import uuid
from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Moment, Output, Text
from models.case import Case
from models.deadline import (
    CancelReason,
    ClockKind,
    ClockNature,
    ClockParty,
    Deadline,
    DeadlineEscalation,
    DeadlinePause,
    DeadlineStatus,
    PauseReason,
)
from models.milestone import Milestone, MilestoneKind
from tracing.clock_policy import ClockRule


class MilestoneIn(Input):
    """Something that was done for a case."""

    kind: MilestoneKind
    occurred_at: Moment
    reference: Line | None = None
    note: Text | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "police_queried", "occurred_at": "2026-03-02T10:00:00+08:00", "reference": "回执 12 号"}
            ]
        }
    )


class MilestoneOut(Output):
    """One milestone; a withdrawn one says when and why."""

    id: uuid.UUID
    kind: MilestoneKind
    occurred_at: datetime
    reference: str | None
    note: str | None
    recorded_by_id: uuid.UUID
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by_id: uuid.UUID | None
    withdrawal_reason: str | None


class ReasonIn(Input):
    """Why."""

    reason: Line

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "entered by mistake"}]})


class MetIn(Input):
    """A tick: when it was done, and a note of how."""

    occurred_at: Moment
    note: Text
    reference: Line | None = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"occurred_at": "2026-03-02T10:00:00+08:00", "note": "市电视台播出"}]}
    )


class PauseIn(Input):
    """Why a deadline stands still, and since when (default: now)."""

    reason: PauseReason
    note: Line | None = None
    from_at: Moment | None = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "hospital", "from_at": "2026-03-02T10:00:00+08:00"}]}
    )


class ResumeIn(Input):
    """Why it runs again."""

    note: Line

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "已返站"}]})


class PauseOut(Output):
    """One standstill; it lasts while `until_at` is null."""

    from_at: datetime
    reason: PauseReason
    note: str | None
    paused_by_id: uuid.UUID
    until_at: datetime | None
    resumed_by_id: uuid.UUID | None
    resume_note: str | None


class EscalationOut(Output):
    """One step up."""

    level: int
    organisation_id: uuid.UUID
    at: datetime


class DeadlineOut(Output):
    """One clock of a case, and how it stands now."""

    id: uuid.UUID
    case_id: uuid.UUID
    case_number: str
    kind: ClockKind
    step: int
    nature: ClockNature
    party: ClockParty
    status: DeadlineStatus
    started_at: datetime
    due_at: datetime = Field(description="The last second that counts; while paused, as it was when the pause began.")
    calendar_certain: bool = Field(description="False when a year's official calendar was not known.")
    met_at: datetime | None
    milestone_id: uuid.UUID | None
    cancelled_at: datetime | None
    cancel_reason: CancelReason | None
    paused_since: datetime | None
    policy_version: str
    pauses: tuple[PauseOut, ...]
    escalations: tuple[EscalationOut, ...]


class DueCountsOut(Output):
    """How many are overdue, and due within a day."""

    overdue: int
    soon: int


class ClockRuleOut(Output):
    """One clock of the policy in force for the viewer's own organisation."""

    kind: ClockKind
    enabled: bool
    party: ClockParty
    nature: ClockNature
    starts: str
    unit: str
    counts: tuple[int, ...]
    rest_day: str
    met_by: tuple[MilestoneKind, ...]
    escalate_after_hours: tuple[int, ...]
    action_zh: str
    action_en: str
    source: str
    mark: str = Field(description="H several agreeing sources, M one, L weak, B background, ours = chosen here.")


class PolicyOut(Output):
    """A policy: whose, which version, its clocks; the years of the calendar that are not known."""

    jurisdiction: str
    version: str
    calendar: str
    uncertain_years: tuple[int, ...]
    clocks: tuple[ClockRuleOut, ...]


def milestone_out(row: Milestone) -> MilestoneOut:
    """All of a milestone."""
    return MilestoneOut(**{name: getattr(row, name) for name in MilestoneOut.model_fields})


def _pause_out(row: DeadlinePause) -> PauseOut:
    return PauseOut(**{name: getattr(row, name) for name in PauseOut.model_fields})


def _escalation_out(row: DeadlineEscalation) -> EscalationOut:
    return EscalationOut(level=row.level, organisation_id=row.organisation_id, at=row.at)


def deadline_out(row: Deadline, case: Case, now: datetime) -> DeadlineOut:
    """All of a deadline, loaded with its pauses and escalations."""
    own = DeadlineOut.model_fields.keys() - {"case_number", "status", "pauses", "escalations"}
    return DeadlineOut(
        **{name: getattr(row, name) for name in own},
        case_number=case.number,
        status=row.status(now),
        pauses=tuple(_pause_out(one) for one in row.pauses),
        escalations=tuple(_escalation_out(one) for one in row.escalations),
    )


def clock_rule_out(rule: ClockRule) -> ClockRuleOut:
    """All of a rule."""
    own = ClockRuleOut.model_fields.keys() - {"starts", "unit", "counts", "rest_day"}
    return ClockRuleOut(
        **{name: getattr(rule, name) for name in own},
        starts=rule.starts.value,
        unit=rule.within.unit.value,
        counts=rule.within.counts,
        rest_day=rule.rest_day.value,
    )
