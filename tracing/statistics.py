"""Statistics (联席会议数据): figures of a period by organisation or division, small ones hidden, with their cases."""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import ColumnElement, Date, Select, String, case, cast, func, literal, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.types import NullType

from models.case import Case
from models.organisation import Organisation
from tracing import access
from tracing.access import Permission, Viewer
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.profiles import with_profile
from tracing.services import Services
from tracing.statistics_figures import FIGURES, Period
from tracing.statistics_suppression import hidden_cells
from tracing.trail import note

DEFINITIONS = Path(__file__).parent / "policies" / "statistics-1.json"
ID_LENGTH = 36
LONGEST_YEARS = 10
MEDIAN_OF = "identified"  # the figure that counts what the medians are of

Measured = Mapping[tuple[str | None, str | None], tuple[float, int]]
"""(group, None for all; part, None for all) → the number, and how many rows it rests on."""
Month = tuple[date, date]
"""Its first and last day."""


class PeriodInvalid(errors.Invalid):
    """A period that ends before it begins, or is endless."""

    slug = "period_invalid"
    message = "The period ends on or after the day it begins, and spans at most {years} years."


class Grouping(StrEnum):
    """What the columns of a table are."""

    NONE = "none"
    ORGANISATION = "organisation"  # those directly below, each with its subtree
    DIVISION = "division"


class Definition(BaseModel):
    """The words of a figure, and how its rows become a number. `of_people` False: small numbers tell of nobody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    measure: Literal["count", "median"]
    title_zh: str = Field(min_length=1)
    title_en: str = Field(min_length=1)
    definition_zh: str = Field(min_length=1)
    definition_en: str = Field(min_length=1)
    of_people: bool = True


class Definitions(BaseModel):
    """The figures in the order of the table, and the count from which on a number is shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    source: str
    threshold: int = Field(ge=2)
    threshold_source: str
    figures: tuple[Definition, ...]

    @model_validator(mode="after")
    def _the_same(self) -> Self:
        if [one.key for one in self.figures] != list(dict.fromkeys(one.key for one in self.figures)) or {
            one.key for one in self.figures
        } != set(FIGURES):
            raise ValueError("every figure of FIGURES is defined once, and no other")
        return self


@cache
def definitions() -> Definitions:
    """The packaged definitions."""
    return Definitions.model_validate_json(DEFINITIONS.read_bytes())


def read_definitions(viewer: Viewer) -> Definitions:
    """What each figure counts. Raises Forbidden."""
    access.require(viewer, Permission.STATISTICS)
    return definitions()


@dataclass(frozen=True, slots=True)
class Query:
    """What a table is asked for. `exact`: small numbers shown, to those who may see the cases themselves."""

    first: date
    last: date
    by: Grouping = Grouping.NONE
    organisation_id: uuid.UUID | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A column: key (an organisation's id, "" for the asked one's own, or a division's code) and names."""

    key: str
    organisation: Organisation | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A number, or none: `hidden` says that there is one."""

    value: float | None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a figure, or one part of it."""

    figure: Definition
    part: str | None
    cells: tuple[Cell, ...]
    total: Cell


@dataclass(frozen=True, slots=True)
class Table:
    """All figures of a period. `cells` of the rows are in the order of `groups`.

    `monthly`: of the figures that were asked for by month, how many fall into each of `months`; nothing of it is hidden
    yet (`statistics_months` does).
    """

    query: Query
    root: Organisation
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]
    definitions: Definitions
    months: tuple[Month, ...]
    monthly: Mapping[str, tuple[int, ...]] = field(repr=False)


def period_of(services: Services, query: Query, now: datetime) -> Period:
    """The period that is asked for. Raises PeriodInvalid."""
    if not query.first <= query.last or query.last.year - query.first.year > LONGEST_YEARS:
        raise PeriodInvalid(field="to", years=LONGEST_YEARS)
    return Period(query.first, query.last, services.settings.zone, now)


def _root(session: Session, viewer: Viewer, organisation_id: uuid.UUID | None) -> Organisation:
    own = Organisation.path == viewer.jurisdiction
    wanted = own if organisation_id is None else Organisation.id == organisation_id
    root: Organisation = access.find(session, select(Organisation).where(wanted, access.organisation_scope(viewer)))
    return root


