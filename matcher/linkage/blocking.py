"""Which pairs of rows are worth comparing: those that agree on some key. The rest is taken for different people."""

from collections.abc import Iterator, Sequence

import numpy as np

from matcher.linkage.mapping import ColumnKind, Key, LinkageMapping, MappingInvalid
from matcher.linkage.table import NAME_KINDS, Codes, Rows, cell, persons, value

LARGEST_BLOCK = 1000
"""A key that more rows share tells nothing apart, and would cost their number squared; its pairs are left to others."""

AUTOMATIC_PAIRS = 10_000_000
"""Without rules of the mapping's own, the largest blocks are left out until the pairs are no more than this."""

ALL_PAIRS = 2_000_000
"""Up to so many pairs, all of them are compared and no key is needed."""

MOST_PAIRS = 20_000_000
"""So many pairs still fit into the memory of an ordinary machine (about 2 GB)."""

ALONE = frozenset({ColumnKind.DATE, ColumnKind.POSTCODE, ColumnKind.EMAIL, ColumnKind.PHONE, ColumnKind.IDENTIFIER,
                   ColumnKind.PLACE, ColumnKind.TEXT})  # fmt: skip
"""Kinds of which one equal value is enough to compare two rows."""


def candidate_pairs(rows: Rows, mapping: LinkageMapping) -> Codes:
    """(n, 2) pairs of row numbers to compare, the smaller first, in order, each once.

    Raises MappingInvalid when the mapping's own rules give too many.
    """
    count = len(rows)
    if mapping.blocking is None and count * (count - 1) // 2 <= ALL_PAIRS:
        left, right = np.triu_indices(count, 1)
        return np.column_stack([left, right]).astype(np.int64)
    largest = LARGEST_BLOCK
    if mapping.blocking is not None:
        blocks = [_blocks(keys) for keys in _by_rules(rows, mapping, mapping.blocking)]
        if _size(blocks, largest) > MOST_PAIRS:
            raise MappingInvalid(
                f"mapping, blocking: gives more than {MOST_PAIRS:,} pairs; name narrower rules, of two columns each"
            )
    else:
        blocks = [_blocks(keys) for keys in _automatic(rows, mapping)]
        while largest > 2 and _size(blocks, largest) > AUTOMATIC_PAIRS:
            largest //= 2
    found = np.empty(0, np.int64)
    for one in blocks:
        found = np.union1d(found, _pairs(one, count, largest))
    return np.column_stack([found // count, found % count])


def _blocks(keys: Sequence[Sequence[str]]) -> list[list[int]]:
    """Rows that share a key, two or more; `keys`: those of each row."""
    blocks: dict[str, list[int]] = {}
    for row, own in enumerate(keys):
        for key in dict.fromkeys(own):
            blocks.setdefault(key, []).append(row)
    return [block for block in blocks.values() if len(block) >= 2]


def _size(blocks: Sequence[Sequence[Sequence[int]]], largest: int) -> int:
    """Pairs in all blocks up to that size, those in several counted several times."""
    return sum(len(one) * (len(one) - 1) // 2 for rule in blocks for one in rule if len(one) <= largest)


def _pairs(blocks: Sequence[Sequence[int]], count: int, largest: int) -> Codes:
    """Pairs of rows that share a block, each as one number."""
    found = [np.empty(0, np.int64)]
    for block in blocks:
        if len(block) <= largest:
            members = np.array(block, np.int64)
            left, right = np.triu_indices(len(members), 1)
            found.append(members[left] * count + members[right])
    return np.unique(np.concatenate(found))


def _automatic(rows: Rows, mapping: LinkageMapping) -> Iterator[list[list[str]]]:
    """Keys by the kinds of the columns: any word of the name, any telling value, and their beginnings together."""
    people = persons(rows, mapping)
    names = [[word for word in (*first.split(), *last.split(), *further) if len(word) > 1]
             for first, last, further in people]  # fmt: skip
    yield names
    for column in mapping.columns:
        if column.kind in ALONE:
            texts = [value(cell(row, column.name, mapping), column) for row in rows]
            yield [[text] if text else [] for text in texts]
            # A beginning and the name's initials: what is left of a value and a name that are both misspelt.
            yield [
                [f"{text[:4]} {word[:2]}" for word in own] if text else []
                for text, own in zip(texts, names, strict=True)
            ]
    yield [[f"{one[:3]} {two[:3]}" for one in own for two in own if one < two] for own in names]


def _by_rules(rows: Rows, mapping: LinkageMapping, rules: Sequence[Sequence[Key]]) -> Iterator[list[list[str]]]:
    columns = {column.name: column for column in mapping.columns}
    for rule in rules:
        parts = []
        for key in rule:
            column = columns[key.column]
            texts = [cell(row, column.name, mapping) for row in rows]
            plain = [" ".join(text.lower().split()) if column.kind in NAME_KINDS else value(text, column)
                     for text in texts]  # fmt: skip
            parts.append([text[: key.prefix] for text in plain])
        yield [["\x1f".join(own)] if all(own) else [] for own in zip(*parts, strict=True)]
