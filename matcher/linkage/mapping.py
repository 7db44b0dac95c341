"""The mapping: which column of a table holds what, so that it can be compared. TOML or JSON, see docs/linkage.md."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

MAX_KEY = 40


class ColumnKind(StrEnum):
    """What a column holds."""

    GIVEN_NAME = "given_name"  # 名
    SURNAME = "surname"  # 姓
    FULL_NAME = "full_name"  # 姓名: Chinese, or given name, further names and surname in this order
    DATE = "date"  # 日期
    PLACE = "place"  # 地点, in words
    POSTCODE = "postcode"  # 邮政编码
    EMAIL = "email"
    PHONE = "phone"  # 电话
    IDENTIFIER = "identifier"  # 证件号 or another number that is a person's own
    CATEGORY = "category"  # one of a few words or codes
    TEXT = "text"  # several words in any order


SINGLE = frozenset({ColumnKind.GIVEN_NAME, ColumnKind.SURNAME, ColumnKind.FULL_NAME})
"""Kinds that one column at most may have."""


class MappingInvalid(ValueError):
    """A mapping that cannot be used; the message names the place and the remedy."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column to compare.

    Attributes:
        name: its heading in the table.
        kind: what it holds.
        day_first: of a date whose order is not plain: 03/04/1950 is in April.
    """

    name: str
    kind: ColumnKind
    day_first: bool = True


@dataclass(frozen=True, slots=True)
class Key:
    """A part of a blocking rule: a column, and how many of its first characters count (None: all)."""

    column: str
    prefix: int | None = None


@dataclass(frozen=True, slots=True)
class LinkageMapping:
    """A mapping that was read.

    Attributes:
        columns: those to compare, in the file's order.
        blocking: rules; records that agree on every key of one of them are compared. None: rules from the kinds.
        truth_pattern: the part of the truth column that names the person: its first group, or all that it matches.
        missing: texts, lower case, that stand for a value that is not known, besides the empty one.
    """

    columns: tuple[Column, ...]
    blocking: tuple[tuple[Key, ...], ...] | None = None
    truth_pattern: re.Pattern[str] | None = None
    missing: frozenset[str] = frozenset()


def read_mapping(path: Path, headings: Sequence[str]) -> LinkageMapping:
    """The mapping in that file, for a table with these headings. Raises MappingInvalid."""
    try:
        text = path.read_text("utf-8")
        data = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        raise MappingInvalid(f"mapping {path}: cannot be read ({error.strerror}); name a TOML or JSON file") from None
    except ValueError as error:
        raise MappingInvalid(f"mapping {path}: is no TOML or JSON ({error})") from None
    return parse_mapping(data, headings)


def parse_mapping(data: Any, headings: Sequence[str]) -> LinkageMapping:
    """The mapping in the contents of a file, for a table with these headings. Raises MappingInvalid."""
    data = _table("the mapping", data)
    for key in data:
        if key not in {"columns", "blocking", "truth", "missing"}:
            _refuse(key, "is not known; a mapping has columns, blocking, truth and missing")
    rows = _table("columns", data.get("columns", {}))
    if not rows:
        _refuse("columns", 'is empty; give at least one column and its kind, as in surname = "surname"')
    columns = tuple(_column(name, row, headings) for name, row in rows.items())
    for kind in SINGLE:
        same = [column.name for column in columns if column.kind is kind]
        if len(same) > 1:
            _refuse("columns", f"{' and '.join(same)} both hold a {kind}; keep one of them")
    missing = data.get("missing", [])
    if not isinstance(missing, list) or not all(isinstance(word, str) for word in missing):
        _refuse("missing", 'is a list of texts, as in ["n/a", "unknown"]')
    return LinkageMapping(
        columns=columns,
        blocking=None if "blocking" not in data else _blocking(data["blocking"], columns),
        truth_pattern=_truth(_table("truth", data.get("truth", {}))),
        missing=frozenset(word.strip().lower() for word in missing),
    )


def _column(name: str, row: Any, headings: Sequence[str]) -> Column:
    place = f"columns.{name}"
    if name not in headings:
        _refuse(place, f"the table has no such column; it has {', '.join(headings)}")
    row = {"kind": row} if isinstance(row, str) else _table(place, row)
    for key in row:
        if key not in {"kind", "day_first"}:
            _refuse(f"{place}.{key}", "is not known; a column has kind and day_first")
    try:
        kind = ColumnKind(row.get("kind"))
    except ValueError:
        _refuse(place, f"kind {row.get('kind')!r} is not known; it is one of {', '.join(ColumnKind)}")
    day_first = row.get("day_first", True)
    if not isinstance(day_first, bool):
        _refuse(f"{place}.day_first", "is true or false")
    return Column(name, kind, day_first)


def _blocking(rules: Any, columns: Sequence[Column]) -> tuple[tuple[Key, ...], ...]:
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, list) and rule for rule in rules):
        _refuse("blocking", 'is a list of rules, each a list of columns, as in [["surname", "dob:4"], ["email"]]')
    return tuple(tuple(_key(text, columns) for text in rule) for rule in rules)


def _key(text: Any, columns: Sequence[Column]) -> Key:
    name, _, prefix = str(text).partition(":")
    if name not in {column.name for column in columns}:
        _refuse("blocking", f"{name!r} is not among the mapping's columns; add it there or take it out")
    if not prefix:
        return Key(name)
    if not prefix.isdigit() or not 1 <= int(prefix) <= MAX_KEY:
        _refuse("blocking", f"{text!r}: after the colon stands how many characters count, 1 to {MAX_KEY}")
    return Key(name, int(prefix))


def _truth(table: Mapping[str, Any]) -> re.Pattern[str] | None:
    for key in table:
        if key != "pattern":
            _refuse(f"truth.{key}", "is not known; truth has a pattern")
    if "pattern" not in table:
        return None
    try:
        return re.compile(table["pattern"])
    except (re.error, TypeError) as error:
        _refuse("truth.pattern", f"is no regular expression ({error})")


def _table(place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse(place, "is a table of keys and values")
    return value


def _refuse(place: str, why: str) -> NoReturn:
    raise MappingInvalid(f"mapping, {place}: {why}")