def months_of(query: Query) -> tuple[Month, ...]:
    """First and last day of each month of the period, cut at its ends."""
    found, first = [], query.first
    while first <= query.last:
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        found.append((first, min(following - timedelta(days=1), query.last)))
        first = following
    return tuple(found)


def read_statistics(
    session: Session, services: Services, viewer: Viewer, query: Query, *, monthly: Collection[str] = (), now: datetime
) -> Table:
    """Every figure of the period over an organisation's subtree; logged. Raises Forbidden, NotFound, PeriodInvalid.

    `monthly`: figures to be counted by month too; ValueError for one that no single day or moment puts into a month.
    """
    access.require(viewer, Permission.STATISTICS)
    if query.exact:
        access.require(viewer, Permission.CASE_READ)
    period, root = period_of(services, query, now), _root(session, viewer, query.organisation_id)
    said = definitions()
    months = months_of(query)
    found: dict[str, Measured] = {}
    by_month: dict[str, tuple[int, ...]] = {}
    for one in said.figures:
        if one.measure == "median":
            found[one.key] = _medians(session, one, period, root, query.by)
        else:
            found[one.key], counts = _counts(session, one, period, root, query.by, months if one.key in monthly else ())
            if counts:
                by_month[one.key] = counts
    groups = _groups(session, root, query.by, {key for measured in found.values() for key, _ in measured if key})
    rows = [
        row
        for one in said.figures
        for row in _rows(one, found[one.key], groups, said.threshold, query.exact or not one.of_people)
    ]
    counted = next(row for row in rows if row.figure.key == MEDIAN_OF and row.part is None)
    rows = [hidden_with(row, counted) if row.figure.measure == "median" else row for row in rows]
    note(
        session, viewer, "statistics.read", "organisation", root.id, at=now,
        by=query.by.value, exact=query.exact, days=(query.last - query.first).days + 1,
    )  # fmt: skip
    return Table(query, root, groups, tuple(rows), said, months, MappingProxyType(by_month))


def _key(root: Organisation, by: Grouping) -> ColumnElement[str]:
    if by is Grouping.DIVISION:
        return Organisation.division.expression
    return func.substr(Organisation.path, len(root.path) + 1, ID_LENGTH)


def counted(period: Period, key: str, root: Organisation, by: Grouping) -> Select[Any]:
    """The rows that a figure counts below an organisation, each with the key of its column."""
    rows = FIGURES[key](period).subquery()
    return (
        select(
            rows.c.item_id,
            rows.c.case_id,
            cast(rows.c.part, String).label("part"),
            rows.c.days,
            rows.c.on,
            _key(root, by).label("group_key"),
        )
        .join(Organisation, Organisation.id == rows.c.organisation_id)
        .where(Organisation.path.startswith(root.path, autoescape=True))
    )


def _counts(
    session: Session, one: Definition, period: Period, root: Organisation, by: Grouping, months: Sequence[Month]
) -> tuple[Measured, tuple[int, ...]]:
    """How many there are by group and part, and in each of the months."""
    rows = counted(period, one.key, root, by).subquery()
    key = literal(None, String) if by is Grouping.NONE else rows.c.group_key
    at = _month_at(rows.c.on, period, months) if months else literal(0)
    found: Counter[tuple[str | None, str | None]] = Counter()
    by_month = [0] * len(months)
    for group, part, month, number in session.execute(
        select(key.label("g"), rows.c.part.label("p"), at.label("m"), func.count()).group_by("g", "p", "m")
    ):
        for place in {(None, None), (group, None), (None, part), (group, part)}:
            found[place] += number
        if months:
            by_month[month] += number
    return MappingProxyType({place: (number, number) for place, number in found.items()}), tuple(by_month)


def _month_at(on: ColumnElement[Any], period: Period, months: Sequence[Month]) -> ColumnElement[int]:
    """Which of the months a day or moment of the period lies in, counted from 0."""
    if isinstance(on.type, NullType):
        raise ValueError("no single day or moment puts this into a month")
    ends = [replace(period, first=first, last=last).end for first, last in months]
    of_days = isinstance(on.type, Date)
    return case(*((on < (end.date() if of_days else end), at) for at, end in enumerate(ends)))


