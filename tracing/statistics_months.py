"""Statistics month by month (逐月统计): what the plots of the dashboard show, hidden as the table beside them is."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from tracing import access
from tracing.access import Permission, Viewer
from tracing.statistics import Cell, Definition, Table
from tracing.statistics_suppression import hidden_cells
from tracing.trail import note

MONTHS_MAX = 36


@dataclass(frozen=True, slots=True)
class Months:
    """A figure month by month; `cells` in the order of `firsts`, the first day of each month within the period."""

    figure: Definition
    firsts: tuple[date, ...]
    cells: tuple[Cell, ...]


def read_months(session: Session, viewer: Viewer, table: Table, *, now: datetime) -> tuple[Months, ...]:
    """The figures (counts) of a table that were counted by month; none when the period is longer than MONTHS_MAX.
    Logged.

    Hidden as the months beside the table's total would tell: all of a figure whose total is hidden. Raises Forbidden.
    """
    access.require(viewer, Permission.STATISTICS)
    totals = {row.figure.key: row for row in table.rows if row.part is None}
    note(session, viewer, "statistics.months", "organisation", table.root.id, at=now, count=len(table.months))
    if len(table.months) > MONTHS_MAX:
        return ()
    found = []
    for key, counts in table.monthly.items():
        row = totals[key]
        hidden: Set[int] = set()
        if not table.query.exact and row.figure.of_people:
            all_of_it = hidden_cells([[*counts, sum(counts)]], table.definitions.threshold)
            hidden = set(range(len(counts))) if row.total.hidden else {column for _, column in all_of_it}
        cells = tuple(
            Cell(None, hidden=True) if at in hidden and counts[at] else Cell(counts[at]) for at in range(len(counts))
        )
        found.append(Months(row.figure, tuple(first for first, _ in table.months), cells))
    return tuple(found)
