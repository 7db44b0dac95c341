"""Statistics (联席会议数据): the supervisor's page with plots and the meeting's figures, their cases, files."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from babel.dates import format_skeleton
from fastapi import APIRouter
from starlette.responses import Response

from api.statistics_files import as_csv, as_xlsx
from api.statistics_words import definition, group_name, part_name, title
from api.web.brief import brief_of
from api.web.errors import ChoiceMissing
from api.web.forms import Typed, optional_choice, optional_day
from api.web.page import Page, PageDep, asked_of
from api.web.plots import Columns, columns_of
from api.web.rendering import CALENDARS, render
from models.deadline import ClockKind
from tracing import deadlines, statistics
from tracing.access import Permission, require
from tracing.deadlines import DueQuery
from tracing.organisations import list_organisations
from tracing.statistics import Cell, Grouping, Query, Row, Table
from tracing.statistics_months import Months, read_months

router = APIRouter()
SHOWN = 25
BY_MONTH = ("people_helped", "identified", "reunited")
TILES = ("people_helped", "identified", "reunited", "days_to_identity", "wandered_again", "false_contacts")
UNLISTED = frozenset({"patrols"})
"""Figures that count no cases."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many deadlines of a kind fell due, and how many of them were met in time."""

    kind: ClockKind | None
    due: Cell
    met: Cell

    @property
    def late(self) -> float | None:
        """How many were breached; None when one of the two numbers is not told."""
        return None if self.due.value is None or self.met.value is None else self.due.value - self.met.value


