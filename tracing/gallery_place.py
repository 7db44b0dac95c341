"""Where the index in force is kept (索引所在), and moving it: one row, read in the session that searches."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.index_place import THE_ONE, IndexPlace, Place, SharedIndex
from tracing.gallery_log import seen_from
from tracing.platform.db import dialect_insert
from tracing.platform.settings import IndexSettings


def place_of(session: Session) -> IndexPlace | None:
    """The row; None while nothing was ever moved, which means LOCAL."""
    return session.get(IndexPlace, THE_ONE)


def in_milvus(session: Session) -> bool:
    """Whether searches of this session are answered by the shared index."""
    row = place_of(session)
    return row is not None and row.place is Place.MILVUS


def location_of(settings: IndexSettings) -> str | None:
    """The Milvus that the settings name, as the row keeps it: address and prefix, no credentials. None: none."""
    return None if settings.milvus_url is None else f"{settings.milvus_url} {settings.milvus_prefix}"


def locked(session: Session, now: datetime) -> IndexPlace:
    """The row, made if it is not there, locked until the transaction ends: moves take turns."""
    session.execute(
        dialect_insert(session)(IndexPlace)
        .values(id=THE_ONE, place=Place.LOCAL, changed_at=now)
        .on_conflict_do_nothing()
    )
    return session.get_one(IndexPlace, THE_ONE, with_for_update=True, populate_existing=True)


def shared_rows(session: Session) -> list[SharedIndex]:
    """Every model version that may have faces in Milvus, also half filled ones and those that nobody wants any more."""
    return list(session.scalars(select(SharedIndex).order_by(SharedIndex.model_version)))


def shared_marks(session: Session) -> list[int]:
    """The numbers below which each shared index needs the log no more."""
    return [seen_from(row.position).xmin for row in shared_rows(session) if row.generation]


def shared_holding(session: Session, number: int) -> list[SharedIndex]:
    """The shared indexes that may still hold what the change `number` took away."""
    return [row for row in shared_rows(session) if row.built_at is None or number not in seen_from(row.position)]


def wanted(session: Session) -> frozenset[Place]:
    """Where the faces are to be kept: the place in force, and the one that is being moved to."""
    row = place_of(session)
    if row is None:
        return frozenset({Place.LOCAL})
    return frozenset({row.place, row.moving_to or row.place})
