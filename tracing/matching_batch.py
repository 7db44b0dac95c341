"""Matching a whole gallery in one pass (批量比对): many records a search, in chunks that each are one job.

A chunk's effects, its "done" and the next chunk's job are one transaction: whoever dies in between has the chunk done
again, and a pass that is stored already is not stored twice. A record that was matched since is left out.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from matcher.vocabulary import GalleryKind
from models.candidate import MatchPass
from models.case import Case
from models.profile import Profile
from models.report import Report
from tracing.duplicate_search import propose_duplicates, similar_reports
from tracing.face_models import version_in_force, versions_to_analyse
from tracing.gallery_faces import gallery_size, searchable_case, searchable_report
from tracing.matching import request_match
from tracing.matching_proposals import propose
from tracing.matching_records import pending_photos, records_of
from tracing.matching_store import hold_cases, store_pass
from tracing.parameter_sets import in_force
from tracing.platform import jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.platform.jobs import ClaimedJob, DeferJob
from tracing.services import Services

MATCH_ALL = "match.all"
CHUNK = 100
"""Records a chunk: their faces are one search, the records they are weighed against are read once."""


@dataclass(frozen=True)
class Coverage:
    """Of `total` records in the gallery, `matched` have a pass of their present revision under the present versions."""

    matched: int
    total: int


def request_match_all(session: Session, services: Services, kind: GalleryKind, *, now: datetime) -> uuid.UUID | None:
    """Ask for a pass over every open report, or every searchable case; the job's id, None when just asked."""
    return _enqueue(session, kind, f"{now:%Y%m%dT%H%M}-{version_in_force(session, services)}"[:60], None, now)


def request_match_again(session: Session, kind: GalleryKind, why: uuid.UUID, *, now: datetime) -> uuid.UUID | None:
    """The same after a change, whatever was asked for before; `why` names the change."""
    return _enqueue(session, kind, f"{why}-{now:%H%M%S%f}", None, now)


def match_all_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: one chunk of a pass over the gallery; it asks for the next one."""
    kind, run = GalleryKind(job.payload["kind"]), str(job.payload["run"])
    after = uuid.UUID(job.payload["after"]) if job.payload["after"] else None
    try:
        with read_only(services.db) as session:
            version = version_in_force(session, services)
            weighing = in_force(session, services)
            ids = session.scalars(_chunk(session, weighing, kind, after, version)).all()
            owners = _owners(session, kind, ids)
            waiting = {one.id for one in owners if pending_photos(session, one.profile_id, version)}
            probes = records_of(session, weighing, kind, [one for one in ids if one not in waiting], version)
            size = gallery_size(session)
            proposals = propose(session, weighing, probes, size, version) if probes else []
            looking = probes if kind is GalleryKind.REPORT else []
            similar = similar_reports(session, weighing, looking, size, version) if looking else [[] for _ in probes]
            index_version = services.gallery.version(session, version)
    except IndexWarming as warming:
        raise DeferJob(timedelta(seconds=warming.retry_after)) from None
    now = utc_now()
    with unit_of_work(services.db) as session:
        # A switch waits for this transaction, or this one sees it: an old pass must not write over a new one.
        versions_to_analyse(session, services, now=now)
        current = version_in_force(session, services) == version
        current = current and in_force(session, services, held=True).parameters.version == weighing.parameters.version
        if current:
            # All of the chunk's before the first pass: one after another would be in no order across the passes.
            own = {one.id for one in probes if one.kind is GalleryKind.CASE}
            hold_cases(session, own, [one for found in proposals for one in found])
        for probe, found in zip(probes, proposals, strict=True):
            if current:
                store_pass(session, weighing, probe, found, size, version, index_version, now)
            else:
                request_match(session, services, kind, probe.id, now=now)
        if current:
            # After the last pass: proposing closes candidates, and would be in no order across the passes.
            for probe, pairs in sorted(zip(probes, similar, strict=True), key=lambda one: one[0].id):
                propose_duplicates(session, weighing, probe, pairs, now=now)
        for owner_id in sorted(waiting):
            # Its photographs are looked at first, by a job of its own.
            request_match(session, services, kind, owner_id, now=now)
        if ids:
            _enqueue(session, kind, run, ids[-1], now)
        complete(session)


def coverage(session: Session, services: Services, kind: GalleryKind) -> Coverage:
    """How far the gallery is matched."""
    services = in_force(session, services)
    total = session.scalar(select(func.count()).select_from(_searchable(kind).subquery())) or 0
    unmatched = _unmatched(session, services, kind, version_in_force(session, services))
    left = session.scalar(select(func.count()).select_from(unmatched.subquery())) or 0
    return Coverage(total - left, total)


def _enqueue(session: Session, kind: GalleryKind, run: str, after: uuid.UUID | None, now: datetime) -> uuid.UUID | None:
    return jobs.enqueue(
        session,
        kind=MATCH_ALL,
        key=f"match-all:{kind.value}:{run}:{after or 'begin'}",
        payload={"kind": kind.value, "run": run, "after": None if after is None else str(after)},
        now=now,
    )


def _chunk(
    session: Session, services: Services, kind: GalleryKind, after: uuid.UUID | None, version: str
) -> Select[uuid.UUID]:
    owner = Case.id if kind is GalleryKind.CASE else Report.id
    query = _unmatched(session, services, kind, version).order_by(owner).limit(CHUNK)
    return query if after is None else query.where(owner > after)


def _searchable(kind: GalleryKind) -> Select[uuid.UUID]:
    if kind is GalleryKind.CASE:
        return select(Case.id).join(Profile, Profile.id == Case.profile_id).where(searchable_case())
    return select(Report.id).join(Profile, Profile.id == Report.profile_id).where(searchable_report())


def _unmatched(session: Session, services: Services, kind: GalleryKind, version: str) -> Select[uuid.UUID]:
    passed = and_(
        MatchPass.profile_id == Profile.id,
        MatchPass.revision == Profile.revision,
        MatchPass.model_version == version,
        MatchPass.index_version == services.gallery.version(session, version),
        MatchPass.parameters_version == services.parameters.version,
    )
    return _searchable(kind).where(~select(MatchPass.id).where(passed).exists())


def _owners(session: Session, kind: GalleryKind, ids: Sequence[uuid.UUID]) -> Sequence[Case] | Sequence[Report]:
    if kind is GalleryKind.CASE:
        return session.scalars(select(Case).where(Case.id.in_(ids))).all()
    return session.scalars(select(Report).where(Report.id.in_(ids))).all()
