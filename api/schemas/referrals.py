"""Referrals over the wire. What one says is opened by the route of the single referral alone."""

import uuid
from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Moment, Output, Text
from models.organisation import Organisation, OrganisationKind
from models.referral import Referral, ReferralFact, ReferralKind, ReferralState
from tracing.access import Permission, Viewer
from tracing.referrals import ReferralText, ReferralView


class ReferralIn(Input):
    """A referral as it is written."""

    kind: ReferralKind
    receiver_id: uuid.UUID
    summary: Text = Field(description="All that the receiving organisation is told, besides the facts. Sealed.")
    facts: tuple[ReferralFact, ...] = Field((), max_length=20, description="Attached as they are when it is sent.")
    visit_id: uuid.UUID | None = Field(None, description="The follow-up visit that it arose from.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "low_income",
                    "receiver_id": "77f0b4a4-5f0b-4c6e-b7f4-6d1f2a9f5c31",
                    "summary": "肾衰竭，需长期透析，返乡后无收入，请协助申请低保。",
                    "facts": ["name", "home"],
                }
            ]
        }
    )

    def given(self) -> ReferralText:
        """As the use case takes it."""
        return ReferralText(self.kind, self.receiver_id, self.summary, frozenset(self.facts), self.visit_id)


class ReferralTextIn(Input):
    """A refusal's reason, or what came of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "已受理，下月起发放"}]})

    text: Text


class PartyOut(Output):
    """An organisation, by name."""

    id: uuid.UUID
    kind: OrganisationKind
    name_zh: str
    name_en: str
    division: str


class ReferralMoveOut(Output):
    """One move; who made it is known by the organisation whose turn it was."""

    from_state: ReferralState
    to_state: ReferralState
    at: datetime


class ReferralOut(Output):
    """One referral, nothing opened. `case_id` is null for the receiving organisation."""

    id: uuid.UUID
    case_id: uuid.UUID | None
    kind: ReferralKind
    state: ReferralState
    sender: PartyOut
    receiver: PartyOut
    visit_id: uuid.UUID | None
    created_at: datetime
    sent_at: datetime | None
    answer_due_at: datetime | None
    overdue: bool
    moves: tuple[ReferralMoveOut, ...]


class ReferralAnswerOut(Output):
    """Reason or result of one move."""

    state: ReferralState
    at: Moment
    text: str


class ReferralContentOut(Output):
    """What a referral says."""

    summary: str
    facts: dict[str, tuple[str, ...]]
    answers: tuple[ReferralAnswerOut, ...]


class OpenedReferralOut(ReferralOut):
    """One referral with what it says; `content` is null when this viewer may not, or no longer, read it."""

    content: ReferralContentOut | None


def party_out(one: Organisation) -> PartyOut:
    """Name and place."""
    return PartyOut(id=one.id, kind=one.kind, name_zh=one.name_zh, name_en=one.name_en, division=one.division)


def referral_out(one: Referral, viewer: Viewer, now: datetime) -> ReferralOut:
    """All but what it says."""
    sender = viewer.may(Permission.CASE_READ)
    return ReferralOut(
        id=one.id,
        case_id=one.case_id if sender else None,
        kind=one.kind,
        state=one.state,
        sender=party_out(one.sender),
        receiver=party_out(one.receiver),
        visit_id=one.visit_id if sender else None,
        created_at=one.created_at,
        sent_at=one.sent_at,
        answer_due_at=one.answer_due_at,
        overdue=one.overdue(now),
        moves=tuple(ReferralMoveOut(from_state=row.from_state, to_state=row.to_state, at=row.at) for row in one.moves),
    )


def opened_out(view: ReferralView, viewer: Viewer, now: datetime) -> OpenedReferralOut:
    """With what it says, if it may be opened."""
    content = view.content and ReferralContentOut(
        summary=view.content.summary,
        facts=dict(view.content.facts),
        answers=tuple(ReferralAnswerOut(state=state, at=at, text=text) for state, at, text in view.content.answers),
    )
    closed = referral_out(view.referral, viewer, now)
    return OpenedReferralOut(**{name: getattr(closed, name) for name in ReferralOut.model_fields}, content=content)
