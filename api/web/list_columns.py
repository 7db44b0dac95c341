"""Columns of the lists (列): what a case or report shows in a row, on the page and in a file, in the user's words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from api.web.brief import brief_of
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


def _person(_: Words, record: Case | Report) -> str:
    return brief_of(record.profile).name or ""


def _sex(words: Words, record: Case | Report) -> str:
    sex = brief_of(record.profile).sex
    return words.label(sex) if sex else ""


def _age(_: Words, record: Case | Report) -> str:
    return brief_of(record.profile).age or ""


def _height(_: Words, record: Case | Report) -> str:
    return brief_of(record.profile).height or ""


def _build(words: Words, record: Case | Report) -> str:
    build = brief_of(record.profile).build
    return words.label(build) if build else ""


def _ethnicity(_: Words, record: Case | Report) -> str:
    code = brief_of(record.profile).ethnicity
    return ethnicity_name(code) if code else ""


def _accent(_: Words, record: Case | Report) -> str:
    return place_name(brief_of(record.profile).accent)


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
    Column("name", "Name heard", _person),
    Column("sex", "Sex", _sex),
    Column("age", "Age, years", _age),
    Column("height", "Height, cm", _height, standard=False),
    Column("build", "Build", _build, standard=False),
    Column("ethnicity", "Ethnic group", _ethnicity, standard=False),
    Column("accent", "Accent", _accent),
    Column("found", "Found where", _found, standard=False),
    Column("found_on", "Found on", lambda words, case: words.day(case.found_on), standard=False),
    Column("admitted", "Admitted", lambda words, case: words.day(case.admitted_on)),
    Column("since", "In this state since", lambda words, case: words.moment(case.state_since), standard=False),
    Column("organisation", "Organisation", _organisation),
)
REPORT_COLUMNS: tuple[Column[Report], ...] = (
    Column("state", "State", _state),
    Column("name", "Name", _person),
    Column("sex", "Sex", _sex),
    Column("age", "Age, years", _age),
    Column("height", "Height, cm", _height, standard=False),
    Column("build", "Build", _build, standard=False),
    Column("ethnicity", "Ethnic group", _ethnicity, standard=False),
    Column("accent", "Accent", _accent, standard=False),
    Column("last_seen", "Last seen", lambda words, report: words.day(report.last_seen_on)),
    Column("where", "Last seen where", _last_seen),
    Column("organisation", "Organisation", _organisation),
)


def chosen(columns: tuple[Column[R], ...], keys: list[str]) -> tuple[Column[R], ...]:
    """The columns asked for, in their own order; those shown at first when none was asked for."""
    found = tuple(one for one in columns if one.key in keys)
    return found or tuple(one for one in columns if one.standard)
