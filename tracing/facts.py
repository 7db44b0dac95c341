"""Facts (要素) as they are given, and the checks that they must pass before they are stored.

Everything wrong is reported at once, each with the field's path ("attributes.height") and the remedy.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final, TypeVar

from matcher import divisions, ethnicities
from matcher.vocabulary import (
    AttributeKind,
    Basis,
    BloodGroup,
    BodyRegion,
    BodySide,
    Build,
    MarkKind,
    NameKind,
    PlaceKind,
    Sex,
)
from tracing.platform import errors


@dataclass(frozen=True, slots=True)
class AttributeFact:
    """A single-valued fact; `value` in the form that `AttributeKind` states, `uncertainty` in the value's unit."""

    kind: AttributeKind
    value: str
    basis: Basis
    source: str | None = None
    as_of: date | None = None
    uncertainty: float | None = None


@dataclass(frozen=True, slots=True)
class NameFact:
    """A name as written or heard."""

    text: str
    kind: NameKind
    basis: Basis
    source: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceFact:
    """A place that belongs to the person; `division` a GB/T 2260 code of 2, 4 or 6 digits."""

    division: str
    kind: PlaceKind
    basis: Basis
    source: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class MarkFact:
    """A bodily mark."""

    kind: MarkKind
    region: BodyRegion
    basis: Basis
    side: BodySide | None = None
    source: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is said of one person. `no_marks`: somebody looked and found none, which is not the same as unknown."""

    attributes: tuple[AttributeFact, ...] = ()
    names: tuple[NameFact, ...] = ()
    places: tuple[PlaceFact, ...] = ()
    marks: tuple[MarkFact, ...] = ()
    no_marks: bool = False


PlaceOrMark = TypeVar("PlaceOrMark", PlaceFact, MarkFact)


class InvalidFacts(errors.Invalid):
    """Facts that cannot be right; `.problems` has one error a field."""

    slug = "invalid_facts"
    message = "Some values cannot be right. Each is named below; everything else is kept."

    def __init__(self, problems: tuple[errors.Invalid, ...]) -> None:
        super().__init__()
        self.problems = problems


class HeightInMetres(errors.Invalid):
    """A height that was evidently given in metres."""

    slug = "height_in_metres"
    message = "Height is given in centimetres: write {suggestion} instead of {given}."


class HeightOutOfRange(errors.Invalid):
    """A height that no person has."""

    slug = "height_out_of_range"
    message = "A height is a number of centimetres from 30 to 250."


class AgeOutOfRange(errors.Invalid):
    """An age that no person has."""

    slug = "age_out_of_range"
    message = "An age is a number of years from 0 to 120."


class ImpossibleDate(errors.Invalid):
    """Not a day of the calendar."""

    slug = "impossible_date"
    message = "There is no such day. Write year-month-day, for example 1962-03-15, or leave it empty if unknown."


class DateInFuture(errors.Invalid):
    """A day that has not come yet."""

    slug = "date_in_future"
    message = "This day has not come yet. Check the year, month and day."


class DateTooEarly(errors.Invalid):
    """A day too long ago for a living person."""

    slug = "date_too_early"
    message = "This day is more than 120 years ago. Check the year."


class UnknownDivision(errors.Invalid):
    """A division code that GB/T 2260 does not have."""

    slug = "unknown_division"
    message = "No division has this code. Choose one from the list, or leave it empty if unknown."


class UnknownEthnicity(errors.Invalid):
    """An ethnic group's code that GB/T 3304 does not have."""

    slug = "unknown_ethnicity"
    message = "No ethnic group has this code. Choose one from the list, or leave it empty if unknown."


class UnknownValue(errors.Invalid):
    """A value outside its list."""

    slug = "unknown_value"
    message = "Choose one of the listed values, or leave it empty if unknown."


class EmptyValue(errors.Invalid):
    """A fact without a value."""

    slug = "empty_value"
    message = "Write a value, or leave the whole entry out if it is unknown."


class TextTooLong(errors.Invalid):
    """More text than the field holds."""

    slug = "text_too_long"
    message = "At most {limit} characters fit here."


class NegativeUncertainty(errors.Invalid):
    """An uncertainty below zero."""

    slug = "negative_uncertainty"
    message = "An uncertainty is zero or more, in the unit of the value."


class DuplicateFact(errors.Invalid):
    """Two values for a fact that has one."""

    slug = "duplicate_fact"
    message = "This is given twice. Keep the value that is better known."


class MarksContradict(errors.Invalid):
    """Marks are listed and "no marks" is ticked."""

    slug = "marks_contradict"
    message = "Marks are listed although “no marks” is chosen. Remove one of the two."


LONGEST_LIFE_YEARS: Final = 120
_TEXT_LIMIT: Final = 2000
_NAME_LIMIT: Final = 120
_DETAIL_LIMIT: Final = 200


def check_day(day: date | None, *, today: date, field: str) -> None:
    """Raise DateInFuture or DateTooEarly. One day of grace: the station's clock and the server's may differ."""
    if day is None:
        return
    if day > today + timedelta(days=1):
        raise DateInFuture(field=field)
    if day.year < today.year - LONGEST_LIFE_YEARS:
        raise DateTooEarly(field=field)


def check_division(code: str | None, *, field: str) -> None:
    """Raise UnknownDivision unless the code is None or in the table."""
    if code is not None and not (len(code) <= 6 and code.isdecimal() and divisions.exists(code)):
        raise UnknownDivision(field=field)


