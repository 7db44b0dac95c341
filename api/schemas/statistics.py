"""Statistics over the wire."""

from datetime import date
from typing import Literal

from pydantic import Field

from api.schemas.base import Output
from api.statistics_words import group_name, part_name
from models.user import Locale
from tracing.statistics import Cell, Definition, Definitions, Group, Grouping, Row, Table


class DefinitionOut(Output):
    """What a figure counts, in words."""

    key: str
    measure: Literal["count", "median"]
    title_zh: str
    title_en: str
    definition_zh: str
    definition_en: str


class DefinitionsOut(Output):
    """All figures."""

    version: str
    source: str
    threshold: int = Field(description="Smaller counts are hidden.")
    threshold_source: str
    figures: tuple[DefinitionOut, ...]


class CellOut(Output):
    """A number; null and `hidden`: too small to be told; null alone: there is none."""

    value: float | None
    hidden: bool


class GroupOut(Output):
    """A column. `key` is what the list of cases takes as `group`."""

    key: str
    name: str


class RowOut(Output):
    """A figure, or a part of it."""

    figure: str
    part: str | None
    part_name: str | None
    cells: tuple[CellOut, ...]
    total: CellOut


class TableOut(Output):
    """The figures of a period. `cells` are in the order of `groups`."""

    first: date
    last: date
    by: Grouping
    exact: bool
    organisation: str
    groups: tuple[GroupOut, ...]
    rows: tuple[RowOut, ...]
    definitions: DefinitionsOut


def definitions_out(said: Definitions) -> DefinitionsOut:
    """As data."""
    return DefinitionsOut(
        version=said.version,
        source=said.source,
        threshold=said.threshold,
        threshold_source=said.threshold_source,
        figures=tuple(_definition(one) for one in said.figures),
    )


def _definition(one: Definition) -> DefinitionOut:
    return DefinitionOut(**one.model_dump())


def _cell(cell: Cell) -> CellOut:
    return CellOut(value=cell.value, hidden=cell.hidden)


def _row(row: Row, locale: Locale) -> RowOut:
    return RowOut(
        figure=row.figure.key,
        part=row.part,
        part_name=part_name(row, locale),
        cells=tuple(_cell(one) for one in row.cells),
        total=_cell(row.total),
    )


def _group(group: Group, locale: Locale) -> GroupOut:
    return GroupOut(key=group.key, name=group_name(group, locale))


def table_out(table: Table, locale: Locale) -> TableOut:
    """The table with its names in one language."""
    query = table.query
    return TableOut(
        first=query.first,
        last=query.last,
        by=query.by,
        exact=query.exact,
        organisation=table.root.name_zh if locale is Locale.ZH else table.root.name_en,
        groups=tuple(_group(one, locale) for one in table.groups),
        rows=tuple(_row(one, locale) for one in table.rows),
        definitions=definitions_out(table.definitions),
    )
