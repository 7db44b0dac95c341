"""What was typed into a form, and reading it: texts, days, numbers, choices, places."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from api.web.errors import (
    ChoiceMissing,
    ChoiceUnknown,
    DayMissing,
    MomentExpected,
    NumberExpected,
    PlaceAmbiguous,
    PlaceUnknown,
)
from matcher import divisions
from tracing.fact_errors import ImpossibleDate
from tracing.facts import parse_day

E = TypeVar("E", bound=StrEnum)
FIELDS_MAX = 600
FILES_MAX = 12
_CODE = re.compile(r"(?:^|\D)(\d{6}|\d{4}|\d{2})\s*[)）]?$", re.ASCII)


@dataclass(frozen=True)
class Typed:
    """The values of a form by field name, as they were typed, and the files chosen.

    `every` holds all values of a field that was sent several times; `values` the last.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[UploadFile, ...]] = field(default_factory=dict)
    every: Mapping[str, list[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field without outer blanks; "" when it is empty or not there."""
        return self.values.get(name, "").strip()

    def optional(self, name: str) -> str | None:
        """A field without outer blanks, None when there is nothing in it."""
        return self.text(name) or None

    def several(self, name: str) -> list[str]:
        """All values of a field, as of boxes of one name."""
        return self.every.get(name, [])

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.text(name))


async def _typed(request: Request) -> Typed:
    """A coroutine, because Starlette reads forms in no other way."""
    form = await request.form(max_fields=FIELDS_MAX, max_files=FILES_MAX)
    values: dict[str, str] = {}
    every: dict[str, list[str]] = {}
    files: dict[str, tuple[UploadFile, ...]] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if value.filename:  # browsers send an empty part for a file field that was left alone
                files[name] = (*files.get(name, ()), value)
        else:
            # PostgreSQL keeps no NUL in text.
            values[name] = value.replace("\x00", "").replace("\r\n", "\n")
            every.setdefault(name, []).append(values[name])
    return Typed(values, files, every)


TypedDep = Annotated[Typed, Depends(_typed)]


def choice(typed: Typed, name: str, members: type[E]) -> E:
    """The chosen member. Raises ChoiceMissing, ChoiceUnknown."""
    found = optional_choice(typed, name, members)
    if found is None:
        raise ChoiceMissing(field=name)
    return found


def optional_choice(typed: Typed, name: str, members: type[E]) -> E | None:
    """The chosen member, None for none. Raises ChoiceUnknown."""
    text = typed.text(name)
    if not text:
        return None
    try:
        return members(text)
    except ValueError:
        raise ChoiceUnknown(field=name) from None


def members_named(values: Iterable[str], members: type[E]) -> frozenset[E]:
    """The members with these values; values that are none are left out, as in an address that somebody edited."""
    wanted = set(values)
    return frozenset(member for member in members if member.value in wanted)


def day(typed: Typed, name: str) -> date:
    """A day that must be there. Raises DayMissing, ImpossibleDate."""
    found = optional_day(typed, name)
    if found is None:
        raise DayMissing(field=name)
    return found


def optional_day(typed: Typed, name: str) -> date | None:
    """A day, or None. Raises ImpossibleDate."""
    text = typed.text(name).replace("/", "-").replace(".", "-")
    if not text:
        return None
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise ImpossibleDate(field=name)
    year, month, number = parts
    return parse_day(f"{year:0>4}-{month:0>2}-{number:0>2}", field=name)


def moment(typed: Typed, name: str, zone: ZoneInfo) -> datetime:
    """A day and time as people of that zone write it. Raises MomentExpected."""
    try:
        return datetime.fromisoformat(typed.text(name)).replace(tzinfo=zone)
    except ValueError:
        raise MomentExpected(field=name) from None


def optional_number(typed: Typed, name: str) -> float | None:
    """A number, or None. Raises NumberExpected."""
    text = typed.text(name)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        raise NumberExpected(field=name) from None
    if number != number or abs(number) > 1e6:  # NaN, or nothing that is measured on a person
        raise NumberExpected(field=name)
    return number


def optional_place(typed: Typed, name: str) -> str | None:
    """The division code behind what was typed: a code, a name, or a line of the picker ("广西 钦州市 4507").

    Raises PlaceUnknown, PlaceAmbiguous.
    """
    text = typed.text(name)
    if not text:
        return None
    code = _CODE.search(text)
    if code:
        return divisions.normalise(code.group(1))
    *above, own = text.split()
    found = divisions.find(own, 60)
    exact = [one for one in found if own == one.name or own.lower() == _bare(one.name)] or found
    fitting = [one.code for one in exact if all(part in divisions.full_name(one.code) for part in above)]
    if not fitting:
        raise PlaceUnknown(field=name)
    if len(fitting) > 1:
        raise PlaceAmbiguous(field=name, choices=[place_text(one) for one in fitting[:5]])
    return fitting[0]


def _bare(name: str) -> str:
    """A division's name as people say it: 钦州 for 钦州市."""
    return name[:-1] if len(name) > 2 and name[-1] in "省市县区" else name


def place_text(code: str) -> str:
    """A division as the picker offers it and forms take it: full name and code."""
    if not divisions.exists(code):
        return code  # abolished since: the code still says something
    return f"{divisions.full_name(code)} {divisions.normalise(code)}"
