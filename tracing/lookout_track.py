"""The track of a lookout (行踪): its sightings in order of time, with what the way between them tells."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.lookout import LookoutAnswer, LookoutRing
from models.sighting import Sighting
from tracing import access
from tracing.access import Permission, Viewer
from tracing.lookout_policy import LookoutPolicy, lookout_policy
from tracing.lookouts import load_lookout, sightings_of
from tracing.services import Services
from tracing.trail import note

EARTH_KM = 6371.0088
NEAR_KM = 0.3
"""Below this, two points are one place: a position from a telephone is not better."""


class Pace(StrEnum):
    """What the way from the sighting before says."""

    ON_FOOT = "on_foot"
    BY_VEHICLE = "by_vehicle"
    IMPLAUSIBLE = "implausible"  # faster than any vehicle: one of the two is somebody else, or its time is wrong


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """One sighting of the track. Distance, speed and pace are from the last sighting before that has a point; None
    where there is none, or this one has no point. `kmh` None also when both are of the same moment.
    """

    sighting: Sighting
    km: float | None
    kmh: float | None
    pace: Pace | None


def lookout_track(
    session: Session, services: Services, viewer: Viewer, lookout_id: uuid.UUID, *, now: datetime
) -> list[TrackPoint]:
    """Where the person was seen, oldest first; also for liaisons to whom an open lookout is addressed.

    Raises Forbidden, NotFound.
    """
    access.require(viewer, Permission.SIGHTING_READ)
    lookout = load_lookout(session, viewer, lookout_id)
    points = track(sightings_of(session, lookout), lookout_policy(services))
    note(session, viewer, "lookout.track", "lookout", lookout.id, at=now, count=len(points))
    return points


def lookout_mark(session: Session, viewer: Viewer, lookout_id: uuid.UUID) -> str:
    """Names the state of a lookout: another name once it was answered, has widened, or ended. It tells nothing else.

    Not logged: asked again and again by an open page whose view is on record. Raises Forbidden, NotFound.
    """
    access.require(viewer, Permission.SIGHTING_READ)
    lookout = load_lookout(session, viewer, lookout_id)
    if not lookout.open:
        return "ended"
    rings, answers = (
        session.scalar(select(func.count()).where(table.lookout_id == lookout.id))
        for table in (LookoutRing, LookoutAnswer)
    )
    return f"{rings}-{answers}-{len(sightings_of(session, lookout))}"


def track(sightings: Sequence[Sighting], policy: LookoutPolicy) -> list[TrackPoint]:
    """The points of sightings, which are in order of time."""
    found: list[TrackPoint] = []
    before: Sighting | None = None
    for one in sightings:
        if one.latitude is None or one.longitude is None:
            found.append(TrackPoint(one, None, None, None))
            continue
        if before is None:
            found.append(TrackPoint(one, None, None, None))
        else:
            found.append(_step(before, one, policy))
        before = one
    return found


def _step(before: Sighting, one: Sighting, policy: LookoutPolicy) -> TrackPoint:
    km = distance_km(
        before.latitude or 0.0, before.longitude or 0.0, one.latitude or 0.0, one.longitude or 0.0
    )  # fmt: skip
    hours = (one.seen_at - before.seen_at).total_seconds() / 3600
    kmh = km / hours if hours > 0 else None
    if km <= NEAR_KM or (kmh is not None and kmh <= policy.walking_kmh):
        pace = Pace.ON_FOOT
    elif kmh is not None and kmh <= policy.vehicle_kmh:
        pace = Pace.BY_VEHICLE
    else:
        pace = Pace.IMPLAUSIBLE
    return TrackPoint(one, km, kmh, pace)


def distance_km(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Great-circle distance of two points in degrees (haversine, mean radius of the Earth)."""
    phi, other = radians(latitude), radians(to_latitude)
    half = sin((other - phi) / 2) ** 2
    half += cos(phi) * cos(other) * sin(radians(to_longitude - longitude) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))
