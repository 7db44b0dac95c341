"""A table and its mapping → fields: what is compared, each row's value as a number, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.linkage import values
from matcher.linkage.comparison import CATEGORY, DATE, EMAIL, NUMBER, PLACE, POSTCODE, TEXT, Comparator, Levels
from matcher.linkage.mapping import Column, ColumnKind, LinkageMapping
from matcher.linkage.person_names import FURTHER_NAMES, GIVEN_NAME, SURNAME, Person

Rows = Sequence[Mapping[str, str]]
Codes = NDArray[np.int64]

COMPARATORS: Mapping[ColumnKind, Comparator] = {
    ColumnKind.DATE: DATE,
    ColumnKind.PLACE: PLACE,
    ColumnKind.POSTCODE: POSTCODE,
    ColumnKind.EMAIL: EMAIL,
    ColumnKind.PHONE: NUMBER,
    ColumnKind.IDENTIFIER: NUMBER,
    ColumnKind.CATEGORY: CATEGORY,
    ColumnKind.TEXT: TEXT,
}
NAME_KINDS = frozenset({ColumnKind.GIVEN_NAME, ColumnKind.SURNAME, ColumnKind.FULL_NAME})


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One comparison over all rows.

    Attributes:
        name: what people read.
        kind: of the column, or of the part of a name.
        comparator: how two values are compared.
        distinct: the values that occur.
        codes: (rows,) which of them a row has.
        texts: of each distinct value what counts as equal; "" is not known. Frequencies are taken over it.
    """

    name: str
    kind: ColumnKind
    comparator: Comparator
    distinct: Sequence[Any]
    codes: Codes
    texts: Sequence[str]

    def levels(self, pairs: Codes) -> Levels:
        """(n,) level of each pair of rows (n, 2); each pair of values is compared once."""
        found = np.sort(self.codes[pairs], axis=1)
        width = len(self.distinct)
        keys, where = np.unique(found[:, 0] * width + found[:, 1], return_inverse=True)
        left = [self.distinct[at] for at in keys // width]
        right = [self.distinct[at] for at in keys % width]
        if not len(keys):
            return np.empty(0, np.int8)
        return self.comparator.compare(left, right)[where]

    def equal_share(self) -> tuple[float, float]:
        """Share of all pairs of rows in which both values are known, and in which they are equal."""
        text_codes, rows = self.text_codes(), len(self.codes)
        counts = np.bincount(text_codes[text_codes >= 0]).astype(np.float64)
        pairs, known = rows * (rows - 1) / 2, counts.sum()
        return known * (known - 1) / 2 / pairs, float((counts * (counts - 1) / 2).sum() / pairs)

    def text_codes(self) -> Codes:
        """(rows,) number of each row's text, -1 where not known."""
        numbers = {text: number for number, text in enumerate(dict.fromkeys(text for text in self.texts if text))}
        return np.array([numbers.get(text, -1) for text in self.texts], np.int64)[self.codes]


def fields(rows: Rows, mapping: LinkageMapping) -> tuple[Field, ...]:
    """What is compared, names first. Fields of which no two rows know anything are left out."""
    found = [*_name_fields(rows, mapping), *(_field(rows, one, mapping) for one in _others(mapping))]
    return tuple(field for field in found if sum(bool(text) for text in field.texts) and field.equal_share()[0] > 0)


def cell(row: Mapping[str, str], column: str, mapping: LinkageMapping) -> str:
    """What a row says in that column; "" when that stands for nothing known."""
    text = (row.get(column) or "").strip()
    return "" if text.lower() in mapping.missing else text


def value(text: str, column: Column) -> str:
    """What is compared of a cell that is no name."""
    match column.kind:
        case ColumnKind.DATE:
            return values.date_digits(text, day_first=column.day_first)
        case ColumnKind.POSTCODE | ColumnKind.IDENTIFIER:
            return values.letters_and_digits(text)
        case ColumnKind.PHONE:
            return values.digits(text)
        case ColumnKind.EMAIL:
            return values.email(text)
        case _:
            return values.plain(text)


def persons(rows: Rows, mapping: LinkageMapping) -> list[Person]:
    """The name in each row."""
    by_kind = {column.kind: column.name for column in mapping.columns if column.kind in NAME_KINDS}
    parts = [by_kind.get(kind) for kind in (ColumnKind.GIVEN_NAME, ColumnKind.SURNAME, ColumnKind.FULL_NAME)]
    texts = [["" if part is None else cell(row, part, mapping) for part in parts] for row in rows]
    return [values.person_name(*text) for text in texts]


def _name_fields(rows: Rows, mapping: LinkageMapping) -> list[Field]:
    people = persons(rows, mapping)
    distinct = list(dict.fromkeys(people))
    numbers = {person: number for number, person in enumerate(distinct)}
    codes = np.array([numbers[person] for person in people], np.int64)
    parts = (
        ("given name", ColumnKind.GIVEN_NAME, GIVEN_NAME, [one[0] for one in distinct]),
        ("surname", ColumnKind.SURNAME, SURNAME, [one[1] for one in distinct]),
        ("further names", ColumnKind.FULL_NAME, FURTHER_NAMES, [" ".join(one[2]) for one in distinct]),
    )
    return [Field(name, kind, comparator, distinct, codes, texts) for name, kind, comparator, texts in parts]


def _field(rows: Rows, column: Column, mapping: LinkageMapping) -> Field:
    texts = [value(cell(row, column.name, mapping), column) for row in rows]
    distinct = list(dict.fromkeys(texts))
    numbers = {text: number for number, text in enumerate(distinct)}
    codes = np.array([numbers[text] for text in texts], np.int64)
    return Field(column.name, column.kind, COMPARATORS[column.kind], distinct, codes, distinct)


def _others(mapping: LinkageMapping) -> list[Column]:
    return [column for column in mapping.columns if column.kind not in NAME_KINDS]
