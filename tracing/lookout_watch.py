"""Watching lookouts (协查督办), once a minute: wider rings, the end by time, photographs that led to nothing."""

import uuid
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from models.case import Case, CaseState
from models.lookout import Lookout, LookoutEnd
from tracing import access
from tracing.access import Permission, Viewer
from tracing.lookout_rings import open_ring
from tracing.lookouts import LookoutEnded, finish, load_lookout
from tracing.platform import errors
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.platform.jobs import ClaimedJob
from tracing.services import Services
from tracing.sighting_erasure import BATCH, erase_unlinked
from tracing.trail import note

WATCH_LOOKOUTS = "lookouts.watch"
BATCHES_MAX = 200
OVER = {
    CaseState.REUNIFIED: LookoutEnd.FOUND,
    CaseState.DECEASED: LookoutEnd.FOUND,
    CaseState.CLOSED: LookoutEnd.CALLED_OFF,
}
"""States that a looked-out case came into meanwhile, and how they end its lookout."""
log = structlog.stdlib.get_logger(__name__)


class NoWiderRing(errors.Conflict):
    """A lookout that is as wide as it goes."""

    slug = "no_wider_ring"
    message = "This lookout is as wide as the policy allows. Add words or a better photograph instead."


def watch_lookouts_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: one round over all open lookouts, and over sightings that are past their time."""
    watch_lookouts(services, utc_now())
    with unit_of_work(services.db) as session:
        complete(session)


def watch_lookouts(services: Services, now: datetime) -> tuple[int, int]:
    """One round; how many lookouts widened or ended, and how many sightings were erased."""
    moved = erased = 0
    for _ in range(BATCHES_MAX):
        with unit_of_work(services.db) as session:
            done = _move_due(session, services, now)
        moved += done
        if done < BATCH:
            break
    for _ in range(BATCHES_MAX):
        with unit_of_work(services.db) as session:
            done = erase_unlinked(session, services, now=now)
        erased += done
        if done < BATCH:
            break
    if moved or erased:
        log.info("lookouts_watched", lookouts=moved, erased=erased)
    return moved, erased


def _move_due(session: Session, services: Services, now: datetime) -> int:
    over = exists().where(  # since the opening: who goes missing after a reunion is looked out for
        Case.id == Lookout.case_id, Case.state.in_(OVER), Case.state_since >= Lookout.opened_at
    )
    due = session.scalars(
        select(Lookout)
        .where(Lookout.ended_at.is_(None), or_(Lookout.next_ring_at <= now, Lookout.expires_at <= now, over))
        .order_by(Lookout.opened_at, Lookout.id)
        .limit(BATCH)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    for lookout in due:
        case = session.get(Case, lookout.case_id) if lookout.case_id else None
        if case is not None and case.state in OVER and case.state_since >= lookout.opened_at:
            kind = OVER[case.state]
            found = case if kind is LookoutEnd.FOUND else None
            finish(session, services, lookout, None, kind, reason=None, case=found, now=now)
            continue
        if lookout.expires_at <= now:
            finish(session, services, lookout, None, LookoutEnd.EXPIRED, reason=None, case=None, now=now)
            continue
        while lookout.next_ring_at is not None and lookout.next_ring_at <= now:
            open_ring(session, services, lookout, now=now)
    return len(due)


def widen_lookout(
    session: Session, services: Services, viewer: Viewer, lookout_id: uuid.UUID, *, now: datetime
) -> Lookout:
    """Open the next ring now. Raises Forbidden, NotFound, LookoutEnded, NoWiderRing."""
    access.require(viewer, Permission.LOOKOUT)
    lookout = load_lookout(session, viewer, lookout_id, lock=True, own=True)
    if not lookout.open:
        raise LookoutEnded()
    if lookout.next_ring_at is None:
        raise NoWiderRing()
    note(session, viewer, "lookout.widen", "lookout", lookout.id, at=now, ring=lookout.ring + 1)
    open_ring(session, services, lookout, now=now)
    return lookout
