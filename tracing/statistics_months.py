"""Statistics month by month (逐月统计): what the plots of the dashboard show, hidden as the table beside them is."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Date, case, func, select
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from models.organisation import Organisation
from tracing import access
from tracing.access import Permission, Viewer
from tracing.services import Services
from tracing.statistics import Cell, Definition, Grouping, Query, Table, counted, period_of
from tracing.statistics_figures import Period
from tracing.statistics_suppression import hidden_cells
from tracing.trail import note

MONTHS_MAX = 36


@dataclass(frozen=True, slots=True)
class Months:
    """A figure month by month; `cells` in the order of `firsts`, the first day of each month within the period."""

    figure: Definition
    firsts: tuple[date, ...]
    cells: tuple[Cell, ...]


def read_months(
    session: Session, services: Services, viewer: Viewer, table: Table, figures: Sequence[str], *, now: datetime
) -> tuple[Months, ...]:
    """Figures (counts) of a table by month; none when the period is longer than MONTHS_MAX. Logged.

    Hidden as the months beside the table's total would tell: all of a figure whose total is hidden. Raises Forbidden.
    """
    access.require(viewer, Permission.STATISTICS)
    query, totals = table.query, {row.figure.key: row for row in table.rows if row.part is None}
    spans = _months(query)
    note(session, viewer, "statistics.months", "organisation", table.root.id, at=now, count=len(spans))
    if len(spans) > MONTHS_MAX:
        return ()
    found = []
    for key in figures:
        row = totals[key]
        counts = _by_month(session, period_of(services, query, now), key, table.root, spans)
        hidden: Set[int] = set()
        if not query.exact and row.figure.of_people:
            all_of_it = hidden_cells([[*counts, sum(counts)]], table.definitions.threshold)
            hidden = set(range(len(counts))) if row.total.hidden else {column for _, column in all_of_it}
        cells = tuple(
            Cell(None, hidden=True) if at in hidden and counts[at] else Cell(counts[at]) for at in range(len(counts))
        )
        found.append(Months(row.figure, tuple(first for first, _ in spans), cells))
    return tuple(found)


def _months(query: Query) -> list[tuple[date, date]]:
    """First and last day of each month of the period, cut at its ends."""
    spans, first = [], query.first
    while first <= query.last:
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        spans.append((first, min(following - timedelta(days=1), query.last)))
        first = following
    return spans


def _by_month(
    session: Session, period: Period, key: str, root: Organisation, spans: Sequence[tuple[date, date]]
) -> list[int]:
    """How many fall into each span. ValueError for a figure that no single day or moment puts into one."""
    rows = counted(period, key, root, Grouping.NONE).subquery()
    if isinstance(rows.c.on.type, NullType):
        raise ValueError(f"{key} is counted of no day")
    of_days = isinstance(rows.c.on.type, Date)
    ends = [replace(period, first=first, last=last).end for first, last in spans]
    at = case(*((rows.c.on < (end.date() if of_days else end), at) for at, end in enumerate(ends)))
    found: dict[int, int] = dict(session.execute(select(at.label("at"), func.count()).group_by("at")).all())
    return [found.get(at, 0) for at in range(len(spans))]
