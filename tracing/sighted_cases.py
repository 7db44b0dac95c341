"""From sighting to case (目击转入站): who was seen is here now, with photograph, place and story."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from models.case import Case
from models.lookout import Lookout, LookoutEnd
from models.photo import Photo
from models.sighting import LinkState, Sighting, SightingLink
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import Circumstances, create_case, load_case
from tracing.facts import Facts
from tracing.lookouts import finish, sightings_of
from tracing.profiles import current_facts, with_profile
from tracing.services import Services
from tracing.sightings import SightingIsCase, became_case, human_link, load_sighting, open_words, usable
from tracing.trail import note


@dataclass(frozen=True, slots=True)
class StoryPoint:
    """A sighting of a case's story, its words, and whether the case began with it."""

    sighting: Sighting
    words: str | None
    origin: bool


@dataclass(frozen=True, slots=True)
class CaseStory:
    """What happened before the admission: sightings in order of time, and the lookouts."""

    sightings: Sequence[StoryPoint]
    lookouts: Sequence[Lookout]


def admit_sighted(
    session: Session,
    services: Services,
    viewer: Viewer,
    sighting_id: uuid.UUID,
    *,
    admitted_on: date | None = None,
    facts: Facts | None = None,
    now: datetime,
) -> Case:
    """Make a draft case of who was seen: place and time of this sighting, and its photographs, or those of another
    sighting of the same lookout when it has none. Open lookouts for the person end, found.

    Raises Forbidden, NotFound, SightingEnded, SightingIsCase, InvalidFacts.
    """
    access.require(viewer, Permission.CASE_WRITE)
    load_sighting(session, viewer, sighting_id)
    lookouts = _open_lookouts(session, sighting_id)  # locked before the sightings, as everywhere
    sighting = usable(load_sighting(session, viewer, sighting_id, lock=True))
    if became_case(session, sighting) is not None:
        raise SightingIsCase()
    holder = _holder(session, sighting, lookouts)
    circumstances = Circumstances(
        admitted_on=admitted_on or services.local_day(now),
        found_on=services.local_day(sighting.seen_at),
        found_division=sighting.division,
        found_place=sighting.place,
        found_latitude=sighting.latitude,
        found_longitude=sighting.longitude,
    )
    known = facts if facts is not None else current_facts(holder.profile)
    case = create_case(session, services, viewer, circumstances, known, profile=holder.profile, now=now)
    session.add(human_link(holder.id, viewer, case_id=case.id, origin=True, reason=None, now=now))
    if holder.id != sighting.id:
        session.add(human_link(sighting.id, viewer, case_id=case.id, reason=None, now=now))
    session.flush()
    note(session, viewer, "sighting.admit", "sighting", sighting.id, at=now, case=case.id)
    for lookout in lookouts:
        finish(session, services, lookout, viewer, LookoutEnd.FOUND, reason=None, case=case, now=now)
    return load_case(session, viewer, case.id)


def _open_lookouts(session: Session, sighting_id: uuid.UUID) -> Sequence[Lookout]:
    linked = select(SightingLink.lookout_id).where(
        SightingLink.sighting_id == sighting_id,
        SightingLink.state == LinkState.ACCEPTED,
        SightingLink.lookout_id.is_not(None),
    )
    return session.scalars(
        select(Lookout)
        .where(or_(Lookout.sighting_id == sighting_id, Lookout.id.in_(linked)), Lookout.ended_at.is_(None))
        .order_by(Lookout.id)
        .with_for_update(key_share=True)
    ).all()


def _holder(session: Session, sighting: Sighting, lookouts: Sequence[Lookout]) -> Sighting:
    """Whose profile the case takes: this sighting's, or the newest other one's with a photograph if it has none."""
    others = [one for lookout in lookouts for one in reversed(sightings_of(session, lookout))]
    for one in (sighting, *others):
        shown = select(Photo.id).where(Photo.profile_id == one.profile_id, Photo.removed_at.is_(None)).limit(1)
        if session.scalar(shown) is not None and became_case(session, one) is None:
            return _held(session, one.id)
    return _held(session, sighting.id)


def _held(session: Session, sighting_id: uuid.UUID) -> Sighting:
    """Locked, whoever recorded it: a lookout that was accepted for the viewer's sighting names it. With its profile's
    facts, which looking at the lookouts' sightings has let go of.
    """
    return session.scalars(
        select(Sighting)
        .where(Sighting.id == sighting_id)
        .options(*with_profile(Sighting.profile))
        .with_for_update(of=Sighting)
        .execution_options(populate_existing=True)
    ).one()


def case_story(session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime) -> CaseStory:
    """The sightings and lookouts before (and during) a case, for whoever sees the case. Raises NotFound."""
    case = load_case(session, viewer, case_id)
    linked = session.execute(
        select(SightingLink.sighting_id, SightingLink.origin).where(
            SightingLink.case_id == case.id, SightingLink.state == LinkState.ACCEPTED
        )
    )
    origins = {row.sighting_id: row.origin for row in linked}
    rows = session.scalars(
        select(Sighting)
        .where(Sighting.id.in_(origins), Sighting.withdrawn_at.is_(None))
        .options(joinedload(Sighting.profile))
        .order_by(Sighting.seen_at, Sighting.id)
        .execution_options(populate_existing=True)
    ).all()
    lookouts = session.scalars(
        select(Lookout)
        .where(or_(Lookout.found_case_id == case.id, Lookout.case_id == case.id))
        .order_by(Lookout.opened_at, Lookout.id)
    ).all()
    note(session, viewer, "case.story", "case", case.id, at=now, sightings=len(rows), lookouts=len(lookouts))
    points = [StoryPoint(one, open_words(session, services, one), origins[one.id]) for one in rows]
    return CaseStory(points, lookouts)
