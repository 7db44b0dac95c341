"""The matching pass (比对): who could this person be? One job a revision of a profile, its effects stored once.

A new case is searched among open reports and other cases; a new report among cases. The owners of the nearest faces and
the records that share most of what is known are weighed term by term; the best become the case's candidates. Judged
candidates are not touched.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.vocabulary import GalleryKind
from models.case import SEARCHED, Case, CaseState
from models.profile import Profile
from models.report import Report, ReportState
from tracing.duplicate_search import propose_duplicates, similar_reports
from tracing.face_models import version_in_force, versions_to_analyse
from tracing.faces import analyse_photo
from tracing.gallery import gallery_size, searchable_report
from tracing.matching_proposals import propose
from tracing.matching_records import pending_photos, records_of
from tracing.matching_store import store_pass
from tracing.parameter_sets import in_force
from tracing.platform import jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.platform.jobs import ClaimedJob, DeferJob
from tracing.services import Services
from tracing.transitions import move

MATCH = "match"
PASSABLE = SEARCHED | {CaseState.SUBMITTED}


def passable(case: Case) -> bool:
    """Whether a pass may be made for the case: handed in, not identified, and its person's identity unknown."""
    return case.traced and case.state in PASSABLE


def request_match(
    session: Session, services: Services, kind: GalleryKind, owner_id: uuid.UUID, *, now: datetime
) -> None:
    """Ask, in the caller's transaction, for a pass over the present revision; asking twice asks once."""
    owner = session.get_one(Case, owner_id) if kind is GalleryKind.CASE else session.get_one(Report, owner_id)
    if isinstance(owner, Case) and not passable(owner):
        return
    if isinstance(owner, Report) and owner.state is not ReportState.OPEN:
        return
    revision = session.get_one(Profile, owner.profile_id).revision
    services = in_force(session, services)
    version = version_in_force(session, services)
    versions = f"{version}:{services.gallery.version(session, version)}:{services.parameters.version}"
    jobs.enqueue(
        session,
        kind=MATCH,
        key=f"match:{owner_id}:r{revision}:{versions}",
        payload={"kind": kind.value, "id": str(owner_id)},
        now=now,
    )


def match_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: one matching pass for one case or report."""
    kind, owner_id = GalleryKind(job.payload["kind"]), uuid.UUID(job.payload["id"])
    with unit_of_work(services.db) as session:
        owner = _owner(session, kind, owner_id)
        if owner is None or (isinstance(owner, Case) and not passable(owner)):
            complete(session)
            return
        if isinstance(owner, Case) and owner.state is CaseState.SUBMITTED:
            move(session, owner, CaseState.SEARCHING, None, now=utc_now())
        version = version_in_force(session, services)
        pending = pending_photos(session, owner.profile_id, version)
    for photo_id in pending:
        analyse_photo(services, photo_id, version, _nothing_more)
    try:
        with read_only(services.db) as session:
            version = version_in_force(session, services)
            weighing = in_force(session, services)
            probe = next(iter(records_of(session, weighing, kind, [owner_id], version)), None)
            size = gallery_size(session)
            proposals = propose(session, weighing, [probe], size, version)[0] if probe else []
            looking = [probe] if probe and kind is GalleryKind.REPORT else []
            similar = similar_reports(session, weighing, looking, size, version)[0] if looking else []
            index_version = services.gallery.version(session, version)
    except IndexWarming as warming:
        raise DeferJob(timedelta(seconds=warming.retry_after)) from None
    now = utc_now()
    with unit_of_work(services.db) as session:
        # A switch waits for this transaction, or this one sees it: an old pass must not write over a new one.
        versions_to_analyse(session, services, now=now)
        unchanged = in_force(session, services, held=True).parameters.version == weighing.parameters.version
        if probe is None:
            pass  # erased in the meantime: there is nobody to look for
        elif unchanged and version_in_force(session, services) == version:
            store_pass(session, weighing, probe, proposals, size, version, index_version, now)
            propose_duplicates(session, weighing, probe, similar, now=now)
        else:
            request_match(session, services, kind, owner_id, now=now)
        complete(session)


def _nothing_more(session: Session) -> None:
    """The photograph's own job, if there is one, completes by itself."""


def _owner(session: Session, kind: GalleryKind, owner_id: uuid.UUID) -> Case | Report | None:
    if kind is GalleryKind.CASE:
        return session.scalars(select(Case).where(Case.id == owner_id).with_for_update()).one_or_none()
    return session.scalars(
        select(Report).where(Report.id == owner_id, searchable_report()).with_for_update()
    ).one_or_none()
