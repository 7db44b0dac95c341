"""Columns of the lists (列): what a case or report shows in a row, on the page and in a file, in the user's words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from api.web.brief import Brief, brief_of
from api.web.rendering import Words, ethnicity_name, place_name
from models.case import Case
from models.report import Report

R = TypeVar("R", Case, Report)


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column: its name in addresses, its heading (a msgid), its text for a record, whether it is shown at first."""

    key: str
    heading: str
    text: Callable[[Words, R], str]
    standard: bool = True


def _known(show: Callable[[Words, Brief], str | None]) -> Callable[[Words, Case | Report], str]:
    """A fact of the person; "" when it is not known."""
    return lambda words, record: show(words, brief_of(record.profile)) or ""


_NAME = _known(lambda _, brief: brief.name)
_SEX = _known(lambda words, brief: words.label(brief.sex) if brief.sex else None)
_AGE = _known(lambda _, brief: brief.age)
_HEIGHT = _known(lambda _, brief: brief.height)
_BUILD = _known(lambda words, brief: words.label(brief.build) if brief.build else None)
_ETHNICITY = _known(lambda _, brief: ethnicity_name(brief.ethnicity) if brief.ethnicity else None)
_ACCENT = _known(lambda _, brief: place_name(brief.accent))


def _organisation(words: Words, record: Case | Report) -> str:
    return words.organisation(record.organisation)


def _state(words: Words, record: Case | Report) -> str:
    return words.label(record.state)


def _place(division: str | None, detail: str | None) -> str:
    return " ".join(part for part in (place_name(division), detail or "") if part)


def _found(_: Words, case: Case) -> str:
    return _place(case.found_division, case.found_place)


def _last_seen(_: Words, report: Report) -> str:
    return _place(report.last_seen_division, report.last_seen_place)


CASE_COLUMNS: tuple[Column[Case], ...] = (
    Column("state", "State", _state),
    Column("name", "Name heard", _NAME),
    Column("sex", "Sex", _SEX),
    Column("age", "Age, years", _AGE),
    Column("height", "Height, cm", _HEIGHT, standard=False),
    Column("build", "Build", _BUILD, standard=False),
    Column("ethnicity", "Ethnic group", _ETHNICITY, standard=False),
    Column("accent", "Accent", _ACCENT),
    Column("found", "Found where", _found, standard=False),
    Column("found_on", "Found on", lambda words, case: words.day(case.found_on), standard=False),
    Column("admitted", "Admitted", lambda words, case: words.day(case.admitted_on)),
    Column("since", "In this state since", lambda words, case: words.moment(case.state_since), standard=False),
    Column("organisation", "Organisation", _organisation),
)
REPORT_COLUMNS: tuple[Column[Report], ...] = (
    Column("state", "State", _state),
    Column("name", "Name", _NAME),
    Column("sex", "Sex", _SEX),
    Column("age", "Age, years", _AGE),
    Column("height", "Height, cm", _HEIGHT, standard=False),
    Column("build", "Build", _BUILD, standard=False),
    Column("ethnicity", "Ethnic group", _ETHNICITY, standard=False),
    Column("accent", "Accent", _ACCENT, standard=False),
    Column("last_seen", "Last seen", lambda words, report: words.day(report.last_seen_on)),
    Column("where", "Last seen where", _last_seen),
    Column("organisation", "Organisation", _organisation),
)


def chosen(columns: tuple[Column[R], ...], keys: list[str]) -> tuple[Column[R], ...]:
    """The columns asked for, in their own order; those shown at first when none was asked for."""
    found = tuple(one for one in columns if one.key in keys)
    return found or tuple(one for one in columns if one.standard)
