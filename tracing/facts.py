"""Facts (要素) as they are given, and the checks that they must pass before they are stored.

Everything wrong is reported at once, each with the field's path ("attributes.height") and the remedy. `confidence` is
that of the clue that a fact came of; None of a fact that came of none, or is given by hand.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
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
    ClueConfidence,
    Glasses,
    Handedness,
    KinRelation,
    Literacy,
    MarkKind,
    NameKind,
    PlaceKind,
    Sex,
)
from tracing.fact_errors import (
    AgeOutOfRange,
    DateInFuture,
    DateTooEarly,
    DuplicateFact,
    EmptyValue,
    HeightInMetres,
    HeightOutOfRange,
    ImpossibleDate,
    MarksContradict,
    NegativeUncertainty,
    PointIncomplete,
    TextTooLong,
    TooFewDigits,
    UnknownDivision,
    UnknownEthnicity,
    UnknownValue,
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
    confidence: ClueConfidence | None = None


@dataclass(frozen=True, slots=True)
class NameFact:
    """A name as written or heard."""

    text: str
    kind: NameKind
    basis: Basis
    source: str | None = None
    confidence: ClueConfidence | None = None


@dataclass(frozen=True, slots=True)
class PlaceFact:
    """A place that belongs to the person; `division` a GB/T 2260 code of 2, 4 or 6 digits."""

    division: str
    kind: PlaceKind
    basis: Basis
    source: str | None = None
    detail: str | None = None
    confidence: ClueConfidence | None = None


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
class KinFact:
    """A relative's name as written or heard."""

    text: str
    relation: KinRelation
    basis: Basis
    source: str | None = None
    confidence: ClueConfidence | None = None


@dataclass(frozen=True, slots=True)
class PhoneFact:
    """Digits of a telephone number that the person remembers or used; not the family's, which is sealed."""

    digits: str
    basis: Basis
    source: str | None = None
    confidence: ClueConfidence | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is said of one person. `no_marks`: somebody looked and found none, which is not the same as unknown."""

    attributes: tuple[AttributeFact, ...] = ()
    names: tuple[NameFact, ...] = ()
    places: tuple[PlaceFact, ...] = ()
    marks: tuple[MarkFact, ...] = ()
    no_marks: bool = False
    kin: tuple[KinFact, ...] = ()
    phones: tuple[PhoneFact, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is said at all, but for the absence of marks."""
        return any((self.attributes, self.names, self.places, self.marks, self.kin, self.phones))


PlaceOrMark = TypeVar("PlaceOrMark", PlaceFact, MarkFact)


class InvalidFacts(errors.Invalid):
    """Facts that cannot be right; `.problems` has one error a field."""

    slug = "invalid_facts"
    message = "Some values cannot be right. Each is named below; everything else is kept."

    def __init__(self, problems: tuple[errors.Invalid, ...]) -> None:
        super().__init__()
        self.problems = problems


LONGEST_LIFE_YEARS: Final = 120
_TEXT_LIMIT: Final = 2000
NAME_LIMIT: Final = 120
DETAIL_LIMIT: Final = 200
INSTITUTION_LIMIT: Final = 200
FEWEST_DIGITS: Final = 3
MOST_DIGITS: Final = 20


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


def check_point(latitude: float | None, longitude: float | None, *, field: str) -> None:
    """Raise PointIncomplete unless both are None or both in range (degrees of WGS-84)."""
    if latitude is None or longitude is None:
        right = latitude is longitude
    else:
        right = -90 <= latitude <= 90 and -180 <= longitude <= 180
    if not right:
        raise PointIncomplete(field=field)


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


def _one_of(members: type[StrEnum]) -> Callable[[str, date, str], str]:
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


def _short_text(value: str, today: date, field: str) -> str:
    if len(value) > INSTITUTION_LIMIT:
        raise TextTooLong(field=field, limit=INSTITUTION_LIMIT)
    return value


def _digits(text: str, field: str) -> str:
    """The digits, whatever signs people write between them."""
    written = unicodedata.normalize("NFKC", _trimmed(text))
    digits = "".join(sign for sign in written if sign not in " -+()./")
    if not (digits.isascii() and digits.isdecimal() and FEWEST_DIGITS <= len(digits) <= MOST_DIGITS):
        raise TooFewDigits(field=field)
    return digits


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
        AttributeKind.HANDEDNESS: _one_of(Handedness),
        AttributeKind.GLASSES: _one_of(Glasses),
        AttributeKind.LITERACY: _one_of(Literacy),
        AttributeKind.OCCUPATION: _short_text,
        AttributeKind.SCHOOL: _short_text,
        AttributeKind.EMPLOYER: _short_text,
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
    return replace(fact, value=value, source=source, as_of=as_of)


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


def check_optional_text(text: str | None, *, field: str, limit: int = DETAIL_LIMIT) -> str | None:
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
            text = check_text(name.text, limit=NAME_LIMIT, field=f"names.{position}.text")
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
    kin: list[KinFact] = []
    for position, relative in enumerate(facts.kin):
        with collecting(problems):
            text = check_text(relative.text, limit=NAME_LIMIT, field=f"kin.{position}.text")
            source = check_optional_text(relative.source, field=f"kin.{position}.source")
            kin.append(replace(relative, text=text, source=source))
    phones: list[PhoneFact] = []
    for position, phone in enumerate(facts.phones):
        with collecting(problems):
            digits = _digits(phone.digits, f"phones.{position}.digits")
            source = check_optional_text(phone.source, field=f"phones.{position}.source")
            phones.append(replace(phone, digits=digits, source=source))
    if facts.marks and facts.no_marks:
        problems.append(MarksContradict(field="no_marks"))
    if problems:
        raise InvalidFacts(tuple(problems))
    return Facts(
        tuple(attributes), tuple(names), tuple(places), tuple(marks), facts.no_marks, tuple(kin), tuple(phones)
    )


def _with_checked_texts(fact: PlaceOrMark, field: str) -> PlaceOrMark:
    source = check_optional_text(fact.source, field=f"{field}.source")
    return replace(fact, source=source, detail=check_optional_text(fact.detail, field=f"{field}.detail"))
