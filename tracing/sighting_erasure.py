"""Erasure of sightings (目击信息删除): nobody keeps a photograph of somebody who was found, or is nobody's concern.

The person's data key is destroyed in the transaction that ends the need: from its commit on neither photographs nor
embeddings nor words can be opened by anybody. The sealed files are deleted by a job afterwards. What became a case
belongs to the case and is not touched; the words of a sighting that is linked to a case are sealed anew under the key
of the case's person.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

from models.case import Case
from models.lookout import Lookout
from models.photo import Photo
from models.profile import Profile
from models.sighting import LinkState, Sighting, SightingLink
from tracing.lookout_policy import lookout_policy
from tracing.platform import jobs
from tracing.platform.db import unit_of_work
from tracing.platform.jobs import ClaimedJob
from tracing.services import Services
from tracing.trail import note

ERASE_FILES = "sighting.erase_files"
BATCH = 50


def words_purpose(sighting_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a sighting's words."""
    return f"sighting:{sighting_id}"


def erase_sighting(session: Session, services: Services, sighting: Sighting, *, now: datetime) -> bool:
    """Erase what a sighting holds of a person; False when it is erased, or a case's. `profile` must be loaded."""
    case = session.scalar(select(Case.id).where(Case.profile_id == sighting.profile_id))
    if sighting.erased_at is not None or case is not None:
        return False
    photos = session.scalars(select(Photo).where(Photo.profile_id == sighting.profile_id)).all()
    for photo in photos:
        photo.removed_at = photo.removed_at or now
    _keep_words(session, services, sighting)
    sighting.erased_at = now
    services.vault.destroy(session, sighting.profile.subject_id, now)
    if photos:
        jobs.enqueue(
            session,
            kind=ERASE_FILES,
            key=f"sighting:{sighting.id}:files",
            payload={"photos": [photo.id for photo in photos]},
            now=now,
        )
    session.flush()
    note(session, None, "sighting.erase", "sighting", sighting.id, at=now, photos=len(photos))
    return True


def _keep_words(session: Session, services: Services, sighting: Sighting) -> None:
    """Under the key of the linked case's person if there is one, else not at all."""
    if sighting.words_sealed is None or sighting.words_subject_id != sighting.profile.subject_id:
        return
    subject_id = session.scalar(
        select(Profile.subject_id)
        .join(Case, Case.profile_id == Profile.id)
        .join(SightingLink, SightingLink.case_id == Case.id)
        .where(SightingLink.sighting_id == sighting.id, SightingLink.state == LinkState.ACCEPTED)
        .order_by(SightingLink.created_at)
        .limit(1)
    )
    if subject_id is None:
        sighting.words_sealed = None
        return
    purpose = words_purpose(sighting.id)
    words = services.vault.open(session, sighting.words_subject_id, purpose, sighting.words_sealed)
    sighting.words_sealed = services.vault.seal(session, subject_id, purpose, words)
    sighting.words_subject_id = subject_id


def erase_files_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: delete the sealed files, which nothing opens any more."""
    for one in job.payload["photos"]:
        services.store.delete(str(uuid.UUID(one)))
    with unit_of_work(services.db) as session:
        complete(session)


def erase_unlinked(session: Session, services: Services, *, now: datetime) -> int:
    """Erase sightings that led to nothing for as long as the policy keeps them; how many.

    Those linked to an open lookout, or looked out themselves, stay.
    """
    before = now - timedelta(days=lookout_policy(services).unlinked_kept_days)
    linked = exists().where(
        SightingLink.sighting_id == Sighting.id,
        SightingLink.lookout_id == Lookout.id,
        SightingLink.state == LinkState.ACCEPTED,
        Lookout.ended_at.is_(None),
    )
    looked_out = exists().where(Lookout.sighting_id == Sighting.id, Lookout.ended_at.is_(None))
    of_a_case = exists().where(Case.profile_id == Sighting.profile_id)
    due = (Sighting.recorded_at < before, Sighting.erased_at.is_(None), ~linked, ~looked_out, ~of_a_case)
    rows = session.scalars(
        select(Sighting)
        .where(*due)
        .options(joinedload(Sighting.profile))
        .order_by(Sighting.recorded_at, Sighting.id)
        .limit(BATCH)
        .with_for_update(of=Sighting, skip_locked=True)
    ).all()
    # Asked again under the lock: a lookout may have been opened, or a case made, since the rows were chosen.
    still = set(session.scalars(select(Sighting.id).where(Sighting.id.in_([one.id for one in rows]), *due)))
    return sum(erase_sighting(session, services, one, now=now) for one in rows if one.id in still)
