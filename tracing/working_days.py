"""Working days (工作日) in China: weekends, public holidays, and the make-up days worked for them.

From the package `holidays`, which agrees with the State Council's notices of 2015 to 2026. For a year whose notice it
does not know it has the statutory days alone and no make-up days: such a year is *uncertain*, says so, and can be
written into an override file. Pure: days in, days out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from holidays.countries.china import China

FIRST_YEAR = 2015
"""Earlier years were not compared with the notices."""
SATURDAY = 5


class CalendarInvalid(ValueError):
    """A calendar file that cannot be right; the text names the entry."""


@dataclass(frozen=True, slots=True)
class Year:
    """One year: weekdays that are free, Saturdays and Sundays that are worked, and whether its notice is known."""

    days_off: frozenset[date]
    worked: frozenset[date]
    certain: bool


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The calendar. `version` names package and override, so that what was computed with another can be found."""

    version: str
    years: Mapping[int, Year] = field(default_factory=dict)

    def year(self, number: int) -> Year:
        """A year: the override's, else the package's."""
        return self.years.get(number) or _packaged(number)

    def is_working(self, day: date) -> bool:
        """Whether people work on that day."""
        year = self.year(day.year)
        if day.weekday() >= SATURDAY:
            return day in year.worked
        return day not in year.days_off

    def certain(self, first: date, last: date) -> bool:
        """Whether the notices of every year from `first` to `last` are known."""
        return all(self.year(number).certain for number in range(first.year, last.year + 1))

    def add(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`, which does not count itself; `day` for 0. ValueError below 0."""
        if count < 0:
            raise ValueError("a number of working days is zero or more")
        while count:
            day += timedelta(days=1)
            count -= self.is_working(day)
        return day

    def between(self, first: date, last: date) -> int:
        """Working days after `first` up to and with `last`; 0 when `last` is not later."""
        return sum(self.is_working(first + timedelta(days=one)) for one in range(1, (last - first).days + 1))

    def on_or_after(self, day: date) -> date:
        """The day itself if it is worked, else the next one that is."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day


@cache
def _packaged(number: int) -> Year:
    calendar = China(years=number)  # type: ignore[no-untyped-call]
    worked = frozenset(day for day in calendar.weekend_workdays if day.year == number)
    days_off = frozenset(day for day in calendar if day.year == number and day.weekday() < SATURDAY)
    return Year(days_off, worked, certain=number >= FIRST_YEAR and bool(worked))


def read_years(path: Path) -> tuple[str, dict[int, Year]]:
    """Version and years of an override file. Raises CalendarInvalid, naming the entry."""
    try:
        content = json.loads(path.read_text("utf-8"))
        version = str(content["version"])
        return version, {int(number): _year(int(number), year) for number, year in content["years"].items()}
    except CalendarInvalid:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CalendarInvalid(f"{path.name}: not a calendar file ({type(error).__name__}: {error})") from None


def _year(number: int, content: Mapping[str, Any]) -> Year:
    if not str(content.get("source", "")).strip():
        raise CalendarInvalid(f"{number}: no source; name the State Council's notice")
    days_off, worked = (frozenset(date.fromisoformat(day) for day in content[name]) for name in ("days_off", "worked"))
    for day in days_off | worked:
        if day.year != number:
            raise CalendarInvalid(f"{number}: {day} is of another year")
    for day in worked:
        if day.weekday() < SATURDAY:
            raise CalendarInvalid(f"{number}: {day} is no Saturday or Sunday, so it cannot be worked in exchange")
    return Year(frozenset(day for day in days_off if day.weekday() < SATURDAY), worked, certain=True)


def calendar_of(package_version: str, overrides: tuple[tuple[str, Mapping[int, Year]], ...]) -> WorkingDays:
    """The calendar of the package and these override files; a later one replaces an earlier one's years."""
    years: dict[int, Year] = {}
    for _version, found in overrides:
        years |= found
    version = "+".join((f"holidays-{package_version}", *(version for version, found in overrides if found)))
    return WorkingDays(version, MappingProxyType(years))
