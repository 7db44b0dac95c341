"""Small numbers: whatever a table holds, no small count can be read off or worked out from what is shown."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.statistics_suppression import hidden_cells

THRESHOLD = 5


def with_sums(inner: list[list[int]]) -> list[list[int]]:
    rows = [[*row, sum(row)] for row in inner]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]]


def tables(side: int, largest: int) -> st.SearchStrategy[list[list[int]]]:
    def of_width(width: int) -> st.SearchStrategy[list[list[int]]]:
        row = st.lists(st.integers(0, largest), min_size=width, max_size=width)
        return st.lists(row, min_size=1, max_size=side).map(with_sums)

    return st.integers(1, side).flatmap(of_width)


TABLES = tables(5, 12)


def lines_of(table: list[list[int]]) -> list[list[tuple[int, int]]]:
    height, width = len(table), len(table[0])
    return [
        *([(r, c) for c in range(width)] for r in range(height)),
        *([(r, c) for r in range(height)] for c in range(width)),
    ]


@given(TABLES)
def test_no_small_count_is_shown_or_follows_from_one_line(table: list[list[int]]) -> None:
    hidden = hidden_cells(table, THRESHOLD)
    for row, line in enumerate(table):
        for column, value in enumerate(line):
            assert not 0 < value < THRESHOLD or (row, column) in hidden
            assert value or (row, column) not in hidden
    for cells in lines_of(table):
        inside = [cell for cell in cells if cell in hidden]
        assert len(inside) != 1, (table, hidden)  # one unknown in a sum is known
        if inside and cells[-1] not in hidden:
            # Zeros are shown, so each hidden one is at least 1: a sum of as many as there are would tell them all.
            assert sum(table[r][c] for r, c in inside) >= max(THRESHOLD, len(inside) + 1)


def learned(table: list[list[int]], hidden: frozenset[tuple[int, int]]) -> set[tuple[int, int]]:
    """Hidden cells that are the same in every table of positive numbers, one off at most, that shows what is shown."""
    height, width = len(table) - 1, len(table[0]) - 1
    inner = [place for place in hidden if place[0] < height and place[1] < width]
    steps = np.array(list(itertools.product((-1, 0, 1), repeat=len(inner))), dtype=int)
    change = np.zeros((len(steps), height + 1, width + 1), dtype=int)
    for number, (row, column) in enumerate(inner):
        change[:, row, column] = steps[:, number]
    change[:, -1, :] = change.sum(axis=1)
    change[:, :, -1] = change[:, :, :-1].sum(axis=2)
    shown = np.array([[(r, c) not in hidden for c in range(width + 1)] for r in range(height + 1)])
    possible = change[
        ((change == 0) | ~shown).all(axis=(1, 2)) & ((np.array(table) + change > 0) | shown).all(axis=(1, 2))
    ]
    return {place for place in hidden if not possible[:, place[0], place[1]].any()}


def follows(table: list[list[int]], hidden: frozenset[tuple[int, int]]) -> set[tuple[int, int]]:
    """Hidden cells that the sums determine by linear algebra: every solution of them without numbers is zero there."""
    places = sorted(hidden)
    sums = np.array(
        [[(1 if place != cells[-1] else -1) * (place in cells) for place in places] for cells in lines_of(table)],
        dtype=float,
    ).reshape(-1, len(places))
    _, values, directions = np.linalg.svd(sums)
    free = directions[int((values > 1e-9).sum()) :]
    return {place for number, place in enumerate(places) if not (abs(free[:, number]) > 1e-9).any()}


@given(tables(3, 7))
def test_every_hidden_cell_could_be_another_number(table: list[list[int]]) -> None:
    assert learned(table, hidden_cells(table, THRESHOLD)) == set()


@given(tables(7, 12))
def test_no_hidden_cell_is_determined_by_the_sums_together(table: list[list[int]]) -> None:
    hidden = hidden_cells(table, THRESHOLD)
    assert not hidden or follows(table, hidden) == set()


BRIDGE = with_sums([[3, 3, 20, 30], [3, 3, 20, 30], [20, 3, 3, 3], [30, 40, 3, 3]])
"""Every line has two small ones at least; that of row three and column two alone joins two squares of the others."""
ONES = with_sums([[1, 4, 0], [0, 4, 1], [4, 0, 4]])
"""One round, on which a one stands among the falling whichever way it turns."""


@pytest.mark.parametrize("table", [BRIDGE, ONES])
def test_cells_that_no_single_line_gives_away(table: list[list[int]]) -> None:
    small = frozenset((r, c) for r, line in enumerate(table) for c, value in enumerate(line) if 0 < value < THRESHOLD)
    oracle = follows if table is BRIDGE else learned
    assert oracle(table, small), "the small ones alone give one away"
    hidden = hidden_cells(table, THRESHOLD)
    assert hidden > small
    assert oracle(table, hidden) == set()


def test_the_smallest_that_joins_is_hidden() -> None:
    assert hidden_cells(BRIDGE, THRESHOLD) == {
        *((r, c) for r in (0, 1) for c in (0, 1)), *((r, c) for r in (2, 3) for c in (2, 3)), (2, 1), (2, 0),
    }  # fmt: skip


def test_an_example() -> None:
    table = with_sums([[20, 3, 9], [30, 40, 50]])
    assert hidden_cells(table, THRESHOLD) == {(0, 1), (0, 2), (1, 1), (1, 2)}
    assert hidden_cells(with_sums([[20, 8], [9, 7]]), THRESHOLD) == frozenset()
    assert hidden_cells([[3]], THRESHOLD) == {(0, 0)}
    assert hidden_cells([[7, 0, 7]], THRESHOLD) == frozenset()
    assert (0, 5) in hidden_cells([[1, 1, 1, 1, 1, 5]], THRESHOLD)  # five hidden ones that come to five
