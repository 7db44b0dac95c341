"""Sightings (目击): recording what somebody of the network saw, reading it, withdrawing it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models.case import Case
from models.lookout import Lookout
from models.patrol import Patrol
from models.photo import Photo
from models.sighting import (
    Condition,
    Heading,
    LinkState,
    PhotoBasis,
    Sighting,
    SightingLink,
    SightingSource,
)
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import check_reason
from tracing.facts import (
    Facts,
    InvalidFacts,
    check_division,
    check_optional_text,
    check_point,
    check_text,
    collecting,
)
from tracing.milestones import check_moment
from tracing.paging import Page, page_of
from tracing.photos import PhotoSize, PreparedPhoto, TooManyPhotos, list_photos, photo_file, store_photo
from tracing.platform import errors
from tracing.profiles import create_profile, with_profile
from tracing.services import Services
from tracing.sighting_erasure import erase_sighting, words_purpose
from tracing.sighting_matching import request_sighting_match
from tracing.trail import note

WORDS_LIMIT = 2000
PHOTOS_MAX = 4


class PhotoBasisMissing(errors.Conflict):
    """A photograph of a sighting without a ground for taking it."""

    slug = "photo_basis_missing"
    message = "Say on what ground the photograph is taken (consent, duty, danger to life), then send it."


class SightingEnded(errors.Conflict):
    """A use of a sighting that was withdrawn or erased."""

    slug = "sighting_ended"
    message = "This sighting has been withdrawn or erased and can no longer be used."


class SightingIsCase(errors.Conflict):
    """A withdrawal of what a case rests on."""

    slug = "sighting_is_case"
    message = "This sighting became a case. Correct the case instead."


class SightingLookedOut(errors.Conflict):
    """A withdrawal of what an open lookout rests on."""

    slug = "sighting_looked_out"
    message = "This person is being looked out for. End the lookout first."


class WalkUnknown(errors.Invalid):
    """A patrol that is not the viewer's."""

    slug = "walk_unknown"
    message = "There is no such patrol of your organisation. Choose one of the list, or none."


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen, as it is given."""

    source: SightingSource
    seen_at: datetime
    division: str
    place: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    heading: Heading | None = None
    road: str | None = None
    conditions: frozenset[Condition] = frozenset()
    words: str | None = None
    photo_basis: PhotoBasis | None = None
    patrol_id: uuid.UUID | None = None


def record_sighting(session: Session, services: Services, viewer: Viewer, seen: Seen, *, now: datetime) -> Sighting:
    """Record a sighting of the viewer's organisation. Raises Forbidden, InvalidFacts."""
    access.require(viewer, Permission.SIGHTING)
    checked = _check(session, viewer, seen, now)
    profile = create_profile(session, services.vault, viewer, Facts(), now=now)
    identity = uuid.uuid4()
    words = checked.words
    sighting = Sighting(
        id=identity,
        organisation_id=viewer.organisation_id,
        recorded_by_id=viewer.user_id,
        recorded_at=now,
        source=checked.source,
        patrol_id=checked.patrol_id,
        seen_at=checked.seen_at,
        division=checked.division,
        place=checked.place,
        latitude=checked.latitude,
        longitude=checked.longitude,
        heading=checked.heading,
        road=checked.road,
        conditions=sorted(one.value for one in checked.conditions),
        photo_basis=checked.photo_basis,
        profile=profile,
        words_subject_id=profile.subject_id,
        words_sealed=services.vault.seal(session, profile.subject_id, words_purpose(identity), words.encode())
        if words
        else None,
    )
    session.add(sighting)
    session.flush()
    note(session, viewer, "sighting.record", "sighting", identity, at=now, source=checked.source.value)
    return sighting


