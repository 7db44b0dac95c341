"""Statistics as files: hidden stays hidden, nothing becomes a formula, Excel reads the Chinese."""

import csv
import io
import uuid
import zipfile
from datetime import UTC, date, datetime

import pytest

from api.statistics_files import HIDDEN, as_csv, as_xlsx
from models.organisation import Organisation, OrganisationKind
from models.user import Locale
from tracing.spreadsheets import plain
from tracing.statistics import Cell, Group, Grouping, Query, Row, Table, definitions


def organisation(name: str) -> Organisation:
    return Organisation(
        id=uuid.uuid4(), path="/x/", kind=OrganisationKind.STATION, name_zh=name, name_en=name, division="450702",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


@pytest.fixture
def table() -> Table:
    said = definitions()
    root, evil = organisation("钦州市区域性中心"), organisation('=HYPERLINK("http://example.org","x")')
    by_key = {one.key: one for one in said.figures}
    return Table(
        Query(date(2026, 1, 1), date(2026, 3, 31), Grouping.ORGANISATION),
        root,
        (Group("", root), Group(str(evil.id), evil)),
        (
            Row(by_key["people_helped"], None, (Cell(12), Cell(7)), Cell(19)),
            Row(by_key["identified"], None, (Cell(None, hidden=True), Cell(None, hidden=True)), Cell(9)),
            Row(by_key["identified"], "dna", (Cell(None, hidden=True), Cell(0)), Cell(None, hidden=True)),
            Row(by_key["days_to_identity"], None, (Cell(3.5), Cell(None)), Cell(4)),
        ),
        said,
        (),
        {},
    )


def test_csv(table: Table) -> None:
    data = as_csv(table, Locale.ZH)
    assert data.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert lines[0] == [
        "指标", "其中", "钦州市区域性中心（本级）", '\'=HYPERLINK("http://example.org","x")', "合计", "统计口径",
    ]  # fmt: skip
    assert lines[1][:5] == ["救助人次", "", "12", "7", "19"]
    assert lines[2][2:5] == [HIDDEN, HIDDEN, "9"]
    assert lines[3][:5] == ["查明身份人次（按确认依据）", "DNA 比对", HIDDEN, "0", HIDDEN]
    assert lines[4][2:5] == ["3.5", "", "4"]
    assert any("小于5" in cell for line in lines for cell in line)


def test_xlsx(table: Table) -> None:
    with zipfile.ZipFile(io.BytesIO(as_xlsx(table, Locale.ZH))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        strings = book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet.lower()
    assert "救助人次" in strings
    assert "<v>12</v>" in sheet


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|x", "%0"])
def test_no_text_is_a_formula(text: str) -> None:
    assert plain(text) == f"'{text}"
    assert plain(f"x{text}") == f"x{text}"
