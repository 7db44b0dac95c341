"""The network in the street: sightings, a lookout, a patrol, made through the use cases."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from models.case import AdmissionKind
from models.lookout import Lookout
from models.sighting import PhotoBasis, Sighting, SightingSource
from models.user import Role
from tests.factories.faces import RED, Colour, make_photo_bytes
from tests.factories.world import World
from tracing.access import Viewer
from tracing.admission import Admission, record_admission
from tracing.handovers import hand_over
from tracing.lookout_answers import answer_lookout
from tracing.lookouts import open_lookout
from tracing.patrols import Walk, record_patrol
from tracing.photos import list_photos, prepare_photo
from tracing.platform.db import unit_of_work
from tracing.services import Services
from tracing.sighting_links import link_sighting
from tracing.sightings import Seen, add_sighting_photo, record_sighting

HERE = "450702"
"""The county of province a's station and community."""


def seen(now: datetime, *, minutes: int = 30, **more: Any) -> Seen:
    """A man seen so many minutes ago in the county of province a's station."""
    values: dict[str, Any] = {
        "source": SightingSource.CITIZEN, "seen_at": now - timedelta(minutes=minutes), "division": HERE,
        "place": "梦园小区南门", "photo_basis": PhotoBasis.STATUTORY_DUTY, "words": "自言自语，往金海湾东大街走",
    }  # fmt: skip
    return Seen(**(values | more))


def sight(
    services: Services, viewer: Viewer, now: datetime, *colours: Colour, minutes: int = 30, **more: object
) -> uuid.UUID:
    """A sighting, with a photograph of the colours if any are given; its id."""
    with unit_of_work(services.db) as session:
        return sighting_in(session, services, viewer, now, *colours, minutes=minutes, **more).id


def sighting_in(
    session: Session,
    services: Services,
    viewer: Viewer,
    now: datetime,
    *colours: Colour,
    minutes: int = 30,
    **more: object,
) -> Sighting:
    """The same in a session."""
    made = record_sighting(session, services, viewer, seen(now, minutes=minutes, **more), now=now)
    if colours:
        prepared = prepare_photo(make_photo_bytes(*colours), services.settings)
        add_sighting_photo(session, services, viewer, made.id, prepared, now=now)
    return made


def look_out(services: Services, viewer: Viewer, sighting_id: uuid.UUID, now: datetime) -> Lookout:
    """A lookout for who was seen."""
    with unit_of_work(services.db) as session:
        return open_lookout(session, services, viewer, sighting_id=sighting_id, words="灰色外套", now=now)


def network_records(
    session: Session, services: Services, world: World, case_id: uuid.UUID, *, now: datetime
) -> dict[str, str]:
    """One record of each kind in province a, for the authorisation matrix; ids by name.

    The sighting is the community liaison's: everybody of the network may see and use it.
    """
    liaison, staff = (world.viewer(world.a.users[role]) for role in (Role.COMMUNITY_LIAISON, Role.STATION_STAFF))
    sighting = sighting_in(session, services, liaison, now, RED)
    session.flush()
    other = sighting_in(session, services, staff, now, RED)
    lookout = open_lookout(session, services, staff, sighting_id=other.id, now=now)
    answer = answer_lookout(session, services, liaison, lookout.id, seen(now), now=now)
    assert answer.sighting_id is not None
    link = link_sighting(session, staff, answer.sighting_id, case_id=case_id, reason="同一人", now=now)
    walk = Walk("火车站一带", now - timedelta(hours=3), now - timedelta(hours=1), 3, 2)
    patrol = record_patrol(session, liaison, walk, now=now)
    handover = hand_over(
        session, services, staff, case_id, world.a.health.id, officer="陈某", complaint="水肿", handed_at=now, now=now
    )
    given = Admission(AdmissionKind.UNKNOWN_IDENTITY, fingerprint_reason="器材故障")
    record_admission(session, services, staff, case_id, given, version=None, now=now)
    photo = next(iter(photo_ids(session, sighting)))
    return {
        "sighting_id": str(sighting.id), "lookout_id": str(lookout.id), "link_id": str(link.id),
        "patrol_id": str(patrol.id), "handover_id": str(handover.id), "hospital_id": str(world.a.health.id),
        "sighting_photo_id": str(photo),
    }  # fmt: skip


def photo_ids(session: Session, sighting: Sighting) -> list[uuid.UUID]:
    """Ids of a sighting's standing photographs."""
    return [one.id for one in list_photos(session, sighting.profile_id)]