def _check(session: Session, viewer: Viewer, seen: Seen, now: datetime) -> Seen:
    problems: list[errors.Invalid] = []
    values = {name: getattr(seen, name) for name in Seen.__dataclass_fields__}
    with collecting(problems):
        check_moment(seen.seen_at, now=now, field="seen_at")
    with collecting(problems):
        check_text(seen.division, limit=6, field="division")
        check_division(seen.division, field="division")
    for name, limit in (("place", 200), ("road", 120), ("words", WORDS_LIMIT)):
        with collecting(problems):
            values[name] = check_optional_text(values[name], field=name, limit=limit)
    with collecting(problems):
        check_point(seen.latitude, seen.longitude, field="latitude")
    if seen.patrol_id is not None and not _own_patrol(session, viewer, seen.patrol_id):
        problems.append(WalkUnknown(field="patrol_id"))
    if problems:
        raise InvalidFacts(tuple(problems))
    return Seen(**values)


def _own_patrol(session: Session, viewer: Viewer, patrol_id: uuid.UUID) -> bool:
    return (
        session.scalar(
            select(Patrol.id).where(
                Patrol.id == patrol_id,
                Patrol.organisation_id == viewer.organisation_id,
                Patrol.withdrawn_at.is_(None),
            )
        )
        is not None
    )


def load_sighting(
    session: Session, viewer: Viewer, sighting_id: uuid.UUID, *, lock: bool = False, own: bool = False
) -> Sighting:
    """A sighting with its profile, for a use case that logs its own action; `own`: to write it. Raises NotFound."""
    scope = access.own_sightings(viewer) if own else access.sighting_scope(viewer)
    statement = (
        select(Sighting)
        .where(Sighting.id == sighting_id, scope)
        .options(*with_profile(Sighting.profile))
        .execution_options(populate_existing=True)
    )
    if lock:
        statement = statement.with_for_update(of=Sighting)
    sighting: Sighting = access.find(session, statement)
    return sighting


def usable(sighting: Sighting) -> Sighting:
    """The sighting, unless it was withdrawn or erased. Raises SightingEnded."""
    if sighting.withdrawn_at is not None or sighting.erased_at is not None:
        raise SightingEnded()
    return sighting


def get_sighting(
    session: Session, services: Services, viewer: Viewer, sighting_id: uuid.UUID, *, now: datetime
) -> tuple[Sighting, str | None, Sequence[Photo]]:
    """A sighting, its words opened (None when there are none, or they are erased) and its photographs; logged."""
    sighting = load_sighting(session, viewer, sighting_id)
    words = open_words(session, services, sighting)
    photos = [] if sighting.erased_at is not None else list_photos(session, sighting.profile_id)
    note(session, viewer, "sighting.view", "sighting", sighting.id, at=now)
    return sighting, words, photos


def open_words(session: Session, services: Services, sighting: Sighting) -> str | None:
    """The words of a sighting that the viewer may see; None when there are none any more."""
    if sighting.words_sealed is None:
        return None
    purpose = words_purpose(sighting.id)
    return services.vault.open(session, sighting.words_subject_id, purpose, sighting.words_sealed).decode()


