"""Matching of sightings (目击比对): faces of a sighting against open lookouts and searched cases, proposed to humans.

Cases come from the gallery's index, as every search does; lookouts are few, and their faces are compared one by one.
The weight is that of the face calibration of the model in force. A proposal links nothing: humans decide it.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from matcher.vocabulary import GalleryKind
from models.case import Case
from models.face import Face
from models.lookout import Lookout
from models.notification import NotificationKind
from models.photo import Photo
from models.profile import Profile
from models.sighting import LinkState, Sighting, SightingLink
from models.subject import Subject
from models.user import Role
from tracing.face_models import version_in_force
from tracing.faces import analyse_photo
from tracing.gallery import embedding_purpose, unpack
from tracing.lookout_policy import LookoutPolicy, lookout_policy
from tracing.matching_records import pending_photos
from tracing.notifications import notify, users_of
from tracing.parameter_sets import in_force
from tracing.platform import jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.platform.jobs import ClaimedJob, DeferJob
from tracing.services import Services
from tracing.trail import note

MATCH_SIGHTING = "sighting.match"
MATCH_LOOKOUT = "lookout.match"
BATCH = 100
Vectors = list[NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like a sighting's faces are to a lookout's or a case's."""

    kind: str
    target_id: uuid.UUID
    similarity: float


def request_sighting_match(session: Session, services: Services, sighting_id: uuid.UUID, *, now: datetime) -> None:
    """Ask, in the caller's transaction, for a sighting's faces to be compared."""
    profile_id = session.scalars(select(Sighting.profile_id).where(Sighting.id == sighting_id)).one()
    revision = session.get_one(Profile, profile_id).revision
    jobs.enqueue(
        session,
        kind=MATCH_SIGHTING,
        key=f"sighting:{sighting_id}:r{revision}:{version_in_force(session, services)}",
        payload={"id": sighting_id},
        now=now,
        again=True,  # a lookout asks once more for what is not analysed yet
    )


def request_lookout_match(session: Session, lookout_id: uuid.UUID, *, now: datetime) -> None:
    """A lookout has opened: ask for the sightings of the days before to be compared with it, batch after batch."""
    _enqueue_batch(session, lookout_id, None, now)


def _enqueue_batch(session: Session, lookout_id: uuid.UUID, after: uuid.UUID | None, now: datetime) -> None:
    jobs.enqueue(
        session,
        kind=MATCH_LOOKOUT,
        key=f"lookout:{lookout_id}:match:{after or 'begin'}",
        payload={"id": lookout_id, "after": after},
        now=now,
    )


