"""Erasure (删除) from the index, reported done only when it is: gone from every live replica, every kept snapshot and
the shared index.

A face that left the gallery cannot be found from the commit on, for every search catches up first. What follows here is
about the copies that lie in memory, on disk and in Milvus: a job waits for all of them and then writes the audit event.
Asked for by every use case that takes faces out: a photograph removed, a case identified or closed, a report resolved
or withdrawn. Removed photographs have snapshots written anew at once; for the others, whose sealed embeddings stay with
the record until its retention ends, the next snapshot is soon enough.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from matcher.index.base import IndexUnreachable
from matcher.vocabulary import GalleryKind
from models.face import Face
from models.index_place import Place, SharedIndex
from models.index_replica import IndexReplica
from models.job import Job, JobState
from models.photo import Photo
from tracing.gallery_faces import searchable_faces
from tracing.gallery_log import look_again, own_number, seen_from
from tracing.gallery_place import shared_holding, shared_rows
from tracing.platform import jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.platform.jobs import ClaimedJob, DeferJob
from tracing.platform.settings import IndexSettings
from tracing.services import Services
from tracing.trail import note

ERASE = "index.erase"
PHOTO = "photo"
AGAIN = timedelta(seconds=2)
FORGOTTEN_AFTER = timedelta(days=1)


def request_erasure(session: Session, photo_id: uuid.UUID, *, now: datetime) -> None:
    """Ask, in the transaction that removes the photograph, for the proof that its faces are gone."""
    faces = session.scalars(select(Face.id).where(Face.photo_id == photo_id)).all()
    _request(session, PHOTO, photo_id, faces, now)


def request_leaving(
    session: Session, kind: GalleryKind, owner_id: uuid.UUID, profile_id: uuid.UUID, *, now: datetime
) -> None:
    """Ask, in the transaction in which a case or report leaves the gallery, for the proof that its faces are out of
    every index. Nothing is asked for one without a face.
    """
    faces = session.scalars(select(Face.id).join(Photo).where(Photo.profile_id == profile_id)).all()
    if faces:
        _request(session, kind.value, owner_id, faces, now)


def erase_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: make sure that no index and no snapshot holds the faces, then say so in the audit log; or nothing, when
    they have come back in the meantime.
    """
    number, now, settings = int(job.payload["number"]), utc_now(), services.settings.index
    faces = [uuid.UUID(one) for one in job.payload["faces"]]
    due = _due(job.payload, settings)
    if now < due:
        raise DeferJob(due - now)
    with read_only(services.db) as session:
        if not services.gallery.forget(session, number, now):
            raise DeferJob(AGAIN)
    _await_shared(services, number, faces, now)
    with unit_of_work(services.db) as session:
        if behind(session, number, now, settings.replica_seconds) or shared_holding(session, number):
            raise DeferJob(AGAIN)
        kind = job.payload["object"]
        if not _came_back(session, faces):
            note(session, None, f"{kind}.erased_from_index", kind, uuid.UUID(job.payload["id"]), at=now, number=number)
        complete(session)


def pending_erasure(session: Session, settings: IndexSettings, now: datetime | None = None) -> int | None:
    """The highest number among the erasures that are not reported done, or of those that are due now; None: none is."""
    payloads = session.scalars(
        select(Job.payload).where(Job.kind == ERASE, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    )
    return max(
        (int(payload["number"]) for payload in payloads if now is None or _due(payload, settings) <= now), default=None
    )


def _request(session: Session, kind: str, object_id: uuid.UUID, faces: Iterable[uuid.UUID], now: datetime) -> None:
    # On SQLite the number is that of the triggers' last row.
    session.flush()
    number = own_number(session)
    jobs.enqueue(
        session,
        kind=ERASE,
        key=f"erase:{object_id}:{number}",
        payload={
            "object": kind, "id": object_id, "number": number, "faces": list(faces),
            "requested": int(now.timestamp()),
        },
        now=now,
    )  # fmt: skip


def _due(payload: Mapping[str, Any], settings: IndexSettings) -> datetime:
    """From when on snapshots are written anew for this alone; removals are gathered until then."""
    photo = payload["object"] == PHOTO
    wait = timedelta(seconds=settings.erasure_seconds) if photo else timedelta(minutes=settings.snapshot_minutes)
    return datetime.fromtimestamp(payload["requested"], UTC) + wait


def _came_back(session: Session, faces: list[uuid.UUID]) -> bool:
    versions = session.scalars(select(Face.model_version).where(Face.id.in_(faces)).distinct()).all()
    return any(searchable_faces(session, version, faces) for version in versions)


def _await_shared(services: Services, number: int, faces: list[uuid.UUID], now: datetime) -> None:
    """Feed the shared indexes past the number, and see that they show none of the faces. Raises DeferJob."""
    with read_only(services.db) as session:
        rows = shared_rows(session)
    for row in rows:
        try:
            if _still_shown(services, row, number, faces, now):
                raise DeferJob(AGAIN)
        except IndexUnreachable as error:
            services.gallery.unanswered(error, row.model_version)
            raise DeferJob(timedelta(seconds=services.settings.index.retry_seconds)) from None
        except IndexWarming as warming:
            raise DeferJob(timedelta(seconds=warming.retry_after)) from None


def _still_shown(services: Services, row: SharedIndex, number: int, faces: list[uuid.UUID], now: datetime) -> bool:
    shared = services.gallery.shared(row.model_version, row.dimension)
    if row.built_at is None or (number not in seen_from(row.position) and not shared.feed()):
        return True
    with read_only(services.db) as session:
        gone = set(faces) - searchable_faces(session, row.model_version, faces)
    shown = [entry.face_id for entry in shared.opened().fetch(gone)] if gone else []
    if shown:
        # Fed past the removal, and still there: somebody wrote late. Looked at again, and asked for once more later.
        with unit_of_work(services.db) as session:
            look_again(session, row.model_version, shown, now)
        shared.feed()
    return bool(shown)


def behind(session: Session, number: int, now: datetime, replica_seconds: float) -> list[str]:
    """The live processes whose own index, or whose snapshots, may still hold what the change `number` took away."""
    return [
        one.process
        for one in live(session, now, replica_seconds)
        if one.place is Place.LOCAL
        and any(number not in seen_from(position) for position in (one.position, *one.snapshots))
    ]


def live(session: Session, now: datetime, replica_seconds: float) -> list[IndexReplica]:
    """Replicas that were seen lately."""
    query = select(IndexReplica).where(IndexReplica.seen_at >= now - timedelta(seconds=replica_seconds))
    return list(session.scalars(query.order_by(IndexReplica.process, IndexReplica.model_version)))


def forget_silent(session: Session, now: datetime) -> None:
    """Delete the rows of processes that have not been seen for a day."""
    session.execute(
        delete(IndexReplica).where(IndexReplica.seen_at < now - FORGOTTEN_AFTER),
        execution_options={"synchronize_session": False},
    )
