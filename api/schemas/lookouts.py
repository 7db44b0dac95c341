"""Lookouts over the wire."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Output, Text
from api.schemas.facts import division_name
from models.lookout import Lookout, LookoutAnswer, LookoutEnd, RingLevel
from models.sighting import Condition, Heading
from tracing.lookout_track import Pace, TrackPoint
from tracing.lookouts import LookoutView


class LookoutIn(Input):
    """Whom to look out for: the person of a sighting, or of a case who has gone."""

    sighting_id: uuid.UUID | None = None
    case_id: uuid.UUID | None = None
    words: Text | None = Field(None, description="What to look for. Sealed under the person's key.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"sighting_id": "77f0b4a4-5f0b-4c6e-b7f4-6d1f2a9f5c31", "words": "灰色外套，左腿微跛"}]
        }
    )


class LookoutEndIn(Input):
    """How a lookout ends."""

    kind: Literal[LookoutEnd.FOUND, LookoutEnd.CALLED_OFF]
    reason: Line
    case_id: uuid.UUID | None = Field(None, description="The case of the person, when found and admitted.")

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "found", "reason": "他在梦园小区"}]})


class RingOut(Output):
    """A division to which it is addressed."""

    ring: int
    level: RingLevel
    division: str
    division_name: str | None
    opened_at: datetime


class LookoutRef(Output):
    """A lookout without what is sealed."""

    id: uuid.UUID
    organisation_id: uuid.UUID
    opened_by_id: uuid.UUID
    opened_at: datetime
    sighting_id: uuid.UUID | None
    case_id: uuid.UUID | None
    division: str
    division_name: str | None
    ring: int
    next_ring_at: datetime | None
    expires_at: datetime
    policy_version: str
    ended_at: datetime | None
    end_kind: LookoutEnd | None
    end_reason: str | None
    found_case_id: uuid.UUID | None


class LookoutOut(LookoutRef):
    """A lookout as this viewer sees it. `mine`: of the own jurisdiction. `photo`: null when there is none."""

    words: str | None
    photo: str | None
    mine: bool
    rings: tuple[RingOut, ...]


class AnswerOut(Output):
    """One answer."""

    id: uuid.UUID
    lookout_id: uuid.UUID
    organisation_id: uuid.UUID
    user_id: uuid.UUID
    seen: bool
    sighting_id: uuid.UUID | None
    at: datetime


class TrackPointOut(Output):
    """One point of the track; distance, speed and pace from the last sighting before that has a point."""

    sighting_id: uuid.UUID
    seen_at: datetime
    division: str
    division_name: str | None
    place: str | None
    latitude: float | None
    longitude: float | None
    heading: Heading | None
    road: str | None
    conditions: tuple[Condition, ...]
    km: float | None
    kmh: float | None
    pace: Pace | None


def lookout_ref(lookout: Lookout) -> LookoutRef:
    """What is not sealed."""
    return LookoutRef(**_fields(lookout))


def _fields(lookout: Lookout) -> dict[str, object]:
    own = {name: getattr(lookout, name) for name in LookoutRef.model_fields if name != "division_name"}
    return own | {"division_name": division_name(lookout.division)}


def lookout_out(view: LookoutView) -> LookoutOut:
    """A lookout."""
    return LookoutOut(
        **_fields(view.lookout),
        words=view.words,
        photo=f"/api/v1/lookouts/{view.lookout.id}/photo" if view.has_photo else None,
        mine=view.mine,
        rings=tuple(
            RingOut(
                ring=one.ring,
                level=one.level,
                division=one.division,
                division_name=division_name(one.division),
                opened_at=one.opened_at,
            )
            for one in view.rings
        ),
    )


def answer_out(answer: LookoutAnswer) -> AnswerOut:
    """An answer."""
    return AnswerOut(**{name: getattr(answer, name) for name in AnswerOut.model_fields})


def track_point_out(point: TrackPoint) -> TrackPointOut:
    """A point of the track."""
    one = point.sighting
    return TrackPointOut(
        sighting_id=one.id,
        seen_at=one.seen_at,
        division=one.division,
        division_name=division_name(one.division),
        place=one.place,
        latitude=one.latitude,
        longitude=one.longitude,
        heading=one.heading,
        road=one.road,
        conditions=tuple(Condition(value) for value in one.conditions),
        km=None if point.km is None else round(point.km, 2),
        kmh=None if point.kmh is None else round(point.kmh, 1),
        pace=point.pace,
    )
