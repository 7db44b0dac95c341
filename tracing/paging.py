"""Paging by cursor: newest (or oldest) first, stable while rows arrive, one index lookup a page however deep."""

import base64
import binascii
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Select, Subquery, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from tracing.platform import errors

T = TypeVar("T")
LIMIT_MAX = 200


class BadCursor(errors.Invalid):
    """A cursor that this service did not give out."""

    slug = "bad_cursor"
    message = "This page link is damaged. Start again from the first page."


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and the cursor of the next page (None on the last)."""

    items: tuple[T, ...]
    next_cursor: str | None


def page_of(
    session: Session,
    statement: Select[T],
    at: InstrumentedAttribute[datetime],
    identity: InstrumentedAttribute[uuid.UUID],
    *,
    cursor: str | None,
    limit: int,
    oldest_first: bool = False,
) -> Page[T]:
    """One page of a statement, newest `at` first unless told otherwise, ties by id. Raises BadCursor."""
    limit = max(1, min(limit, LIMIT_MAX))
    if cursor:
        here, there = tuple_(at, identity), tuple_(*_decode(cursor))
        statement = statement.where(here > there if oldest_first else here < there)
    order = (at, identity) if oldest_first else (at.desc(), identity.desc())
    rows = session.scalars(statement.order_by(*order).limit(limit + 1)).all()
    items = tuple(rows[:limit])
    more = len(rows) > limit
    return Page(items, _encode(items[-1], at.key, identity.key) if more else None)


def page_of_rows(session: Session, rows: Subquery, *, cursor: str | None, limit: int) -> Page[Row[Any]]:
    """One page of rows gathered from several tables, newest `at` first, ties by `id`. Raises BadCursor."""
    limit = max(1, min(limit, LIMIT_MAX))
    statement = select(rows)
    if cursor:
        statement = statement.where(tuple_(rows.c.at, rows.c.id) < tuple_(*_decode(cursor)))
    found = session.execute(statement.order_by(rows.c.at.desc(), rows.c.id.desc()).limit(limit + 1)).all()
    more = len(found) > limit
    return Page(tuple(found[:limit]), _encode(found[limit - 1], "at", "id") if more else None)


def _encode(row: Any, at: str, identity: str) -> str:
    text = f"{getattr(row, at).isoformat()} {getattr(row, identity)}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        at, identity = text.split(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC), uuid.UUID(identity)
    except (binascii.Error, ValueError, OverflowError) as error:
        raise BadCursor(field="cursor") from error