def parse_day(text: str, *, field: str) -> date:
    """An ISO 8601 date; raises ImpossibleDate."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ImpossibleDate(field=field) from error


def _height(value: str, today: date, field: str) -> str:
    try:
        height = float(value)
    except ValueError as error:
        raise HeightOutOfRange(field=field) from error
    if 0.3 <= height <= 2.5:
        raise HeightInMetres(field=field, given=value, suggestion=f"{height * 100:.0f}")
    if not 30 <= height <= 250:
        raise HeightOutOfRange(field=field)
    return f"{height:g}"


def _age(value: str, today: date, field: str) -> str:
    try:
        age = float(value)
    except ValueError as error:
        raise AgeOutOfRange(field=field) from error
    if not 0 <= age <= LONGEST_LIFE_YEARS:
        raise AgeOutOfRange(field=field)
    return f"{age:g}"


def _birth_date(value: str, today: date, field: str) -> str:
    day = parse_day(value, field=field)
    check_day(day, today=today, field=field)
    return day.isoformat()


def _ethnicity(value: str, today: date, field: str) -> str:
    if not ethnicities.exists(value):
        raise UnknownEthnicity(field=field)
    return value


def _division(value: str, today: date, field: str) -> str:
    check_division(value, field=field)
    return value


def _one_of(members: type[Sex] | type[Build] | type[BloodGroup]) -> Callable[[str, date, str], str]:
    def check(value: str, today: date, field: str) -> str:
        try:
            return members(value).value
        except ValueError as error:
            raise UnknownValue(field=field) from error

    return check


def _text(value: str, today: date, field: str) -> str:
    if len(value) > _TEXT_LIMIT:
        raise TextTooLong(field=field, limit=_TEXT_LIMIT)
    return value


_CHECKS: Mapping[AttributeKind, Callable[[str, date, str], str]] = MappingProxyType(
    {
        AttributeKind.SEX: _one_of(Sex),
        AttributeKind.AGE: _age,
        AttributeKind.BIRTH_DATE: _birth_date,
        AttributeKind.HEIGHT: _height,
        AttributeKind.BUILD: _one_of(Build),
        AttributeKind.ETHNICITY: _ethnicity,
        AttributeKind.BLOOD_GROUP: _one_of(BloodGroup),
        AttributeKind.ACCENT: _division,
    }
)


def _check_attribute(fact: AttributeFact, today: date, field: str) -> AttributeFact:
    value = _trimmed(fact.value)
    if not value:
        raise EmptyValue(field=field)
    value = _CHECKS.get(fact.kind, _text)(value, today, field)
    if fact.uncertainty is not None and not fact.uncertainty >= 0:
        raise NegativeUncertainty(field=field)
    check_day(fact.as_of, today=today, field=f"{field}.as_of")
    source = check_optional_text(fact.source, field=f"{field}.source")
    # An age without a day is worth nothing a year later: it holds for the day it was recorded.
    as_of = fact.as_of or (today if fact.kind is AttributeKind.AGE else None)
    return AttributeFact(fact.kind, value, fact.basis, source, as_of, fact.uncertainty)


def check_text(text: str, *, limit: int, field: str) -> str:
    """The text without outer blanks; raises EmptyValue or TextTooLong."""
    text = _trimmed(text)
    if not text:
        raise EmptyValue(field=field)
    if len(text) > limit:
        raise TextTooLong(field=field, limit=limit)
    return text


def _trimmed(text: str) -> str:
    # PostgreSQL refuses NUL in a text, which some old programs paste at the end of one.
    return text.replace("\0", "").strip()


def check_optional_text(text: str | None, *, field: str, limit: int = _DETAIL_LIMIT) -> str | None:
    """The text without outer blanks, or None when there is none; raises TextTooLong."""
    return check_text(text, limit=limit, field=field) if text and _trimmed(text) else None


@contextmanager
def collecting(problems: list[errors.Invalid]) -> Iterator[None]:
    """Append what the block finds wrong to `problems` and go on, so that everything wrong is told at once."""
    try:
        yield
    except InvalidFacts as error:
        problems.extend(error.problems)
    except errors.Invalid as error:
        problems.append(error)


def check_facts(facts: Facts, *, today: date) -> Facts:
    """The facts with their values in canonical form; raises InvalidFacts naming every field that cannot be right."""
    problems: list[errors.Invalid] = []
    attributes: list[AttributeFact] = []
    seen: set[AttributeKind] = set()
    for fact in facts.attributes:
        field = f"attributes.{fact.kind.value}"
        with collecting(problems):
            if fact.kind in seen:
                raise DuplicateFact(field=field)
            seen.add(fact.kind)
            attributes.append(_check_attribute(fact, today, field))
    names: list[NameFact] = []
    for position, name in enumerate(facts.names):
        with collecting(problems):
            text = check_text(name.text, limit=_NAME_LIMIT, field=f"names.{position}.text")
            source = check_optional_text(name.source, field=f"names.{position}.source")
            names.append(replace(name, text=text, source=source))
    places: list[PlaceFact] = []
    for position, place in enumerate(facts.places):
        with collecting(problems):
            check_division(place.division, field=f"places.{position}.division")
            places.append(_with_checked_texts(place, f"places.{position}"))
    marks: list[MarkFact] = []
    for position, mark in enumerate(facts.marks):
        with collecting(problems):
            marks.append(_with_checked_texts(mark, f"marks.{position}"))
    if facts.marks and facts.no_marks:
        problems.append(MarksContradict(field="no_marks"))
    if problems:
        raise InvalidFacts(tuple(problems))
    return Facts(tuple(attributes), tuple(names), tuple(places), tuple(marks), facts.no_marks)


def _with_checked_texts(fact: PlaceOrMark, field: str) -> PlaceOrMark:
    source = check_optional_text(fact.source, field=f"{field}.source")
    return replace(fact, source=source, detail=check_optional_text(fact.detail, field=f"{field}.detail"))