def match_lookout_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: propose links of the next sightings with one open lookout, and ask for the batch after them.

    A batch that was cut short is done again: a pair that is known is not proposed twice.
    """
    lookout_id, after = uuid.UUID(job.payload["id"]), job.payload["after"]
    with read_only(services.db) as session:
        version = version_in_force(session, services)
        lookout = session.get_one(Lookout, lookout_id)
        profiles = _lookout_profiles(session, Lookout.id == lookout_id).get(lookout_id, set())
        pending = [one for profile_id in sorted(profiles) for one in pending_photos(session, profile_id, version)]
    for photo_id in pending:
        analyse_photo(services, photo_id, version, _nothing_more)
    with read_only(services.db) as session:
        batch = _sightings_before(session, services, lookout, uuid.UUID(after) if after else None) if profiles else {}
        waiting = [one for one, profile_id in batch.items() if pending_photos(session, profile_id, version)]
        sought = [v for found in _vectors(session, services, profiles, version).values() for v in found]
        seen = _vectors(session, services, set(batch.values()) - profiles, version) if sought else {}
    now = utc_now()
    for sighting_id, profile_id in batch.items():
        if profile_id in seen:
            alike = [Likeness("lookout", lookout_id, _similarity(seen[profile_id], sought))]
            with unit_of_work(services.db) as session:
                propose_links(session, services, sighting_id, alike, version, now=now)
    with unit_of_work(services.db) as session:
        for sighting_id in waiting:
            # Its photographs are looked at first, by a job of its own.
            request_sighting_match(session, services, sighting_id, now=now)
        if batch:
            _enqueue_batch(session, lookout_id, list(batch)[-1], now)
        complete(session)


def _sightings_before(
    session: Session, services: Services, lookout: Lookout, after: uuid.UUID | None
) -> dict[uuid.UUID, uuid.UUID]:
    """The next sightings with photographs since as long before the lookout as they are kept, with their profiles."""
    query = (
        select(Sighting.id, Sighting.profile_id)
        .where(
            Sighting.seen_at >= lookout.opened_at - timedelta(days=lookout_policy(services).unlinked_kept_days),
            Sighting.withdrawn_at.is_(None),
            Sighting.erased_at.is_(None),
            exists().where(Photo.profile_id == Sighting.profile_id, Photo.removed_at.is_(None)),
        )
        .order_by(Sighting.id)
        .limit(BATCH)
    )
    rows = session.execute(query if after is None else query.where(Sighting.id > after))
    return {row.id: row.profile_id for row in rows}


def match_sighting_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: propose links of one sighting."""
    sighting_id = uuid.UUID(job.payload["id"])
    with read_only(services.db) as session:
        version = version_in_force(session, services)
        profile_id = session.scalar(select(Sighting.profile_id).where(Sighting.id == sighting_id))
        pending = [] if profile_id is None else pending_photos(session, profile_id, version)
    for photo_id in pending:
        analyse_photo(services, photo_id, version, _nothing_more)
    try:
        with read_only(services.db) as session:
            alike = likenesses(session, services, sighting_id, version)
    except IndexWarming as warming:
        raise DeferJob(timedelta(seconds=warming.retry_after)) from None
    with unit_of_work(services.db) as session:
        propose_links(session, services, sighting_id, alike, version, now=utc_now())
        complete(session)


def _nothing_more(session: Session) -> None:
    """The photograph's own job completes by itself."""


def likenesses(session: Session, services: Services, sighting_id: uuid.UUID, version: str) -> list[Likeness]:
    """Open lookouts and searched cases that look like the sighting, most like first. Raises IndexWarming."""
    sighting = session.get(Sighting, sighting_id)
    if sighting is None or sighting.withdrawn_at is not None or sighting.erased_at is not None:
        return []
    own = _vectors(session, services, [sighting.profile_id], version).get(sighting.profile_id, [])
    if not own:
        return []
    best: dict[tuple[str, uuid.UUID], float] = {}
    for lookout_id, vectors in _lookout_faces(session, services, sighting, version).items():
        best["lookout", lookout_id] = _similarity(own, vectors)
    hits = services.gallery.search(
        session, version, np.stack(own), services.settings.matching.face_hits, frozenset({GalleryKind.CASE})
    )
    for hit in (one for row in hits for one in row):
        key = ("case", hit.subject_id)
        best[key] = max(best.get(key, -1.0), float(hit.similarity))
    found = [Likeness(kind, target, similarity) for (kind, target), similarity in best.items()]
    return sorted(found, key=lambda one: (-one.similarity, one.target_id))


def _similarity(some: Vectors, others: Vectors) -> float:
    """Of the two faces that are most alike."""
    return float((np.stack(some) @ np.stack(others).T).max())


def _lookout_faces(session: Session, services: Services, sighting: Sighting, version: str) -> dict[uuid.UUID, Vectors]:
    """Faces of every open lookout but the sighting's own."""
    owners = _lookout_profiles(session)
    owners = {one: profiles for one, profiles in owners.items() if sighting.profile_id not in profiles}
    vectors = _vectors(session, services, {one for profiles in owners.values() for one in profiles}, version)
    faces = {one: [v for profile in profiles for v in vectors.get(profile, [])] for one, profiles in owners.items()}
    return {one: found for one, found in faces.items() if found}


