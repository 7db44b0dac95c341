"""Interviews, recordings and clues over the wire."""

import uuid
from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Division, Input, Line, Moment, Output, Text
from matcher.vocabulary import KinRelation
from models.clue import Clue, ClueConfidence, ClueKind
from models.interview import AudioFormat, InterviewAudio, InterviewMethod
from tracing.clues import ClueText
from tracing.interviews import InterviewView, Talk

CLUES_AT_ONCE = 50


class ClueIn(Input):
    """One scrap, word for word. `division`: the place or accent that is meant, if somebody knows.

    `relation`: with a relative's name alone, whose it is, if that was said.
    """

    kind: ClueKind
    text: Text
    confidence: ClueConfidence
    division: Division | None = None
    relation: KinRelation | None = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "name", "text": "阿珍", "confidence": "likely"}]}
    )

    def given(self) -> ClueText:
        """As the use cases take it."""
        return ClueText(self.kind, self.text, self.confidence, self.division, self.relation)


class CluesIn(Input):
    """Clues that were heard at one moment, of an interview of the case or of none."""

    heard_at: Moment
    interview_id: uuid.UUID | None = None
    clues: tuple[ClueIn, ...] = Field(min_length=1, max_length=CLUES_AT_ONCE)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "heard_at": "2026-03-02T10:00:00+08:00",
                    "clues": [{"kind": "name", "text": "阿珍", "confidence": "likely"}],
                }
            ]
        }
    )


class InterviewIn(Input):
    """A talk and what came of it; `clues` may be empty."""

    held_at: Moment
    method: InterviewMethod
    place: Line | None = None
    interviewers: Line | None = None
    language: Line | None = None
    accent: Division | None = Field(None, description="The division whose accent was heard; becomes a clue.")
    notes: str | None = Field(None, max_length=20_000, description="Sealed under the person's key.")
    clues: tuple[ClueIn, ...] = Field((), max_length=CLUES_AT_ONCE)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"held_at": "2026-03-02T10:00:00+08:00", "method": "talk", "language": "闽南话"}]
        }
    )

    def talk(self) -> Talk:
        """As the use cases take it."""
        return Talk(self.held_at, self.method, self.place, self.interviewers, self.language, self.accent, self.notes)


class ClueOut(Output):
    """One clue. It stands unless it was superseded or withdrawn; `in_profile`: the search uses it as a fact."""

    id: uuid.UUID
    interview_id: uuid.UUID | None
    kind: ClueKind
    text: str
    confidence: ClueConfidence
    division: str | None
    relation: KinRelation | None
    heard_at: datetime
    recorded_by_id: uuid.UUID
    recorded_at: datetime
    supersedes_id: uuid.UUID | None
    superseded_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_by_id: uuid.UUID | None
    withdrawal_reason: str | None
    in_profile: bool


class AudioOut(Output):
    """One recording."""

    id: uuid.UUID
    format: AudioFormat
    bytes_stored: int
    added_by_id: uuid.UUID
    added_at: datetime


class InterviewOut(Output):
    """One interview with everything that came of it."""

    id: uuid.UUID
    held_at: datetime
    method: InterviewMethod
    place: str | None
    interviewers: str | None
    language: str | None
    accent: str | None
    notes: str | None
    recorded_by_id: uuid.UUID
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdrawal_reason: str | None
    recordings: tuple[AudioOut, ...]
    clues: tuple[ClueOut, ...]


def clue_out(row: Clue) -> ClueOut:
    """All of a clue."""
    return ClueOut(**{name: getattr(row, name) for name in ClueOut.model_fields})


def audio_out(row: InterviewAudio) -> AudioOut:
    """All that is told of a recording."""
    return AudioOut(**{name: getattr(row, name) for name in AudioOut.model_fields})


def interview_out(view: InterviewView) -> InterviewOut:
    """All of an interview."""
    own = InterviewOut.model_fields.keys() - {"notes", "recordings", "clues"}
    return InterviewOut(
        **{name: getattr(view.interview, name) for name in own},
        notes=view.notes,
        recordings=tuple(audio_out(one) for one in view.recordings),
        clues=tuple(clue_out(one) for one in view.clues),
    )
