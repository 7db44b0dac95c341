"""Patrols over the wire."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.base import Division, Input, Moment, Output, Text
from api.schemas.facts import division_name
from models.patrol import AidKind
from tracing.patrols import PatrolCounts, PatrolView, Walk


class PatrolIn(Input):
    """A round through the streets. `points`: longitude and latitude (WGS-84) of the way, if it was recorded."""

    route: Text
    started_at: Moment
    ended_at: Moment
    members: int
    people_met: int
    division: Division | None = None
    aid: dict[AidKind, int] = Field(default_factory=dict, description="How often each kind of aid was given.")
    points: Annotated[tuple[tuple[float, float], ...], Field(max_length=2000)] = ()

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "route": "火车站—金海湾广场—白石湖公园",
                    "started_at": "2026-03-02T20:00:00+08:00",
                    "ended_at": "2026-03-02T22:00:00+08:00",
                    "members": 4,
                    "people_met": 3,
                    "aid": {"food": 3, "clothing": 1},
                }
            ]
        }
    )

    def walk(self) -> Walk:
        """As the use case takes it."""
        return Walk(**dict(self))


class PatrolOut(Output):
    """A patrol with what was given and how many sightings it made."""

    id: uuid.UUID
    organisation_id: uuid.UUID
    division: str
    division_name: str | None
    route: str
    points: tuple[tuple[float, float], ...]
    started_at: datetime
    ended_at: datetime
    members: int
    people_met: int
    aid: Mapping[AidKind, int]
    sightings: int
    recorded_by_id: uuid.UUID
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


class PatrolCountsOut(Output):
    """Figures of a period."""

    patrols: int
    members: int
    people_met: int
    sightings: int
    aid: Mapping[AidKind, int]


def patrol_out(view: PatrolView) -> PatrolOut:
    """A patrol."""
    one = view.patrol
    own = {"division_name", "points", "aid", "sightings"}
    return PatrolOut(
        **{name: getattr(one, name) for name in PatrolOut.model_fields if name not in own},
        division_name=division_name(one.division),
        points=tuple((point[0], point[1]) for point in one.points or ()),
        aid=view.aid,
        sightings=view.sightings,
    )


def counts_out(counts: PatrolCounts) -> PatrolCountsOut:
    """Figures."""
    return PatrolCountsOut(
        patrols=counts.patrols,
        members=counts.members,
        people_met=counts.people_met,
        sightings=counts.sightings,
        aid=counts.aid,
    )
