"""Notices made through the use cases: drafted by the station, let through by the bureau."""

import uuid
from datetime import datetime

from sqlalchemy import select

from matcher.vocabulary import GalleryKind
from models.contact import DangerScreen, PersonWish
from models.notice import Notice, NoticeFact, NoticeVersion
from models.user import Role
from tests.factories.records import attach
from tests.factories.world import World
from tracing.access import Viewer
from tracing.notices import NoticeDraft, approve_notice, draft_notice
from tracing.notices_public import PublicNotice, public_notice
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

TELEPHONE = "0777-2860110"


def draft_of(
    *,
    photo_id: uuid.UUID | None = None,
    facts: frozenset[NoticeFact] | None = None,
    statement: str | None = None,
    wish: PersonWish = PersonWish.CANNOT_EXPRESS,
    danger: DangerScreen = DangerScreen.NO_SIGN,
    telephone: str = TELEPHONE,
) -> NoticeDraft:
    """A draft as a station's staff give it."""
    return NoticeDraft(telephone, wish, danger, facts, photo_id, statement)


def propose(
    services: Services, world: World, case_id: uuid.UUID, given: NoticeDraft | None = None, *, now: datetime
) -> NoticeVersion:
    """Drafted by the staff of province a's station."""
    with unit_of_work(services.db) as session:
        staff = world.viewer(world.a.users[Role.STATION_STAFF])
        return draft_notice(session, services, staff, case_id, given or draft_of(), now=now)


def publish(
    services: Services, world: World, case_id: uuid.UUID, given: NoticeDraft | None = None, *, now: datetime
) -> NoticeVersion:
    """Drafted, and let through by province a's bureau."""
    version = propose(services, world, case_id, given, now=now)
    with unit_of_work(services.db) as session:
        bureau = world.viewer(world.a.users[Role.BUREAU_SUPERVISOR])
        return approve_notice(session, services, bureau, version.id, now=now)


def token_of(services: Services, case_id: uuid.UUID) -> str:
    """The address of a case's notice."""
    with read_only(services.db) as session:
        return session.scalars(select(Notice.token).where(Notice.case_id == case_id)).one()


def look(services: Services, case_id: uuid.UUID, now: datetime) -> PublicNotice | None:
    """What the public sees."""
    with read_only(services.db) as session:
        try:
            return public_notice(session, services, token_of(services, case_id), now=now)
        except errors.NotFound:
            return None


def told(found: PublicNotice | None) -> dict[NoticeFact, tuple[str, ...]]:
    """What it tells, by fact."""
    assert found is not None
    return {one.fact: one.values for one in found.content.values}


def add_photo(services: Services, viewer: Viewer, case_id: uuid.UUID, data: bytes, now: datetime) -> uuid.UUID:
    """A photograph of the case's person; its id."""
    with unit_of_work(services.db) as session:
        return attach(session, services, viewer, GalleryKind.CASE, case_id, data, now=now).id
