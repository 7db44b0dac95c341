"""Follow-up and wandering again over the wire."""

import uuid
from datetime import date, datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Moment, Output, Text
from api.schemas.referrals import PartyOut, party_out
from models.case import Case, CaseState
from models.followup import (
    FollowUpEnd,
    FollowUpEndReason,
    FollowUpVisit,
    PresentParty,
    StabilityGrade,
    VisitMethod,
    VisitResult,
    WanderingBasis,
    WanderingLink,
)
from models.outcome import OutcomeKind
from tracing.followup import VisitReport
from tracing.followup_view import FollowUp, VisitView
from tracing.wandering import Earlier, History


class VisitIn(Input):
    """A visit, or an attempt at one."""

    method: VisitMethod
    result: VisitResult
    visited_at: Moment
    visitor: Line = Field(description="Who visited or telephoned.")
    present: tuple[PresentParty, ...] = Field((), max_length=10)
    assessment: dict[Line, StabilityGrade] | None = Field(
        None, max_length=40, description="A grade for each domain of the policy, when somebody was met."
    )
    danger: bool = Field(default=False, description="Told at once; some grades say the same by themselves.")
    next_step: Text | None = Field(None, description="Sealed.")
    notes: Text | None = Field(None, description="Sealed.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "method": "phone",
                    "result": "met",
                    "visited_at": "2026-03-09T10:00:00+08:00",
                    "visitor": "陈社工",
                    "present": ["person", "family"],
                    "assessment": {
                        "housing": "good",
                        "caregiver": "good",
                        "medicine": "fair",
                        "income": "unknown",
                        "safety": "good",
                        "wish": "good",
                    },
                }
            ]
        }
    )

    def given(self) -> VisitReport:
        """As the use case takes it."""
        return VisitReport(**{**self.model_dump(), "present": frozenset(self.present)})


class EndIn(Input):
    """The decision that no more visits are needed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "stable"}]})

    reason: FollowUpEndReason
    explanation: Text | None = Field(None, description="Sealed; needed for every reason but “stable”.")


class EarlierIn(Input):
    """An earlier case of the same person."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"earlier_case_id": "0b9f6a52-7c1e-4f0e-9a53-5f0c6a1d2e3f", "reason": "门卫认出他"}]
        }
    )

    earlier_case_id: uuid.UUID
    reason: Line


class VisitOut(Output):
    """One visit; `next_step` and `notes` for those who follow up."""

    id: uuid.UUID
    method: VisitMethod
    result: VisitResult
    present: tuple[PresentParty, ...]
    assessment: dict[str, StabilityGrade] | None
    danger: bool
    policy_version: str
    visitor: str
    visited_at: datetime
    next_step: str | None
    notes: str | None
    recorded_by_id: uuid.UUID
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


class FollowUpEndOut(Output):
    """One decision to end the follow-up."""

    id: uuid.UUID
    reason: FollowUpEndReason
    explanation: str | None
    visit_id: uuid.UUID | None
    decided_by_id: uuid.UUID
    decided_at: datetime
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


class PlannedVisitOut(Output):
    """One visit of the plan: a deadline of the clock “follow_up”."""

    deadline_id: uuid.UUID
    due_at: datetime
    met_at: datetime | None
    ended_at: datetime | None


class DomainOut(Output):
    """One side of life that a visit grades."""

    key: str
    label_zh: str
    label_en: str


class FollowUpOut(Output):
    """Plan, visits and decisions. `missing`: what keeps the case from counting as stable."""

    plan: tuple[PlannedVisitOut, ...]
    visits: tuple[VisitOut, ...]
    ends: tuple[FollowUpEndOut, ...]
    missing: tuple[str, ...]
    domains: tuple[DomainOut, ...]
    policy_version: str


class WanderingLinkOut(Output):
    """A link of two cases."""

    id: uuid.UUID
    case_id: uuid.UUID
    earlier_case_id: uuid.UUID
    basis: WanderingBasis
    reason: str | None
    linked_by_id: uuid.UUID | None
    linked_at: datetime
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


class EarlierVisitOut(Output):
    """A visit after an earlier return home."""

    visited_at: datetime
    result: VisitResult
    assessment: dict[str, StabilityGrade] | None
    danger: bool


class EarlierOutcomeOut(Output):
    """How an earlier case ended."""

    kind: OutcomeKind
    occurred_on: date


class EarlierOut(Output):
    """An earlier case, as far as the readers of the new one may know it."""

    link: WanderingLinkOut
    number: str
    organisation: PartyOut
    admitted_on: date
    state: CaseState
    outcomes: tuple[EarlierOutcomeOut, ...]
    visits: tuple[EarlierVisitOut, ...]
    follow_up_ended: FollowUpEndReason | None


class LaterOut(Output):
    """A later case that the viewer may see."""

    link: WanderingLinkOut
    number: str
    state: CaseState


class HistoryOut(Output):
    """Earlier cases of the person, newest first, and later ones."""

    earlier: tuple[EarlierOut, ...]
    later: tuple[LaterOut, ...]


def visit_out(view: VisitView) -> VisitOut:
    """One visit."""
    texts = {"next_step": view.next_step, "notes": view.notes}
    own = {name: getattr(view.visit, name) for name in VisitOut.model_fields if name not in texts}
    return VisitOut(**own, **texts)


def closed_visit_out(visit: FollowUpVisit) -> VisitOut:
    """One visit without its texts."""
    return visit_out(VisitView(visit, None, None))


def end_out(end: FollowUpEnd, explanation: str | None = None) -> FollowUpEndOut:
    """One decision."""
    own = {name: getattr(end, name) for name in FollowUpEndOut.model_fields if name != "explanation"}
    return FollowUpEndOut(**own, explanation=explanation)


def follow_up_out(found: FollowUp) -> FollowUpOut:
    """The whole of it."""
    return FollowUpOut(
        plan=tuple(
            PlannedVisitOut(deadline_id=one.id, due_at=one.due_at, met_at=one.met_at, ended_at=one.cancelled_at)
            for one in found.plan
        ),
        visits=tuple(visit_out(one) for one in found.visits),
        ends=tuple(end_out(end, text) for end, text in found.ends),
        missing=found.missing,
        domains=tuple(DomainOut(**one.model_dump()) for one in found.policy.domains),
        policy_version=found.policy.version,
    )


def link_out(link: WanderingLink) -> WanderingLinkOut:
    """One link."""
    return WanderingLinkOut(**{name: getattr(link, name) for name in WanderingLinkOut.model_fields})


def _earlier_out(one: Earlier) -> EarlierOut:
    case: Case = one.case
    return EarlierOut(
        link=link_out(one.link),
        number=case.number,
        organisation=party_out(case.organisation),
        admitted_on=case.admitted_on,
        state=case.state,
        outcomes=tuple(EarlierOutcomeOut(kind=kind, occurred_on=day) for kind, day in one.outcomes),
        visits=tuple(
            EarlierVisitOut(
                visited_at=visit.visited_at,
                result=visit.result,
                assessment={key: StabilityGrade(grade) for key, grade in visit.assessment.items()}
                if visit.assessment
                else None,
                danger=visit.danger,
            )
            for visit in one.visits
        ),
        follow_up_ended=one.ended,
    )


def history_out(history: History) -> HistoryOut:
    """Before and after."""
    return HistoryOut(
        earlier=tuple(_earlier_out(one) for one in history.earlier),
        later=tuple(
            LaterOut(link=link_out(link), number=case.number, state=case.state) for link, case in history.later
        ),
    )
