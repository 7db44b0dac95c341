"""Saved filters (常用筛选): each user's own, for the lists of cases and reports."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.vocabulary import GalleryKind
from models.saved_filter import SavedFilter
from tracing import access
from tracing.access import Permission, Viewer
from tracing.facts import check_text
from tracing.platform import errors
from tracing.trail import note

MOST = 20
NAME_LIMIT = 40
QUERY_LIMIT = 1000
_READS = {GalleryKind.CASE: Permission.CASE_READ, GalleryKind.REPORT: Permission.REPORT_READ}


class FilterLimit(errors.Conflict):
    """More saved filters than one user may have."""

    slug = "filter_limit"
    message = "You have {limit} saved filters of this list, and there is no room for more. Remove one first."


def list_filters(session: Session, viewer: Viewer, gallery: GalleryKind) -> Sequence[SavedFilter]:
    """The viewer's own filters of one list, by name."""
    own = select(SavedFilter).where(access.filter_scope(viewer), SavedFilter.gallery == gallery)
    return session.scalars(own.order_by(SavedFilter.name)).all()


def save_filter(
    session: Session, viewer: Viewer, gallery: GalleryKind, name: str, query: str, *, now: datetime
) -> SavedFilter:
    """Keep a filter under a name; one of that name is replaced. `query` holds no text that somebody typed.

    Raises Forbidden, FilterLimit, and Invalid for a name or a query that is empty or too long.
    """
    access.require(viewer, _READS[gallery])
    name, query = check_text(name, limit=NAME_LIMIT, field="name"), check_text(query, limit=QUERY_LIMIT, field="name")
    present = {one.name: one for one in list_filters(session, viewer, gallery)}
    found = present.get(name)
    if found is None and len(present) >= MOST:
        raise FilterLimit(limit=MOST, field="name")
    if found is None:
        found = SavedFilter(
            id=uuid.uuid4(), user_id=viewer.user_id, gallery=gallery, name=name, query=query, created_at=now
        )
        session.add(found)
    found.query = query
    session.flush()
    note(session, viewer, "filter.save", "filter", found.id, at=now, gallery=gallery.value)
    return found


def remove_filter(session: Session, viewer: Viewer, filter_id: uuid.UUID, *, now: datetime) -> None:
    """Forget one. Raises NotFound for another user's."""
    found = access.find(session, select(SavedFilter).where(SavedFilter.id == filter_id, access.filter_scope(viewer)))
    session.delete(found)
    session.flush()
    note(session, viewer, "filter.remove", "filter", filter_id, at=now)