def _medians(session: Session, one: Definition, period: Period, root: Organisation, by: Grouping) -> Measured:
    rows = counted(period, one.key, root, by).subquery()
    none = literal(None, String)
    groups: list[Any] = [none] if by is Grouping.NONE else [none, rows.c.group_key]
    found = [row for group in groups for row in session.execute(_median(rows, group))]
    return MappingProxyType({(key, None): (value, count) for key, value, count in found})


def _median(rows: Any, group: Any) -> Select[Any]:
    ranked = select(
        group.label("g"),
        rows.c.days,
        func.row_number().over(partition_by=group, order_by=rows.c.days).label("place"),
        func.count().over(partition_by=group).label("n"),
    ).subquery()
    middle = (2 * ranked.c.place >= ranked.c.n) & (2 * ranked.c.place <= ranked.c.n + 2)
    return select(ranked.c.g, func.avg(ranked.c.days), func.max(ranked.c.n)).where(middle).group_by(ranked.c.g)


def _groups(session: Session, root: Organisation, by: Grouping, used: set[str]) -> tuple[Group, ...]:
    if by is Grouping.NONE:
        return ()
    if by is Grouping.DIVISION:
        return tuple(Group(code) for code in sorted(used))
    below = session.scalars(
        select(Organisation).where(Organisation.parent_id == root.id).order_by(Organisation.division, Organisation.path)
    ).all()
    return (Group("", root), *(Group(str(one.id), one) for one in below))


def _rows(one: Definition, measured: Measured, groups: tuple[Group, ...], threshold: int, exact: bool) -> list[Row]:
    keys: list[str | None] = [*(group.key for group in groups), None]
    if one.measure == "median":
        cells = [_middle(measured.get((key, None)), 1 if exact else threshold) for key in keys]
        return [Row(one, None, tuple(cells[:-1]), cells[-1])]
    parts: list[str | None] = [*sorted({part for _, part in measured if part is not None}), None]
    table = [[int(measured.get((key, part), (0, 0))[0]) for key in keys] for part in parts]
    hidden = frozenset[tuple[int, int]]() if exact else hidden_cells(table, threshold)
    rows = []
    for position in (len(parts) - 1, *range(len(parts) - 1)):  # the figure itself before its parts
        found = [
            Cell(None, hidden=True) if (position, column) in hidden else Cell(table[position][column])
            for column in range(len(keys))
        ]
        rows.append(Row(one, parts[position], tuple(found[:-1]), found[-1]))
    return rows


def hidden_with(row: Row, counted: Row) -> Row:
    """A median without the cells whose count is hidden: few of them or not, it would tell of the hidden ones."""

    def cell(own: Cell, count: Cell) -> Cell:
        return Cell(None, hidden=True) if count.hidden else own

    cells = tuple(cell(*pair) for pair in zip(row.cells, counted.cells, strict=True))
    return replace(row, cells=cells, total=cell(row.total, counted.total))


def _middle(found: tuple[float, int] | None, fewest: int) -> Cell:
    if found is None:
        return Cell(None)
    value, count = found
    return Cell(None, hidden=True) if count < fewest else Cell(round(value, 1))


def list_figure_cases(
    session: Session,
    services: Services,
    viewer: Viewer,
    figure: str,
    query: Query,
    *,
    part: str | None = None,
    group: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[Case]:
    """The cases behind a figure (or one part or column of it), for those who may see them; logged.

    Raises Forbidden, NotFound (also for a figure that there is not), PeriodInvalid.
    """
    access.require(viewer, Permission.STATISTICS)
    access.require(viewer, Permission.CASE_READ)
    if figure not in FIGURES:
        raise errors.NotFound()
    period, root = period_of(services, query, now), _root(session, viewer, query.organisation_id)
    rows = counted(period, figure, root, query.by).subquery()
    wanted = select(rows.c.case_id)
    if part is not None:
        wanted = wanted.where(rows.c.part == part)
    if group is not None:
        wanted = wanted.where(rows.c.group_key == group)
    statement = (
        select(Case)
        .where(Case.id.in_(wanted), access.case_scope(viewer))
        .options(joinedload(Case.organisation), *with_profile(Case.profile))
    )
    page = page_of(session, statement, Case.created_at, Case.id, cursor=cursor, limit=limit)
    note(session, viewer, "statistics.cases", "organisation", root.id, at=now, count=len(page.items))
    return page
