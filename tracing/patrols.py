"""Patrols (巡查): recording rounds through the streets, and counting them for the joint meeting's figures."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matcher import divisions
from models.patrol import AidKind, Patrol, PatrolAid
from models.sighting import Sighting
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import check_reason
from tracing.facts import InvalidFacts, check_division, check_text, collecting
from tracing.milestones import check_moment
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.trail import note

MEMBERS_MAX = 500
PEOPLE_MAX = 10_000
POINTS_MAX = 2_000


class PatrolEndsBefore(errors.Invalid):
    """A patrol that ends before it starts."""

    slug = "patrol_ends_before"
    message = "The patrol ends before it starts. Check both times."


class CountOutOfRange(errors.Invalid):
    """A number of people that cannot be."""

    slug = "count_out_of_range"
    message = "This number cannot be right: from {least} to {most}."


class RouteTooLong(errors.Invalid):
    """More points than a route has, or a point that is none."""

    slug = "route_points_wrong"
    message = "A route has at most {limit} points, each a longitude and a latitude in degrees."


class PatrolEnded(errors.Conflict):
    """A withdrawal of a withdrawn patrol."""

    slug = "patrol_withdrawn"
    message = "This patrol has been withdrawn already."


@dataclass(frozen=True, slots=True)
class Walk:
    """A patrol as it is given; `aid` by kind, each at least once."""

    route: str
    started_at: datetime
    ended_at: datetime
    members: int
    people_met: int
    division: str | None = None
    aid: Mapping[AidKind, int] = field(default_factory=dict)
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class PatrolView:
    """A patrol with what was given and how many sightings it made."""

    patrol: Patrol
    aid: Mapping[AidKind, int]
    sightings: int


@dataclass(frozen=True, slots=True)
class PatrolCounts:
    """Figures of a period: patrols that stand, and what came of them."""

    patrols: int
    members: int
    people_met: int
    sightings: int
    aid: Mapping[AidKind, int]


def record_patrol(session: Session, viewer: Viewer, walk: Walk, *, now: datetime) -> Patrol:
    """Record a patrol of the viewer's organisation, in its division unless told otherwise.

    Raises Forbidden, InvalidFacts.
    """
    access.require(viewer, Permission.PATROL)
    route = _check(walk, now)
    division = walk.division or access.own_organisation(session, viewer).division
    patrol = Patrol(
        id=uuid.uuid4(), organisation_id=viewer.organisation_id, division=division, route=route,
        points=[list(point) for point in walk.points] or None, started_at=walk.started_at, ended_at=walk.ended_at,
        members=walk.members, people_met=walk.people_met, recorded_by_id=viewer.user_id, recorded_at=now,
    )  # fmt: skip
    session.add(patrol)
    session.flush()
    session.add_all(PatrolAid(patrol_id=patrol.id, kind=kind, times=times) for kind, times in walk.aid.items())
    session.flush()
    note(session, viewer, "patrol.record", "patrol", patrol.id, at=now, people=walk.people_met)
    return patrol


def _check(walk: Walk, now: datetime) -> str:
    problems: list[errors.Invalid] = []
    route = walk.route
    with collecting(problems):
        route = check_text(walk.route, limit=1000, field="route")
    with collecting(problems):
        check_division(walk.division, field="division")
    with collecting(problems):
        check_moment(walk.ended_at, now=now, field="ended_at")
    with collecting(problems):
        check_moment(walk.started_at, now=now, field="started_at")
    if walk.ended_at < walk.started_at:
        problems.append(PatrolEndsBefore(field="ended_at"))
    counts = [("members", walk.members, 1, MEMBERS_MAX), ("people_met", walk.people_met, 0, PEOPLE_MAX)]
    counts += [(f"aid.{kind.value}", times, 1, PEOPLE_MAX) for kind, times in walk.aid.items()]
    problems += [
        CountOutOfRange(field=name, least=least, most=most)
        for name, count, least, most in counts
        if not least <= count <= most
    ]
    right = all(-180 <= longitude <= 180 and -90 <= latitude <= 90 for longitude, latitude in walk.points)
    if len(walk.points) > POINTS_MAX or not right:
        problems.append(RouteTooLong(field="points", limit=POINTS_MAX))
    if problems:
        raise InvalidFacts(tuple(problems))
    return route


def get_patrol(session: Session, viewer: Viewer, patrol_id: uuid.UUID, *, now: datetime) -> PatrolView:
    """One patrol. Raises NotFound."""
    patrol: Patrol = access.find(
        session,
        select(Patrol)
        .where(Patrol.id == patrol_id, access.patrol_scope(viewer))
        .execution_options(populate_existing=True),
    )
    note(session, viewer, "patrol.view", "patrol", patrol.id, at=now)
    return _views(session, [patrol])[0]


def list_patrols(
    session: Session, viewer: Viewer, *, cursor: str | None = None, limit: int = 50, now: datetime
) -> Page[PatrolView]:
    """Patrols of the viewer's scope, the latest first, withdrawn ones among them."""
    access.require(viewer, Permission.PATROL_READ)
    statement = select(Patrol).where(access.patrol_scope(viewer))
    page = page_of(session, statement, Patrol.started_at, Patrol.id, cursor=cursor, limit=limit)
    note(session, viewer, "patrol.list", "patrol", None, at=now, count=len(page.items))
    return Page(tuple(_views(session, list(page.items))), page.next_cursor)


