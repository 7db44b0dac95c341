"""Notices and tips over the wire."""

import uuid
from collections.abc import Callable
from datetime import datetime

from pydantic import ConfigDict, Field

from api.notice_words import lines
from api.schemas.base import Division, Input, Line, Output, Text
from matcher.vocabulary import KinRelation
from models.clue import ClueConfidence, ClueKind
from models.contact import DangerScreen, PersonWish
from models.notice import PUBLIC_STATES, NoticeFact, NoticeState, NoticeVersion
from models.tip import Tip, TipState
from models.user import Locale
from tracing.clues import ClueText
from tracing.notices import NoticeDraft, NoticeView
from tracing.tips import TipView


class NoticeIn(Input):
    """A draft. The person was asked, and danger was screened for; `facts` left out: all that the policy allows."""

    telephone: Line = Field(description="Of the station; it is printed.")
    wish: PersonWish
    danger: DangerScreen
    facts: frozenset[NoticeFact] | None = None
    photo_id: uuid.UUID | None = Field(None, description="One of the case's photographs.")
    statement: Line | None = Field(None, description="A few words more, without names and numbers.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"telephone": "0777-2860110", "wish": "cannot_express", "danger": "no_sign"}]
        }
    )  # fmt: skip

    def given(self) -> NoticeDraft:
        """As the use case takes it."""
        return NoticeDraft(**{name: getattr(self, name) for name in type(self).model_fields})


class NoticeOut(Output):
    """One version, unopened. `public`: the public sees it at this moment; `address` is where."""

    id: uuid.UUID
    case_id: uuid.UUID
    number: int
    state: NoticeState
    public: bool
    address: str
    policy_version: str
    photo_id: uuid.UUID | None
    wish: PersonWish
    danger: DangerScreen
    drafted_by_id: uuid.UUID
    drafted_at: datetime
    decided_by_id: uuid.UUID | None
    decided_at: datetime | None
    rejection_reason: str | None
    replaced_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_by_id: uuid.UUID | None = Field(description="Null when the service did it.")
    withdrawal_reason: str | None


class NoticeLineOut(Output):
    """One line of the notice, in the language that was asked for."""

    label: str
    text: str


class NoticeContentOut(NoticeOut):
    """A version opened."""

    telephone: str
    station_zh: str
    station_en: str
    lines: tuple[NoticeLineOut, ...]


_OWN = frozenset({"case_id", "public", "address"})


def notice_out(version: NoticeVersion, address: Callable[[str], str]) -> NoticeOut:
    """A version that was loaded with its notice and case."""
    case = version.notice.case
    return NoticeOut(
        case_id=version.notice.case_id,
        public=version.state is NoticeState.PUBLISHED and case.state in PUBLIC_STATES,
        address=address(version.notice.token),
        **{name: getattr(version, name) for name in NoticeOut.model_fields if name not in _OWN},
    )


def content_out(view: NoticeView, address: Callable[[str], str], locale: Locale) -> NoticeContentOut:
    """A version opened for this viewer."""
    version, content = view.version, view.content
    return NoticeContentOut(
        case_id=view.case.id,
        public=view.public,
        address=address(version.notice.token),
        telephone=content.telephone,
        station_zh=content.station_zh,
        station_en=content.station_en,
        lines=tuple(NoticeLineOut(label=one.label, text=one.text) for one in lines(content, locale)),
        **{name: getattr(version, name) for name in NoticeOut.model_fields if name not in _OWN},
    )


class TipDecisionOut(Output):
    """One judgement on a tip."""

    accepted: bool
    reason: str | None
    decided_by_id: uuid.UUID
    decided_at: datetime


class TipOut(Output):
    """One tip, unopened."""

    id: uuid.UUID
    case_id: uuid.UUID
    version_id: uuid.UUID
    state: TipState
    has_contact: bool
    has_photo: bool
    received_at: datetime
    decisions: tuple[TipDecisionOut, ...]


class TipTextOut(TipOut):
    """A tip opened."""

    text: str
    place: str | None
    time: str | None
    contact: str | None


class TipClueIn(Input):
    """A clue that a tip contains; how sure it is, the service says: unsure."""

    kind: ClueKind
    text: Text
    division: Division | None = None
    relation: KinRelation | None = None

    def given(self) -> ClueText:
        """As the use case takes it."""
        return ClueText(self.kind, self.text, ClueConfidence.UNSURE, self.division, self.relation)


class TipAcceptIn(Input):
    """What is taken from a tip."""

    clues: tuple[TipClueIn, ...] = Field(max_length=20)
    reason: Line | None = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"clues": [{"kind": "place", "text": "小董镇", "division": "450703"}]}]}
    )


def tip_out(tip: Tip) -> TipOut:
    """All but what somebody wrote."""
    return TipOut(**_tip_fields(tip))


def tip_text_out(view: TipView) -> TipTextOut:
    """A tip opened for its moderator."""
    given = view.given
    return TipTextOut(
        text=given.text, place=given.place, time=given.time, contact=given.contact, **_tip_fields(view.tip)
    )


def _tip_fields(tip: Tip) -> dict[str, object]:
    decisions = tuple(
        TipDecisionOut(**{name: getattr(one, name) for name in TipDecisionOut.model_fields}) for one in tip.decisions
    )
    own = {name: getattr(tip, name) for name in TipOut.model_fields if name != "decisions"}
    return {**own, "decisions": decisions}
