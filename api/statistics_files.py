"""Statistics as files: CSV for programs and spreadsheets, XLSX for the meeting. No text of ours becomes a formula."""

import io
from collections.abc import Iterator

from api.files import csv_bytes, workbook
from api.messages import translate
from api.statistics_words import definition, group_name, part_name, title
from models.user import Locale
from tracing.spreadsheets import plain
from tracing.statistics import Cell, Row, Table

HIDDEN = "*"
Value = str | float | int


def _number(cell: Cell) -> Value:
    if cell.hidden:
        return HIDDEN
    if cell.value is None:
        return ""
    return int(cell.value) if cell.value == int(cell.value) else cell.value


def _lines(table: Table, locale: Locale) -> Iterator[list[Value]]:
    def text(msgid: str) -> str:
        return translate(locale, msgid)

    groups = [plain(group_name(one, locale)) for one in table.groups]
    yield [text("Figure"), text("Of which"), *groups, text("Total"), text("What it counts")]
    for row in table.rows:
        yield [
            plain(title(row, locale)),
            plain(part_name(row, locale) or ""),
            *(_number(cell) for cell in (*row.cells, row.total)),
            _said(row, locale),
        ]


def _said(row: Row, locale: Locale) -> str:
    return plain(definition(row, locale)) if row.part is None else ""


def _head(table: Table, locale: Locale) -> list[str]:
    root = table.root.name_zh if locale is Locale.ZH else table.root.name_en
    hidden = "* = hidden: a count below {threshold}, or one that would tell such a count"
    if table.query.exact:
        hidden = "Small numbers are shown: not for publication."
    return [
        plain(root),
        f"{table.query.first.isoformat()} – {table.query.last.isoformat()}",
        translate(locale, hidden).format(threshold=table.definitions.threshold),
        table.definitions.version,
    ]


def as_csv(table: Table, locale: Locale) -> bytes:
    """The figures, then what they are of."""
    return csv_bytes([*_lines(table, locale), [], *([line] for line in _head(table, locale))])


def as_xlsx(table: Table, locale: Locale) -> bytes:
    """One sheet. Every text is written as text, whatever it begins with."""
    target = io.BytesIO()
    book = workbook(target)
    bold, wrap = book.add_format({"bold": True, "bottom": 1}), book.add_format({"text_wrap": True})
    sheet = book.add_worksheet(translate(locale, "Statistics"))
    head = _head(table, locale)
    for position, text in enumerate(head):
        sheet.write_string(position, 0, text)
    first = len(head) + 1
    for position, line in enumerate(_lines(table, locale)):
        for column, value in enumerate(line):
            style = bold if position == 0 else wrap if column == len(line) - 1 else None
            if isinstance(value, str):
                sheet.write_string(first + position, column, value, style)
            else:
                sheet.write_number(first + position, column, value, style)
    sheet.set_column(0, 1, 26)
    sheet.set_column(2, 2 + len(table.groups), 14)
    sheet.set_column(3 + len(table.groups), 3 + len(table.groups), 60)
    sheet.freeze_panes(first + 1, 2)
    book.close()
    return target.getvalue()
