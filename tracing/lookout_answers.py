"""Answers to lookouts (协查回应): seen here, or not seen; two taps."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.lookout import Lookout, LookoutAnswer
from models.notification import NotificationKind
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.lookouts import LookoutEnded, load_lookout
from tracing.notifications import notify, users_of
from tracing.paging import Page, page_of
from tracing.services import Services
from tracing.sightings import Seen, human_link, record_sighting
from tracing.trail import note


def answer_lookout(
    session: Session,
    services: Services,
    viewer: Viewer,
    lookout_id: uuid.UUID,
    seen: Seen | None,
    *,
    now: datetime,
) -> LookoutAnswer:
    """“Seen here” with its sighting, or None: “not seen”. Who opened the lookout is told of a sighting.

    Raises Forbidden, NotFound, LookoutEnded, InvalidFacts.
    """
    access.require(viewer, Permission.SIGHTING)
    lookout = load_lookout(session, viewer, lookout_id, lock=True)
    if not lookout.open:
        raise LookoutEnded()
    sighting = None if seen is None else record_sighting(session, services, viewer, seen, now=now)
    if sighting is not None:
        session.add(human_link(sighting.id, viewer, lookout_id=lookout.id, reason=None, now=now))
    answer = LookoutAnswer(
        id=uuid.uuid4(), lookout_id=lookout.id, organisation_id=viewer.organisation_id, user_id=viewer.user_id,
        seen=seen is not None, sighting_id=sighting.id if sighting else None, at=now,
    )  # fmt: skip
    session.add(answer)
    session.flush()
    note(
        session, viewer, "lookout.answer", "lookout", lookout.id, at=now, seen=answer.seen, sighting=answer.sighting_id
    )
    if sighting is not None:
        told_of_it = [lookout.opened_by_id, *users_of(session, lookout.organisation_id, [Role.STATION_STAFF])]
        notify(session, told_of_it, NotificationKind.LOOKOUT_ANSWERED, "lookout", lookout.id, now=now)
    return answer


def list_answers(
    session: Session,
    viewer: Viewer,
    lookout_id: uuid.UUID,
    *,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[LookoutAnswer]:
    """The answers, newest first; of a lookout of another jurisdiction those of the own organisation alone."""
    access.require(viewer, Permission.SIGHTING_READ)
    lookout = load_lookout(session, viewer, lookout_id)
    statement = select(LookoutAnswer).where(LookoutAnswer.lookout_id == lookout.id)
    mine = session.scalar(select(Lookout.id).where(Lookout.id == lookout.id, access.own_lookouts(viewer)))
    if mine is None or not viewer.may(Permission.CASE_READ):
        statement = statement.where(LookoutAnswer.organisation_id == viewer.organisation_id)
    page = page_of(session, statement, LookoutAnswer.at, LookoutAnswer.id, cursor=cursor, limit=limit)
    note(session, viewer, "lookout.answers", "lookout", lookout.id, at=now, count=len(page.items))
    return page
