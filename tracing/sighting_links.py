"""Links of sightings (目击关联): a human accepts or refuses a proposal, links by hand, and may undo it."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.lookout import Lookout
from models.sighting import LinkState, SightingLink
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import check_reason, load_case
from tracing.facts import check_optional_text
from tracing.lookouts import LookoutEnded, LookoutOfOne, load_lookout
from tracing.platform import errors
from tracing.sightings import human_link, load_sighting, usable
from tracing.trail import note


class LinkDecided(errors.Conflict):
    """A decision on a link that was decided, or a withdrawal of one that does not stand."""

    slug = "link_decided"
    message = "This link has been decided or withdrawn already. Reload the page."


class LinkedAlready(errors.Conflict):
    """A second link of one pair."""

    slug = "linked_already"
    message = "This sighting is linked there already, or the link is proposed and waits for a decision."


class OriginStays(errors.Conflict):
    """A withdrawal of the link by which a sighting became a case."""

    slug = "origin_stays"
    message = "The case began with this sighting, so the link stays. If it is the wrong person, close the case."


def list_links(session: Session, viewer: Viewer, sighting_id: uuid.UUID, *, now: datetime) -> Sequence[SightingLink]:
    """The links of a sighting with what exists for the viewer, newest first, refused and withdrawn ones among them.

    Raises NotFound.
    """
    sighting = load_sighting(session, viewer, sighting_id)
    rows = session.scalars(
        select(SightingLink)
        .where(SightingLink.sighting_id == sighting.id, access.sighting_link_scope(viewer))
        .order_by(SightingLink.created_at.desc(), SightingLink.id)
        .execution_options(populate_existing=True)
    ).all()
    note(session, viewer, "sighting.links", "sighting", sighting.id, at=now, count=len(rows))
    return rows


def link_sighting(
    session: Session,
    viewer: Viewer,
    sighting_id: uuid.UUID,
    *,
    lookout_id: uuid.UUID | None = None,
    case_id: uuid.UUID | None = None,
    reason: str,
    now: datetime,
) -> SightingLink:
    """Say by hand that a sighting shows the person of a lookout or a case.

    Raises Forbidden, NotFound, LookoutOfOne, LookoutEnded, SightingEnded, LinkedAlready, ReasonMissing.
    """
    access.require(viewer, Permission.SIGHTING_DECIDE)
    if (lookout_id is None) == (case_id is None):
        raise LookoutOfOne(field="lookout_id")
    reason = check_reason(reason)
    if lookout_id is not None and not load_lookout(session, viewer, lookout_id, lock=True).open:
        raise LookoutEnded()
    if case_id is not None:
        load_case(session, viewer, case_id)
    sighting = usable(load_sighting(session, viewer, sighting_id, lock=True))
    target = SightingLink.lookout_id == lookout_id if lookout_id else SightingLink.case_id == case_id
    standing = (LinkState.PROPOSED, LinkState.ACCEPTED)
    pair = select(SightingLink.id).where(SightingLink.sighting_id == sighting.id, target)
    opened_for = select(Lookout.id).where(Lookout.id == lookout_id, Lookout.sighting_id == sighting.id)
    if session.scalar(pair.where(SightingLink.state.in_(standing))) or session.scalar(opened_for):
        raise LinkedAlready()
    link = human_link(sighting.id, viewer, lookout_id=lookout_id, case_id=case_id, reason=reason, now=now)
    session.add(link)
    session.flush()
    note(
        session, viewer, "sighting.link", "sighting", sighting.id, at=now,
        link=link.id, lookout=lookout_id, case=case_id,
    )  # fmt: skip
    return link


def decide_link(
    session: Session, viewer: Viewer, link_id: uuid.UUID, *, accept: bool, reason: str | None, now: datetime
) -> SightingLink:
    """Accept or refuse a proposal; a refused pair is never proposed again.

    Raises Forbidden, NotFound, LinkDecided, LookoutEnded, SightingEnded.
    """
    access.require(viewer, Permission.SIGHTING_DECIDE)
    link = _held(session, viewer, link_id, deciding=accept)
    if link.state is not LinkState.PROPOSED:
        raise LinkDecided()
    link.state = LinkState.ACCEPTED if accept else LinkState.REFUSED
    link.decided_at, link.decided_by_id = now, viewer.user_id
    link.reason = check_optional_text(reason, field="reason", limit=500)
    session.flush()
    note(session, viewer, "sighting.decide", "sighting", link.sighting_id, at=now, link=link.id, state=link.state.value)
    return link


def withdraw_link(session: Session, viewer: Viewer, link_id: uuid.UUID, *, reason: str, now: datetime) -> SightingLink:
    """Undo an accepted link; it stays on record.

    Raises Forbidden, NotFound, ReasonMissing, LinkDecided, OriginStays.
    """
    access.require(viewer, Permission.SIGHTING_DECIDE)
    link = _held(session, viewer, link_id, deciding=False)
    reason = check_reason(reason)
    if link.state is not LinkState.ACCEPTED:
        raise LinkDecided()
    if link.origin:
        raise OriginStays()
    link.state = LinkState.WITHDRAWN
    link.withdrawn_at, link.withdrawn_by_id = now, viewer.user_id
    link.withdrawal_reason = reason
    session.flush()
    note(session, viewer, "sighting.unlink", "sighting", link.sighting_id, at=now, link=link.id)
    return link


def _held(session: Session, viewer: Viewer, link_id: uuid.UUID, *, deciding: bool) -> SightingLink:
    """The link, its lookout (first, as everybody locks it) and its sighting locked, for those who see both ends."""
    row = session.execute(
        select(SightingLink.sighting_id, SightingLink.lookout_id).where(
            SightingLink.id == link_id, access.sighting_link_scope(viewer)
        )
    ).one_or_none()
    if row is None:
        raise errors.NotFound()
    if row.lookout_id is not None:
        lookout = session.scalars(
            select(Lookout).where(Lookout.id == row.lookout_id).with_for_update(key_share=True)
        ).one()
        if deciding and not lookout.open:
            raise LookoutEnded()
    sighting = load_sighting(session, viewer, row.sighting_id, lock=True)
    if deciding:
        usable(sighting)
    return session.get_one(SightingLink, link_id, populate_existing=True)
