"""Searching the lists (检索): what somebody looks for among cases or reports, as conditions that an index answers.

Names are looked for under the keys that are stored with every record (`matcher.blocking`): by characters of the same
sound, by pinyin, by initials. Years of birth are such keys too, so that an age said years ago is today's.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import ColumnElement, Float, Select, case, cast, or_, select
from sqlalchemy.orm import Session

from matcher.blocking import year_key
from matcher.names.search import asked_keys
from matcher.vocabulary import AttributeKind, Build, GalleryKind, Sex
from models.blocking import BlockingKey
from models.case import Case
from models.profile import ProfileAttribute
from models.report import Report
from tracing.platform import errors

EXPORT_MOST = 5000
"""Records in one file: more are no list that anybody reads, and a copy that nobody should carry about."""
_K = AttributeKind
T = TypeVar("T")


class TooManyToExport(errors.Conflict):
    """More records than one file may hold."""

    slug = "too_many_to_export"
    message = "A file holds at most {limit} records. Narrow the filter, then export again."


@dataclass(frozen=True, slots=True)
class Range:
    """From `lowest` to `highest`, both included; None = no end."""

    lowest: float | None = None
    highest: float | None = None

    def __bool__(self) -> bool:
        return self.lowest is not None or self.highest is not None


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for in a list; None, or an empty range = anything.

    Attributes:
        text: a number or a part of one when it holds a digit, else a name, pinyin or initials.
        ethnicity: code of GB/T 3304.
        accent: division of the accent's region, or of any part of it.
        age: years, today.
        height: centimetres.
        division: where a case's person was found, a report's person last seen; a division or any part of it.
        since, until: days, both included: of the admission, or when the person was last seen.
    """

    text: str | None = None
    sex: Sex | None = None
    ethnicity: str | None = None
    accent: str | None = None
    build: Build | None = None
    age: Range = Range()
    height: Range = Range()
    division: str | None = None
    since: date | None = None
    until: date | None = None


ANYBODY = Sought()


def is_number(text: str) -> bool:
    """Whether a text is taken for a case's or report's number, which names nobody, rather than for a name."""
    return any(char.isdecimal() for char in text)


def conditions(table: type[Case] | type[Report], sought: Sought, today: date) -> list[ColumnElement[bool]]:
    """Conditions on a case's or report's row, which fulfils all of them."""
    return list(_conditions(table, sought, today))


def _conditions(table: type[Case] | type[Report], sought: Sought, today: date) -> Iterator[ColumnElement[bool]]:
    profile_id = table.profile_id
    gallery, division, day = (
        (GalleryKind.CASE, Case.found_division, Case.admitted_on)
        if table is Case
        else (GalleryKind.REPORT, Report.last_seen_division, Report.last_seen_on)
    )
    if sought.text and is_number(sought.text):
        yield table.number.contains(sought.text.strip().upper(), autoescape=True)
    elif sought.text:
        yield profile_id.in_(_under(gallery, _named(sought.text)))
    if sought.age:
        yield profile_id.in_(_under(gallery, _born(sought.age, today)))
    for kind, value in ((_K.SEX, sought.sex), (_K.BUILD, sought.build), (_K.ETHNICITY, sought.ethnicity)):
        if value:
            yield profile_id.in_(_with(kind, ProfileAttribute.value == str(value)))
    if sought.accent:
        yield profile_id.in_(_with(_K.ACCENT, ProfileAttribute.value.startswith(sought.accent, autoescape=True)))
    if sought.height:
        # Texts of other kinds are no numbers: the database may not look at them first.
        figure = cast(case((ProfileAttribute.kind == _K.HEIGHT, ProfileAttribute.value)), Float)
        yield profile_id.in_(_with(_K.HEIGHT, *_within(figure, sought.height)))
    if sought.division:
        yield division.startswith(sought.division, autoescape=True)
    if sought.since:
        yield day >= sought.since
    if sought.until:
        yield day <= sought.until


def _under(gallery: GalleryKind, keys: ColumnElement[bool]) -> Select[uuid.UUID]:
    return select(BlockingKey.profile_id).where(BlockingKey.gallery == gallery, keys)


def _with(kind: AttributeKind, *values: ColumnElement[bool]) -> Select[uuid.UUID]:
    return select(ProfileAttribute.profile_id).where(
        ProfileAttribute.kind == kind, ProfileAttribute.superseded_at.is_(None), *values
    )


def _named(text: str) -> ColumnElement[bool]:
    asked = asked_keys(text)
    named = BlockingKey.key.in_(sorted(asked.keys))
    if asked.initials is None:
        return named
    return or_(named, BlockingKey.key.between(asked.initials, f"{asked.initials}{{"))  # "{" comes after "z"


def _born(age: Range, today: date) -> ColumnElement[bool]:
    # Who is 40 today was born 40 years ago, or in the year before that.
    first = year_key(max(1, today.year - int(age.highest) - 1)) if age.highest is not None else year_key(1)
    last = year_key(max(1, today.year - int(age.lowest))) if age.lowest is not None else year_key(today.year)
    return BlockingKey.key.between(first, last)


def _within(figure: ColumnElement[float], wanted: Range) -> list[ColumnElement[bool]]:
    found = []
    if wanted.lowest is not None:
        found.append(figure >= wanted.lowest)
    if wanted.highest is not None:
        found.append(figure <= wanted.highest)
    return found


def exportable(session: Session, statement: Select[T]) -> Sequence[T]:
    """Every row of a list, for a file. Raises TooManyToExport."""
    rows = session.scalars(statement.limit(EXPORT_MOST + 1)).all()
    if len(rows) > EXPORT_MOST:
        raise TooManyToExport(limit=EXPORT_MOST)
    return rows
