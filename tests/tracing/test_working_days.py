"""Working days: the State Council's notices, arithmetic against counting by hand, files that cannot be right."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.working_days import CalendarInvalid, WorkingDays, calendar_of, read_years

CALENDAR = WorkingDays("tests")
DAYS = st.dates(date(2015, 1, 1), date(2026, 12, 31))
NOTICES: Mapping[int, tuple[str, str]] = {
    # 国务院办公厅关于部分节假日安排的通知 of these years: free weekdays, worked weekend days
    2024: (
        "0101 0212 0213 0214 0215 0216 0404 0405 0501 0502 0503 0610 0916 0917 1001 1002 1003 1004 1007",
        "0204 0218 0407 0428 0511 0914 0929 1012",
    ),
    2025: (
        "0101 0128 0129 0130 0131 0203 0204 0404 0501 0502 0505 0602 1001 1002 1003 1006 1007 1008",
        "0126 0208 0427 0928 1011",
    ),
    2026: (
        "0101 0102 0216 0217 0218 0219 0220 0223 0406 0501 0504 0505 0619 0925 1001 1002 1005 1006 1007",
        "0104 0214 0228 0509 0920 1010",
    ),
}


@pytest.mark.parametrize("year", list(NOTICES))
def test_the_years_are_those_of_the_notices(year: int) -> None:
    free, worked = ({date(year, int(text[:2]), int(text[2:])) for text in part.split()} for part in NOTICES[year])
    days = [date(year, 1, 1) + timedelta(days=one) for one in range(366 if year % 4 == 0 else 365)]
    assert {day for day in days if day.weekday() < 5 and not CALENDAR.is_working(day)} == free
    assert {day for day in days if day.weekday() >= 5 and CALENDAR.is_working(day)} == worked


def test_seven_working_days_over_the_spring_festival_of_2026() -> None:
    # 10, 11, 12, 13, the worked Saturday 14, then nine days off, 24, 25 February
    assert CALENDAR.add(date(2026, 2, 9), 7) == date(2026, 2, 25)


def test_a_year_whose_notice_is_not_known_says_so() -> None:
    assert all(CALENDAR.year(year).certain for year in range(2015, 2027))
    assert not CALENDAR.year(2030).certain
    assert not CALENDAR.certain(date(2026, 12, 20), date(2030, 1, 3))
    assert CALENDAR.certain(date(2025, 12, 20), date(2026, 1, 3))


@given(DAYS, st.integers(0, 40))
def test_adding_is_counting_one_by_one(day: date, count: int) -> None:
    later = CALENDAR.add(day, count)
    walked = [day + timedelta(days=one) for one in range(1, (later - day).days + 1)]
    assert sum(CALENDAR.is_working(one) for one in walked) == count == CALENDAR.between(day, later)
    assert count == 0 or CALENDAR.is_working(later)


@given(DAYS, st.integers(0, 20), st.integers(0, 20))
def test_adding_twice_is_adding_the_sum(day: date, first: int, second: int) -> None:
    assert CALENDAR.add(CALENDAR.add(day, first), second) == CALENDAR.add(day, first + second)


@given(DAYS)
def test_on_or_after_is_the_first_worked_day(day: date) -> None:
    found = CALENDAR.on_or_after(day)
    assert CALENDAR.is_working(found)
    assert not any(CALENDAR.is_working(day + timedelta(days=one)) for one in range((found - day).days))


def test_a_number_of_days_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        CALENDAR.add(date(2026, 3, 2), -1)


def written(folder: Path, years: object, **more: Any) -> Path:
    path = folder / "calendar-CN.json"
    path.write_text(json.dumps({"version": "own-1", "years": years, **more}), "utf-8")
    return path


def test_an_override_makes_a_year_known(tmp_path: Path) -> None:
    years = {"2030": {"source": "国办发明电", "days_off": ["2030-02-04", "2030-02-09"], "worked": ["2030-02-10"]}}
    calendar = calendar_of("0.1", (("CN-1", {}), read_years(written(tmp_path, years))))
    assert calendar.version == "holidays-0.1+own-1"
    assert calendar.year(2030).certain
    assert calendar.is_working(date(2030, 2, 10))
    assert not calendar.is_working(date(2030, 2, 4))
    assert calendar.is_working(date(2030, 10, 1)), "a year that is named replaces the package's whole year"


@pytest.mark.parametrize(
    ("years", "message"),
    [
        ({"2030": {"days_off": [], "worked": []}}, "no source"),
        ({"2030": {"source": "x", "days_off": ["2031-01-01"], "worked": []}}, "another year"),
        ({"2030": {"source": "x", "days_off": [], "worked": ["2030-02-04"]}}, "no Saturday or Sunday"),
        ({"2030": {"source": "x", "days_off": ["2030-02-30"], "worked": []}}, "not a calendar file"),
        ({"2030": {"source": "x", "days_off": []}}, "not a calendar file"),
        ([], "not a calendar file"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_the_entry(tmp_path: Path, years: object, message: str) -> None:
    with pytest.raises(CalendarInvalid, match=message):
        read_years(written(tmp_path, years))