def _lookout_profiles(session: Session, *wanted: ColumnElement[bool]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """The profiles of every wanted open lookout: of whom it was opened for, and of its accepted answers."""
    linked = (
        select(SightingLink.lookout_id, Sighting.profile_id)
        .join(Sighting, Sighting.id == SightingLink.sighting_id)
        .join(Lookout, Lookout.id == SightingLink.lookout_id)
        .where(Lookout.ended_at.is_(None), SightingLink.state == LinkState.ACCEPTED, *wanted)
    )
    opened = (
        select(Lookout.id, Profile.id)
        .join(Profile, Profile.subject_id == Lookout.subject_id)
        .where(Lookout.ended_at.is_(None), *wanted)
    )
    owners: dict[uuid.UUID, set[uuid.UUID]] = {}
    for lookout_id, profile_id in (*session.execute(linked), *session.execute(opened)):
        owners.setdefault(lookout_id, set()).add(profile_id)
    return owners


def _vectors(
    session: Session, services: Services, profiles: Iterable[uuid.UUID], version: str
) -> dict[uuid.UUID, Vectors]:
    """The chosen faces' embeddings of people who are not erased."""
    rows = session.execute(
        select(Photo.profile_id, Photo.id, Profile.subject_id, Face.embedding_sealed)
        .join(Photo, Photo.id == Face.photo_id)
        .join(Profile, Profile.id == Photo.profile_id)
        .join(Subject, Subject.id == Profile.subject_id)
        .where(
            Subject.wrapped_key.is_not(None),
            Photo.profile_id.in_(list(profiles)),
            Photo.removed_at.is_(None),
            Face.model_version == version,
            Face.chosen,
        )
    )
    found: dict[uuid.UUID, Vectors] = {}
    for profile_id, photo_id, subject_id, sealed in rows:
        opened = services.vault.open(session, subject_id, embedding_purpose(photo_id), sealed)
        found.setdefault(profile_id, []).append(unpack(opened))
    return found


def propose_links(
    session: Session, services: Services, sighting_id: uuid.UUID, alike: list[Likeness], version: str, *, now: datetime
) -> int:
    """Store proposals for what is like enough and was never linked or refused before; how many are new."""
    policy = lookout_policy(services)
    weighed = _weighed(session, services, alike, version, policy)
    if not weighed:
        return 0
    # Held while links are made, so that two passes do not propose one pair twice.
    sighting = session.get_one(Sighting, sighting_id, with_for_update=True, populate_existing=True)
    if sighting.withdrawn_at is not None or sighting.erased_at is not None:
        return 0
    known = {
        link.target_id for link in session.scalars(select(SightingLink).where(SightingLink.sighting_id == sighting_id))
    }
    standing = _standing(session, [one.target_id for one, _ in weighed])
    added = 0
    for one, weight in weighed:
        if one.target_id in known or one.target_id not in standing:
            continue
        link = SightingLink(
            id=uuid.uuid4(), sighting_id=sighting_id, state=LinkState.PROPOSED, origin=False,
            lookout_id=one.target_id if one.kind == "lookout" else None,
            case_id=one.target_id if one.kind == "case" else None,
            similarity=one.similarity, log10_lr=weight, model_version=version, created_at=now,
        )  # fmt: skip
        session.add(link)
        added += 1
        told = users_of(session, standing[one.target_id], [Role.STATION_STAFF, Role.POLICE_EXAMINER])
        notify(session, told, NotificationKind.LOOKOUT_ANSWERED, "sighting", sighting_id, now=now)
    session.flush()
    note(session, None, "sighting.match", "sighting", sighting_id, at=now, count=added)
    return added


def _weighed(
    session: Session, services: Services, alike: list[Likeness], version: str, policy: LookoutPolicy
) -> list[tuple[Likeness, float]]:
    calibration = in_force(session, services).parameters.calibrations.get(version)
    if calibration is None:
        return []
    found = [(one, calibration.log10_lr(one.similarity)) for one in alike]
    return [one for one in found if one[1] >= policy.proposal_log10_lr][: policy.proposals_max]


def _standing(session: Session, targets: list[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The organisation of each target that is still an open lookout or a case."""
    rows = (
        *session.execute(
            select(Lookout.id, Lookout.organisation_id).where(Lookout.id.in_(targets), Lookout.ended_at.is_(None))
        ),
        *session.execute(select(Case.id, Case.organisation_id).where(Case.id.in_(targets))),
    )
    return {row[0]: row[1] for row in rows}
