"""Re-embedding (重新提取): every photograph under another model version, in chunks, while the service goes on.

Chunks are cut from all photographs in the order of upload, whatever was done already: asking again asks for the same
chunks, and only for those in which something is missing.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import structlog
from sqlalchemy import case, exists, func, select, tuple_
from sqlalchemy.orm import Session

from matcher.vocabulary import GalleryKind
from models.candidate import MatchPass
from models.case import Case
from models.job import Job, JobState
from models.photo import Photo
from models.profile import Profile
from models.report import Report
from models.subject import Subject
from tracing.face_models import REMATCH, analysed, kept, version_in_force
from tracing.faces import analyse_photo
from tracing.gallery import searchable_case, searchable_report
from tracing.matching import request_match
from tracing.platform import jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import Unavailable
from tracing.platform.jobs import ClaimedJob, DeferJob
from tracing.platform.logs import error_code
from tracing.services import Services

log = structlog.stdlib.get_logger(__name__)

REEMBED = "face_model.reembed"
CHUNK = 25
REMATCH_BATCH = 200


class PhotosNotAnalysed(Unavailable):
    """Some photographs of a chunk failed; the others are done."""

    slug = "photos_not_analysed"
    message = "{count} photographs could not be analysed; the log says which. Trying again takes up only these."


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of the photographs in the order of upload, both ends included."""

    first: uuid.UUID
    last: uuid.UUID


@dataclass(frozen=True, slots=True)
class Work:
    """Jobs of a re-embedding that are `open` (waiting or running), of these `running`, and those `set_aside`."""

    open: int
    running: int
    set_aside: int


def request_reembedding(services: Services, version: str, *, now: datetime) -> int:
    """Ask for every chunk in which a photograph lacks an analysis under the version; how many were asked for now."""
    with read_only(services.db) as session:
        chunks = list(_incomplete(session, version))
    asked = 0
    for start in range(0, len(chunks), 100):
        with unit_of_work(services.db) as session:
            for chunk in chunks[start : start + 100]:
                added = jobs.enqueue(
                    session,
                    kind=REEMBED,
                    key=_key(version, chunk.first),
                    payload={"model_version": version, "first": chunk.first, "last": chunk.last},
                    now=now,
                    again=True,
                )
                asked += added is not None
    return asked


def work(session: Session, version: str, *, now: datetime) -> Work:
    """How the jobs of a version's re-embedding stand."""
    ours = (Job.kind == REEMBED, Job.key.startswith(_key(version, ""), autoescape=True))
    held = (Job.state == JobState.RUNNING) & (Job.lease_until >= now)
    rows = session.execute(
        select(Job.state, func.count(), func.sum(case((held, 1), else_=0))).where(*ours).group_by(Job.state)
    ).all()
    counts = {state: int(number) for state, number, _ in rows}
    running = sum(int(number or 0) for _, _, number in rows)
    return Work(
        counts.get(JobState.QUEUED, 0) + counts.get(JobState.RUNNING, 0), running, counts.get(JobState.SET_ASIDE, 0)
    )


def reembed_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: one chunk. Each photograph is stored by itself, so that a chunk that was cut short goes on where it was.

    Raises PhotosNotAnalysed when some failed: the job is tried again for these.
    """
    version = job.payload["model_version"]
    chunk = Chunk(uuid.UUID(job.payload["first"]), uuid.UUID(job.payload["last"]))
    with read_only(services.db) as session:
        missing = _missing_in(session, chunk, version)
    failed = 0
    for photo_id in missing:
        try:
            analyse_photo(services, photo_id, version, _nothing_more)
        except DeferJob:
            raise
        except Exception as error:
            failed += 1
            log.exception("photo_not_analysed", photo_id=str(photo_id), model=version, error=error_code(error))
    if failed:
        raise PhotosNotAnalysed(count=failed)
    with unit_of_work(services.db) as session:
        complete(session)


def rematch_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: ask for a match of the next cases, or then reports, in the search, and for a task that takes up the rest.

    A version that comes into force a second time has passes from the first: they are out of date, so the profile gets a
    new revision.
    """
    version, since = job.payload["model_version"], job.payload["since"]
    kind = GalleryKind(job.payload.get("kind", GalleryKind.CASE.value))
    after = job.payload.get("after")
    now = utc_now()
    with unit_of_work(services.db) as session:
        if version_in_force(session, services) != version:
            complete(session)  # switched again since: the later switch asks for its own
            return
        ids = _searchable(session, kind, uuid.UUID(after) if after else None)
        for owner_id in ids:
            _renew(session, services, kind, owner_id, version)
            request_match(session, services, kind, owner_id, now=now)
        if ids or kind is GalleryKind.CASE:
            rest = {"kind": kind, "after": ids[-1]} if ids else {"kind": GalleryKind.REPORT, "after": None}
            jobs.enqueue(
                session,
                kind=REMATCH,
                key=f"rematch:{version}:{since}:{rest['kind']}:{rest['after']}",
                payload={"model_version": version, "since": since} | rest,
                now=now,
            )
        complete(session)


def _key(version: str, first: uuid.UUID | str) -> str:
    return f"reembed:{version}:{first}"


def _incomplete(session: Session, version: str) -> Iterator[Chunk]:
    """Chunks that hold a photograph which is kept and was not looked at under the version."""
    wanted = kept() & ~analysed(version)
    rows = iter(
        session.execute(
            select(Photo.id, case((wanted, 1), else_=0))
            .join(Profile, Profile.id == Photo.profile_id)
            .join(Subject, Subject.id == Profile.subject_id)
            .order_by(Photo.uploaded_at, Photo.id)
            .execution_options(yield_per=1000)
        )
    )
    while chunk := list(islice(rows, CHUNK)):
        if any(missing for _, missing in chunk):
            yield Chunk(chunk[0][0], chunk[-1][0])


def _missing_in(session: Session, chunk: Chunk, version: str) -> Sequence[uuid.UUID]:
    place = tuple_(Photo.uploaded_at, Photo.id)
    first, last = (
        session.execute(select(Photo.uploaded_at, Photo.id).where(Photo.id == photo_id)).one()
        for photo_id in (chunk.first, chunk.last)
    )
    return session.scalars(
        select(Photo.id)
        .join(Profile, Profile.id == Photo.profile_id)
        .join(Subject, Subject.id == Profile.subject_id)
        .where(place.between(tuple_(*first), tuple_(*last)), kept(), ~analysed(version))
        .order_by(Photo.uploaded_at, Photo.id)
    ).all()


def _searchable(session: Session, kind: GalleryKind, after: uuid.UUID | None) -> Sequence[uuid.UUID]:
    """The next ids of that kind, in the order of their ids."""
    table, condition = (Case, searchable_case()) if kind is GalleryKind.CASE else (Report, searchable_report())
    statement = select(table.id).where(condition).order_by(table.id).limit(REMATCH_BATCH)
    return session.scalars(statement if after is None else statement.where(table.id > after)).all()


def _renew(session: Session, services: Services, kind: GalleryKind, owner_id: uuid.UUID, version: str) -> None:
    owner = session.get_one(Case, owner_id) if kind is GalleryKind.CASE else session.get_one(Report, owner_id)
    profile = session.get_one(Profile, owner.profile_id, with_for_update=True, populate_existing=True)
    stored = exists().where(
        MatchPass.profile_id == profile.id, MatchPass.revision == profile.revision, MatchPass.model_version == version
    )
    if session.scalar(select(stored)):
        profile.revision += 1
        session.flush()


def _nothing_more(session: Session) -> None:
    """The chunk completes when all its photographs are through."""
