"""Tables as files: CSV for programs and spreadsheets, XLSX for people. No text of ours becomes a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from enum import StrEnum

import xlsxwriter

from tracing.spreadsheets import plain


class FileFormat(StrEnum):
    """Which file."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def attachment(name: str) -> dict[str, str]:
    """The headers of an answer that is a file of this (ASCII) name, kept by nobody on the way."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def csv_bytes(lines: Iterable[Sequence[str | float | int]]) -> bytes:
    """UTF-8 with a byte order mark, without which Excel reads Chinese wrongly."""
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerows(lines)
    return target.getvalue().encode("utf-8-sig")


def workbook(target: io.BytesIO) -> xlsxwriter.Workbook:
    """A workbook in memory that writes every text as text, whatever it begins with."""
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    return xlsxwriter.Workbook(target, options)


def list_file(kind: FileFormat, title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A list of texts under headings, as a file; `title` names the sheet."""
    if kind is FileFormat.CSV:
        return csv_bytes([[plain(text) for text in line] for line in (head, *rows)])
    target = io.BytesIO()
    book = workbook(target)
    bold, sheet = book.add_format({"bold": True, "bottom": 1}), book.add_worksheet(title[:31])
    for column, text in enumerate(head):
        sheet.write_string(0, column, text, bold)
    for row, line in enumerate(rows, start=1):
        for column, text in enumerate(line):
            sheet.write_string(row, column, text)
    sheet.set_column(0, len(head) - 1, 18)
    sheet.freeze_panes(1, 1)
    book.close()
    return target.getvalue()