def list_sightings(
    session: Session,
    viewer: Viewer,
    *,
    lookout_id: uuid.UUID | None = None,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[Sighting]:
    """Sightings of the viewer's scope, newest first, withdrawn ones among them.

    `lookout_id`: those of one lookout, the one that it was opened for and those accepted for it.
    """
    access.require(viewer, Permission.SIGHTING_READ)
    statement = select(Sighting).where(access.sighting_scope(viewer)).options(joinedload(Sighting.profile))
    if lookout_id is not None:
        linked = select(SightingLink.sighting_id).where(
            SightingLink.lookout_id == lookout_id, SightingLink.state == LinkState.ACCEPTED
        )
        opened_for = select(Lookout.sighting_id).where(Lookout.id == lookout_id)
        statement = statement.where(Sighting.id.in_(linked) | Sighting.id.in_(opened_for))
    page = page_of(session, statement, Sighting.recorded_at, Sighting.id, cursor=cursor, limit=limit)
    note(session, viewer, "sighting.list", "sighting", None, at=now, count=len(page.items))
    return page


def add_sighting_photo(
    session: Session,
    services: Services,
    viewer: Viewer,
    sighting_id: uuid.UUID,
    prepared: PreparedPhoto,
    *,
    now: datetime,
) -> Photo:
    """Store a photograph of who was seen; it is analysed, and compared with open lookouts and cases.

    Raises Forbidden, NotFound, SightingEnded, SightingIsCase, PhotoBasisMissing, TooManyPhotos.
    """
    access.require(viewer, Permission.SIGHTING)
    sighting = usable(load_sighting(session, viewer, sighting_id, lock=True, own=True))
    if became_case(session, sighting) is not None:
        raise SightingIsCase()
    if sighting.photo_basis is None:
        raise PhotoBasisMissing()
    if len(list_photos(session, sighting.profile_id)) >= PHOTOS_MAX:
        raise TooManyPhotos(field="photo", limit=PHOTOS_MAX)
    photo = store_photo(session, services, viewer, sighting.profile_id, prepared, owner_id=sighting.id, now=now)
    request_sighting_match(session, services, sighting.id, now=now)
    return photo


def open_sighting_photo(
    session: Session,
    services: Services,
    viewer: Viewer,
    sighting_id: uuid.UUID,
    photo_id: uuid.UUID,
    *,
    size: PhotoSize = PhotoSize.FULL,
    now: datetime,
) -> bytes:
    """A photograph of a sighting as a JPEG file; the look is logged. Raises NotFound, also once it is erased."""
    sighting = load_sighting(session, viewer, sighting_id)
    photo: Photo = access.find(
        session,
        select(Photo)
        .where(Photo.id == photo_id, Photo.profile_id == sighting.profile_id, Photo.removed_at.is_(None))
        .options(selectinload(Photo.faces)),
    )
    data = photo_file(session, services, photo, size)
    note(session, viewer, "sighting.photo_view", "sighting", sighting.id, at=now, photo=photo.id, size=size.value)
    return data


def withdraw_sighting(
    session: Session, services: Services, viewer: Viewer, sighting_id: uuid.UUID, *, reason: str, now: datetime
) -> Sighting:
    """Take a sighting back (a mistake, somebody else): it stays on record, its photographs and words are erased.

    Raises Forbidden, NotFound, ReasonMissing, SightingEnded, SightingIsCase, SightingLookedOut.
    """
    access.require(viewer, Permission.SIGHTING)
    sighting = load_sighting(session, viewer, sighting_id, lock=True, own=True)
    reason = check_reason(reason)
    if sighting.withdrawn_at is not None:
        raise SightingEnded()
    if became_case(session, sighting) is not None:
        raise SightingIsCase()
    resting = select(Lookout.id).where(Lookout.sighting_id == sighting.id, Lookout.ended_at.is_(None))
    if session.scalar(resting) is not None:
        raise SightingLookedOut()
    sighting.withdrawn_at, sighting.withdrawn_by_id = now, viewer.user_id
    sighting.withdrawal_reason = reason
    sighting.words_sealed = None  # also when it is linked to a case: what was a mistake is nobody's story
    erase_sighting(session, services, sighting, now=now)
    session.flush()
    note(session, viewer, "sighting.withdraw", "sighting", sighting.id, at=now)
    return sighting


def became_case(session: Session, sighting: Sighting) -> uuid.UUID | None:
    """The case that the sighting became, if it did."""
    return session.scalar(select(Case.id).where(Case.profile_id == sighting.profile_id))


def human_link(
    sighting_id: uuid.UUID,
    viewer: Viewer,
    *,
    lookout_id: uuid.UUID | None = None,
    case_id: uuid.UUID | None = None,
    origin: bool = False,
    reason: str | None,
    now: datetime,
) -> SightingLink:
    """A link that the viewer makes."""
    return SightingLink(
        id=uuid.uuid4(), sighting_id=sighting_id, lookout_id=lookout_id, case_id=case_id, state=LinkState.ACCEPTED,
        origin=origin, created_at=now, decided_at=now, decided_by_id=viewer.user_id, reason=reason,
    )  # fmt: skip