def _views(session: Session, patrols: list[Patrol]) -> list[PatrolView]:
    ids = [one.id for one in patrols]
    aid: dict[uuid.UUID, dict[AidKind, int]] = {one: {} for one in ids}
    for row in session.scalars(select(PatrolAid).where(PatrolAid.patrol_id.in_(ids)).order_by(PatrolAid.kind)):
        aid[row.patrol_id][row.kind] = row.times
    counted = session.execute(
        select(Sighting.patrol_id, func.count().label("made"))
        .where(Sighting.patrol_id.in_(ids), Sighting.withdrawn_at.is_(None))
        .group_by(Sighting.patrol_id)
    )
    made = {row.patrol_id: row.made for row in counted}
    return [PatrolView(one, aid[one.id], made.get(one.id, 0)) for one in patrols]


def withdraw_patrol(
    session: Session, viewer: Viewer, patrol_id: uuid.UUID, *, reason: str, now: datetime
) -> PatrolView:
    """Take back a patrol that was entered wrongly; it stays on record and counts no more.

    Raises Forbidden, NotFound, ReasonMissing, PatrolEnded.
    """
    access.require(viewer, Permission.PATROL)
    statement = select(Patrol).where(Patrol.id == patrol_id, access.patrol_scope(viewer))
    patrol: Patrol = access.find(session, statement.with_for_update().execution_options(populate_existing=True))
    reason = check_reason(reason)
    if patrol.withdrawn_at is not None:
        raise PatrolEnded()
    patrol.withdrawn_at, patrol.withdrawn_by_id = now, viewer.user_id
    patrol.withdrawal_reason = reason
    session.flush()
    note(session, viewer, "patrol.withdraw", "patrol", patrol.id, at=now)
    return _views(session, [patrol])[0]


def count_patrols(
    session: Session,
    viewer: Viewer,
    *,
    since: datetime,
    until: datetime,
    division: str | None = None,
    now: datetime,
) -> PatrolCounts:
    """Figures of the patrols of the viewer's scope that started from `since` on and before `until`, in a division (and
    all below it) if one is given. Raises Forbidden, UnknownDivision.
    """
    access.require(viewer, Permission.PATROL_READ)
    check_division(division, field="division")
    condition = [
        access.patrol_scope(viewer),
        Patrol.withdrawn_at.is_(None),
        Patrol.started_at >= since,
        Patrol.started_at < until,
    ]
    if division is not None:
        condition.append(Patrol.division.startswith(divisions.normalise(division), autoescape=True))
    counted = session.execute(
        select(
            func.count(), func.coalesce(func.sum(Patrol.members), 0), func.coalesce(func.sum(Patrol.people_met), 0)
        ).where(*condition)
    ).one()
    ids = select(Patrol.id).where(*condition)
    sightings = session.scalar(select(func.count()).where(Sighting.patrol_id.in_(ids), Sighting.withdrawn_at.is_(None)))
    aid = session.execute(
        select(PatrolAid.kind, func.sum(PatrolAid.times)).where(PatrolAid.patrol_id.in_(ids)).group_by(PatrolAid.kind)
    )
    note(session, viewer, "patrol.count", "patrol", None, at=now, count=counted[0])
    return PatrolCounts(counted[0], int(counted[1]), int(counted[2]), sightings or 0, {k: int(n) for k, n in aid})