def _default(page: Page) -> Query:
    """The last twelve months, this one among them."""
    today = page.services.local_day(page.now)
    month = today.year * 12 + today.month - 1 - 11
    return Query(date(month // 12, month % 12 + 1, 1), today)


def _query(page: Page, typed: Typed) -> Query:
    """What the address asks for. Raises ImpossibleDate, ChoiceUnknown, ChoiceMissing, PeriodInvalid."""
    default = _default(page)
    organisation = None
    if typed.text("organisation_id"):
        try:
            organisation = uuid.UUID(typed.text("organisation_id"))
        except ValueError:
            raise ChoiceMissing(field="organisation_id") from None
    query = Query(
        optional_day(typed, "from") or default.first, optional_day(typed, "to") or default.last,
        optional_choice(typed, "by", Grouping) or Grouping.NONE, organisation, typed.ticked("exact"),
    )  # fmt: skip
    statistics.period_of(page.services, query, page.now)
    return query


def _address(query: Query) -> str:
    """The query as an address, the same for page, files and lists of cases."""
    asked = {"from": query.first.isoformat(), "to": query.last.isoformat(), "by": query.by.value}
    if query.organisation_id:
        asked["organisation_id"] = str(query.organisation_id)
    return urlencode(asked | ({"exact": "yes"} if query.exact else {}))


@router.get("/statistics")
def index(page: PageDep) -> Response:
    """The dashboard."""
    require(page.viewer, Permission.STATISTICS)
    page, query = asked_of(page, lambda typed: _query(page, typed), _default(page))
    table = statistics.read_statistics(
        page.session, page.services, page.viewer, query, monthly=BY_MONTH, now=page.now
    )  # fmt: skip
    months = read_months(page.session, page.viewer, table, now=page.now)
    totals = {row.figure.key: row for row in table.rows if row.part is None}
    may_due = page.may(Permission.CASE_READ)
    asked = Typed(dict(page.request.query_params)).values if page.problem else {}
    return render(
        page, "statistics/dashboard.html", table=table, query=query, address=_address(query),
        tiles=[totals[key] for key in TILES], months=months, month_names=_names(page, months),
        plot=_plot(page, months), routes=_parts(table, "reunited"), methods=_parts(table, "identified"),
        kept=_kept(table, totals),
        due=deadlines.count_due(page.session, page.viewer, DueQuery(), now=page.now) if may_due else None,
        organisations=list_organisations(page.session, page.viewer), groupings=list(Grouping),
        periods=_periods(page), asked=asked, unlisted=UNLISTED,
        title_of=lambda row: title(row, page.locale), definition_of=lambda row: definition(row, page.locale),
        part_of=lambda row: part_name(row, page.locale), group_of=lambda one: group_name(one, page.locale),
        listed=page.may(Permission.CASE_READ),
    )  # fmt: skip


def _parts(table: Table, key: str) -> list[Row]:
    """The parts of a figure, the largest first, hidden ones last."""
    rows = [row for row in table.rows if row.figure.key == key and row.part is not None]
    return sorted(rows, key=lambda row: -(row.total.value or 0))


def _kept(table: Table, totals: dict[str, Row]) -> list[Kept]:
    """All deadlines, then each kind, the most breached first."""
    met = {row.part: row.total for row in table.rows if row.figure.key == "clocks_met"}
    kinds = [
        Kept(ClockKind(row.part), row.total, met.get(row.part, Cell(0)))
        for row in table.rows
        if row.figure.key == "clocks_due" and row.part is not None
    ]
    kinds.sort(key=lambda one: -(one.late or 0))
    return [Kept(None, totals["clocks_due"].total, totals["clocks_met"].total), *kinds]


def _names(page: Page, months: Sequence[Months]) -> list[str]:
    return [
        format_skeleton("yMMM", one, locale=CALENDARS[page.locale]) for one in (months[0].firsts if months else ())
    ]  # fmt: skip


def _plot(page: Page, months: Sequence[Months]) -> Columns | None:
    if not months:
        return None
    labels = [f"{one.year % 100:02}/{one.month}" for one in months[0].firsts]
    return columns_of(labels, [one.cells for one in months])


def _periods(page: Page) -> list[tuple[str, date, date]]:
    """Periods that are asked for again and again: a msgid's key, first and last day."""
    today = page.services.local_day(page.now)
    this = today.replace(day=1)
    before = (this - timedelta(days=1)).replace(day=1)
    quarter = this.replace(month=(this.month - 1) // 3 * 3 + 1)
    return [
        ("month", this, today),
        ("last_month", before, this - timedelta(days=1)),
        ("quarter", quarter, today),
        ("year", today.replace(month=1, day=1), today),
        ("twelve", _default(page).first, today),
    ]


@router.get("/statistics/file")
def file(page: PageDep) -> Response:
    """The figures with their definitions, as CSV or XLSX; every download is on record."""
    query = _query(page, Typed(dict(page.request.query_params)))
    table = statistics.read_statistics(page.session, page.services, page.viewer, query, now=page.now)
    if page.request.query_params.get("format") == "csv":
        data, kind, media = as_csv(table, page.locale), "csv", "text/csv; charset=utf-8"
    else:
        data, kind = as_xlsx(table, page.locale), "xlsx"
        media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    name = f"statistics-{query.first.isoformat()}-{query.last.isoformat()}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=media, headers=headers)


@router.get("/statistics/cases")
def cases(page: PageDep) -> Response:
    """The cases behind one number, of the viewer's scope."""
    typed = Typed(dict(page.request.query_params))
    query, figure = _query(page, typed), typed.text("figure")
    found = statistics.list_figure_cases(
        page.session, page.services, page.viewer, figure, query, part=typed.optional("part"),
        group=page.request.query_params.get("group"), cursor=typed.optional("cursor"), limit=SHOWN, now=page.now,
    )  # fmt: skip
    said = next(one for one in statistics.definitions().figures if one.key == figure)
    row = Row(said, typed.optional("part"), (), Cell(None))
    return render(
        page, "statistics/cases.html", cases=found.items, next_cursor=found.next_cursor,
        first=not typed.text("cursor"), query=query, address=_address(query), brief_of=brief_of,
        title=title(row, page.locale), part=part_name(row, page.locale), definition=definition(row, page.locale),
    )  # fmt: skip
